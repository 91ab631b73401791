/* The tick, in the order in which it thinks:
 *
 *   meters    fresh, stale or lost; from that the base load of every node, the worst of the day where the meter is lost
 *   seats     what each EVSE may ask for, and what those take that cannot be told anything (no link, no answer, no transaction)
 *   alloc     the room of every node is divided
 *   limits    who has to go down goes down now; who may go up does so only into room that is free already, orders on their way counted
 *   send      changed limits and those due again
 *
 * An EVSE without a transaction is granted nothing and is not sent anything: it may start by itself only with its default profile, and from
 * the tick in which its transaction is known, at least that much is counted and its own limit is on the way. While it does start unseen, its
 * current is part of the base load, which is quick to rise.
 *
 * Easy to get wrong: two sums are kept below every limit, and they differ while cars move. The allocation makes the sum of targets fit. The
 * sum of what is *held* (the larger of what a car was told and what it may still take) must fit as well before anybody is raised. */
#include "energy/control.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "energy/control-local.h"
#include "energy/record-local.h"

#define AGAIN_US (4 * US_PER_S)
#define UNHEARD_US (12 * US_PER_S)
#define EFFECT_US (3 * US_PER_S) /* many orders have had their effect by then */
#define OVER_AGAIN_US (5 * US_PER_S)
#define NEW_US (30 * US_PER_S)
#define RELINKED_US (120 * US_PER_S)
#define SLEEPS_US (20 * US_PER_S)
#define WAKE_AGAIN_US (180 * US_PER_S)

static void make_scratch(struct control *c)
{
	size_t nodes = c->site.parts.n_nodes, evses = c->site.parts.n_evses;
	c->rooms = mem_new(nodes * sizeof(*c->rooms));
	c->asks = mem_new(evses * sizeof(*c->asks));
	c->shares = mem_new(evses * sizeof(*c->shares));
	c->ranks = mem_new(evses * sizeof(*c->ranks));
	c->work = mem_new(evses * sizeof(*c->work));
	c->order = mem_new(evses * sizeof(*c->order));
	c->free = mem_new(nodes * sizeof(*c->free));
	c->wanted = mem_new(nodes * sizeof(*c->wanted));
	c->queue = mem_new(evses * sizeof(*c->queue));
	c->send = mem_new(evses * sizeof(*c->send));
	c->scratch = mem_new(alloc_scratch(nodes, evses));
}

static void open_nodes(struct control *c)
{
	for (size_t i = 0; i < c->site.parts.n_nodes; i++) {
		c->nodes[i].conf = &c->site.nodes[i];
		c->nodes[i].meter = c->site.nodes[i].meter >= 0 ? &c->meters[c->site.nodes[i].meter] : NULL;
		memcpy(c->nodes[i].limit, c->site.nodes[i].limit.l, sizeof(c->nodes[i].limit));
		for (int r = 0; r <= ALLOC_SUM; r++)
			c->nodes[i].order[r] = NO_BOUND;
		load_init(&c->nodes[i].load);
		margin_init(&c->nodes[i].margin);
		net_init(&c->nodes[i].net);
		window_init(&c->nodes[i].window, c->site.nodes[i].power_w, c->site.nodes[i].window_us);
	}
	for (size_t i = 0; i < c->site.parts.n_evses; i++)
		for (int n = c->site.evses[i].node; n >= 0; n = c->site.nodes[n].parent)
			c->nodes[n].sockets++;
}

static void open_seats(struct control *c)
{
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		c->seats[i].conf = &c->site.evses[i];
		c->seats[i].energy_wh = c->seats[i].begun_wh = c->seats[i].need_wh = NAN;
		car_init(&c->seats[i].car, &c->site.evses[i]);
		c->seats[i].profile.ma = MA_NONE;
		c->seats[i].tight_node = -1;
		c->seats[i].order_ma = MA_NONE;
		limit_init(&c->seats[i].limit);
		c->seats[i].grant.binding.reason = "offline_fallback";
	}
}

