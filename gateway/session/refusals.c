/* Identities are chosen by strangers, so the table is small and its texts are made printable. */
#include "gateway/session/refusals.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/stats.h"

static struct refusal all[REFUSALS_KEPT]; /* oldest first */
static size_t n_all;

static void printable(struct slice identity, char out[64])
{
	snprintf(out, 64, "%.*s", (int)(identity.n < 63 ? identity.n : 63), identity.p ? identity.p : "");
	for (char *c = out; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7E)
			*c = '?';
}

static void take_out(size_t at)
{
	memmove(&all[at], &all[at + 1], (n_all - at - 1) * sizeof(all[0]));
	n_all--;
}

void refusal_note(struct slice identity, int status, const char *reason)
{
	struct refusal r = { .reason = reason, .status = status, .count = 1, .last_us = clock_mono_us() };
	printable(identity, r.identity);
	stats_count("ampgate_station_refusals_total", "reason", reason, NULL);
	for (size_t i = 0; i < n_all; i++) {
		if (strcmp(all[i].identity, r.identity) != 0 || strcmp(all[i].reason, reason) != 0)
			continue;
		r.count += all[i].count;
		take_out(i);
		break;
	}
	if (n_all == REFUSALS_KEPT)
		take_out(0);
	all[n_all++] = r;
}

void refusal_over(struct slice identity)
{
	char text[64];
	printable(identity, text);
	for (size_t i = n_all; i > 0; i--)
		if (strcmp(all[i - 1].identity, text) == 0)
			take_out(i - 1);
}

void refusals_each(void (*see)(void *arg, const struct refusal *r), void *arg)
{
	for (size_t i = 0; i < n_all; i++)
		see(arg, &all[i]);
}
