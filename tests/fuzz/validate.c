/* Any bytes as a payload. The first line of an input names what the rest claims to be: "2.0.1 TransactionEvent request". */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "ocpp/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	struct slice payload;
	size_t count;
};

static void check_fault(const struct verdict *v, struct slice payload)
{
	assert(!v->ok && v->path[0] == '$' && strlen(v->path) < sizeof(v->path) && v->code && rule_text(v->rule)[0]);
	assert(!v->at.p || (v->at.p >= payload.p && v->at.p + v->at.n <= payload.p + payload.n));
	assert(!v->shape || v->field < (int)dictionary_field_count(v->shape));
}

static void on_fault(void *arg, const struct verdict *v)
{
	struct seen *seen = arg;
	check_fault(v, seen->payload);
	seen->count++;
}

static const struct shape *read_head(const char *line, enum ocpp_version *version_out)
{
	static const char *const versions[OCPP_VERSIONS] = { "1.6", "2.0.1", "2.1" };
	char version[8], action[64], side[16];
	if (sscanf(line, "%7s %63s %15s", version, action, side) != 3)
		return NULL;
	for (int v = 0; v < OCPP_VERSIONS; v++) {
		*version_out = (enum ocpp_version)v;
		if (strcmp(version, versions[v]) == 0)
			return dictionary_shape(*version_out, action, strcmp(side, "response") == 0);
	}
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[96];
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t n = end ? (size_t)(end - data) : 0;
	enum ocpp_version version;
	if (!end || n >= sizeof(line))
		return 0;
	memcpy(line, data, n);
	line[n] = 0;
	const struct shape *shape = read_head(line, &version);
	if (!shape)
		return 0;
	struct seen seen = { { (const char *)end + 1, size - n - 1 }, 0 };
	struct validate_how all = { .on_fault = on_fault, .arg = &seen }, lenient = { .lenient = true };
	struct verdict first, same, kind;
	int strict = validate(shape, seen.payload, version, &first);
	int every = validate_with(shape, seen.payload, version, &all, &same);
	assert(first.ok == (strict == 0) && same.ok == first.ok && (seen.count > 0) == !first.ok && (strict != ERR_SYNTAX || every == strict));
	if (!first.ok) {
		check_fault(&first, seen.payload);
		assert(first.rule == same.rule && strcmp(first.path, same.path) == 0);
	}
	assert(validate_with(shape, seen.payload, version, &lenient, &kind) == 0 || !first.ok);
	return 0;
}