struct control *control_open(const struct control_conf *conf, const struct control_events *events, void *arg)
{
	struct control *c = NEW(struct control);
	struct site_parts parts = { conf->nodes, conf->n_nodes, conf->meters, conf->n_meters, conf->evses, conf->n_evses, conf->fixtures,
				    conf->n_fixtures };
	c->conf = *conf;
	c->events = *events;
	c->arg = arg;
	c->policy = policy_find(conf->strategy);
	site_copy(&c->site, &parts);
	c->conf.nodes = c->site.nodes;
	c->conf.meters = c->site.meters;
	c->conf.evses = c->site.evses;
	c->conf.fixtures = c->site.fixtures;
	c->meters = mem_new(conf->n_meters * sizeof(*c->meters));
	c->nodes = mem_new(conf->n_nodes * sizeof(*c->nodes));
	c->seats = mem_new(conf->n_evses * sizeof(*c->seats));
	for (size_t i = 0; i < conf->n_meters; i++)
		meter_init(&c->meters[i], &c->site.meters[i]);
	open_nodes(c);
	open_seats(c);
	need_init(&c->usual);
	make_scratch(c);
	return c;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	void *all[] = { c->meters, c->nodes, c->seats, c->rooms, c->asks, c->shares, c->ranks, c->work, c->order, c->free, c->wanted, c->queue,
			c->send, c->scratch };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		mem_free(all[i]);
	site_free(&c->site);
	mem_free(c);
}

/* What is fed in. */

bool control_runs(const struct seat *s)
{
	return s->tx || s->state == EVSE_CHARGING;
}

/* The car that was there goes on as it did, a little above its offer where that was not worth another word, or begins to take what it slept on; or
 * another one has come and takes what its socket gives by itself. */
static int32_t offline_on(const struct seat *s, int phase, int64_t now_us)
{
	int32_t offer = guard_offline_ma(&s->car, s->link_us, now_us), takes = car_takes(&s->car, offer), drew = s->car.drawn[phase];
	takes = takes < drew && drew <= offer + car_excess(offer) ? drew : takes;
	int32_t same = !(car_might(&s->car) & (1u << phase)) ? 0 : takes < s->conf->min_ma / 2 ? offer : takes;
	return same > s->conf->fallback_ma ? same : s->conf->fallback_ma;
}

/* What is counted in plans is the highest that is left out of the base load, or both would miss it. */
void control_range(const struct seat *s, int phase, int64_t now_us, int32_t *low, int32_t *high)
{
	bool fresh = car_fresh(&s->car, now_us);
	*low = *high = fresh ? s->car.drawn[phase] : 0;
	if (!s->online) {
		*low = 0;
		*high = offline_on(s, phase, now_us);
	} else if (control_runs(s)) {
		car_range(&s->car, phase, now_us, low, high);
		int32_t told = car_takes(&s->car, s->car.told_ma);
		if (s->over && s->car.drawn[phase] <= told && *high > told)
			*high = told; /* what is still there is more likely the building's, and cutting too much is the lesser evil */
	}
}

static struct seat *seat_at(struct control *c, int evse)
{
	assert(evse >= 0 && evse < (int)c->site.parts.n_evses);
	return &c->seats[evse];
}

void control_evse_link(struct control *c, int evse, bool online, int64_t now_us)
{
	struct seat *s = seat_at(c, evse);
	record_link(c, evse, online, now_us);
	if (online && !s->online) {
		car_relinked(&s->car);
		phases_begin(s); /* what it was told of phases may be forgotten, too */
		s->relinked_us = now_us;
	}
	s->online = online;
	s->link_us = now_us;
}

