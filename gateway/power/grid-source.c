/* One input of the grid operator, as it is heard.
 *
 *   contact, ripple, register    a plugin's grid_poll, by the host
 *   server                       registers of this box that somebody writes
 *   command                      the verb grid.limit
 *   csms                         what an identity of this box is allowed
 *
 * Registers of the server, 32 bits with the high word first:
 *
 *   holding 0, 1   the limit in watts, 0xFFFFFFFF: none; it counts when 1 is written
 *   holding 2      anything written repeats the limit (heartbeat)
 *   input 0, 1     limit in force, 0xFFFFFFFF: none      input 2     state: 1 free, 2 limited, 3 fail-safe
 *   input 3, 4     power of charging below the circuit   input 5, 6  power of the circuit, 0xFFFFFFFF: not known
 *
 * What the CSMS allows comes in amperes per phase and is here the watts of all phases. Phase by phase it holds by the cap of own/identity.c,
 * whoever decides here. While its lane is down a CSMS is silent, though its profiles go on in the box: with stale_after that is the fail-safe. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "gateway/net/modbus-server.h"
#include "gateway/plug/drivers.h"
#include "gateway/power/grid-conf.h"
#include "gateway/power/grid-kept.h"
#include "gateway/power/grid-local.h"
#include "gateway/session/session.h"

#define NO_LIMIT 0xFFFFFFFFu
#define NOT_KNOWN_W INT64_MIN
#define KEEP_AGAIN_US (2 * US_PER_S)
#define LISTEN_AGAIN_US US_PER_S
#define LISTEN_LATEST_US (60 * US_PER_S)

static void says(struct grid_source *s, int64_t limit_w)
{
	grid_says(s->site->grid, s->index, limit_w, 0, clock_mono_us());
	grid_site_step(s->site);
}

static void fails(struct grid_source *s, const char *why)
{
	grid_fails(s->site->grid, s->index, why, clock_mono_us());
	grid_site_step(s->site);
}

/* --- read by a plugin --- */

static void on_contact(struct grid_source *s, const ag_grid_state *is)
{
	bool closed = is->closed & 1;
	if (!(is->known & 1))
		fails(s, "the contact was not read");
	else
		says(s, closed == (s->conf->active_closed != 0) ? grid_conf_contact_w(s->site->gw->conf, s->conf) : GRID_FREE_W);
}

static void on_ripple(struct grid_source *s, const ag_grid_state *is)
{
	int percent = grid_ripple(is->known, is->closed);
	if (percent < 0)
		fails(s, "none of its contacts is closed");
	else
		says(s, percent == 100 ? GRID_FREE_W : grid_conf_rated_w(s->site->gw->conf) * percent / 100);
}

/* NaN is not known; and what no driver should say is no word either. */
static void on_register(struct grid_source *s, const ag_grid_state *is)
{
	if (is->value == INFINITY)
		says(s, GRID_FREE_W);
	else if (is->value >= 0 && is->value < 1e12)
		says(s, (int64_t)is->value);
	else
		fails(s, "the register holds no limit");
}

static void on_reading(void *arg, const ag_grid_state *is, const char *fault)
{
	struct grid_source *s = arg;
	if (!s->site->running)
		return;
	if (!is)
		fails(s, fault);
	else if (s->conf->kind == GRID_CONTACT)
		on_contact(s, is);
	else if (s->conf->kind == GRID_RIPPLE)
		on_ripple(s, is);
	else
		on_register(s, is);
}

/* One that its driver refuses is silent, and so limited in time. */
static void start_reading(struct grid_source *s)
{
	char why[200] = "", fault[240];
	s->handle = drivers_grid(s->site->gw->host, s->conf, on_reading, s, why, sizeof(why));
	if (s->handle >= 0)
		return;
	snprintf(fault, sizeof(fault), "cannot be started: %s", why);
	log_error(NULL, "grid input %s %s", s->conf->id, fault);
	grid_fails(s->site->grid, s->index, fault, clock_mono_us());
}

