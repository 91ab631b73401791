/* A display message is kept as the JSON it came in, since it is reported as it was set. */
#include "ocpp/notices.h"

#include <math.h>

#include "base/json.h"
#include "ocpp/bind.h"
#include "ocpp/splice.h"

int notice_read_raw(const cJSON *tree, struct slice raw, struct notice *out)
{
	*out = (struct notice){
		.id = json_int(tree, "id", -1),
		.priority = json_text(tree, "priority"),
		.state = json_text(tree, "state"),
		.from_us = bind_time(tree, "startDateTime"),
		.to_us = bind_time(tree, "endDateTime"),
		.tx = json_text(tree, "transactionId"),
		.format = json_text(tree, "message.format"),
		.language = json_text(tree, "message.language"),
		.content = json_text(tree, "message.content"),
		.raw = raw,
	};
	return out->id >= 0 && out->priority.p && out->content.p && raw.p ? 0 : ERR_INVALID;
}

int notice_read(struct frame *f, struct notice *out)
{
	return notice_read_raw(json_at(frame_tree(f), "message"), splice_find(f->payload, "message"), out);
}

void notice_filter_read(struct frame *f, struct notice_filter *out)
{
	const cJSON *tree = frame_tree(f);
	*out = (struct notice_filter){
		.request_id = json_int(tree, "requestId", 0),
		.ids = json_at(tree, "id"),
		.priority = json_text(tree, "priority"),
		.state = json_text(tree, "state"),
	};
}

bool notice_filter_fits(const struct notice_filter *f, int64_t id, struct slice priority, struct slice state)
{
	const cJSON *item;
	bool named = !f->ids;
	cJSON_ArrayForEach(item, f->ids) {
		if (cJSON_IsNumber(item) && (int64_t)item->valuedouble == id)
			named = true;
	}
	return named && (!f->priority.p || slice_eq(f->priority, priority)) && (!f->state.p || (state.p && slice_eq(f->state, state)));
}

static int open_report(enum ocpp_version v, const char *name, struct json_writer *w, struct buf *payload, const struct action **act_out)
{
	*act_out = catalogue_find(v, slice_of(name));
	if (!*act_out)
		return ERR_UNSUPPORTED;
	jw_open(w, payload);
	jw_object(w, NULL);
	return 0;
}

int notice_write_report(enum ocpp_version v, int64_t request_id, bool more, const struct slice *raw, size_t n, struct buf *payload,
                        const struct action **act_out)
{
	struct json_writer w;
	int err = open_report(v, "NotifyDisplayMessages", &w, payload, act_out);
	if (err)
		return err;
	jw_int(&w, "requestId", request_id);
	jw_bool(&w, "tbc", more);
	jw_array(&w, "messageInfo");
	for (size_t i = 0; i < n; i++)
		jw_raw(&w, NULL, raw[i]);
	jw_end(&w, ']');
	jw_end(&w, '}');
	return 0;
}

void cost_read(struct frame *f, struct cost *out)
{
	const cJSON *tree = frame_tree(f);
	*out = (struct cost){ .tx = json_text(tree, "transactionId"), .total = json_number(tree, "totalCost", NAN) };
}

void customer_ask_read(struct frame *f, struct customer_ask *out)
{
	const cJSON *tree = frame_tree(f);
	*out = (struct customer_ask){
		.request_id = json_int(tree, "requestId", 0),
		.report = json_bool(tree, "report", false),
		.clear = json_bool(tree, "clear", false),
		.token = json_text(tree, "idToken.idToken"),
		.identifier = json_text(tree, "customerIdentifier"),
		.certificate = json_at(tree, "customerCertificate") != NULL,
	};
}

int customer_write_report(enum ocpp_version v, int64_t request_id, int64_t wall_us, struct slice data, struct buf *payload,
                          const struct action **act_out)
{
	struct json_writer w;
	int err = open_report(v, "NotifyCustomerInformation", &w, payload, act_out);
	if (err)
		return err;
	jw_int(&w, "requestId", request_id);
	jw_time(&w, "generatedAt", wall_us);
	jw_int(&w, "seqNo", 0);
	jw_bool(&w, "tbc", false);
	jw_text(&w, "data", data);
	jw_end(&w, '}');
	return 0;
}