/* A transaction, or charging without one, begins or ends. True: it begins. */
static bool run_changed(struct control *c, struct seat *s, bool ran, int64_t now_us)
{
	bool runs = control_runs(s);
	if (runs == ran)
		return false;
	if (runs)
		car_begin(&s->car, now_us);
	else
		car_end(&s->car, now_us);
	if (!runs)
		need_left(&c->usual, control_most_w(c, s), s->energy_wh - s->begun_wh, (double)(now_us - s->arrived_us) / US_PER_S);
	s->begun_wh = s->need_wh = NAN;
	s->depart_us = s->woken_us = 0;
	s->favour = 0;
	s->pauses = 0;
	s->asleep = false;
	phases_begin(s);
	c->pace.uneven = true;
	c->pace.changed_us = now_us;
	limit_init(&s->limit);
	s->arrived_us = runs ? now_us : 0;
	s->served_us = s->waits_us = 0;
	s->left = s->left_idle = false;
	return runs;
}

bool control_evse_state(struct control *c, int evse, enum evse_state state, int64_t now_us)
{
	struct seat *s = seat_at(c, evse);
	bool ran = control_runs(s);
	record_state(c, evse, state, now_us);
	if (state != s->state)
		s->state_us = now_us;
	s->state = state;
	return run_changed(c, s, ran, now_us);
}

bool control_evse_tx(struct control *c, int evse, bool running, int64_t now_us)
{
	struct seat *s = seat_at(c, evse);
	bool ran = control_runs(s);
	record_tx(c, evse, running, now_us);
	s->tx = running;
	if (!running && s->state == EVSE_CHARGING)
		s->state = EVSE_UNKNOWN; /* its word for what follows is on the way */
	return run_changed(c, s, ran, now_us);
}

void control_evse_draw(struct control *c, int evse, const int32_t own_ma[3], double energy_wh, int64_t now_us)
{
	struct seat *s = seat_at(c, evse);
	record_draw(c, evse, own_ma, energy_wh, now_us);
	for (int p = 1; p < s->conf->n_lines; p++)
		s->phased = s->phased || own_ma[p] != own_ma[0];
	car_draws(&s->car, own_ma, now_us);
	if (control_runs(s) && s->car.told_ma < 0 && s->car.seen && now_us - s->arrived_us < NEW_US && now_us - s->relinked_us > RELINKED_US)
		c->starts_alone = true;
	if (!isnan(energy_wh))
		s->energy_wh = energy_wh;
	if (isnan(s->begun_wh) && control_runs(s))
		s->begun_wh = energy_wh;
}

void control_evse_need(struct control *c, int evse, double need_wh, int64_t depart_us)
{
	struct seat *s = seat_at(c, evse);
	record_need(c, evse, need_wh, depart_us);
	if (isnan(s->need_wh))
		need_told(&c->usual, control_most_w(c, s), need_wh);
	s->need_wh = need_wh;
	s->depart_us = depart_us;
}

void control_evse_favour(struct control *c, int evse, int32_t more)
{
	record_favour(c, evse, more);
	seat_at(c, evse)->favour = more;
}

void control_evse_woken(struct control *c, int evse, int64_t now_us)
{
	record_woken(c, evse, now_us);
	car_woken(&seat_at(c, evse)->car, now_us);
}

void control_evse_answered(struct control *c, int evse, int32_t ma, bool accepted, int64_t now_us)
{
	record_answered(c, evse, ma, accepted, now_us);
	car_answered(&seat_at(c, evse)->car, ma, accepted, now_us);
}

static struct told_cap *cap_of(struct control *c, int id)
{
	for (size_t i = 0; i < CAPS_MOST; i++)
		if (c->caps[i].id == id)
			return &c->caps[i];
	return NULL;
}

int control_cap_put(struct control *c, int id, const struct cap_conf *from)
{
	record_cap(c, id, from);
	if (from->node >= (int)c->site.parts.n_nodes || from->evse >= (int)c->site.parts.n_evses || (from->node < 0) == (from->evse < 0))
		return ERR_INVALID;
	struct told_cap *cap = cap_of(c, id > 0 ? id : 0);
	if (!cap)
		return id > 0 ? ERR_NOT_FOUND : ERR_FULL;
	int64_t since_us = id > 0 ? cap->since_us : c->now_us;
	if ((size_t)(cap - c->caps) >= c->caps_end)
		c->caps_end = (size_t)(cap - c->caps) + 1;
	*cap = (struct told_cap){ .id = id > 0 ? id : ++c->last_cap, .node = from->node, .evse = from->evse, .ma = from->line.l[0],
		.power_w = from->power_w, .devices = from->devices, .surplus = from->surplus, .since_us = since_us, .until_us = from->until_us };
	memcpy(cap->line, from->line.l, sizeof(cap->line));
	snprintf(cap->reason, sizeof(cap->reason), "%s", from->reason ? from->reason : "operator");
	snprintf(cap->owner, sizeof(cap->owner), "%s", from->owner ? from->owner : "");
	return cap->id;
}

