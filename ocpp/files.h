/* The messages that ask a station to send or fetch a file: GetDiagnostics, GetLog, UpdateFirmware, SignedUpdateFirmware. */
#ifndef AMPGATE_OCPP_FILES_H
#define AMPGATE_OCPP_FILES_H

#include "base/buf.h"
#include "ocpp/frame.h"

struct file_ask {
	int64_t request_id;       /* -1: the message has none (1.6 without the security extension) */
	struct slice url;
	int retries;              /* beyond the first attempt; -1: not said */
	int64_t retry_s;          /* between attempts; 0: not said */
	struct slice log_type;    /* "DiagnosticsLog" (GetDiagnostics too), "SecurityLog" ... */
	int64_t from_us, to_us;   /* of a log, wall time; 0: open */
	int64_t fetch_us, install_us; /* of firmware, wall time; 0: at once */
	struct slice certificate, signature; /* PEM, base64; absent: unsigned */
};

/* Texts live with the frame's tree. ERR_INVALID: no place to send it to or fetch it from. */
int file_ask_read(struct frame *f, struct file_ask *out) MUST_CHECK;

/* The answer to GetLog and GetDiagnostics; name NULL: there is no file. */
void file_write_log_answer(const struct frame *asked, const char *status, const char *name, struct buf *payload);

#endif
