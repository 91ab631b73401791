/* Every order of events, to a depth, against an outlet: breadth first over outlet, simulated hardware and checker as one state, equal states
 * once. An event is one change of the world (a plug, S2, a permission, any of the things that can break) followed by one of several
 * lengths of time, in steps of 10 ms as long as something may have to happen fast.
 *
 * The checker sees contacts, pilot and lock as a measuring device would, and the world as it really is; it knows nothing of the outlet's own
 * states and flags. It is written from the rules, not from the machine. OUTLET_DEPTH=n searches deeper than `make check` does. */
#include <stdio.h>

#include "station/duty.h"
#include "station/outlet.h"
#include "station/rig.h"
#include "tests/unit/unit.h"

#define LONG_AGO 20000
#define FINE_MS 400
#define FINE 10
#define COARSE 50
#define CLOSURE_COUNTS_MS 200
#define MACHINE_STATES (OUTLET_FAULTED + 1)

/* ---- the checker ---- */

/* How long something has been so, in ms; 0: it is not so. Stops at LONG_AGO. */
struct checker {
	int32_t away, s2_open, shorted, no_diode, emergency, tripped, no_mains, silent, refused, no_air, hot, greedy, no_cable, unlocked, one_phase;
	int32_t asks;                /* the car has been in C or D */
	int32_t since_pwm, since_f;  /* since the last PWM, or E or F, ended */
	int32_t f_for, pwm_for;
	int32_t welded;              /* closed against the order */
	int32_t closed_for, open_for;
	int32_t offers_ma[6];        /* the highest in each of the last seconds */
	int32_t second_ms;
	int32_t last_phases;         /* of the last closure: 1, 3; 0: none */
	bool was_closed, was_second, was_pwm, three;
};

struct node {
	struct outlet o;
	struct rig rig;
	struct outlet_in in;
	struct checker c;
	uint8_t depth;
};

static const char *violation;
static int32_t violation_value;

static void demand(bool good, const char *rule, int32_t value)
{
	if (good || violation)
		return;
	violation = rule;
	violation_value = value;
}

static void watch(int32_t *ms, bool is_so, int32_t dt)
{
	*ms = !is_so ? 0 : *ms + dt < LONG_AGO ? *ms + dt : LONG_AGO;
}

static void watch_world(struct node *n, int32_t dt)
{
	struct checker *c = &n->c;
	const struct rig *r = &n->rig;
	const struct outlet_conf *conf = &n->o.conf;
	bool d = r->wants && r->ventilation;
	/* What nobody can measure counts from when it can be measured again; until then the rules for short and silence hold. */
	bool reads = !(r->broken & RIG_SILENT), legible = reads && !(conf->pilot && (r->broken & RIG_SHORT));
	watch(&c->away, !r->plugged && legible, dt);
	watch(&c->s2_open, r->plugged && !r->wants && legible, dt);
	watch(&c->shorted, reads && conf->pilot && (r->broken & RIG_SHORT), dt);
	watch(&c->no_diode, reads && n->o.out.pilot == PILOT_PWM && (r->broken & RIG_NO_DIODE) && r->plugged, dt);
	watch(&c->emergency, reads && conf->emergency && (r->broken & RIG_EMERGENCY), dt);
	watch(&c->tripped, reads && conf->residual && r->tripped, dt);
	watch(&c->no_mains, reads && conf->mains && (r->broken & RIG_MAINS), dt);
	watch(&c->silent, r->broken & RIG_SILENT, dt);
	watch(&c->refused, n->in.offer_ma < conf->min_ma, dt);
	watch(&c->no_air, reads && conf->pilot && d && !r->fan, dt);
	watch(&c->hot, reads && conf->hot_dc != OUTLET_UNKNOWN && (r->broken & RIG_HOT), dt);
	watch(&c->greedy, reads && n->o.out.pilot == PILOT_PWM && r->i_ma[0] > duty_to_ma(n->o.out.duty) + 4500 && n->in.i_ma[0] != OUTLET_UNKNOWN, dt);
	watch(&c->no_cable, reads && conf->socket && r->plugged && (r->broken & RIG_BAD_CABLE), dt);
	watch(&c->unlocked, reads && conf->lock && !r->locked, dt);
	watch(&c->one_phase, conf->second && n->in.phases == 1, dt);
	watch(&c->asks, r->plugged && r->wants, dt);
	c->second_ms += dt;
	if (c->second_ms >= 1000) {
		memmove(c->offers_ma + 1, c->offers_ma, sizeof(c->offers_ma) - sizeof(c->offers_ma[0]));
		c->offers_ma[0] = 0;
		c->second_ms = 0;
	}
	if (n->in.offer_ma > c->offers_ma[0])
		c->offers_ma[0] = n->in.offer_ma;
}

