/* Passwords on their way down.
 *
 * Easy to get wrong: SetVariables may carry many variables with an answer for each, in any order, and a station may spell names in another case (2.x
 * Part 2 Appendix: component and variable names are case insensitive). */
#include "ocpp/credential.h"

#include <string.h>

#include "base/json.h"

static bool said_yes(struct slice word)
{
	return slice_is(word, "Accepted") || slice_is(word, "RebootRequired");
}

static bool is_password(const cJSON *one)
{
	struct slice type = json_text(one, "attributeType");
	return slice_eq_nocase(json_text(one, "component.name"), SLICE("SecurityCtrlr")) &&
	       slice_eq_nocase(json_text(one, "variable.name"), SLICE("BasicAuthPassword")) && (!type.p || slice_is(type, "Actual"));
}

/* 1.6: Security Whitepaper, A00.FR.301 on. */
static struct slice of_key(const cJSON *asked, const cJSON *said)
{
	bool given = slice_eq_nocase(json_text(asked, "key"), SLICE("AuthorizationKey")) && said_yes(json_text(said, "status"));
	return given ? json_text(asked, "value") : (struct slice){ 0 };
}

/* 2.x: A01. The last one counts where it is set twice. */
static struct slice of_variables(const cJSON *asked, const cJSON *said)
{
	const cJSON *one;
	struct slice given = { 0 };
	bool taken = false;
	cJSON_ArrayForEach(one, json_at(said, "setVariableResult"))
		if (is_password(one))
			taken = said_yes(json_text(one, "attributeStatus"));
	cJSON_ArrayForEach(one, json_at(asked, "setVariableData"))
		if (taken && is_password(one))
			given = json_text(one, "attributeValue");
	return given;
}

struct slice credential_given(struct frame *call, struct frame *answer, struct arena *mem)
{
	if (call->kind != FRAME_CALL || answer->kind != FRAME_RESULT)
		return (struct slice){ 0 };
	const cJSON *asked = frame_tree(call), *said = frame_tree(answer);
	struct slice given = of_key(asked, said);
	if (!given.p)
		given = of_variables(asked, said);
	return given.n ? slice_of(arena_text(mem, given)) : (struct slice){ 0 };
}
