/* Telemetry as Sparkplug sees it: the topics of ampgate-mqtt(7) in, devices with metrics out. One table says which member of which topic is
 * which metric; nothing is known here that plain telemetry does not say. No I/O, no clock. */
#ifndef AMPGATE_PLUGINS_SPARKPLUG_METRICS_H
#define AMPGATE_PLUGINS_SPARKPLUG_METRICS_H

#include "base/list.h"
#include "plugins/sparkplug-payload.h"

/* The edge node itself, or a device: a station. */
struct sparkplug_thing {
	struct list entry;
	char *id;             /* its level in topics; NULL: the node */
	bool online;          /* a station: connected */
	bool born;            /* its birth went out; the caller's to set */
	bool grown;           /* has metrics that no birth has named */
	bool changed;         /* has values that nobody was told */
	struct list points;
};

struct sparkplug_metrics;

/* `allowed`: verbs that may be carried out; metrics that only give orders exist for these. */
struct sparkplug_metrics *sparkplug_metrics_new(bool (*allowed)(void *arg, const char *verb), void *arg);
void sparkplug_metrics_free(struct sparkplug_metrics **m);

/* A message of telemetry, which sets `grown`, `changed` and `online`. */
void sparkplug_feed(struct sparkplug_metrics *m, const char *topic, struct slice payload);

struct sparkplug_thing *sparkplug_node(struct sparkplug_metrics *m);
struct sparkplug_thing *sparkplug_device(struct sparkplug_metrics *m, struct slice id); /* NULL: there is none */
struct list *sparkplug_devices(struct sparkplug_metrics *m);                            /* of struct sparkplug_thing */

/* What has to go out: everything with names for a birth, else what has changed, by alias. Free the array with mem_free; its texts live until
 * the next feed. Nothing counts as changed afterwards. */
size_t sparkplug_take(struct sparkplug_thing *t, bool birth, struct sparkplug_metric **out);

/* What writing a metric asks for: a verb with arguments. NULL: nothing, as the metric is unknown, cannot be written or has no fitting value. */
const char *sparkplug_order(struct sparkplug_metrics *m, const struct sparkplug_thing *t, const struct sparkplug_metric *written, struct buf *json);

#endif