int control_cap_set(struct control *c, int node, int evse, int32_t ma, const char *reason, const char *owner, int64_t until_us)
{
	struct cap_conf cap = { .node = node, .evse = evse, .line = { { ma, ma, ma } }, .power_w = -1, .reason = reason, .owner = owner,
				.until_us = until_us };
	return ma < 0 ? ERR_INVALID : control_cap_put(c, 0, &cap);
}

void control_wall(struct control *c, int64_t offset_us, bool trusted)
{
	record_wall(c, offset_us, trusted);
	c->wall = (struct wall){ offset_us, trusted };
}

int control_cap_clear(struct control *c, int id)
{
	record_cap_clear(c, id);
	for (size_t i = 0; i < CAPS_MOST; i++) {
		if (id > 0 && c->caps[i].id == id) {
			c->caps[i].id = 0;
			return 0;
		}
	}
	return ERR_NOT_FOUND;
}

void control_evse_profile(struct control *c, int evse, int32_t ma, const char *ref, int64_t until_us)
{
	struct told_cap *cap = &seat_at(c, evse)->profile;
	record_profile(c, evse, ma, ref, until_us);
	if (cap->ma != ma || strcmp(cap->owner, ref ? ref : "") != 0)
		cap->since_us = c->now_us;
	cap->ma = ma;
	cap->until_us = until_us;
	snprintf(cap->reason, sizeof(cap->reason), "csms_profile");
	snprintf(cap->owner, sizeof(cap->owner), "%s", ref ? ref : "");
}

void control_evse_least(struct control *c, int evse, int32_t ma)
{
	record_least(c, evse, ma);
	seat_at(c, evse)->worth_ma = ma;
}

void control_evse_alone(struct control *c, int evse, int32_t ma)
{
	record_alone(c, evse, ma);
	seat_at(c, evse)->car.alone_ma = ma;
}

void control_evse_before(struct control *c, int evse, int32_t ma)
{
	struct car *car = &seat_at(c, evse)->car;
	record_before(c, evse, ma);
	if (ma > car->force_ma && car->told_ma < 0)
		car->force_ma = ma < car->conf->max_ma ? ma : car->conf->max_ma;
}

void control_evse_proved(struct control *c, int evse, bool proved)
{
	struct seat *s = seat_at(c, evse);
	record_proved(c, evse, proved);
	car_proved(&s->car, proved, control_runs(s));
}

void control_evse_conduct(struct control *c, int evse, const char *conduct)
{
	record_conduct(c, evse, conduct);
	seat_at(c, evse)->conduct = conduct;
}

/* Limits. */

static void judge_nodes(struct control *c)
{
	for (size_t i = 0; i < c->site.parts.n_meters; i++)
		c->meters[i].doubt[0] = 0;
	for (size_t i = 0; i < c->site.parts.n_nodes; i++) {
		struct junction *n = &c->nodes[i];
		meters_judge(c, n);
		for (int l = 0; l < 3; l++) {
			n->limit[l] = n->conf->limit.l[l];
		}
		memset(n->cap, 0, sizeof(n->cap));
	}
	rooms_base(c);
}