static void check_closed(const struct node *n)
{
	const struct checker *c = &n->c;
	bool pilot = n->o.conf.pilot;
	demand(c->away <= 100, "closed without a car (sequence 2: 100 ms)", c->away);
	demand(!pilot || c->s2_open <= 100, "closed though the car opened S2 (sequence 8.1: 100 ms)", c->s2_open);
	demand(c->shorted <= 3000, "closed with the pilot shorted (sequence 12: 3 s)", c->shorted);
	demand(c->no_diode <= 3000, "closed without a diode (3 s)", c->no_diode);
	demand(c->emergency <= 100, "closed in an emergency (100 ms)", c->emergency);
	demand(c->tripped <= 100, "closed with residual current (100 ms)", c->tripped);
	demand(c->no_mains <= 200, "closed without mains (200 ms)", c->no_mains);
	demand(c->silent <= n->o.conf.silent_ms + 100, "closed though nothing can be read", c->silent);
	demand(c->refused <= 6200, "closed without permission (sequence 10.2: 6 s)", c->refused);
	demand(c->no_air <= 3000, "closed in D without ventilation (3 s)", c->no_air);
	demand(c->hot <= 8000, "closed though too hot (8 s)", c->hot);
	demand(c->greedy <= 8000, "closed though the car draws too much (8 s)", c->greedy);
	demand(c->no_cable <= 3000, "closed with an unknown cable (3 s)", c->no_cable);
	demand(c->unlocked <= 7000, "closed with the plug unlocked (7 s)", c->unlocked);
	demand(c->one_phase <= 6200 || !n->rig.contact[1], "three phases though one is permitted (sequence 10.2: 6 s)", c->one_phase);
	demand(n->o.out.lock || !n->o.conf.lock, "the lock is released under voltage", 0);
}

/* The order to close is given now. */
static void check_closing(const struct node *n)
{
	const struct checker *c = &n->c;
	demand(n->rig.plugged, "closes without a car", 0);
	if (n->o.conf.pilot) {
		demand(c->asks >= 450, "closes before the car has asked for half a second", c->asks);
		demand(n->o.out.pilot == PILOT_PWM && c->pwm_for >= 50, "closes without PWM", c->pwm_for);
		demand(c->shorted <= 30 && c->no_diode <= 30, "closes on a pilot that is none", 0);
		demand(c->no_air <= 30, "closes in D without ventilation", c->no_air);
	}
	demand(c->refused <= 10, "closes without permission", c->refused);
	demand(c->emergency <= 10 && c->tripped <= 10 && c->no_mains <= 20, "closes on a fault", 0);
	demand(c->unlocked <= 20, "closes with the plug unlocked", c->unlocked);
	demand(c->no_cable <= 30, "closes with an unknown cable", c->no_cable);
	demand(c->hot <= 20, "closes though too hot", c->hot);
	demand(c->silent <= n->o.conf.silent_ms, "closes blindly", c->silent);
}

static void check_contacts(struct node *n, int32_t dt)
{
	struct checker *c = &n->c;
	const struct outlet_out *out = &n->o.out;
	bool closed = n->rig.contact[0] || n->rig.contact[1];
	watch(&c->welded, (n->rig.contact[0] && !out->close[0]) || (n->rig.contact[1] && !out->close[1]), dt);
	bool against_orders = c->welded > 30; /* nothing more can be asked of the machine */
	if (closed && !against_orders)
		check_closed(n);
	demand(!out->close[1] || (out->close[0] && n->rig.contact[0]) || c->welded, "L2 and L3 without N", 0);
	if (out->close[0] && !c->was_closed)
		check_closing(n);
	demand(c->welded <= 1000 || (out->pilot != PILOT_PWM && !out->close[0]) || c->silent, "offers or closes with a welded contact", c->welded);
	/* Between one and three phases everything is open for ten seconds, for one and the same car. */
	if (!n->rig.plugged)
		c->last_phases = 0;
	if (out->close[0]) {
		watch(&c->closed_for, n->rig.contact[0], dt);
		c->three |= n->rig.contact[1];
		int32_t phases = c->three ? 3 : c->closed_for > CLOSURE_COUNTS_MS ? 1 : 0;
		if (n->o.conf.second && phases && c->last_phases && phases != c->last_phases && !(n->rig.broken & RIG_DEAD_2))
			demand(c->open_for >= 9900, "the number of phases changes too fast", c->open_for);
		if (c->closed_for > CLOSURE_COUNTS_MS)
			c->last_phases = phases;
	} else {
		if (c->was_closed)
			c->open_for = 0;
		watch(&c->open_for, true, dt);
		c->closed_for = 0;
		c->three = false;
	}
	c->was_closed = out->close[0];
}

