/* Why a car gets what it gets, in one sentence for its driver. */
#ifndef AMPGATE_GATEWAY_CTL_SAY_H
#define AMPGATE_GATEWAY_CTL_SAY_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/buf.h"

bool say_german(void); /* whether LC_ALL, LC_MESSAGES or LANG asks for German */

/* Adds the sentence about an EVSE of the verb `why` to `out`. Its times are told in the zone of the process. */
void say_why(const cJSON *evse, bool german, struct buf *out);

#endif
