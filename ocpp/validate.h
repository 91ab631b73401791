/* Whether a payload is what the dictionary says it is, and if not: where, by which rule, and which CALLERROR code that is.
 *
 * Works on the text as it came: builds no tree, allocates nothing, and changes no number on the way. Any thread. */
#ifndef AMPGATE_OCPP_VALIDATE_H
#define AMPGATE_OCPP_VALIDATE_H

#include "ocpp/dictionary.h"
#include "ocpp/scan.h"

#define VERDICT_PATH 256

enum rule {
	RULE_NONE,
	RULE_SYNTAX,        /* no JSON; nothing behind this place was looked at */
	RULE_UTF8,          /* bytes or escapes that are no Unicode text */
	RULE_DEPTH,         /* nested deeper than SCAN_DEPTH; nothing behind this place was looked at */
	RULE_DUPLICATE_KEY,
	RULE_UNKNOWN_FIELD,
	RULE_REQUIRED,
	RULE_EMPTY,         /* 2.x: null or {} where an optional field has to be left out (Part 4, 4.1.5) */
	RULE_TYPE,
	RULE_MAX_LENGTH,
	RULE_ENUM,
	RULE_MINIMUM,
	RULE_MAXIMUM,
	RULE_MULTIPLE_OF,
	RULE_NUMBER_RANGE,  /* beyond a double, or a 2.x integer beyond 32 bits (Part 2, 2.1.4) */
	RULE_MIN_ITEMS,
	RULE_MAX_ITEMS,
	RULE_DATE_TIME,
	RULE_URI,
	RULES
};
const char *rule_text(enum rule r);                           /* "required", "max-length", ... "" for RULE_NONE */
const char *rule_error_code(enum rule r, enum ocpp_version v); /* of CALLERROR, in this version's spelling; NULL for RULE_NONE */

struct verdict {
	bool ok;
	enum rule rule;
	const char *code;          /* as rule_error_code */
	char path[VERDICT_PATH];   /* "$.meterValue[0].sampledValue[3].unit"; the end of an overlong one is cut */
	struct slice at;           /* window into the payload: the value, the name of an unknown field; absent where something is missing */
	const struct shape *shape; /* the object the field belongs to, NULL at the top; see dictionary_field for what was expected */
	int field;                 /* its index there; -1: not a field we know */
};

struct validate_how {
	/* What the field is known to send passes: times as time_parse reads them, null or {} for an optional field, texts up to the
	 * dictionary's lenient length, 2.x integers beyond 32 bits, and limits that were multiples of 0.1 before they went through single
	 * precision. */
	bool lenient;
	/* Not NULL: called for every fault, in the order of the text (what is missing, at the end of its object). The verdict lives during
	 * the call. */
	void (*on_fault)(void *arg, const struct verdict *fault);
	void *arg;
};

/* 0; ERR_INVALID: JSON that breaks a rule; ERR_SYNTAX: no JSON, or too deep. `out` holds the first fault. The payload of a 1.6 message
 * without required fields may be null (1.6-J, 4.2.1). */
int validate(const struct shape *s, struct slice payload, enum ocpp_version v, struct verdict *out);
int validate_with(const struct shape *s, struct slice payload, enum ocpp_version v, const struct validate_how *how, struct verdict *out);

#endif
