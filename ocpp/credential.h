/* New passwords and security profiles that a CSMS gives to its station, and whether the station took them. Any thread. */
#ifndef AMPGATE_OCPP_CREDENTIAL_H
#define AMPGATE_OCPP_CREDENTIAL_H

#include "base/mem.h"
#include "ocpp/frame.h"

/* The password that `call` sets (1.6 ChangeConfiguration AuthorizationKey; 2.x SetVariables SecurityCtrlr.BasicAuthPassword, among any others) when
 * `answer` accepts it, at once or after a restart; as text, in `mem`. Absent: none, or not accepted. */
struct slice credential_given(struct frame *call, struct frame *answer, struct arena *mem);

/* What a station shows that was given this key, where that is not the key as text: in 1.6 hex digits stand for bytes (Security Whitepaper, 16 to 20 of
 * them). The count written to `out`; 0: the text itself. */
size_t credential_bytes(enum ocpp_version v, struct slice key, char *out, size_t room);

/* Security profiles on their way down. -1: none is in it, or the answer does not accept it.
 *   1.6: ChangeConfiguration SecurityProfile
 *   2.x: SetNetworkProfile fills a slot, SetVariables OCPPCommCtrlr.NetworkConfigurationPriority says which slot is tried first (A05, B09) */
int security_profile_asked(struct frame *call);
int security_profile_given(struct frame *call, struct frame *answer);
bool network_slot_given(struct frame *call, struct frame *answer, int *slot_out, int *profile_out);
int network_first_slot_given(struct frame *call, struct frame *answer);

#endif
