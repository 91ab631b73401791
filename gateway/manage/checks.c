/* Each check is a few lines: what is looked at, and from where on it is bad. */
#include "gateway/manage/checks.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "gateway/conf/configuration.h"
#include "gateway/pki/expiry.h"
#include "gateway/power/grid-inputs.h"
#include "gateway/session/session.h"
#include "storage/outbox.h"

#define DETAIL 200
#define DAY_US (24 * 3600 * US_PER_S)
#define QUEUE_OLD_US (3600 * US_PER_S)

const char *check_state_text(enum check_state s)
{
	static const char *const names[] = { "ok", "warning", "critical" };
	return names[s];
}

static enum check_state check_storage(struct gateway *g, char detail[DETAIL])
{
	struct statvfs disk;
	if (g->storage_spare) {
		snprintf(detail, DETAIL, "the disk cannot be used; nothing is kept");
		return CHECK_CRITICAL;
	}
	if (g->storage_failing) {
		snprintf(detail, DETAIL, "the last transaction message could not be stored");
		return CHECK_CRITICAL;
	}
	if (statvfs(g->state_dir, &disk) == 0 && disk.f_blocks && disk.f_bavail * 10 < disk.f_blocks) {
		snprintf(detail, DETAIL, "the disk is %.0f %% full", 100.0 - 100.0 * (double)disk.f_bavail / (double)disk.f_blocks);
		return CHECK_WARNING;
	}
	return CHECK_OK;
}

/* The line of the first mistake, which names file, line and column; warnings may stand before it. */
static const char *first_mistake(const char *said)
{
	const char *error = strstr(said, ": error: ");
	while (error && error > said && error[-1] != '\n')
		error--;
	return error ? error : said;
}

static enum check_state check_configuration(struct gateway *g, char detail[DETAIL])
{
	struct config_view v;
	(void)g;
	config_view(&v);
	if (!v.fault)
		return CHECK_OK;
	const char *line = first_mistake(v.fault);
	snprintf(detail, DETAIL, "%.*s%s", (int)strcspn(line, "\n"), line, v.safe_mode ? " (safe mode)" : v.last_good ? " (an older configuration runs)" : "");
	return v.safe_mode ? CHECK_CRITICAL : CHECK_WARNING;
}

static enum check_state check_meters(struct gateway *g, char detail[DETAIL])
{
	for (size_t i = 0; i < control_meters(g->control); i++) {
		struct meter_view v;
		control_meter_view(g->control, (int)i, clock_mono_us(), &v);
		if (!v.stale && v.last.at_us)
			continue;
		snprintf(detail, DETAIL, "meter %s is lost%s%s", v.id, v.fault ? ": " : "", v.fault ? v.fault : "");
		return CHECK_CRITICAL;
	}
	return CHECK_OK;
}

static enum check_state check_uplinks(struct gateway *g, char detail[DETAIL])
{
	for (size_t i = 0; i < g->conf->n_uplinks; i++) {
		struct uplink_view v;
		uplink_view(g->uplinks[i], &v);
		if (v.state == UPLINK_UP || !v.lanes)
			continue;
		snprintf(detail, DETAIL, "uplink %s is down%s%s", v.id, v.fault[0] ? ": " : "", v.fault);
		return CHECK_WARNING;
	}
	return CHECK_OK;
}

static enum check_state check_queue(struct gateway *g, char detail[DETAIL])
{
	int64_t oldest = outbox_oldest_us(g->store);
	if (outbox_parked(g->store)) {
		snprintf(detail, DETAIL, "%lld messages were refused by the CSMS and set aside", (long long)outbox_parked(g->store));
		return CHECK_WARNING;
	}
	if (oldest && clock_wall_us() - oldest > QUEUE_OLD_US) {
		snprintf(detail, DETAIL, "a message has been waiting for %lld min", (long long)((clock_wall_us() - oldest) / (60 * US_PER_S)));
		return CHECK_WARNING;
	}
	return CHECK_OK;
}

static enum check_state check_clock(struct gateway *g, char detail[DETAIL])
{
	(void)g;
	if (clock_trusted())
		return CHECK_OK;
	snprintf(detail, DETAIL, "the clock is not synchronised and no CSMS has told the time");
	return CHECK_WARNING;
}

static enum check_state check_grid_operator(struct gateway *g, char detail[DETAIL])
{
	(void)g;
	return grid_inputs_fail_safe(detail, DETAIL) ? CHECK_WARNING : CHECK_OK;
}

/* An EVSE that draws clearly more than it was last told, when that was some time ago. */
static enum check_state check_obedience(struct gateway *g, char detail[DETAIL])
{
	for (size_t i = 0; i < control_evses(g->control); i++) {
		struct evse_view v;
		control_evse_view(g->control, (int)i, &v);
		int64_t age = clock_mono_us() - v.grant.binding.since_us;
		if (!v.online || v.confirmed_ma < 0 || !v.drawn_at_us || age < 30 * US_PER_S)
			continue;
		for (int p = 0; p < v.n_lines; p++) {
			if (v.drawn_ma[p] <= v.confirmed_ma + v.confirmed_ma / 10 + 1000)
				continue;
			snprintf(detail, DETAIL, "%s draws %.1f A although it was told %.1f A", v.station, v.drawn_ma[p] / 1000.0, v.confirmed_ma / 1000.0);
			return CHECK_WARNING;
		}
	}
	return CHECK_OK;
}

struct nearest {
	struct expiry_view v;
	bool found;
};

static void see_end(void *arg, const struct expiry_view *v)
{
	struct nearest *n = arg;
	if (n->found && n->v.facts.ends_us <= v->facts.ends_us)
		return;
	n->v = *v;
	n->found = expiry_level(&v->facts, clock_wall_us()) >= EXPIRY_30;
}

static enum check_state check_certificate(struct gateway *g, char detail[DETAIL])
{
	struct nearest n = { .found = false };
	(void)g;
	expiry_each(see_end, &n);
	if (!n.found || !clock_trusted())
		return CHECK_OK;
	int64_t left = n.v.facts.ends_us - clock_wall_us();
	snprintf(detail, DETAIL, "the %s certificate of %s (%.60s) %s %lld days%s", n.v.use, n.v.name, n.v.facts.subject, left > 0 ? "ends in" : "ended",
		 (long long)((left > 0 ? left : -left) / DAY_US), left > 0 ? "" : " ago");
	return CHECK_WARNING;
}

void checks_run(struct gateway *g, check_see *see, void *arg)
{
	static const struct {
		const char *name;
		enum check_state (*look)(struct gateway *g, char detail[DETAIL]);
	} all[] = {
		{ "configuration", check_configuration }, { "storage", check_storage }, { "meters", check_meters },     { "uplinks", check_uplinks },         { "queue", check_queue },
		{ "clock", check_clock },     { "stations", check_obedience }, { "certificate", check_certificate },
		{ "grid_operator", check_grid_operator },
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char detail[DETAIL] = "";
		enum check_state s = all[i].look(g, detail);
		see(arg, all[i].name, s, detail);
	}
}
