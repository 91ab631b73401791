/* The OCPP versions spoken over WebSocket, and their subprotocol names (2.1 Part 4, table 1). */
#ifndef AMPGATE_OCPP_VERSION_H
#define AMPGATE_OCPP_VERSION_H

#include "base/str.h"

enum ocpp_version { OCPP16, OCPP201, OCPP21, OCPP_VERSIONS };

/* Bits for tables that cover several versions. */
enum { V16 = 1 << OCPP16, V201 = 1 << OCPP201, V21 = 1 << OCPP21, V_2X = V201 | V21, V_ALL = V16 | V201 | V21 };

const char *version_subprotocol(enum ocpp_version v); /* "ocpp1.6", "ocpp2.0.1", "ocpp2.1" */
int version_parse(struct slice subprotocol);          /* enum ocpp_version, or ERR_UNSUPPORTED */

/* Whether an unusable RESULT is answered, by CALLRESULTERROR (2.1 Part 4 4.2); in older versions it gets no reply. */
bool version_has_result_error(enum ocpp_version v);
int version_token_most(enum ocpp_version v);           /* characters of an idTag, an idToken */
bool version_needs_token(enum ocpp_version v);         /* no session without one; later versions know NoAuthorization */

/* The first of our versions, in our order of preference, that the peer's Sec-WebSocket-Protocol list ("ocpp2.0.1, ocpp1.6") offers.
 * ERR_UNSUPPORTED: none in common, or none offered. */
int version_choose(struct slice offered, const enum ocpp_version *ours, size_t n);

#endif
