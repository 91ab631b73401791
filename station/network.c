/* Slot 0 is the connection that the box was configured for, and is always good; the others are what the CSMS set. Which is used is the first
 * of NetworkConfigurationPriority, at the next reset; one that does not come to be accepted after as many attempts as
 * NetworkProfileConnectionAttempts says gives way to the next (2.0.1 B10). */
#include "station/network.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "station/commands.h"
#include "station/inside.h"

static bool is_filled(const struct station *s, int64_t slot)
{
	return slot == 0 || (slot > 0 && slot < NETWORKS_MOST && s->networks.raw[slot]);
}

int network_check(struct station *s, struct slice priority)
{
	struct slice word;
	while (list_next(&priority, &word)) {
		int64_t slot;
		if (int_parse(word, &slot) != 0 || !is_filled(s, slot))
			return ERR_INVALID;
	}
	return 0;
}

static const char *status_of(struct station *s, const struct network_profile *p)
{
	const struct station_host *h = s->conf.host;
	if (!h || !h->check_network || !h->use_network)
		return "Rejected";
	if (p->slot <= 0 || p->slot >= NETWORKS_MOST || p->slot == s->networks.active || !slice_is(p->transport, "JSON") || p->vpn_or_apn)
		return "Rejected";
	if (p->security_profile < keys_int(&s->keys, KEY_SECURITY_PROFILE))
		return "Rejected"; /* A05.FR.02, B09.FR.04: security only goes up */
	return h->check_network(s->conf.host_arg, p) == 0 ? "Accepted" : "Failed";
}

void network_set(struct station *s, struct request *q)
{
	struct network_profile p;
	const char *status = network_profile_read(q->f, &p) == 0 ? status_of(s, &p) : "Rejected";
	if (strcmp(status, "Accepted") == 0) {
		network_recall(s, p.slot, p.raw);
		keep_number(s, "network", p.slot, p.raw);
	}
	answer(q, status);
}

void network_recall(struct station *s, int slot, struct slice raw)
{
	if (slot <= 0 || slot >= NETWORKS_MOST)
		return;
	mem_free(s->networks.raw[slot]);
	s->networks.raw[slot] = mem_text(raw);
}

static void use(struct station *s, int slot)
{
	const struct station_host *h = s->conf.host;
	s->networks.active = slot;
	if (h && h->use_network)
		h->use_network(s->conf.host_arg, slot, slot ? slice_of(s->networks.raw[slot]) : (struct slice){ 0 });
}

/* The place in the list that comes after `place` and is filled; -1: none. */
static int slot_at(struct station *s, int place)
{
	struct slice rest = slice_of(keys_text(&s->keys, KEY_NETWORK_PRIORITY)), word;
	for (int i = 0; list_next(&rest, &word); i++) {
		int64_t slot;
		if (i == place && int_parse(word, &slot) == 0 && is_filled(s, slot))
			return (int)slot;
	}
	return -1;
}

void network_choose(struct station *s)
{
	int slot = slot_at(s, 0);
	s->networks.place = 0;
	s->networks.attempts = 0;
	if (slot >= 0 && slot != s->networks.active)
		use(s, slot);
}

void network_failed(struct station *s)
{
	struct networks *n = &s->networks;
	if (n->accepted || ++n->attempts < keys_int(&s->keys, KEY_NETWORK_ATTEMPTS))
		return;
	n->attempts = 0;
	int slot = slot_at(s, ++n->place);
	if (slot < 0) {
		n->place = 0;
		slot = slot_at(s, 0);
	}
	if (slot >= 0 && slot != n->active) {
		log_warn(&s->log, "the CSMS of network profile %d was not reached: profile %d is next", n->active, slot);
		use(s, slot);
	}
}

void network_close(struct station *s)
{
	for (int i = 0; i < NETWORKS_MOST; i++)
		mem_free(s->networks.raw[i]);
}