/* --- told by somebody --- */

static void on_kept(void *arg, int err, int64_t value)
{
	struct grid_site *g = arg;
	if (err && g->gw) {
		if (!g->keep_again_us)
			log_error(NULL, "what the grid operator's inputs are told cannot be kept, and is tried again: %s", grid_durable_text(err));
		g->keep_again_us = clock_mono_us() + KEEP_AGAIN_US;
	} else if (g->keep_again_us) {
		log_info(NULL, "what the grid operator's inputs are told is kept again");
		g->keep_again_us = 0;
	}
	grid_durable_done(NULL, err, value);
}

static void keep(const struct grid_source *s, int64_t watts, int64_t for_us)
{
	grid_durable_given();
	grid_kept_put(s->site->gw->store, s->conf->id, watts, for_us, on_kept, s->site);
}

/* Told once and not again, so it has to be known after a restart, too. A heartbeat says nothing new. */
void grid_source_told(struct grid_source *s, int64_t watts, int64_t for_us)
{
	int64_t now = clock_mono_us();
	grid_says(s->site->grid, s->index, watts, for_us ? now + for_us : 0, now);
	grid_site_step(s->site);
	if (!for_us && s->kept_w == watts)
		return;
	s->kept_w = for_us ? NOT_KNOWN_W : watts;
	keep(s, watts, for_us);
}

void grid_source_recall(struct grid_source *s)
{
	int64_t now = clock_mono_us(), watts, for_us;
	bool told = s->conf->kind == GRID_COMMAND || s->conf->kind == GRID_SERVER;
	if (!told || !grid_kept_get(s->site->gw->store, s->conf->id, &watts, &for_us))
		return;
	s->kept_w = for_us ? NOT_KNOWN_W : watts;
	grid_says(s->site->grid, s->index, watts, for_us ? now + for_us : 0, now);
}

/* After the clock was set the end of a limit that is kept is another time, and the limit is not over because of that. */
void grid_source_keep_again(struct grid_source *s)
{
	struct grid_input_view v;
	bool told = s->conf->kind == GRID_COMMAND || s->conf->kind == GRID_SERVER;
	grid_input_look(s->site->grid, s->index, &v);
	int64_t left_us = v.until_us && v.state == GRID_LIMITED ? v.until_us - clock_mono_us() : 0;
	if (told && left_us >= 0 && (v.state == GRID_LIMITED || v.state == GRID_FREE))
		keep(s, v.limit_w, left_us);
}

/* --- written to the server --- */

static void write_u32(uint16_t *at, int64_t value)
{
	uint32_t v = value < 0 || value > 0xFFFFFFFEll ? NO_LIMIT : (uint32_t)value;
	at[0] = (uint16_t)(v >> 16);
	at[1] = (uint16_t)v;
}

void grid_source_show(struct grid_source *s)
{
	struct grid_now now;
	if (!s->server)
		return;
	grid_look(s->site->grid, &now);
	write_u32(&s->tables->tab_input_registers[0], now.limit_w);
	s->tables->tab_input_registers[2] = (uint16_t)now.state;
	write_u32(&s->tables->tab_input_registers[3], grid_charging_w(s->site, 0));
	write_u32(&s->tables->tab_input_registers[5], grid_circuit_w(s->site));
}

static void on_durable(void *arg, int err)
{
	struct grid_source *s = arg;
	s->lost = s->lost || err;
	if (--s->writes)
		return;
	modbus_server_answer(s->server, !s->lost);
	s->lost = false;
}

static bool on_written(void *arg, int at, int n)
{
	struct grid_source *s = arg;
	const uint16_t *r = s->tables->tab_registers;
	uint32_t watts = (uint32_t)r[0] << 16 | r[1];
	if (at > 2 || at + n < 2)
		return false; /* half a limit: its other word is on the way */
	grid_source_told(s, watts == NO_LIMIT ? GRID_FREE_W : (int64_t)watts, 0);
	if (!grid_durable_waits())
		return false;
	s->writes++;
	grid_durable_then(s->site->gw, on_durable, s);
	return true;
}

