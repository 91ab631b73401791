/* The rows of actions.def, and a hash over their names.
 *
 * The hash is made at the first question and never changes; the loop thread is the only one to ask. A few bytes of the name are enough
 * for it: of names that share a slot the next slots are tried, and a name that is not there ends at an empty one. */
#include "ocpp/catalogue.h"

#include <string.h>

#define NONE NULL
#define STATUS(word) "{\"status\":\"" #word "\"}"
#define ACTION_2(name, versions, from, offline, event, refusal_16, refusal_2x)                                                               \
	{ #name, versions, from, offline, 0, event, (versions) & V16 ? (refusal_16) : NULL, (versions) & V_2X ? (refusal_2x) : NULL },
#define ACTION(name, versions, from, offline, event, refusal) ACTION_2(name, versions, from, offline, event, refusal, refusal)
#define SENT(name, versions, from, offline, event) { #name, versions, from, offline, 1, event, NULL, NULL },
static const struct action rows[] = {
#include "ocpp/actions.def"
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))
#define SLOTS 512 /* about five for each row */

static uint8_t slots[SLOTS]; /* row + 1; 0: empty */

static size_t slot_of(const char *name, size_t n)
{
	const unsigned char *p = (const unsigned char *)name;
	return (n * 131 + p[0] * 31u + p[n / 3] * 17u + p[n / 2] * 7u + p[n - 1] * 3u) % SLOTS;
}

static void fill_slots(void)
{
	_Static_assert(ROWS < 255, "a slot holds a row's number in one byte");
	for (size_t i = 0; i < ROWS; i++) {
		size_t at = slot_of(rows[i].name, strlen(rows[i].name));
		while (slots[at])
			at = (at + 1) % SLOTS;
		slots[at] = (uint8_t)(i + 1);
	}
}

const struct action *catalogue_find(enum ocpp_version v, struct slice name)
{
	static bool filled;
	if (!filled)
		fill_slots();
	filled = true;
	if (!name.n)
		return NULL;
	for (size_t at = slot_of(name.p, name.n); slots[at]; at = (at + 1) % SLOTS) {
		const struct action *a = &rows[slots[at] - 1];
		if (slice_is(name, a->name))
			return a->versions & 1 << v ? a : NULL;
	}
	return NULL;
}

const struct action *catalogue_for_event(enum ocpp_version v, enum event_kind kind)
{
	for (size_t i = 0; i < ROWS && kind != EV_NONE; i++)
		if (rows[i].event == kind && rows[i].versions & 1 << v)
			return &rows[i];
	return NULL;
}

const char *catalogue_refusal(enum ocpp_version v, const struct action *act)
{
	return v == OCPP16 ? act->refusal_16 : act->refusal_2x;
}

size_t catalogue_count(void)
{
	return ROWS;
}

const struct action *catalogue_at(size_t i)
{
	return &rows[i];
}
