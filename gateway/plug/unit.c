/* A unit's turn, on its worker or on the loop: one function calls its plugin for what is due, and the result travels as mail, so both look alike
 * to whoever asked. */
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/plug/host-local.h"

#define REFRESH_US US_PER_S
#define READER_REST_US US_PER_S /* after a failure */
#define LOOP_BUDGET_US (5 * US_PER_MS)
#define SCAN_TEXT 8192
#define SCAN_REST_US (5 * US_PER_MS)

static void on_report(struct mail *mail, void *arg)
{
	struct report *r = (struct report *)(void *)mail;
	struct unit *u = r->unit;
	const char *fault = r->rc == 0 ? NULL : r->fault;
	u->failing = fault != NULL;
	u->heard_us = clock_mono_us();
	(void)arg;
	if (u->host->closing || u->dropped)
		;
	else if (u->kind == AG_SCAN)
		u->on_scan(u->arg, r->json, r->over, fault);
	else if (u->kind == AG_METER)
		u->on_sample(u->arg, fault ? NULL : &r->sample, fault);
	else if (u->kind == AG_AUTH)
		u->on_token(u->arg, fault ? NULL : r->token, fault);
	else if (u->outlet)
		u->on_pins(u->arg, fault ? NULL : &r->pins, &r->of, (int64_t)r->sample.mono_us, fault);
	else if (u->kind == AG_GRID)
		u->on_grid(u->arg, fault ? NULL : &r->grid, fault);
	else
		u->on_state(u->arg, fault ? NULL : &r->state, fault);
	mem_free(r->json);
	mem_free(r);
}

/* A plugin from a file may give any number, which says nothing. */
static bool is_ours(int rc)
{
	return rc >= ERR_FIRST && rc <= ERR_LAST;
}

static void report(struct unit *u, struct report *r)
{
	const char *why = u->plugin->fault ? u->plugin->fault(u->self) : "";
	if (r->rc != 0)
		snprintf(r->fault, sizeof(r->fault), "%s", why[0] ? why : is_ours(r->rc) ? err_text(r->rc) : "its driver does not say why");
	r->unit = u;
	r->mail.deliver = on_report;
	mailbox_post(u->host->mailbox, &r->mail);
}

static void set_evse(struct unit *u)
{
	u->refresh_us = clock_mono_us() + (u->outlet ? HOST_DRIVE_US : REFRESH_US);
	int rc = u->outlet ? u->plugin->evse_drive(u->self, 1, &u->wish.drive) : u->plugin->evse_set(u->self, 1, u->wish.amps);
	if (rc == 0) {
		u->driven = u->wish.drive;
		return;
	}
	struct report *r = NEW(struct report);
	r->rc = rc;
	report(u, r);
}

void unit_order(struct unit *u, const struct wish *wish)
{
	u->wish = *wish;
	set_evse(u);
}

/* Waits for a card. Only what is new is told: a token, or that the reader failed. */
static void poll_reader(struct unit *u)
{
	struct report *r = NEW(struct report);
	int rc = u->plugin->auth_poll(u->self, r->token, sizeof(r->token));
	bool news = rc > 0 || (rc < 0 && !u->reader_failed);
	u->reader_failed = rc < 0;
	u->due_us = clock_mono_us() + (rc < 0 ? READER_REST_US : 0);
	r->rc = rc < 0 ? rc : 0;
	if (news)
		report(u, r);
	else
		mem_free(r);
}

static bool is_alone(const struct unit *u)
{
	return u->worker->units.next == u->worker->units.prev;
}

/* One step, then as long a rest as it took: at least half of the bus's time is for the others, and what is due comes first anyway. */
static void step_search(struct unit *u)
{
	char json[SCAN_TEXT] = "";
	int64_t began = clock_mono_us();
	int rc = u->plugin->scan(u->self, json, sizeof(json));
	int64_t now = clock_mono_us();
	u->scanned = rc < 0 || rc == AG_SCAN_LAST || rc == AG_SCAN_OVER;
	u->due_us = u->scanned ? INT64_MAX : is_alone(u) ? now : now + (now - began) + SCAN_REST_US;
	if (rc == AG_SCAN_GOES_ON)
		return;
	struct report *r = NEW(struct report);
	r->rc = rc < 0 ? rc : 0;
	r->json = rc == AG_SCAN_NEWS || rc == AG_SCAN_LAST ? mem_strdup(json) : NULL;
	r->over = u->scanned;
	report(u, r);
}

static void poll_unit(struct unit *u)
{
	struct report *r = NEW(struct report);
	r->of = u->driven;
	if (u->kind == AG_METER)
		r->rc = u->plugin->meter_poll(u->self, &r->sample);
	else if (u->outlet)
		r->rc = u->plugin->evse_pins(u->self, 1, &r->pins);
	else if (u->kind == AG_GRID)
		r->rc = u->plugin->grid_poll(u->self, &r->grid);
	else
		r->rc = u->plugin->evse_state(u->self, 1, &r->state);
	if (!r->sample.mono_us)
		r->sample.mono_us = (uint64_t)clock_mono_us();
	report(u, r);
}

/* What is due now; late polls are not made up for. */
void unit_turn(struct unit *u)
{
	int64_t now = clock_mono_us();
	if (u->kind == AG_EVSE && u->refresh_us <= now)
		set_evse(u);
	if (u->due_us > now)
		return;
	if (u->kind == AG_AUTH) {
		poll_reader(u);
		return;
	}
	if (u->kind == AG_SCAN) {
		step_search(u);
		return;
	}
	poll_unit(u);
	u->due_us = u->due_us + u->poll_us > now ? u->due_us + u->poll_us : now + u->poll_us;
}

int64_t unit_next(const struct unit *u)
{
	return u->kind == AG_EVSE && u->refresh_us < u->due_us ? u->refresh_us : u->due_us;
}

void unit_on_timer(void *arg)
{
	struct unit *u = arg;
	int64_t start = clock_mono_us();
	unit_turn(u);
	int64_t took = clock_mono_us() - start;
	if (took > LOOP_BUDGET_US && !u->slow) {
		u->slow = true;
		log_warn(&u->log, "plugin %s took %lld ms of the loop's time", u->plugin->name, (long long)(took / US_PER_MS));
	}
	int64_t wait = unit_next(u) - clock_mono_us();
	timer_set(&u->timer, wait > 0 ? wait : 0, unit_on_timer, u);
}

bool unit_is_on(const struct unit *u)
{
	const struct wish *w = &u->wish;
	return w->amps[0] > 0 || w->amps[1] > 0 || w->amps[2] > 0 || w->drive.close_1 || w->drive.close_2 || w->drive.pilot == AG_PILOT_PWM;
}
