/* A monitor is told by the component and variable it was set for, as they were asked. 2.1 also wants to know of each monitor whether it came
 * with the station, and of each event how severe it is. */
#include "ocpp/monitors.h"

#include <math.h>
#include <string.h>

static const char *const type_words[MONITOR_TYPES] = {
	[MONITOR_UPPER] = "UpperThreshold",
	[MONITOR_LOWER] = "LowerThreshold",
	[MONITOR_DELTA] = "Delta",
	[MONITOR_PERIODIC] = "Periodic",
	[MONITOR_PERIODIC_CLOCK] = "PeriodicClockAligned",
};

const char *monitor_type_text(enum monitor_type t)
{
	return type_words[t];
}

static int type_of(struct slice word)
{
	for (int i = 0; i < MONITOR_TYPES; i++) {
		if (slice_is(word, type_words[i]))
			return i;
	}
	return -1;
}

int monitors_read(struct frame *f, struct arena *mem, size_t most, struct monitor_ask **out, size_t *n_out)
{
	const cJSON *list = json_at(frame_tree(f), "setMonitoringData"), *item;
	size_t n = (size_t)cJSON_GetArraySize(list), at = 0;
	*n_out = n;
	if (n > most)
		return ERR_TOO_LARGE;
	*out = arena_new(mem, (n + 1) * sizeof(**out));
	cJSON_ArrayForEach(item, list) {
		struct monitor_ask *a = &(*out)[at++];
		if (!setting_read_name(item, mem, &a->about))
			return ERR_INVALID;
		a->id = json_int(item, "id", -1);
		a->transaction = json_bool(item, "transaction", false);
		a->value = json_number(item, "value", NAN);
		a->type = type_of(json_text(item, "type"));
		a->severity = (int)json_int(item, "severity", -1);
		a->id_out = -1;
	}
	return n ? 0 : ERR_INVALID;
}

void monitors_write_answer(const struct monitor_ask *a, size_t n, struct buf *payload)
{
	struct json_writer w;
	jw_open(&w, payload);
	jw_object(&w, NULL);
	jw_array(&w, "setMonitoringResult");
	for (size_t i = 0; i < n; i++) {
		jw_object(&w, NULL);
		if (a[i].id_out >= 0)
			jw_int(&w, "id", a[i].id_out);
		jw_string(&w, "status", a[i].status);
		jw_text(&w, "type", json_text(a[i].about.asked, "type"));
		jw_int(&w, "severity", a[i].severity);
		setting_write_asked(&w, a[i].about.asked);
		jw_end(&w, '}');
	}
	jw_end(&w, ']');
	jw_end(&w, '}');
}

int monitors_read_clear(struct frame *f, size_t i, int64_t *id_out)
{
	const cJSON *list = json_at(frame_tree(f), "id"), *item = cJSON_GetArrayItem(list, (int)i);
	if (!item)
		return ERR_NOT_FOUND;
	*id_out = cJSON_IsNumber(item) ? (int64_t)item->valuedouble : -1;
	return 0;
}

static void write_monitor(struct json_writer *w, enum ocpp_version v, const struct monitor_told *m)
{
	jw_object(w, NULL);
	setting_write_name(w, &m->about);
	jw_array(w, "variableMonitoring");
	jw_object(w, NULL);
	jw_int(w, "id", m->id);
	jw_bool(w, "transaction", m->transaction);
	jw_number(w, "value", m->value, 6);
	jw_string(w, "type", type_words[m->type]);
	jw_int(w, "severity", m->severity);
	if (v == OCPP21)
		jw_string(w, "eventNotificationType", m->fixed ? "HardWiredMonitor" : "CustomMonitor");
	jw_end(w, '}');
	jw_end(w, ']');
	jw_end(w, '}');
}

int monitors_write_report(enum ocpp_version v, int64_t request_id, int64_t seq_no, bool more, int64_t wall_us, const struct monitor_told *m,
                          size_t n, struct buf *payload, const struct action **act_out)
{
	struct json_writer w;
	*act_out = catalogue_find(v, SLICE("NotifyMonitoringReport"));
	if (!*act_out)
		return ERR_UNSUPPORTED;
	jw_open(&w, payload);
	jw_object(&w, NULL);
	jw_int(&w, "requestId", request_id);
	jw_time(&w, "generatedAt", wall_us);
	jw_int(&w, "seqNo", seq_no);
	jw_bool(&w, "tbc", more);
	jw_array(&w, "monitor");
	for (size_t i = 0; i < n; i++)
		write_monitor(&w, v, &m[i]);
	jw_end(&w, ']');
	jw_end(&w, '}');
	return 0;
}

static void write_event(struct json_writer *w, enum ocpp_version v, const struct event_told *e)
{
	jw_object(w, NULL);
	jw_int(w, "eventId", e->id);
	jw_time(w, "timestamp", e->time_us);
	jw_string(w, "trigger", e->trigger);
	jw_text(w, "actualValue", e->about.value.p ? e->about.value : SLICE(""));
	if (e->cleared)
		jw_bool(w, "cleared", true);
	if (e->tx.n)
		jw_text(w, "transactionId", e->tx);
	if (e->monitor >= 0)
		jw_int(w, "variableMonitoringId", e->monitor);
	jw_string(w, "eventNotificationType", e->monitor < 0 ? "HardWiredNotification" : e->fixed ? "HardWiredMonitor" : "CustomMonitor");
	if (v == OCPP21)
		jw_int(w, "severity", e->severity);
	setting_write_name(w, &e->about);
	jw_end(w, '}');
}

int monitors_write_event(enum ocpp_version v, int64_t wall_us, const struct event_told *e, struct buf *payload, const struct action **act_out)
{
	struct json_writer w;
	*act_out = catalogue_find(v, SLICE("NotifyEvent"));
	if (!*act_out)
		return ERR_UNSUPPORTED;
	jw_open(&w, payload);
	jw_object(&w, NULL);
	jw_time(&w, "generatedAt", wall_us);
	jw_int(&w, "seqNo", 0);
	jw_bool(&w, "tbc", false);
	jw_array(&w, "eventData");
	write_event(&w, v, e);
	jw_end(&w, ']');
	jw_end(&w, '}');
	return 0;
}
