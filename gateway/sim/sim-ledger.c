/* Rows in the order in which they began. A transaction is known by station and id together: ids start at 1 for every station of some CSMS. */
#include "gateway/sim/sim-ledger.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#define SAME_US (US_PER_S / 2)
#define SAME_WH 1.0

static void put(char *out, size_t room, struct slice s)
{
	snprintf(out, room, "%.*s", SLICE_ARG(s));
}

struct sim_tx *sim_ledger_add(struct sim_ledger *l, struct slice station, int evse)
{
	l->rows = mem_grow(l->rows, (l->count + 1) * sizeof(*l->rows));
	struct sim_tx *t = &l->rows[l->count++];
	*t = (struct sim_tx){ .evse = evse, .start_wh = NAN, .stop_wh = NAN };
	put(t->station, sizeof(t->station), station);
	return t;
}

struct sim_tx *sim_ledger_find(struct sim_ledger *l, struct slice station, struct slice tx)
{
	for (size_t i = l->count; i-- > 0;) {
		if (slice_is(station, l->rows[i].station) && slice_is(tx, l->rows[i].tx))
			return &l->rows[i];
	}
	return NULL;
}

void sim_ledger_free(struct sim_ledger *l)
{
	mem_free(l->rows);
	*l = (struct sim_ledger){ 0 };
}

/* --- as text --- */

static void write_time(struct json_writer *w, const char *key, int64_t wall_us)
{
	if (wall_us)
		jw_time(w, key, wall_us);
	else
		jw_null(w, key);
}

static void print_row(const struct sim_tx *t, struct buf *out)
{
	struct json_writer w;
	jw_open(&w, out);
	jw_object(&w, NULL);
	jw_string(&w, "station", t->station);
	jw_int(&w, "evse", t->evse);
	jw_string(&w, "tx", t->tx);
	jw_string(&w, "token", t->token);
	write_time(&w, "start", t->start_us);
	jw_number(&w, "start_wh", t->start_wh, 1);
	write_time(&w, "stop", t->stop_us);
	jw_number(&w, "stop_wh", t->stop_wh, 1);
	jw_string(&w, "reason", t->reason);
	jw_int(&w, "starts", t->starts);
	jw_int(&w, "stops", t->stops);
	jw_end(&w, '}');
	buf_puts(out, "\n");
}

void sim_ledger_print(const struct sim_ledger *l, struct buf *out)
{
	for (size_t i = 0; i < l->count; i++)
		print_row(&l->rows[i], out);
}

static int64_t read_time(const cJSON *tree, const char *key)
{
	int64_t wall_us = 0;
	struct slice text = json_text(tree, key);
	return text.p && time_parse(text, &wall_us) == 0 ? wall_us : 0;
}

int sim_ledger_read(struct sim_ledger *l, struct slice line)
{
	cJSON *tree = json_parse(line);
	struct slice station = json_text(tree, "station");
	if (!station.p) {
		cJSON_Delete(tree);
		return ERR_SYNTAX;
	}
	struct sim_tx *t = sim_ledger_add(l, station, (int)json_int(tree, "evse", -1));
	put(t->tx, sizeof(t->tx), json_text(tree, "tx"));
	put(t->token, sizeof(t->token), json_text(tree, "token"));
	put(t->reason, sizeof(t->reason), json_text(tree, "reason"));
	t->start_us = read_time(tree, "start");
	t->stop_us = read_time(tree, "stop");
	t->start_wh = json_number(tree, "start_wh", NAN);
	t->stop_wh = json_number(tree, "stop_wh", NAN);
	t->starts = (unsigned)json_int(tree, "starts", 0);
	t->stops = (unsigned)json_int(tree, "stops", 0);
	cJSON_Delete(tree);
	return 0;
}

/* --- one against the other --- */

static bool same_wh(double a, double b)
{
	return fabs(a - b) <= SAME_WH;
}

static bool belongs(const struct sim_tx *told, const struct sim_tx *real)
{
	return told->starts && strcmp(told->station, real->station) == 0 && told->evse == real->evse &&
	       llabs(told->start_us - real->start_us) <= SAME_US && same_wh(told->start_wh, real->start_wh);
}

static void complain(struct sim_verdict *v, const struct sim_tx *t, const char *what)
{
	char when[TIME_TEXT];
	if (!v->first[0])
		snprintf(v->first, sizeof(v->first), "%s EVSE %d, tx '%s', %s: %s", t->station, t->evse, t->tx, time_text(t->start_us, when), what);
}

static void judge_stop(const struct sim_tx *real, const struct sim_tx *told, struct sim_verdict *v)
{
	if (!real->stop_us)
		return;
	if (!told->stops || !same_wh(told->stop_wh, real->stop_wh)) {
		v->lost_stops++;
		complain(v, real, told->stops ? "its end was told with another register" : "its end was lost");
	} else if (told->stops > 1) {
		v->duplicates += told->stops - 1;
		complain(v, real, "its end was told more than once");
	}
}

static void judge_real(const struct sim_tx *real, const struct sim_ledger *told, bool used[], struct sim_verdict *v)
{
	const struct sim_tx *found = NULL;
	v->starts++;
	v->stops += real->stop_us != 0;
	for (size_t i = 0; i < told->count; i++) {
		if (used[i] || !belongs(&told->rows[i], real))
			continue;
		used[i] = true;
		v->duplicates += (found != NULL) + told->rows[i].starts - 1;
		if (found || told->rows[i].starts > 1)
			complain(v, real, "its start was told more than once");
		found = found ? found : &told->rows[i];
	}
	if (found) {
		judge_stop(real, found, v);
		return;
	}
	v->lost_starts++;
	v->lost_stops += real->stop_us != 0;
	complain(v, real, "its start was lost");
}

static bool knows(const struct sim_ledger *truth, const char *station)
{
	for (size_t i = 0; i < truth->count; i++) {
		if (strcmp(truth->rows[i].station, station) == 0)
			return true;
	}
	return false;
}

void sim_ledger_compare(const struct sim_ledger *truth, const struct sim_ledger *told, struct sim_verdict *out)
{
	bool *used = mem_new(told->count + 1);
	*out = (struct sim_verdict){ 0 };
	for (size_t i = 0; i < truth->count; i++)
		judge_real(&truth->rows[i], told, used, out);
	for (size_t i = 0; i < told->count; i++) {
		if (used[i] || !knows(truth, told->rows[i].station))
			continue;
		out->duplicates++;
		complain(out, &told->rows[i], "the CSMS was told of it, but it never was");
	}
	mem_free(used);
}
