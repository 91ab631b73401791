/* Lines of JSON around the balancer of energy/.
 *
 * in    hello   the site, first         out   ready
 *       state   each period                   set    what changed, and why
 *       bye
 *
 * A state names only EVSEs with a car or without a link; one that is not named is free. Another hello begins anew with the site it tells.
 *
 * Easy to get wrong: what is not said is not 0. A null among the currents of a meter makes that sample a failed read, among those of a car no
 * report; and so do the numbers that are none (Python writes NaN and Infinity, which are not JSON). */
#include "gateway/power/balance-stdio.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "energy/record.h"
#include "gateway/power/stdio-site.h"

#define LINE_MOST (8 * 1024 * 1024)
#define SHOWN_MOST 40
#define STEPS_MOST 1000
#define SET_DIGITS 9 /* a bound of its own is met as it was told; else set-points have one */

struct talk {
	FILE *out, *record; /* NULL: no decision log */
	struct stdio_talk said;
	struct period *period; /* NULL: no hello yet */
	struct stdio_site site;
	double now_s;
};

static void on_record(void *arg, const char *line, size_t n)
{
	fwrite(line, 1, n, arg);
}

static int on_hello(struct talk *t, const cJSON *m)
{
	period_close(t->period);
	t->period = NULL;
	stdio_site_free(&t->site);
	int rc = stdio_site_read(&t->site, m, &t->said);
	if (rc)
		return rc;
	t->period = period_open(&t->site.conf, t->site.points);
	if (t->record)
		control_record(period_control(t->period), on_record, t->record);
	t->now_s = 0;
	fputs("{\"type\":\"ready\",\"name\":\"ampgate\"}\n", t->out);
	return 0;
}

/* A state. */

/* NaN for what is not said. */
static void read_amps(const cJSON *list, double out[3])
{
	static const char *const at[3] = { "0", "1", "2" };
	for (int l = 0; l < 3; l++)
		out[l] = cJSON_IsArray(list) ? stdio_number(list, at[l]) : NAN;
}

/* Without a word of it, it is of now; with one that is no number nobody knows. */
static double age_of(const cJSON *item)
{
	return json_at(item, "age") ? stdio_number(item, "age") : 0;
}

static void read_meter(struct talk *t, const cJSON *item)
{
	int node = stdio_site_node(&t->site, json_text(item, "node"));
	double a[3];
	if (node < 0 || t->site.conf.nodes[node].meter < 0)
		return;
	read_amps(json_at(item, "i"), a);
	period_meter(t->period, t->site.conf.nodes[node].meter, a, age_of(item), json_bool(item, "ok", true));
}

static void read_cap(struct talk *t, const cJSON *item)
{
	int node = stdio_site_node(&t->site, json_text(item, "node"));
	struct milliamps ma;
	if (node < 0)
		return;
	if (!stdio_limits(json_at(item, "limit_a"), &ma))
		stdio_note(&t->said, "the cap on node %s: limit_a is no list of numbers", t->site.conf.nodes[node].id);
	period_cap(t->period, node, &ma);
}

/* A socket draws in its own unit only: amperes by phase, or kilowatt. */
static void read_draw(const cJSON *item, bool direct, double out[3])
{
	if (!direct)
		read_amps(json_at(item, "i"), out);
	else
		out[0] = out[1] = out[2] = stdio_number(item, "kw");
}

static int steps_of(double priority)
{
	return priority > STEPS_MOST ? STEPS_MOST : priority < -STEPS_MOST ? -STEPS_MOST : isnan(priority) ? 0 : (int)priority;
}

static void read_point(struct talk *t, int i, const cJSON *item)
{
	struct slice st = json_text(item, "st");
	double set = stdio_number(item, "set");
	struct period_seen seen = {
		.on = json_bool(item, "on", true),
		.set = isnan(set) ? -1 : set,
		.age_s = age_of(item),
		.state = st.n ? st.p[0] : 'A',
		.session = json_text(item, "sess"),
		.priority = steps_of(stdio_number(item, "prio")),
		.wh = stdio_number(item, "wh"),
		.need_wh = stdio_number(item, "need_wh"),
		.leave_s = stdio_number(item, "t_dep") - t->now_s,
	};
	read_draw(item, t->site.direct[i], seen.draw);
	period_evse(t->period, i, &seen);
}