/* What was written before this start is what a heartbeat repeats. */
static void fill_registers(struct grid_source *s)
{
	int64_t watts, for_us;
	bool kept = grid_kept_get(s->site->gw->store, s->conf->id, &watts, &for_us);
	write_u32(s->tables->tab_registers, kept ? watts : GRID_FREE_W);
}

static int listen_for(struct grid_source *s)
{
	s->tables = modbus_mapping_new(0, 0, 3, 7);
	if (!s->tables)
		return -ENOMEM;
	fill_registers(s);
	int err = modbus_server_open(s->conf->address, s->conf->port, s->tables, &s->server);
	if (!err)
		return 0;
	modbus_mapping_free(s->tables);
	s->tables = NULL;
	return err;
}

/* Whoever has the port may leave it, and an address may come: it is tried again, and meanwhile nobody can be heard. */
static void cannot_listen(struct grid_source *s, int err)
{
	char fault[160];
	snprintf(fault, sizeof(fault), "cannot listen on %s port %d: %s", s->conf->address, s->conf->port, err_text(err));
	s->pause_us = !s->pause_us ? LISTEN_AGAIN_US : s->pause_us * 2 > LISTEN_LATEST_US ? LISTEN_LATEST_US : s->pause_us * 2;
	s->listen_us = clock_mono_us() + s->pause_us;
	log_error(NULL, "grid input %s %s; its fail-safe holds, tried again in %lld s", s->conf->id, fault, (long long)(s->pause_us / US_PER_S));
	grid_deaf(s->site->grid, s->index, fault, clock_mono_us());
}

static void serve(struct grid_source *s)
{
	int err = listen_for(s);
	if (err) {
		cannot_listen(s, err);
		return;
	}
	s->listen_us = s->pause_us = 0;
	modbus_server_on_write(s->server, on_written, s);
	log_info(NULL, "grid input %s listens on %s port %d", s->conf->id, s->conf->address, s->conf->port);
	grid_hears(s->site->grid, s->index, clock_mono_us());
	grid_source_show(s);
}

void grid_source_listen_again(struct grid_source *s)
{
	if (s->listen_us && clock_mono_us() >= s->listen_us)
		serve(s);
}

/* --- allowed by a CSMS --- */

void grid_source_hear_csms(struct grid_source *s)
{
	const struct session *lane = session_find(s->site->gw, s->conf->uplink->own_identity);
	int64_t now = clock_mono_us();
	if (!s->told)
		return;
	if (!s->conf->stale_after_us || (lane && session_lane_is_up(lane)))
		grid_says(s->site->grid, s->index, s->limit_w, 0, now);
	else
		grid_fails(s->site->grid, s->index, "its CSMS is not connected", now);
}

/* --- life --- */

struct grid_source *grid_source_new(struct grid_site *g, const struct grid_input_settings *in)
{
	struct grid_source *s = NEW(struct grid_source);
	*s = (struct grid_source){ .site = g, .conf = in, .handle = -1, .kept_w = NOT_KNOWN_W, .limit_w = GRID_FREE_W };
	return s;
}

void grid_source_start(struct grid_source *s)
{
	if (s->conf->kind == GRID_SERVER) {
		serve(s);
		return;
	}
	grid_hears(s->site->grid, s->index, clock_mono_us()); /* it may have been a server before */
	if (s->conf->kind <= GRID_REGISTER)
		start_reading(s);
}

void grid_source_stop(struct grid_source *s)
{
	grid_durable_forget(s);
	s->writes = 0;
	if (s->server)
		modbus_server_close(s->server);
	if (s->tables)
		modbus_mapping_free(s->tables);
	s->server = NULL;
	s->tables = NULL;
	s->listen_us = 0;
}

void grid_source_drop(struct grid_source *s)
{
	grid_source_stop(s);
	if (s->handle >= 0)
		host_drop(s->site->gw->host, s->handle);
	mem_free(s);
}