static void check_pilot(struct node *n, int32_t dt)
{
	struct checker *c = &n->c;
	const struct outlet_out *out = &n->o.out;
	bool pwm = out->pilot == PILOT_PWM, f = out->pilot == PILOT_OFF || out->pilot == PILOT_NEGATIVE;
	if (!n->o.conf.pilot)
		return;
	if (pwm && !c->was_pwm) {
		demand(c->since_pwm >= 2900 || c->since_f < c->since_pwm, "PWM again before three seconds of a steady level", c->since_pwm);
		demand(c->since_f >= 700, "PWM right after E or F", c->since_f);
		demand(c->away <= 100 && c->refused <= 10, "PWM for nobody", c->away);
	}
	if (pwm) {
		int32_t most = 0;
		for (int i = 0; i < 6; i++)
			most = c->offers_ma[i] > most ? c->offers_ma[i] : most;
		demand(duty_to_ma(out->duty) <= most, "more is offered than permitted in the last five seconds", duty_to_ma(out->duty));
		demand(duty_to_ma(out->duty) >= DUTY_LEAST_MA, "a duty that means nothing", out->duty);
		demand(c->refused <= 50, "PWM without permission", c->refused);
	}
	demand(!c->f_for || f || c->f_for >= 300, "F for less than 300 ms", c->f_for);
	watch(&c->f_for, f, dt);
	watch(&c->pwm_for, pwm, dt);
	watch(&c->since_pwm, true, dt);
	watch(&c->since_f, true, dt);
	if (pwm)
		c->since_pwm = 0;
	if (f)
		c->since_f = 0;
	c->was_pwm = pwm;
}

/* ---- events ---- */

enum { EV_NOTHING, EV_PLUG, EV_S2, EV_AIR, EV_PERMIT, EV_LESS, EV_PHASES, EV_SESSION, EV_BREAK };
#define EVENTS (EV_BREAK + RIG_FAULTS_MOST)

static const char *event_text(int ev)
{
	static const char *const texts[] = { "nothing", "plug", "s2", "ventilation", "permission", "offer", "phases", "session" };
	return ev < EV_BREAK ? texts[ev] : rig_fault_text(1 << (ev - EV_BREAK));
}

static void happen(struct node *n, int ev)
{
	switch (ev) {
	case EV_PLUG:
		n->rig.plugged = !n->rig.plugged;
		break;
	case EV_S2:
		n->rig.wants = n->rig.plugged && !n->rig.wants;
		break;
	case EV_AIR:
		n->rig.ventilation = !n->rig.ventilation;
		break;
	case EV_PERMIT:
		n->in.offer_ma = n->in.offer_ma ? 0 : 16000;
		break;
	case EV_LESS:
		if (n->in.offer_ma)
			n->in.offer_ma = n->in.offer_ma == 8000 ? 16000 : 8000;
		break;
	case EV_PHASES:
		n->in.phases = n->in.phases == 1 ? 3 : 1;
		break;
	case EV_SESSION:
		n->in.session = !n->in.session;
		break;
	default:
		if (ev >= EV_BREAK)
			n->rig.broken ^= UINT32_C(1) << (ev - EV_BREAK);
	}
}

static bool measures_current = true;
static unsigned long seen_changes[MACHINE_STATES][MACHINE_STATES], seen_breaks[MACHINE_STATES][RIG_FAULTS_MOST];
static unsigned long steps;

static void step(struct node *n, int32_t dt)
{
	uint8_t before = n->o.state;
	rig_step(&n->rig, &n->o.out, dt, &n->in);
	if (!measures_current)
		n->in.i_ma[0] = n->in.i_ma[1] = n->in.i_ma[2] = OUTLET_UNKNOWN;
	watch_world(n, dt);
	outlet_step(&n->o, &n->in, dt);
	check_contacts(n, dt);
	check_pilot(n, dt);
	seen_changes[before][n->o.state]++;
	steps++;
}

