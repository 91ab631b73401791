/* The verb: all checks of checks.h, then the tables, in one list. */
#include "gateway/manage/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gateway/manage/command.h"

void finding_say(struct finding *f, enum check_state state, const char *fmt, ...)
{
	size_t n = strlen(f->detail);
	va_list ap;
	if (state > f->state)
		f->state = state;
	if (n > FINDING_TEXT - 80) { /* there are more of them than anybody reads */
		if (strcmp(f->detail + n - 3, "...") != 0)
			snprintf(f->detail + n, FINDING_TEXT - n, ", ...");
		return;
	}
	n += (size_t)snprintf(f->detail + n, FINDING_TEXT - n, "%s", n ? ", " : "");
	va_start(ap, fmt);
	vsnprintf(f->detail + n, FINDING_TEXT - n, fmt, ap);
	va_end(ap);
}

static const struct {
	const char *check, *advice;
} alarms[] = {
	{ "configuration", "ampgate config check names file, line and column; ampgate config history shows what ran before" },
	{ "storage", "free space below the state directory, or look at the disk: books are kept there" },
	{ "meters", "ampgate meter list names the fault, ampgate meter test METER reads it; look at wiring, address and unit" },
	{ "uplinks", "ampgate uplink test NAME shows the stage at which the connection ends" },
	{ "queue", "ampgate queue list shows what waits, ampgate queue show SEQ what the CSMS refuses" },
	{ "clock", "start a time service: timestamps of transactions depend on it" },
	{ "stations", "ampgate why STATION; ampgate commission probe STATION finds the form of a limit that it takes" },
	{ "certificate", "renew it, then reload: systemctl reload ampgate" },
};

const char *doctor_advice(const char *check)
{
	for (size_t i = 0; i < sizeof(alarms) / sizeof(alarms[0]); i++)
		if (strcmp(alarms[i].check, check) == 0)
			return alarms[i].advice;
	return NULL;
}

static void write_finding(struct json_writer *w, const char *name, enum check_state state, const char *detail, const char *advice)
{
	jw_object(w, NULL);
	jw_string(w, "check", name);
	jw_string(w, "state", check_state_text(state));
	jw_string(w, "detail", detail[0] ? detail : NULL);
	jw_string(w, "advice", state ? advice : NULL);
	jw_end(w, '}');
}

static void see_alarm(void *arg, const char *name, enum check_state state, const char *detail)
{
	write_finding(arg, name, state, detail, doctor_advice(name));
}

static void look_at(struct gateway *g, const struct doctor_check *c, struct json_writer *w)
{
	for (; c->name; c++) {
		struct finding f = { CHECK_OK, "" };
		c->look(g, &f);
		write_finding(w, c->name, f.state, f.detail, c->advice);
	}
}

int run_doctor(struct command *c)
{
	jw_array(&c->w, NULL);
	checks_run(c->g, see_alarm, &c->w);
	look_at(c->g, doctor_site, &c->w);
	look_at(c->g, doctor_box, &c->w);
	jw_end(&c->w, ']');
	return COMMAND_OK;
}
