/*                 card shown, again after CARD_US             card shown, again after CARD_US
 *   EMPTY --arrive--> ARRIVING --transaction--> CHARGING --leave--> LEAVING --no transaction--> EMPTY
 *                                                  \---- transaction ended otherwise: stays plugged in ----/
 *
 * A card is shown only while the transaction is not yet as wished: shown once more it would undo it. */
#include "gateway/sim/sim-station.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "gateway/net/dial.h"

#define CARD_US (3 * US_PER_S)
#define RETRY_MIN_US US_PER_S
#define RETRY_MAX_US (30 * US_PER_S)

struct place {
	enum sim_place state;
	int point;
	char card[64];
	int64_t shown_us;          /* monotonic; 0: not yet */
	long row;                  /* of the running transaction in the ledger; -1: none */
};

struct sim_station {
	struct sim_station_conf conf;
	struct station *station;
	struct link *link;         /* NULL: not connected and not connecting */
	char *url;
	struct timer retry;
	int64_t pause_us;
	uint64_t random;
	struct log log;
	struct place places[];
};

/* --- the connection --- */

static void connect_now(void *arg);

/* Twice as long each time, and up to half of it more, so that a garage does not come back in step. */
static void retry(struct sim_station *s)
{
	int64_t most = s->conf.retry_max_us;
	s->random = s->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	int64_t jitter = (int64_t)((s->random >> 33) % (uint64_t)(s->pause_us / 2 + 1));
	timer_set(&s->retry, s->pause_us + jitter, connect_now, s);
	s->pause_us = s->pause_us * 2 < most ? s->pause_us * 2 : most;
}

static void on_up(void *owner, struct link *l)
{
	struct sim_station *s = owner;
	s->pause_us = s->conf.retry_min_us;
	station_link_up(s->station, l);
}

static void on_text(void *owner, struct link *l, struct slice text)
{
	struct sim_station *s = owner;
	(void)l;
	station_text(s->station, text);
}

static void on_room(void *owner, struct link *l)
{
	struct sim_station *s = owner;
	(void)l;
	station_room(s->station);
}

static void on_down(void *owner, struct link *l, const struct link_end *why)
{
	struct sim_station *s = owner;
	log_info(&s->log, "the connection ended: %s", why->reason ? why->reason : err_text(why->err));
	s->link = NULL;
	station_link_down(s->station);
	link_release(l);
	retry(s);
}

static const struct link_events link_events = { .up = on_up, .text = on_text, .room = on_room, .down = on_down };

static void connect_now(void *arg)
{
	struct sim_station *s = arg;
	struct dial_config c = { .url = s->url, .subprotocol = version_subprotocol(s->conf.station.version), .ping_us = 30 * US_PER_S };
	if (s->conf.password) {
		c.user = s->conf.station.id;
		c.password = slice_of(s->conf.password);
	}
	s->link = dial(&c, &link_events, s);
}

static char *url_of(const struct sim_station_conf *conf)
{
	struct buf url = { 0 };
	size_t n = strlen(conf->station.id);
	char *encoded = mem_new(3 * n + 1);
	percent_encode(slice_of(conf->station.id), encoded);
	buf_puts(&url, conf->url);
	if (!url.n || url.p[url.n - 1] != '/')
		buf_puts(&url, "/");
	buf_puts(&url, encoded);
	mem_free(encoded);
	return url.p;
}

/* --- the firmware's outputs --- */

static void on_output(void *arg, int evse, bool close, int32_t offered_ma)
{
	struct sim_station *s = arg;
	world_offer(s->conf.world, s->places[evse - 1].point, close, offered_ma);
}

static int on_unlock(void *arg, int evse)
{
	struct sim_station *s = arg;
	station_unlocked(s->station, evse, true);
	return 0;
}

static struct sim_tx *note(struct sim_station *s, int evse, enum tx_phase phase)
{
	struct place *p = &s->places[evse - 1];
	if (phase == TX_START) {
		p->row = (long)s->conf.ledger->count;
		return sim_ledger_add(s->conf.ledger, slice_of(s->conf.station.id), evse);
	}
	return p->row < 0 ? NULL : &s->conf.ledger->rows[p->row];
}