static void elapse(struct node *n, int32_t ms)
{
	int32_t fine = ms < FINE_MS ? ms : FINE_MS;
	for (int32_t t = 0; t < fine && !violation; t += FINE)
		step(n, FINE);
	for (int32_t t = fine; t < ms && !violation; t += COARSE)
		step(n, COARSE);
}

static void begin(struct node *n, const struct outlet_conf *conf)
{
	memset(n, 0, sizeof(*n));
	outlet_open(&n->o, conf);
	rig_open(&n->rig, conf);
	n->in.phases = 3;
	n->c.since_pwm = n->c.since_f = n->c.open_for = LONG_AGO;
}

/* ---- the search ---- */

static const int32_t lengths[] = { 30, 700, 4200, 12000 };
#define LENGTHS (sizeof(lengths) / sizeof(lengths[0]))

static uint64_t hash(const struct node *n)
{
	const unsigned char *p = (const unsigned char *)n;
	uint64_t h = 1469598103934665603u;
	for (size_t i = 0; i < offsetof(struct node, depth); i++)
		h = (h ^ p[i]) * 1099511628211u;
	return h ? h : 1;
}

static uint64_t *known;
static size_t known_room, known_count;

static bool is_new(uint64_t h)
{
	size_t at = h & (known_room - 1);
	while (known[at] && known[at] != h)
		at = (at + 1) & (known_room - 1);
	if (known[at])
		return false;
	known[at] = h;
	known_count++;
	return true;
}

struct queue {
	struct node *at;
	size_t n, room, head;
};

static void enqueue(struct queue *q, const struct node *n)
{
	if (q->n == q->room) {
		q->room = q->room ? q->room * 2 : 1024;
		q->at = realloc(q->at, q->room * sizeof(*q->at));
		assert_non_null(q->at);
	}
	memcpy(&q->at[q->n++], n, sizeof(*n));
}

static void blame(const struct node *from, int ev, int32_t ms)
{
	fail_msg("%s (%d): in state %s, standing %x, broken %x, plugged %d, S2 %d; event %s, then %d ms", violation, (int)violation_value,
	         outlet_state_text(from->o.state), (unsigned)from->o.standing, (unsigned)from->rig.broken, from->rig.plugged, from->rig.wants, event_text(ev),
	         (int)ms);
}

static bool means_something(const struct outlet_conf *conf, int ev)
{
	uint32_t bit = ev >= EV_BREAK ? UINT32_C(1) << (ev - EV_BREAK) : 0;
	bool pilot_only = bit & (RIG_SHORT | RIG_NO_DIODE | RIG_WRONG_DUTY | RIG_GREEDY) || ev == EV_AIR;
	bool second_only = bit & (RIG_WELD_2 | RIG_DEAD_2) || ev == EV_PHASES;
	bool device_only = bit & (RIG_RCD_DEAD | RIG_RCD_STUCK | RIG_RESIDUAL);
	return !(pilot_only && !conf->pilot) && !(second_only && !conf->second) && !(device_only && !conf->residual) &&
		!(bit & RIG_LOCK_STUCK && !conf->lock) && !(bit & RIG_FAN_DEAD && !conf->fan) && !(bit & RIG_BAD_CABLE && !conf->socket) &&
		!(bit & RIG_EMERGENCY && !conf->emergency) && !(bit & RIG_MAINS && !conf->mains) && !(bit & RIG_HOT && conf->hot_dc == OUTLET_UNKNOWN);
}

/* The way back: with everything repaired, an unplugged car that comes again, and a permission, it charges within two minutes. */
static void comes_back(const struct node *from)
{
	struct node n;
	memcpy(&n, from, sizeof(n));
	n.rig.broken = 0;
	n.rig.plugged = n.rig.wants = n.rig.ventilation = false;
	n.in.offer_ma = 0;
	n.in.session = false;
	for (int i = 0; i < 700; i++)
		step(&n, 100);
	n.rig.plugged = true;
	n.in.offer_ma = 16000;
	n.in.session = true;
	step(&n, FINE);
	for (int i = 0; i < 200; i++)
		step(&n, COARSE);
	n.rig.wants = true;
	for (int i = 0; i < 250; i++)
		step(&n, COARSE);
	violation = NULL; /* steps of 100 ms are too long for the rules in hundredths */
	if (!n.rig.contact[0])
		fail_msg("no way back from state %s, standing %x, broken %x: it ended in %s, standing %x", outlet_state_text(from->o.state),
		         (unsigned)from->o.standing, (unsigned)from->rig.broken, outlet_state_text(n.o.state), (unsigned)n.o.standing);
}

