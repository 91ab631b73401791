/* Passwords and security profiles on their way down.
 *
 * Easy to get wrong: SetVariables may carry many variables with an answer for each, in any order, and a station may spell names in another case (2.x
 * Part 2 Appendix: component and variable names are case insensitive). */
#include "ocpp/credential.h"

#include <string.h>

#include "base/json.h"
#include "ocpp/network.h"

static bool said_yes(struct slice word)
{
	return slice_is(word, "Accepted") || slice_is(word, "RebootRequired");
}

static bool is_variable(const cJSON *one, struct slice component, struct slice variable)
{
	struct slice type = json_text(one, "attributeType");
	return slice_eq_nocase(json_text(one, "component.name"), component) && slice_eq_nocase(json_text(one, "variable.name"), variable) &&
	       (!type.p || slice_is(type, "Actual"));
}

/* 1.6: Security Whitepaper, A00.FR.301 on. */
static struct slice of_key(const cJSON *asked, const cJSON *said, struct slice key)
{
	bool given = slice_eq_nocase(json_text(asked, "key"), key) && said_yes(json_text(said, "status"));
	return given ? json_text(asked, "value") : (struct slice){ 0 };
}

/* 2.x: A01. The last one counts where it is set twice. */
static struct slice of_variables(const cJSON *asked, const cJSON *said, struct slice component, struct slice variable)
{
	const cJSON *one;
	struct slice given = { 0 };
	bool taken = false;
	cJSON_ArrayForEach(one, json_at(said, "setVariableResult"))
		if (is_variable(one, component, variable))
			taken = said_yes(json_text(one, "attributeStatus"));
	cJSON_ArrayForEach(one, json_at(asked, "setVariableData"))
		if (taken && is_variable(one, component, variable))
			given = json_text(one, "attributeValue");
	return given;
}

struct slice credential_given(struct frame *call, struct frame *answer, struct arena *mem)
{
	if (call->kind != FRAME_CALL || answer->kind != FRAME_RESULT)
		return (struct slice){ 0 };
	const cJSON *asked = frame_tree(call), *said = frame_tree(answer);
	struct slice given = of_key(asked, said, SLICE("AuthorizationKey"));
	if (!given.p)
		given = of_variables(asked, said, SLICE("SecurityCtrlr"), SLICE("BasicAuthPassword"));
	return given.n ? slice_of(arena_text(mem, given)) : (struct slice){ 0 };
}

size_t credential_bytes(enum ocpp_version v, struct slice key, char *out, size_t room)
{
	int n = v == OCPP16 && key.n >= 32 ? hex_parse(key, out, room) : 0;
	return n > 0 ? (size_t)n : 0;
}

static int number_of(struct slice text)
{
	int64_t n;
	return int_parse(text, &n) == 0 && n >= 0 && n <= 1000 ? (int)n : -1;
}

int security_profile_asked(struct frame *call)
{
	const cJSON *asked = call->kind == FRAME_CALL ? frame_tree(call) : NULL;
	return slice_eq_nocase(json_text(asked, "key"), SLICE("SecurityProfile")) ? number_of(json_text(asked, "value")) : -1;
}

int security_profile_given(struct frame *call, struct frame *answer)
{
	if (call->kind != FRAME_CALL || answer->kind != FRAME_RESULT)
		return -1;
	return number_of(of_key(frame_tree(call), frame_tree(answer), SLICE("SecurityProfile")));
}

bool network_slot_given(struct frame *call, struct frame *answer, int *slot_out, int *profile_out)
{
	struct network_profile p;
	if (call->kind != FRAME_CALL || answer->kind != FRAME_RESULT || !slice_is(json_text(frame_tree(answer), "status"), "Accepted") ||
	    network_profile_read(call, &p) != 0)
		return false;
	*slot_out = p.slot;
	*profile_out = p.security_profile;
	return true;
}

int network_first_slot_given(struct frame *call, struct frame *answer)
{
	if (call->kind != FRAME_CALL || answer->kind != FRAME_RESULT)
		return -1;
	struct slice list = of_variables(frame_tree(call), frame_tree(answer), SLICE("OCPPCommCtrlr"), SLICE("NetworkConfigurationPriority"));
	const char *comma = list.n ? memchr(list.p, ',', list.n) : NULL;
	return number_of((struct slice){ list.p, comma ? (size_t)(comma - list.p) : list.n });
}