static void apply_caps(struct control *c)
{
	size_t end = 0;
	for (size_t i = 0; i < c->site.parts.n_evses; i++)
		c->seats[i].cap = NULL;
	for (size_t i = 0; i < c->caps_end; i++) {
		struct told_cap *cap = &c->caps[i];
		if (cap->id && cap->until_us <= c->now_us)
			cap->id = 0;
		if (!cap->id)
			continue;
		end = i + 1;
		if (cap->evse >= 0) {
			const struct told_cap **lowest = &c->seats[cap->evse].cap;
			if (!*lowest || cap->ma < (*lowest)->ma)
				*lowest = cap;
			continue;
		}
		struct junction *n = &c->nodes[cap->node];
		for (int l = 0; l < 3 && !cap->devices; l++) {
			if (cap->line[l] < n->limit[l]) {
				n->limit[l] = cap->line[l];
				n->cap[l] = cap;
			}
		}
	}
	c->caps_end = end;
}

/* Seats. */

uint8_t control_lines(const struct seat *s)
{
	uint8_t own = car_phases(&s->car), lines = 0;
	for (int p = 0; p < s->conf->n_lines; p++)
		if (own & (1u << p))
			lines |= (uint8_t)(1u << s->conf->lines[p]);
	return lines;
}

static enum seat_way way_of(const struct control *c, const struct seat *s)
{
	if (!s->online)
		return SEAT_OFFLINE;
	if (s->state == EVSE_FAULTED || s->state == EVSE_UNAVAILABLE)
		return SEAT_FAULT;
	if (!control_runs(s))
		return SEAT_FREE;
	return car_follows(&s->car, c->now_us) == CAR_UNCONFIRMED ? SEAT_UNCONFIRMED : SEAT_SERVED;
}

static void count_fixed(const struct control *c, struct seat *s)
{
	memset(s->fixed, 0, sizeof(s->fixed));
	for (int p = 0; p < s->conf->n_lines; p++) {
		int32_t ma = 0;
		if (s->way == SEAT_OFFLINE)
			ma = offline_on(s, p, c->now_us);
		else if (s->way == SEAT_UNCONFIRMED)
			ma = car_held(&s->car, p, c->now_us);
		else if (s->way != SEAT_SERVED && car_fresh(&s->car, c->now_us) && s->car.drawn[p] > 0)
			ma = s->car.drawn[p];
		s->fixed[s->conf->lines[p]] = ma;
	}
}

/* Looks at the nodes above for meters that are stale or lost. */
static void look_up(const struct control *c, struct seat *s)
{
	s->lost = NULL;
	s->lost_ma = MA_NONE;
	s->frozen = false;
	for (int i = s->conf->node; i >= 0; i = c->nodes[i].conf->parent) {
		const struct junction *n = &c->nodes[i];
		s->frozen = s->frozen || n->guard == METER_STALE;
		if (n->guard != METER_LOST)
			continue;
		int32_t ma = guard_meter_cap(c->conf.on_meter_lost, s->conf, c->conf.meter_lost_ma, load_has_a_past(&n->load, c->now_us));
		if (ma < s->lost_ma) {
			s->lost = n;
			s->lost_ma = ma;
		}
	}
}

static void judge_seats(struct control *c)
{
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		struct seat *s = &c->seats[i];
		if (!s->link_us)
			s->link_us = c->now_us;
		if (s->online) {
			s->link_us = c->now_us;
			car_step(&s->car, c->now_us); /* in a silence time shows nothing: the last word before it may not have been heard */
		}
		s->way = way_of(c, s);
		count_fixed(c, s);
		look_up(c, s);
		control_ask(c, i);
	}
	control_sleepers(c);
}

/* The division. */

void control_take(struct control *c, int node, int line, int64_t ma, bool uneven)
{
	for (; node >= 0; node = c->nodes[node].conf->parent) {
		c->free[node][line] -= ma;
		c->free[node][ALLOC_SUM] -= ma;
		if (uneven)
			c->free[node][ALLOC_UNEVEN + line] -= ma;
	}
}

void control_free(struct control *c)
{
	for (size_t i = 0; i < c->site.parts.n_nodes; i++)
		memcpy(c->free[i], c->nodes[i].room, sizeof(c->free[i]));
}

