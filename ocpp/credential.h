/* New passwords that a CSMS gives to its station, and whether the station took one. Any thread. */
#ifndef AMPGATE_OCPP_CREDENTIAL_H
#define AMPGATE_OCPP_CREDENTIAL_H

#include "base/mem.h"
#include "ocpp/frame.h"

/* The password that `call` sets (1.6 ChangeConfiguration AuthorizationKey; 2.x SetVariables SecurityCtrlr.BasicAuthPassword, among any others) when
 * `answer` accepts it, at once or after a restart; as text, in `mem`. Absent: none, or not accepted. */
struct slice credential_given(struct frame *call, struct frame *answer, struct arena *mem);

#endif
