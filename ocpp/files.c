/* GetLog is the same in all versions; firmware stands at the top in 1.6 and in an object of its own elsewhere, whatever the action is called. */
#include "ocpp/files.h"

#include <string.h>

#include "base/json.h"
#include "ocpp/bind.h"
#include "ocpp/catalogue.h"

static struct slice first_text(const cJSON *tree, const char *const *paths)
{
	struct slice found = { 0 };
	for (; *paths && !found.p; paths++)
		found = json_text(tree, *paths);
	return found;
}

static int64_t first_time(const cJSON *tree, const char *const *paths)
{
	int64_t found = 0;
	for (; *paths && !found; paths++)
		found = bind_time(tree, *paths);
	return found;
}

int file_ask_read(struct frame *f, struct file_ask *out)
{
	static const char *const urls[] = { "log.remoteLocation", "firmware.location", "location", NULL };
	static const char *const starts[] = { "log.oldestTimestamp", "startTime", NULL }, *const stops[] = { "log.latestTimestamp", "stopTime", NULL };
	static const char *const fetches[] = { "firmware.retrieveDateTime", "retrieveDate", NULL };
	const cJSON *tree = frame_tree(f);
	struct slice type = json_text(tree, "logType");
	*out = (struct file_ask){
		.request_id = json_int(tree, "requestId", -1),
		.url = first_text(tree, urls),
		.retries = (int)json_int(tree, "retries", -1),
		.retry_s = json_int(tree, "retryInterval", 0),
		.log_type = type.p ? type : SLICE("DiagnosticsLog"),
		.from_us = first_time(tree, starts),
		.to_us = first_time(tree, stops),
		.fetch_us = first_time(tree, fetches),
		.install_us = bind_time(tree, "firmware.installDateTime"),
		.certificate = json_text(tree, "firmware.signingCertificate"),
		.signature = json_text(tree, "firmware.signature"),
	};
	return out->url.n ? 0 : ERR_INVALID;
}

void file_write_log_answer(const struct frame *asked, const char *status, const char *name, struct buf *payload)
{
	bool has_status = strcmp(asked->act->name, "GetLog") == 0;
	struct json_writer w;
	jw_open(&w, payload);
	jw_object(&w, NULL);
	if (has_status)
		jw_string(&w, "status", status);
	if (name)
		jw_string(&w, has_status ? "filename" : "fileName", name);
	jw_end(&w, '}');
}
