/* What an action's payload looks like, from the dictionary: for `ampgate call ... --help` and for completion. Any thread. */
#ifndef AMPGATE_GATEWAY_CALL_HELP_H
#define AMPGATE_GATEWAY_CALL_HELP_H

#include "base/json.h"
#include "ocpp/version.h"

/* One JSON object: with `action`, whoever sends it, its fields and those of its answer; with NULL, the names of all that a station can be asked.
 * ERR_NOT_FOUND: this version has no such action. */
int call_help_write(enum ocpp_version v, const char *action, struct json_writer *w) MUST_CHECK;

/* The same object for people. */
void call_help_print(const cJSON *help);

#endif
