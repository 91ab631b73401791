/* The two string formats of OCPP's messages, checked to the letter. What the field spells differently is base/str's time_parse. */
#ifndef AMPGATE_OCPP_FORMAT_H
#define AMPGATE_OCPP_FORMAT_H

#include <stdbool.h>

#include "base/str.h"

/* RFC 3339, section 5.6: date, T, time with any number of decimals, and Z or an offset with a colon. Letters may be small. A leap second
 * only where UTC can have one. */
bool format_time(struct slice s);

/* RFC 3986, section 3: an absolute URI, in the characters that are allowed without encoding. */
bool format_uri(struct slice s);

#endif