/* All orders of `depth` events from each of the nodes that are in the queue; of every back_every-th new state the way back is tried. */
static void search(struct queue *q, const struct outlet_conf *conf, int depth, size_t back_every)
{
	while (q->head < q->n) {
		struct node from;
		memcpy(&from, &q->at[q->head++], sizeof(from));
		for (int ev = 0; ev < EVENTS; ev++) {
			if (!means_something(conf, ev))
				continue;
			if (ev >= EV_BREAK)
				seen_breaks[from.o.state][ev - EV_BREAK]++;
			for (size_t l = 0; l < LENGTHS; l++) {
				struct node n;
				memcpy(&n, &from, sizeof(n));
				happen(&n, ev);
				elapse(&n, lengths[l]);
				if (violation)
					blame(&from, ev, lengths[l]);
				n.depth = from.depth + 1;
				if (!is_new(hash(&n)))
					continue;
				if (n.depth < depth)
					enqueue(q, &n);
				if (known_count % back_every == 0)
					comes_back(&n);
			}
		}
	}
}

static const struct outlet_conf whole = {
	.pilot = true, .socket = true, .lock = true, .feedback = { true, true }, .second = true, .residual = true, .residual_test = true,
	.mains = true, .emergency = true, .fan = true, .wake = true, .max_ma = 32000, .min_ma = 6000, .silent_ms = 500,
	.derate_dc = 650, .halve_dc = 680, .hot_dc = 710, .switches_most = 10,
};

/* One node in each state of the machine, reached as it is in practice: the search begins at all of them. */
static void seed(struct queue *q, const struct outlet_conf *conf)
{
	static const struct {
		int ev;
		int32_t ms;
	} way[] = {
		{ EV_NOTHING, 100 }, { EV_NOTHING, 4000 }, { EV_PLUG, 500 }, { EV_PERMIT, 300 }, { EV_NOTHING, 4000 }, { EV_NOTHING, 30000 },
		{ EV_NOTHING, 6000 }, { EV_SESSION, 500 }, { EV_S2, 1000 }, { EV_NOTHING, 5000 }, { EV_PERMIT, 50 }, { EV_PERMIT, 1000 },
		{ EV_NOTHING, 5000 }, { EV_PHASES, 3000 }, { EV_NOTHING, 12000 }, { EV_S2, 30 }, { EV_NOTHING, 500 }, { EV_BREAK + 11, 500 },
	};
	struct node n;
	begin(&n, conf);
	for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
		happen(&n, way[i].ev);
		elapse(&n, way[i].ms);
		if (violation)
			blame(&n, way[i].ev, way[i].ms);
		if (is_new(hash(&n)))
			enqueue(q, &n);
	}
}

static int wanted_depth(int preset)
{
	const char *text = getenv("OUTLET_DEPTH");
	return text ? atoi(text) : preset;
}

static void explore(const char *name, const struct outlet_conf *conf, int depth)
{
	struct queue q = { 0 };
	known_room = (size_t)1 << 24;
	known_count = 0;
	known = calloc(known_room, sizeof(*known));
	assert_non_null(known);
	steps = 0;
	violation = NULL;
	memset(seen_changes, 0, sizeof(seen_changes));
	memset(seen_breaks, 0, sizeof(seen_breaks));
	seed(&q, conf);
	search(&q, conf, depth, depth > 2 ? 1000 : 100);
	printf("# %s: all orders of %d events from %d starts: %zu different states, %lu steps, no rule broken\n", name, depth, 18, known_count, steps);
	free(q.at);
	free(known);
}

static void test_everything_that_can_happen_to_a_whole_outlet(void **state)
{
	(void)state;
	measures_current = true;
	explore("socket with lock, residual current device, fan and two contactors", &whole, wanted_depth(2));
	for (int s = 0; s < MACHINE_STATES; s++) {
		for (int f = 0; f < RIG_FAULTS_MOST; f++) {
			if (!seen_breaks[s][f])
				fail_msg("%s never happened in state %s", rig_fault_text(1 << f), outlet_state_text(s));
		}
	}
}

