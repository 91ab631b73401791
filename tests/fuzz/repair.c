/* Any bytes as a payload on its way, repaired. The first line of an input names what the rest claims to be, as for validate. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "ocpp/repair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
	size_t count;
	bool twice; /* a name stands twice: each of them is a round of its own */
};

static void on_deviation(void *arg, const struct deviation *d)
{
	struct told *told = arg;
	assert(d->fault->path[0] && d->fault->code && (!d->repaired || d->quirk));
	told->twice |= d->fault->rule == RULE_DUPLICATE_KEY;
	told->count++;
}

static bool read_head(const char *line, struct payload_check *c, char action[64])
{
	static const char *const versions[OCPP_VERSIONS] = { "1.6", "2.0.1", "2.1" };
	char version[8], side[16];
	if (sscanf(line, "%7s %63s %15s", version, action, side) != 3)
		return false;
	c->action = action;
	c->answer = strcmp(side, "response") == 0;
	for (int v = 0; v < OCPP_VERSIONS; v++) {
		c->version = (enum ocpp_version)v;
		if (strcmp(version, versions[v]) == 0)
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[96], action[64];
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t n = end ? (size_t)(end - data) : 0;
	struct told told = { 0 };
	struct buf out = { 0 }, again = { 0 };
	struct payload_check c = { .repair = true, .on_deviation = on_deviation, .arg = &told };
	if (!end || n >= sizeof(line))
		return 0;
	memcpy(line, data, n);
	line[n] = 0;
	if (!read_head(line, &c, action))
		return 0;
	struct slice payload = { (const char *)end + 1, size - n - 1 };
	enum repair_result result = repair_payload(&c, payload, &out);
	assert((result == REPAIR_CLEAN) == (told.count == 0) && told.count <= DEVIATIONS_MOST && (result == REPAIR_DONE) == (out.p != NULL));
	/* Repaired is repaired, unless there was more to do than the rounds allow. Text stays text. */
	if (result == REPAIR_DONE && size < 1000 && !told.twice)
		assert(repair_payload(&c, buf_view(&out), &again) != REPAIR_DONE);
	assert(!utf8_valid(payload) || utf8_valid(buf_view(&out)));
	buf_free(&out);
	buf_free(&again);
	return 0;
}
