/* Two shapes of each job: with its place at the top, as 1.6 has it, or in an object of its own, as the security extension of 1.6 and 2.x have.
 *
 * Easy to get wrong: a signature must not get lost on the way, or a station would install what it cannot verify: a signed firmware stays one. */
#include "ocpp/jobs.h"

#include <string.h>

#include "base/json.h"
#include "ocpp/files.h"

static void write_common(struct json_writer *w, const struct file_ask *j, bool with_id)
{
	if (with_id)
		jw_int(w, "requestId", j->request_id >= 0 ? j->request_id : 0);
	if (j->retries >= 0)
		jw_int(w, "retries", j->retries);
	if (j->retry_s > 0)
		jw_int(w, "retryInterval", j->retry_s);
}

static void write_firmware(struct json_writer *w, const struct file_ask *j, bool inner)
{
	write_common(w, j, inner);
	if (inner)
		jw_object(w, "firmware");
	jw_text(w, "location", j->url);
	jw_time(w, inner ? "retrieveDateTime" : "retrieveDate", j->fetch_us);
	if (inner && j->install_us)
		jw_time(w, "installDateTime", j->install_us);
	if (inner && j->certificate.p)
		jw_text(w, "signingCertificate", j->certificate);
	if (inner && j->signature.p)
		jw_text(w, "signature", j->signature);
	if (inner)
		jw_end(w, '}');
}

static void write_times(struct json_writer *w, const struct file_ask *j, const char *from, const char *to)
{
	if (j->from_us)
		jw_time(w, from, j->from_us);
	if (j->to_us)
		jw_time(w, to, j->to_us);
}

static void write_log(struct json_writer *w, const struct file_ask *j, bool inner)
{
	write_common(w, j, inner);
	if (!inner) {
		jw_text(w, "location", j->url);
		write_times(w, j, "startTime", "stopTime");
		return;
	}
	jw_text(w, "logType", j->log_type);
	jw_object(w, "log");
	jw_text(w, "remoteLocation", j->url);
	write_times(w, j, "oldestTimestamp", "latestTimestamp");
	jw_end(w, '}');
}

int jobs_convert(enum ocpp_version to, struct frame *f, int64_t request_id, struct buf *payload, const struct action **act_out)
{
	struct json_writer w;
	struct file_ask j;
	bool firmware = f->act->event == CMD_FIRMWARE, old = to == OCPP16;
	if (strcmp(f->act->name, "PublishFirmware") == 0)
		return ERR_UNSUPPORTED;
	int err = file_ask_read(f, &j);
	if (err)
		return err;
	if (j.request_id < 0)
		j.request_id = request_id;
	bool inner = !old || (firmware ? j.signature.p != NULL : !slice_is(j.log_type, "DiagnosticsLog"));
	const char *name = firmware ? old && inner ? "SignedUpdateFirmware" : "UpdateFirmware" : inner ? "GetLog" : "GetDiagnostics";
	*act_out = catalogue_find(to, slice_of(name));
	jw_open(&w, payload);
	jw_object(&w, NULL);
	(firmware ? write_firmware : write_log)(&w, &j, inner);
	jw_end(&w, '}');
	return 0;
}
