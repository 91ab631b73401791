/* One row per side, action, path and rule, with its indexes taken out: a hundred samples with the same fault are one row. */
#include "gateway/session/deviations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/session/redact.h"
#include "ocpp/repair.h"
#include "ocpp/scan.h"

struct row {
	enum trace_side from;
	bool answer;
	char action[64]; /* "" where the frame could not be read so far */
	char path[VERDICT_PATH];
	enum rule rule;
	const char *quirk;
	uint64_t count, repaired;
	int64_t first_us, last_us; /* wall */
	char *example;
};

struct deviations {
	struct row rows[DEVIATIONS_KEPT];
	size_t n;
};

/* One look at one frame. */
struct look {
	struct session *s;
	enum trace_side from;
	bool answer, strict;
	struct slice action;
	struct inspection *in;
};

void inspection_done(struct inspection *in)
{
	buf_free(&in->text);
}

/* "$.meterValue[3].timestamp" -> "$.meterValue[].timestamp" */
static void without_indexes(const char *path, char out[VERDICT_PATH])
{
	size_t n = 0;
	for (; *path && n < VERDICT_PATH - 1; path++) {
		out[n++] = *path;
		if (path[0] == '[' && path[1] >= '0' && path[1] <= '9')
			path += strspn(path + 1, "0123456789");
	}
	out[n] = 0;
}

static char *example_of(const struct verdict *v)
{
	struct buf text = { 0 };
	if (redact_wants(v->path))
		redact_value(v->at, &text);
	else
		redact_text(v->at, &text);
	char *example = mem_text(scan_cut(buf_view(&text), DEVIATION_EXAMPLE));
	buf_free(&text);
	return example;
}

static struct row *row_of(struct deviations *d, const struct look *l, const struct verdict *v, const char *path)
{
	for (size_t i = 0; i < d->n; i++) {
		struct row *r = &d->rows[i];
		if (r->from == l->from && r->answer == l->answer && r->rule == v->rule && strcmp(r->path, path) == 0 &&
		    slice_is(scan_cut(l->action, sizeof(r->action) - 1), r->action))
			return r;
	}
	return NULL;
}

static struct row *room_for_row(struct deviations *d)
{
	struct row *oldest = &d->rows[0];
	if (d->n < DEVIATIONS_KEPT)
		return &d->rows[d->n++];
	for (size_t i = 1; i < d->n; i++)
		if (d->rows[i].last_us < oldest->last_us)
			oldest = &d->rows[i];
	mem_free(oldest->example);
	return oldest;
}

static struct row *new_row(struct deviations *d, const struct look *l, const struct verdict *v, const char *path)
{
	struct row *r = room_for_row(d);
	*r = (struct row){ .from = l->from, .answer = l->answer, .rule = v->rule, .first_us = clock_wall_us(), .example = example_of(v) };
	snprintf(r->action, sizeof(r->action), "%.*s", SLICE_ARG(scan_cut(l->action, sizeof(r->action) - 1)));
	snprintf(r->path, sizeof(r->path), "%s", path);
	return r;
}

/* The first of its kind is a line in the log; the rest is counted. */
static void announce(const struct look *l, const struct row *r, const struct deviation *d)
{
	log_info(&l->s->log, "%s deviates from %s in %s%s%s: %s, %s (%s)", l->from == TRACE_STATION ? "the station" : "the CSMS",
	         version_subprotocol(l->s->version), r->answer ? "the answer to " : "", r->action, r->action[0] ? "" : "a message", r->path, rule_text(r->rule),
	         l->strict ? "refused" : d->repaired ? "repaired" : "passed on");
}

static void count(const struct look *l, const struct deviation *d)
{
	char path[VERDICT_PATH];
	if (!l->s->deviations)
		l->s->deviations = NEW(struct deviations);
	without_indexes(d->fault->path, path);
	struct row *r = row_of(l->s->deviations, l, d->fault, path);
	bool news = !r;
	if (news)
		r = new_row(l->s->deviations, l, d->fault, path);
	r->quirk = d->quirk;
	r->count++;
	r->repaired += d->repaired;
	r->last_us = clock_wall_us();
	if (news)
		announce(l, r, d);
}