static void answer(struct talk *t, const struct period_order *orders, int64_t seq)
{
	struct buf b = { 0 };
	struct json_writer w;
	char why[96];
	jw_open(&w, &b);
	jw_object(&w, NULL);
	jw_string(&w, "type", "set");
	jw_int(&w, "seq", seq);
	jw_array(&w, "set");
	for (size_t i = 0; i < t->site.conf.n_evses; i++) {
		const struct period_order *o = &orders[i];
		if (!o->given)
			continue;
		snprintf(why, sizeof(why), "%s%s%s%s%.0d", o->why.reason, o->why.ref ? " " : "", o->why.ref ? o->why.ref : "", o->why.phase ? " L" : "",
			 o->why.phase);
		jw_object(&w, NULL);
		jw_string(&w, "id", t->site.conf.evses[i].id);
		jw_number(&w, "set", o->set, SET_DIGITS);
		if (o->wake)
			jw_bool(&w, "wake", true);
		jw_string(&w, "why", why);
		jw_end(&w, '}');
	}
	jw_end(&w, ']');
	jw_end(&w, '}');
	fwrite(b.p, 1, b.n, t->out);
	fputc('\n', t->out);
	buf_free(&b);
}

static int on_state(struct talk *t, const cJSON *m)
{
	const cJSON *item;
	double now_s = stdio_number(m, "t");
	if (!t->period)
		return stdio_bad(&t->said, ERR_INVALID, "a state before hello");
	t->now_s = isnan(now_s) ? t->now_s + t->site.period_s : now_s;
	period_begin(t->period, t->now_s);
	cJSON_ArrayForEach(item, json_at(m, "caps"))
	{
		read_cap(t, item);
	}
	cJSON_ArrayForEach(item, json_at(m, "evses"))
	{
		int i = stdio_site_evse(&t->site, json_text(item, "id"));
		if (i >= 0)
			read_point(t, i, item);
	}
	cJSON_ArrayForEach(item, json_at(m, "meters"))
	{
		read_meter(t, item);
	}
	answer(t, period_end(t->period), json_int(m, "seq", 0));
	return 0;
}

/* Lines. */

static bool in_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Length of a number that is none at `p`; 0: there is no such. */
static size_t none_at(const char *p, const char *end)
{
	static const char *const words[] = { "NaN", "nan", "Infinity", "infinity", "Inf", "inf" };
	size_t sign = *p == '-' || *p == '+';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = sign + strlen(words[i]);
		if ((size_t)(end - p) >= n && !memcmp(p + sign, words[i], n - sign) && (p + n == end || !in_word(p[n])))
			return n;
	}
	return 0;
}

static const char *after_text(const char *p, const char *end)
{
	while (++p < end && *p != '"')
		p += *p == '\\' && p + 1 < end;
	return p < end ? p + 1 : end;
}

/* The same line with null in place of each. */
static void put_nulls(struct slice line, struct buf *out)
{
	const char *p = line.p, *end = line.p + line.n, *from = p;
	while (p < end) {
		size_t n = *p == '"' ? 0 : none_at(p, end);
		if (n) {
			buf_add(out, from, (size_t)(p - from));
			buf_puts(out, "null");
			from = p + n;
		}
		p = n ? from : *p == '"' ? after_text(p, end) : p + 1;
	}
	buf_add(out, from, (size_t)(end - from));
}

static cJSON *read_line(struct slice line)
{
	struct buf b = { 0 };
	cJSON *m = json_parse(line);
	if (m)
		return m;
	put_nulls(line, &b);
	m = json_parse(buf_view(&b));
	buf_free(&b);
	return m;
}

/* Without a site there is nothing to go on with. */
static int not_read(struct talk *t, int code, const char *what, struct slice line)
{
	int n = (int)strcspn(line.p, "\r\n");
	n = n < SHOWN_MOST ? n : SHOWN_MOST;
	if (!t->period)
		return stdio_bad(&t->said, code, "%s: %.*s", what, n, line.p);
	stdio_note(&t->said, "%s, left out: %.*s", what, n, line.p);
	return 0;
}

/* Less than 0: an error; 1: the end. */
static int on_line(struct talk *t, struct slice line)
{
	cJSON *m = read_line(line);
	struct slice type = m ? json_text(m, "type") : (struct slice){ 0 };
	int rc;
	if (slice_is(type, "hello"))
		rc = on_hello(t, m);
	else if (slice_is(type, "state"))
		rc = on_state(t, m);
	else if (slice_is(type, "bye"))
		rc = 1;
	else
		rc = not_read(t, ERR_SYNTAX, m ? "not a message of a known type" : "not a message", line);
	cJSON_Delete(m);
	return rc;
}

int balance_stdio(FILE *in, FILE *out, FILE *err, FILE *record, char *why, size_t room)
{
	struct talk t = { .out = out, .record = record, .said = { err, 0, why, room } };
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int rc = 0;
	while (!rc && (n = getline(&line, &size, in)) >= 0) {
		t.said.line++;
		if (n > LINE_MOST)
			rc = not_read(&t, ERR_TOO_LARGE, "longer than 8 MiB", (struct slice){ line, (size_t)n });
		else if (strspn(line, " \t\r\n") < (size_t)n)
			rc = on_line(&t, (struct slice){ line, (size_t)n });
		fflush(out);
		if (record)
			fflush(record);
	}
	free(line);
	period_close(t.period);
	stdio_site_free(&t.site);
	return rc > 0 ? 0 : rc;
}
