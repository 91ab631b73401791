/* The messages in which a station's settings are asked for, set and reported: GetConfiguration and ChangeConfiguration, GetVariables,
 * SetVariables and NotifyReport. A setting has one name as text: the key in 1.6, "Component.Variable" or "Component.Variable[Instance]" in
 * 2.x, with "#n" behind the component for the one of EVSE n. */
#ifndef AMPGATE_OCPP_SETTINGS_H
#define AMPGATE_OCPP_SETTINGS_H

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

struct setting {
	struct slice name;
	struct slice value;   /* to set, or as read */
	bool readonly;
	enum setting_result result; /* settings_read sets SETTING_NO_ATTRIBUTE where that is asked for */
	const cJSON *asked;   /* where the name stood; NULL: not from a message */
};

/* What a CALL of CMD_GET_CONFIG or CMD_SET_CONFIG asks for, in order; lives with the frame's tree and `mem`. None: all (1.6).
 * ERR_INVALID: nothing usable, ERR_TOO_LARGE: more than SETTINGS_MOST. */
#define SETTINGS_MOST 200
int settings_read(struct frame *f, struct arena *mem, struct setting **out, size_t *n_out) MUST_CHECK;

/* The answer's payload, with the settings as asked and `result` and `value` filled in. */
void settings_write_answer(const struct frame *asked, const struct setting *s, size_t n, struct buf *payload);

/* One NotifyReport's payload. ERR_UNSUPPORTED: this version has no such message. */
int settings_write_report(enum ocpp_version v, int64_t request_id, int64_t seq_no, bool more, int64_t wall_us, const struct setting *s,
                          size_t n, struct buf *payload, const struct action **act_out) MUST_CHECK;

#endif
