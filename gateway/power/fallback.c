/* What a station does by itself when it hears nothing: a TxDefaultProfile without an end, below every live limit. When ours runs out, because
 * we or the link are gone, this is what is left; --check-config proves that the sum of all of them fits every circuit.
 *
 * Easy to get wrong: a TxDefaultProfile on an EVSE can hide the one on connector 0 even after it has run out, so where the CSMS has one there,
 * or our live limit is one, the fallback has to be there too. And with a single stack level there is no place for two: the live limit then
 * goes over into the fallback in its own schedule (limits.c). What the CSMS said as default is hidden by it: so it is never above that, in amperes or
 * in phases. In 2.x the one for the whole station hides those of its EVSEs too; a station that refuses such a mixture gets one for each EVSE. */
#include <math.h>
#include <string.h>

#include "gateway/mqtt/telemetry.h"
#include "gateway/power/charger.h"
#include "gateway/power/csms-profiles.h"
#include "ocpp/dialect.h"

void fallback_forget(struct charger *c)
{
	memset(c->fallback, 0, sizeof(c->fallback));
	for (int i = 0; i <= SESSION_EVSES; i++)
		c->fallback[i].level = -1;
}

void fallback_counts(const struct charger *c, bool taken)
{
	int32_t ma = taken ? c->s->conf->fallback_current_ma : c->s->conf->max_current_ma;
	for (int i = 1; i <= c->s->n_evses; i++)
		if (c->s->evses[i].control >= 0)
			control_evse_alone(c->gw->control, c->s->evses[i].control, ma);
}

static void tell_refused(const struct charger *c, bool answered)
{
	log_warn(&c->s->log, "the fallback of %.1f A is not installed: %s; its maximum of %.1f A counts when it is silent",
	         c->s->conf->fallback_current_ma / 1000.0, answered ? "refused" : "no answer", c->s->conf->max_current_ma / 1000.0);
	telemetry_event(c->gw, "station.no_fallback", "warning", c->s->id, NULL);
}

static void on_fallback_answered(void *arg, struct call *call, int err, struct frame *answer)
{
	struct charger *c = arg;
	bool no = !answer || charger_refused(answer, call->act);
	if (!no) {
		c->fallback_refused = false;
		fallback_counts(c, true);
	}
	if (!no || err == ERR_CLOSED || err == ERR_REFUSED)
		return;
	if (answer && c->traits.connector_zero) {
		c->traits.connector_zero = false;
		log_info(&c->s->log, "a fallback for the whole station is refused, each EVSE gets its own");
		limits_review(c->limits, c->s);
		return;
	}
	if (!c->fallback_refused)
		tell_refused(c, answer);
	c->fallback_refused = true;
	fallback_counts(c, false);
}

/* It stands above what the CSMS said: said for one phase, this would be three times the power on three. What is counted stays as it is: the same
 * current on every phase, of which one is used. */
static void word_theirs(const struct charger *c, const struct csms_default *theirs, struct event *e)
{
	if (!theirs->phases || c->s->conf->dc || !c->traits.number_phases)
		return;
	e->phases = theirs->phases;
	e->phase_to_use = theirs->phase;
}

static void install_fallback(struct charger *c, int evse)
{
	struct csms_default theirs = csms_profiles_default(c->s, evse);
	double amps = fmin(c->s->conf->fallback_current_ma / 1000.0, theirs.amps);
	int32_t ma = (int32_t)lrint(amps * 1000);
	int level = charger_fallback_level(c, evse);
	struct event e;
	if (c->fallback[evse].there && c->fallback[evse].ma == ma && c->fallback[evse].level == level && c->fallback[evse].theirs_phases == theirs.phases &&
	    c->fallback[evse].theirs_phase == theirs.phase)
		return;
	event_init(&e, CMD_SET_PROFILE);
	e.purpose = PURPOSE_TX_DEFAULT;
	e.evse = evse;
	e.profile_id = charger_profile_id(c, evse, PROFILE_FALLBACK);
	e.limit_a = amps;
	e.stack_level = level;
	charger_word(c, &e);
	word_theirs(c, &theirs, &e);
	c->fallback[evse].theirs_phases = theirs.phases;
	c->fallback[evse].theirs_phase = theirs.phase;
	c->fallback[evse].ma = ma;
	c->fallback[evse].level = level;
	c->fallback[evse].there = session_command(c->s, &e, on_fallback_answered, c) == 0;
}

/* So that the station's fallback does not reach it. */
static bool has_default_of_its_own(const struct charger *c, int evse)
{
	if (dialect_of(c->s->version)->defaults_stack)
		return false;
	return c->fallback[evse].there || c->form == FORM_TX_DEFAULT || csms_profiles_level(c->s, evse, PURPOSE_TX_DEFAULT) >= 0;
}

void limits_review(struct limits *l, struct session *s)
{
	struct charger *c = charger_known(l, s);
	if (!c || !s->link || !s->fallback_installed || !s->conf->circuit || s->own)
		return; /* the box's own EVSEs stop by their drivers */
	if (c->traits.connector_zero)
		install_fallback(c, 0);
	if (c->form == FORM_TX_DEFAULT && c->traits.max_level == 0)
		return; /* the live limit has its place, and the fallback in its schedule */
	for (int i = 1; i <= s->n_evses; i++)
		if (!c->traits.connector_zero || has_default_of_its_own(c, i))
			install_fallback(c, i);
}

double fallback_told_a(const struct charger *c, int evse)
{
	if (evse >= 0 && evse <= SESSION_EVSES && c->fallback[evse].there)
		return charger_rounded(c, c->fallback[evse].ma / 1000.0);
	return c->fallback[0].there ? charger_rounded(c, c->fallback[0].ma / 1000.0) : INFINITY;
}
