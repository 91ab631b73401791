/* A SetChargingProfile of one version as another says it, with all its periods. */
#ifndef AMPGATE_OCPP_PROFILE_WRITE_H
#define AMPGATE_OCPP_PROFILE_WRITE_H

#include "ocpp/codec.h"

/* `e`: its meaning, with the EVSE and the transaction it shall have. ERR_INVALID: the profile cannot be read. ERR_UNSUPPORTED: its purpose or
 * kind does not exist there. */
int profile_write_message(enum ocpp_version to, struct frame *from, const struct event *e, struct buf *payload, const struct action **act_out)
	MUST_CHECK;

#endif