/* Every arrow of the drawing in outlet.c was walked. */
static void test_every_transition_was_taken(void **state)
{
	static const uint8_t arrows[][2] = {
		{ OUTLET_START, OUTLET_IDLE }, { OUTLET_START, OUTLET_CONNECTED }, { OUTLET_IDLE, OUTLET_CONNECTED }, { OUTLET_CONNECTED, OUTLET_IDLE },
		{ OUTLET_CONNECTED, OUTLET_PREPARING }, { OUTLET_CONNECTED, OUTLET_SWITCHING }, { OUTLET_PREPARING, OUTLET_OFFERING },
		{ OUTLET_PREPARING, OUTLET_CONNECTED }, { OUTLET_PREPARING, OUTLET_IDLE }, { OUTLET_OFFERING, OUTLET_CHARGING },
		{ OUTLET_OFFERING, OUTLET_WAKING }, { OUTLET_OFFERING, OUTLET_CONNECTED }, { OUTLET_OFFERING, OUTLET_IDLE },
		{ OUTLET_WAKING, OUTLET_OFFERING }, { OUTLET_WAKING, OUTLET_CONNECTED }, { OUTLET_WAKING, OUTLET_IDLE }, { OUTLET_CHARGING, OUTLET_STOPPING },
		{ OUTLET_CHARGING, OUTLET_OPENING }, { OUTLET_STOPPING, OUTLET_OPENING }, { OUTLET_OPENING, OUTLET_OFFERING },
		{ OUTLET_OPENING, OUTLET_CONNECTED }, { OUTLET_OPENING, OUTLET_IDLE }, { OUTLET_SWITCHING, OUTLET_PREPARING },
		{ OUTLET_SWITCHING, OUTLET_CONNECTED }, { OUTLET_SWITCHING, OUTLET_IDLE }, { OUTLET_FAULTED, OUTLET_START },
		{ OUTLET_IDLE, OUTLET_FAULTED }, { OUTLET_CONNECTED, OUTLET_FAULTED }, { OUTLET_PREPARING, OUTLET_FAULTED },
		{ OUTLET_OFFERING, OUTLET_FAULTED }, { OUTLET_WAKING, OUTLET_FAULTED }, { OUTLET_CHARGING, OUTLET_FAULTED },
		{ OUTLET_STOPPING, OUTLET_FAULTED }, { OUTLET_OPENING, OUTLET_FAULTED }, { OUTLET_SWITCHING, OUTLET_FAULTED }, { OUTLET_START, OUTLET_FAULTED },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(arrows) / sizeof(arrows[0]); i++) {
		if (!seen_changes[arrows[i][0]][arrows[i][1]])
			fail_msg("never went from %s to %s", outlet_state_text(arrows[i][0]), outlet_state_text(arrows[i][1]));
	}
}

static void test_a_tethered_outlet_without_measurements(void **state)
{
	struct outlet_conf conf = { .pilot = true, .feedback = { true }, .max_ma = 16000, .min_ma = 6000, .silent_ms = 500, .hot_dc = OUTLET_UNKNOWN };
	(void)state;
	measures_current = false;
	explore("tethered cable, one contactor, no meter", &conf, wanted_depth(2));
}

/* Changes are spent at once: what stays is never more phases than are permitted. */
static void test_an_outlet_that_has_spent_its_changes(void **state)
{
	struct outlet_conf conf = { .pilot = true, .feedback = { true, true }, .second = true, .max_ma = 16000, .min_ma = 6000, .silent_ms = 500,
		.hot_dc = OUTLET_UNKNOWN, .switches_most = 2 };
	(void)state;
	measures_current = true;
	explore("tethered cable, two contactors, two changes", &conf, wanted_depth(2));
}

static void test_a_load_without_a_pilot(void **state)
{
	struct outlet_conf conf = { .feedback = { true }, .mains = true, .emergency = true, .max_ma = 16000, .min_ma = 16000, .silent_ms = 500,
		.hot_dc = OUTLET_UNKNOWN };
	(void)state;
	measures_current = false;
	explore("load without a pilot", &conf, wanted_depth(2));
}

/* The checker can see: a machine that is told lies breaks rules. */
static void test_the_checker_sees_a_contact_that_should_be_open(void **state)
{
	struct node n;
	(void)state;
	begin(&n, &whole);
	measures_current = true;
	n.rig.contact[0] = n.o.out.close[0] = true;
	watch_world(&n, 200);
	check_contacts(&n, 10);
	assert_non_null(violation);
	violation = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_that_can_happen_to_a_whole_outlet),
		cmocka_unit_test(test_every_transition_was_taken),
		cmocka_unit_test(test_a_tethered_outlet_without_measurements),
		cmocka_unit_test(test_an_outlet_that_has_spent_its_changes),
		cmocka_unit_test(test_a_load_without_a_pilot),
		cmocka_unit_test(test_the_checker_sees_a_contact_that_should_be_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