static void on_deviation(void *arg, const struct deviation *d)
{
	struct look *l = arg;
	count(l, d);
	if (!l->strict || l->in->code)
		return;
	l->in->code = d->fault->code;
	snprintf(l->in->why, sizeof(l->in->why), "%s: %s", d->fault->path, rule_text(d->fault->rule));
}

static void count_unreadable(const struct look *l, const char *code, struct slice text, const char *quirk)
{
	struct verdict v = { .rule = RULE_SYNTAX, .code = code, .at = text, .field = -1 };
	count(l, &(struct deviation){ .fault = &v, .quirk = quirk, .repaired = quirk != NULL });
}

int deviations_read(struct session *s, enum trace_side from, struct slice text, struct frame *f, struct frame_fault *fault, struct inspection *in)
{
	enum validation policy = s->conf->validation;
	struct look l = { .s = s, .from = from, .strict = policy == VALIDATION_STRICT, .in = in };
	struct frame_fault again;
	enum ocpp_version version = from == TRACE_STATION ? s->version : s->lane.version;
	int err = frame_parse(f, version, text, fault);
	if (err != ERR_SYNTAX || policy == VALIDATION_OFF)
		return err;
	if (policy == VALIDATION_LENIENT && from == TRACE_STATION && repair_controls(text, &in->text) &&
	    frame_parse(f, version, buf_view(&in->text), &again) == 0) {
		count_unreadable(&l, fault->code, text, "control characters are left out");
		return 0;
	}
	buf_free(&in->text);
	count_unreadable(&l, fault->code, text, NULL);
	return err;
}

bool deviations_look(struct session *s, enum trace_side from, struct frame *f, const struct action *asked, struct inspection *in)
{
	enum validation policy = s->conf->validation;
	struct buf repaired = { 0 };
	struct frame again;
	struct frame_fault fault;
	if (policy == VALIDATION_OFF)
		return true;
	struct look l = { .s = s, .from = from, .answer = f->kind == FRAME_RESULT || f->kind == FRAME_ERROR, .strict = policy == VALIDATION_STRICT, .in = in };
	l.action = l.answer ? slice_of(asked ? asked->name : NULL) : f->action;
	struct frame_check c = { .repair = !l.strict && from == TRACE_STATION, .asked = asked, .on_deviation = on_deviation, .arg = &l };
	if (repair_frame(&c, f, &repaired) == REPAIR_DONE && frame_parse(&again, f->version, buf_view(&repaired), &fault) == 0) {
		buf_free(&in->text);
		in->text = repaired;
		*f = again;
	} else {
		buf_free(&repaired);
	}
	return !in->code;
}

/* --- for people --- */

static int worst_first(const void *a, const void *b)
{
	const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;
	return (x->count < y->count) - (x->count > y->count);
}

static void write_row(const struct row *r, struct json_writer *w)
{
	jw_object(w, NULL);
	jw_string(w, "from", r->from == TRACE_STATION ? "station" : "csms");
	jw_string(w, "action", r->action);
	jw_bool(w, "answer", r->answer);
	jw_string(w, "path", r->path);
	jw_string(w, "rule", rule_text(r->rule));
	jw_int(w, "count", (int64_t)r->count);
	jw_int(w, "repaired", (int64_t)r->repaired);
	jw_time(w, "first", r->first_us);
	jw_time(w, "last", r->last_us);
	jw_string(w, "example", r->example);
	jw_string(w, "note", r->quirk);
	jw_end(w, '}');
}

void deviations_write(const struct session *s, struct json_writer *w)
{
	const struct row *sorted[DEVIATIONS_KEPT];
	size_t n = s->deviations ? s->deviations->n : 0;
	for (size_t i = 0; i < n; i++)
		sorted[i] = &s->deviations->rows[i];
	qsort(sorted, n, sizeof(sorted[0]), worst_first);
	for (size_t i = 0; i < n; i++)
		write_row(sorted[i], w);
}

void deviations_free(struct session *s)
{
	for (size_t i = 0; s->deviations && i < s->deviations->n; i++)
		mem_free(s->deviations->rows[i].example);
	mem_free(s->deviations);
	s->deviations = NULL;
}
