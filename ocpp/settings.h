/* The messages in which a station's settings are asked for, set and reported: GetConfiguration and ChangeConfiguration, GetVariables,
 * SetVariables, GetReport and NotifyReport. A setting has one name as text: the key in 1.6, "Component.Variable" or
 * "Component.Variable[Instance]" in 2.x, and in 2.x a place: the station, an EVSE, or a connector of one. */
#ifndef AMPGATE_OCPP_SETTINGS_H
#define AMPGATE_OCPP_SETTINGS_H

#include "base/json.h"
#include "base/mem.h"
#include "ocpp/catalogue.h"
#include "ocpp/frame.h"

enum setting_result {
	SETTING_OK,
	SETTING_REFUSED,      /* read-only, write-only when read, a value out of its range */
	SETTING_UNKNOWN,      /* no such key or variable */
	SETTING_NO_COMPONENT, /* not even the component */
	SETTING_NO_ATTRIBUTE, /* 2.x: an attribute other than Actual */
	SETTING_AT_REBOOT     /* taken, counts after the next reset */
};

enum setting_access { ACCESS_READ, ACCESS_WRITE, ACCESS_BOTH };
enum setting_type { TYPE_TEXT, TYPE_INT, TYPE_DECIMAL, TYPE_BOOL, TYPE_TIME, TYPE_OPTION, TYPE_MEMBERS, TYPE_SEQUENCE };

/* What a setting is, whatever it is set to. */
struct setting_kind {
	enum setting_access access;
	enum setting_type type;
	const char *unit;         /* NULL: none */
	const char *values;       /* of options and lists; NULL: not said */
	int64_t min, max;         /* bounds of numbers, else the most characters in `max`; both 0: not said */
};

struct setting {
	struct slice name;
	int evse, connector;      /* 2.x; 0: not said */
	struct slice value;       /* to set, or as read */
	const struct setting_kind *kind;
	enum setting_result result; /* settings_read sets SETTING_NO_ATTRIBUTE where that is asked for */
	const cJSON *asked;       /* where the name stood; NULL: not from a message */
};

/* What a CALL of CMD_GET_CONFIG or CMD_SET_CONFIG asks for, in order; lives with the frame's tree and `mem`. None: all (1.6).
 * ERR_INVALID: nothing usable, ERR_TOO_LARGE: more than SETTINGS_MOST. */
#define SETTINGS_MOST 200
int settings_read(struct frame *f, struct arena *mem, struct setting **out, size_t *n_out) MUST_CHECK;

/* The answer's payload, with the settings as asked and `result`, `value` and `kind` filled in. */
void settings_write_answer(const struct frame *asked, const struct setting *s, size_t n, struct buf *payload);

/* What GetReport or GetMonitoringReport asks for. Lives with the frame's tree. */
enum report_criterion { CRITERION_ACTIVE = 1, CRITERION_AVAILABLE = 2, CRITERION_ENABLED = 4, CRITERION_PROBLEM = 8 };
struct report_ask {
	int64_t request_id;
	unsigned criteria;        /* bits; 0: none said */
	unsigned monitors;        /* GetMonitoringReport: bits of what kinds; 0: all */
	const cJSON *list;        /* of components and variables; NULL: none said */
};
enum monitor_criterion { CRITERION_THRESHOLD = 1, CRITERION_DELTA = 2, CRITERION_PERIODIC = 4 };
void report_ask_read(struct frame *f, struct report_ask *out);
/* Whether the list names this setting: a member that is left out there names all (2.0.1 B08.FR.20 to 25). True without a list. */
bool report_ask_names(const struct report_ask *a, const struct setting *s);

/* One NotifyReport's payload. ERR_UNSUPPORTED: this version has no such message. */
int settings_write_report(enum ocpp_version v, int64_t request_id, int64_t seq_no, bool more, int64_t wall_us, const struct setting *s,
                          size_t n, struct buf *payload, const struct action **act_out) MUST_CHECK;

/* Its place and name as the members `component` and `variable`. */
void setting_write_name(struct json_writer *w, const struct setting *s);
/* From a `component` and a `variable` beside each other in a message: name, place and `asked`. False: one is missing. */
bool setting_read_name(const cJSON *item, struct arena *mem, struct setting *out);
/* The same two as they were asked. */
void setting_write_asked(struct json_writer *w, const cJSON *asked);

#endif
