/* The messages for whoever stands at the station, and about them (2.x, blocks I, N and O): display messages, cost, customer information. */
#ifndef AMPGATE_OCPP_NOTICES_H
#define AMPGATE_OCPP_NOTICES_H

#include "base/buf.h"
#include "ocpp/catalogue.h"
#include "ocpp/frame.h"

/* SetDisplayMessage. Texts live with the frame's tree, `raw` with the frame. */
struct notice {
	int64_t id;
	struct slice priority, state; /* state absent: in every one */
	int64_t from_us, to_us;   /* wall time; 0: open */
	struct slice tx;          /* for as long as this transaction runs; absent: for all */
	struct slice format, language, content;
	struct slice raw;         /* the message as JSON */
};
int notice_read(struct frame *f, struct notice *out) MUST_CHECK;               /* ERR_INVALID */
int notice_read_raw(const cJSON *tree, struct slice raw, struct notice *out) MUST_CHECK; /* the message alone, as kept */

/* GetDisplayMessages. */
struct notice_filter {
	int64_t request_id;
	const cJSON *ids;         /* NULL: any */
	struct slice priority, state; /* absent: any */
};
void notice_filter_read(struct frame *f, struct notice_filter *out);
bool notice_filter_fits(const struct notice_filter *f, int64_t id, struct slice priority, struct slice state);

/* NotifyDisplayMessages with `n` messages as JSON. */
int notice_write_report(enum ocpp_version v, int64_t request_id, bool more, const struct slice *raw, size_t n, struct buf *payload,
                        const struct action **act_out) MUST_CHECK;

/* CostUpdated. */
struct cost {
	struct slice tx;
	double total;
};
void cost_read(struct frame *f, struct cost *out);

/* CustomerInformation. */
struct customer_ask {
	int64_t request_id;
	bool report, clear;
	struct slice token, identifier; /* absent: not said */
	bool certificate;         /* asked by the certificate's hash */
};
void customer_ask_read(struct frame *f, struct customer_ask *out);
int customer_write_report(enum ocpp_version v, int64_t request_id, int64_t wall_us, struct slice data, struct buf *payload,
                          const struct action **act_out) MUST_CHECK;

#endif
