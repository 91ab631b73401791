/* The long jobs that a CSMS gives to a station: fetching and installing a firmware, sending a log. */
#ifndef AMPGATE_OCPP_JOBS_H
#define AMPGATE_OCPP_JOBS_H

#include "ocpp/codec.h"

/* The CALL of CMD_FIRMWARE or CMD_GET_LOG in another version. request_id: where that version wants one and this CALL has none. ERR_INVALID: it
 * does not say where. ERR_UNSUPPORTED: there is no such job there (PublishFirmware). */
int jobs_convert(enum ocpp_version to, struct frame *f, int64_t request_id, struct buf *payload, const struct action **act_out) MUST_CHECK;

#endif
