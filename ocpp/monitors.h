/* The messages about monitors of variables (2.x, block N): set, cleared, reported, and the events they cause. */
#ifndef AMPGATE_OCPP_MONITORS_H
#define AMPGATE_OCPP_MONITORS_H

#include "ocpp/settings.h"

enum monitor_type { MONITOR_UPPER, MONITOR_LOWER, MONITOR_DELTA, MONITOR_PERIODIC, MONITOR_PERIODIC_CLOCK, MONITOR_TYPES };
const char *monitor_type_text(enum monitor_type t);

struct monitor_ask {
	struct setting about;     /* the variable: name, place, `asked` */
	int64_t id;               /* -1: a new one */
	bool transaction;         /* only while one runs */
	double value;
	int type;                 /* enum monitor_type; -1: a word that is not known */
	int severity;
	const char *status;       /* to answer with */
	int64_t id_out;           /* of the monitor that now is; -1: none */
};

/* SetVariableMonitoring; lives with the frame's tree and `mem`. ERR_INVALID: nothing usable, ERR_TOO_LARGE: more than `most`. */
int monitors_read(struct frame *f, struct arena *mem, size_t most, struct monitor_ask **out, size_t *n_out) MUST_CHECK;
void monitors_write_answer(const struct monitor_ask *a, size_t n, struct buf *payload);

/* ClearVariableMonitoring: the i-th number; ERR_NOT_FOUND behind the last. */
int monitors_read_clear(struct frame *f, size_t i, int64_t *id_out) MUST_CHECK;

struct monitor_told {
	struct setting about;
	int64_t id;
	bool transaction, fixed;  /* fixed: comes with the station, cannot be cleared */
	double value;
	enum monitor_type type;
	int severity;
};
/* One NotifyMonitoringReport. */
int monitors_write_report(enum ocpp_version v, int64_t request_id, int64_t seq_no, bool more, int64_t wall_us, const struct monitor_told *m,
                          size_t n, struct buf *payload, const struct action **act_out) MUST_CHECK;

struct event_told {
	struct setting about;     /* with its value */
	int64_t id, monitor;      /* of the event; of its monitor */
	int64_t time_us;
	const char *trigger;      /* "Alerting", "Delta", "Periodic" */
	bool fixed, cleared;
	int severity;
	struct slice tx;          /* absent: none runs there */
};
/* NotifyEvent with one event. */
int monitors_write_event(enum ocpp_version v, int64_t wall_us, const struct event_told *e, struct buf *payload,
                         const struct action **act_out) MUST_CHECK;

#endif