static void on_tx(void *arg, int evse, enum tx_phase phase, const char *tx, const char *token, int64_t wall_us, double wh, const char *reason)
{
	struct sim_station *s = arg;
	struct sim_tx *t = note(s, evse, phase);
	if (!t)
		return;
	snprintf(t->tx, sizeof(t->tx), "%s", tx);
	if (phase == TX_START) {
		snprintf(t->token, sizeof(t->token), "%s", token);
		t->start_us = wall_us;
		t->start_wh = wh;
		t->starts = 1;
	} else if (phase == TX_END) {
		snprintf(t->reason, sizeof(t->reason), "%s", reason ? reason : "");
		t->stop_us = wall_us;
		t->stop_wh = wh;
		t->stops = 1;
		s->places[evse - 1].row = -1;
	}
}

static const struct station_events station_events = { .output = on_output, .tx = on_tx, .unlock = on_unlock };

/* --- people --- */

static void show_card(struct sim_station *s, int evse)
{
	struct place *p = &s->places[evse - 1];
	int64_t now = clock_mono_us();
	if (p->shown_us && now - p->shown_us < CARD_US)
		return;
	p->shown_us = now;
	station_token(s->station, evse, p->card);
}

static void become(struct place *p, enum sim_place state)
{
	p->state = state;
	p->shown_us = 0;
}

static void act(struct sim_station *s, int evse)
{
	struct place *p = &s->places[evse - 1];
	struct station_view v;
	station_view(s->station, evse, &v);
	if (p->state == SIM_ARRIVING && v.running) {
		become(p, SIM_CHARGING);
	} else if (p->state == SIM_ARRIVING && v.booted) {
		show_card(s, evse);
	} else if (p->state == SIM_LEAVING && v.running) {
		show_card(s, evse);
	} else if (p->state == SIM_LEAVING) {
		world_unplug(s->conf.world, p->point);
		become(p, SIM_EMPTY);
	}
}

void sim_station_step(struct sim_station *s)
{
	for (int evse = 1; evse <= s->conf.station.n_evses; evse++) {
		struct evse_input in;
		world_input(s->conf.world, s->places[evse - 1].point, &in);
		station_input(s->station, evse, &in);
		act(s, evse);
	}
}

void sim_station_arrive(struct sim_station *s, int evse, const struct car_conf *car, const char *card)
{
	struct place *p = &s->places[evse - 1];
	if (p->state != SIM_EMPTY)
		return;
	snprintf(p->card, sizeof(p->card), "%s", card);
	world_plug(s->conf.world, p->point, car);
	become(p, SIM_ARRIVING);
}

void sim_station_leave(struct sim_station *s, int evse)
{
	if (s->places[evse - 1].state != SIM_EMPTY)
		become(&s->places[evse - 1], SIM_LEAVING);
}

enum sim_place sim_station_place(const struct sim_station *s, int evse)
{
	return s->places[evse - 1].state;
}

bool sim_station_online(const struct sim_station *s)
{
	struct station_view v;
	station_view(s->station, 1, &v);
	return v.online && v.booted;
}

const struct station *sim_station_firmware(const struct sim_station *s)
{
	return s->station;
}

/* --- life --- */

struct sim_station *sim_station_open(const struct sim_station_conf *conf)
{
	int n = conf->station.n_evses;
	struct sim_station *s = mem_new(sizeof(*s) + (size_t)n * sizeof(s->places[0]));
	s->conf = *conf;
	s->conf.retry_min_us = conf->retry_min_us ? conf->retry_min_us : RETRY_MIN_US;
	s->conf.retry_max_us = conf->retry_max_us ? conf->retry_max_us : RETRY_MAX_US;
	s->pause_us = s->conf.retry_min_us;
	s->random = conf->station.seed;
	s->log = (struct log){ NULL, "station", s->conf.station.id };
	s->url = url_of(conf);
	for (int i = 0; i < n; i++)
		s->places[i] = (struct place){ .point = conf->points[i], .row = -1 };
	s->conf.points = NULL;
	s->conf.url = NULL;
	s->station = station_open(&conf->station, &station_events, s);
	connect_now(s);
	return s;
}

void sim_station_close(struct sim_station *s)
{
	timer_cancel(&s->retry);
	if (s->link)
		link_release(s->link);
	station_close(s->station);
	mem_free(s->url);
	mem_free(s);
}