bool control_uneven(const struct seat *s)
{
	return control_lines(s) != 7;
}

static void offer_rooms(struct control *c, size_t i)
{
	c->rooms[i] = (struct alloc_node){ .parent = c->nodes[i].conf->parent, .spare_ma = control_spare(c, i), .spare_sum_ma = control_spare_sum(c, i),
		.passing_ma = (int32_t)(c->nodes[i].passes < ALLOC_MOST_MA ? c->nodes[i].passes : ALLOC_MOST_MA) };
	for (int r = 0; r < ALLOC_ROOMS; r++) {
		c->rooms[i].room[r] = c->free[i][r] > ALLOC_MOST_MA ? MA_NONE : c->free[i][r] < 0 ? 0 : (int32_t)c->free[i][r];
		if (r >= ALLOC_SUM && c->nodes[i].room[r] != NO_BOUND)
			c->rooms[i].more |= (uint8_t)(1u << r);
	}
}

static void divide(struct control *c)
{
	size_t nodes = c->site.parts.n_nodes, evses = c->site.parts.n_evses;
	control_free(c);
	for (size_t i = 0; i < evses; i++)
		for (int l = 0; l < 3; l++)
			if (c->seats[i].fixed[l])
				control_take(c, c->seats[i].conf->node, l, c->seats[i].fixed[l], control_uneven(&c->seats[i]));
	for (size_t i = 0; i < nodes; i++)
		offer_rooms(c, i);
	policy_order(c->policy, c->ranks, evses, c->conf.rotate_every_us, c->now_us, c->work, c->order);
	struct alloc_site site = { c->rooms, nodes, c->asks, evses, c->order, c->policy->in_turn };
	alloc_run(&site, c->scratch, c->shares);
	for (size_t i = 0; i < evses; i++)
		for (int l = 0; l < 3; l++)
			if (c->asks[i].lines & (1u << l) && c->shares[i].ma)
				control_take(c, c->seats[i].conf->node, l, c->shares[i].ma, c->asks[i].lines != 7);
	for (size_t i = 0; i < nodes; i++)
		memcpy(c->nodes[i].left, c->free[i], sizeof(c->nodes[i].left));
	slack_watch(c);
}

/* The offer by which a car takes what it was allocated. */
static int32_t share_offer(const struct seat *s)
{
	int32_t step = control_step(s), ma = car_offer(&s->car, s->take_ma);
	if (s->take_ma <= 0 || s->conf->on_off)
		return s->take_ma;
	if (s->share.bound == ALLOC_OWN)
		ma = s->asked_ma;
	ma = ma / step * step;
	return ma < s->min_ma ? s->min_ma : ma;
}

/* Who is served and who waits, for the next order. */
static void note_turns(struct control *c)
{
	int32_t place = 0;
	for (size_t k = 0; k < c->site.parts.n_evses; k++) {
		struct seat *s = &c->seats[c->order[k]];
		s->share = c->shares[c->order[k]];
		if (!s->borne_ma)
			s->share = (struct alloc_share){ 0, ALLOC_WAITS, s->crowd_node, s->crowd_line };
		s->take_ma = s->share.ma;
		s->share.ma = share_offer(s);
		s->place = 0;
		if (s->way != SEAT_SERVED)
			continue;
		bool waits = s->share.bound == ALLOC_WAITS;
		if (waits && s->served_us) {
			s->left = true;
			s->left_idle = c->ranks[c->order[k]].idle;
		}
		s->waits_us = !waits ? 0 : s->waits_us ? s->waits_us : c->now_us;
		s->served_us = s->share.ma <= 0 ? 0 : s->served_us ? s->served_us : c->now_us;
		if (waits) {
			s->place = ++place;
			snprintf(s->place_text, sizeof(s->place_text), "%d", (int)place);
		}
	}
}

/* Grants and messages. */

static bool same_reason(const struct cap *a, const struct cap *b)
{
	return a->reason && !strcmp(a->reason, b->reason) && a->phase == b->phase &&
	       (a->ref == b->ref || (a->ref && b->ref && !strcmp(a->ref, b->ref)));
}

static void make_grant(struct control *c, struct seat *s)
{
	struct cap chain[CHAIN_MOST];
	struct cap was = s->grant.binding;
	s->grant.ma = control_can_tell(s) && s->limit.ma > 0 ? s->limit.ma : 0;
	s->grant.phases = s->single ? 1 : s->conf->n_lines;
	s->grant.phase = s->single && s->can_single == SINGLE_ANY ? s->alone + 1 : 0;
	s->grant.wake = false;
	s->grant.pressed = s->pressed;
	if (s->way == SEAT_FREE)
		chain[0] = (struct cap){ .reason = "ev", .since_us = s->state_us }; /* the chain begins so, whatever else is in it */
	else
		control_chain(c, s, chain);
	s->grant.binding = chain[0];
	if (same_reason(&was, &chain[0]))
		s->grant.binding.since_us = was.since_us;
	else if (!s->grant.binding.since_us)
		s->grant.binding.since_us = c->now_us;
}

/* Some cars sleep after a pause and do not notice that they may charge again. */
static bool wants_waking(const struct control *c, struct seat *s)
{
	const struct car *car = &s->car;
	if (s->pauses && s->limit.ma > 0 && car->idle_since_us && c->now_us - car->idle_since_us >= SLEEPS_US &&
	    (!s->woken_us || c->now_us - s->woken_us >= WAKE_AGAIN_US)) {
		s->woken_us = c->now_us;
		return true;
	}
	return false;
}

/* A device above carries more than it may although most cars must have followed by now: it need not wait for a report to be said again. */
static bool still_over(const struct control *c, const struct seat *s)
{
	if (s->car.told_ma < 0 || s->car.told_ma >= s->car.force_ma || c->now_us - s->car.told_us < OVER_AGAIN_US)
		return false;
	for (int i = s->conf->node; i >= 0; i = c->nodes[i].conf->parent) {
		const struct junction *n = &c->nodes[i];
		for (int l = 0; l < 3 && n->meter && n->guard == METER_FRESH && n->meter->last.at_us >= s->car.told_us + EFFECT_US; l++)
			if (control_lines(s) & (1u << l) && n->meter->last.ma.l[l] > n->limit[l])
				return true;
	}
	return false;
}

static void send_due(struct control *c)
{
	struct limit_rules rules = { c->conf.increase_after_us, c->conf.increase_step_ma, c->conf.resend_us };
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		struct seat *s = &c->seats[i];
		make_grant(c, s);
		if (!control_can_tell(s) || s->limit.ma < 0)
			continue;
		if (wants_waking(c, s))
			c->send[i] = s->grant.wake = true;
		bool repeated = s->limit.sent_us > s->car.told_us; /* some stations begin anew with every word, so they get the time to finish one */
		s->over = still_over(c, s);
		bool again = (car_lags(&s->car) || s->over) && c->now_us - s->limit.sent_us >= (repeated ? 3 * AGAIN_US : AGAIN_US);
		bool twice = s->unheard && !c->send[i] && c->now_us - s->limit.sent_us >= UNHEARD_US;
		s->unheard = s->unheard && !twice;
		if (!c->send[i] && !again && !twice && s->car.told_ma == s->limit.ma && !limit_due(&rules, &s->limit, s->way == SEAT_UNCONFIRMED, c->now_us))
			continue;
		control_tell(c, i);
		s->limit.sent_us = c->now_us;
		record_order(c, (int)i, &s->grant);
		c->sending = true;
		c->events.send(c->arg, (int)i, &s->grant);
		c->sending = false;
	}
}

void control_tick(struct control *c, int64_t now_us)
{
	record_tick(c, now_us);
	c->now_us = now_us;
	judge_nodes(c);
	apply_caps(c);
	control_phases_seen(c);
	judge_seats(c);
	rooms_make(c);
	divide(c);
	note_turns(c);
	control_phases(c);
	control_move(c);
	send_due(c);
}
