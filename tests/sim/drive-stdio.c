/* The balancer as a program: `ampgate balance --stdio` as a child, told every period what can be seen, as lines of JSON. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "tests/sim/drive.h"

struct child {
	const struct world_conf *conf;
	FILE *to, *from;
	pid_t pid;
	char *line;
	size_t room;
};

static void give_up(const char *what)
{
	fprintf(stderr, "stdio: %s\n", what);
	exit(1);
}

static void start(struct child *c)
{
	const char *program = getenv("AMPGATE") ? getenv("AMPGATE") : "./ampgate";
	int down[2], up[2];
	if (pipe(down) || pipe(up))
		give_up("no pipe");
	c->pid = fork();
	if (c->pid == 0) {
		dup2(down[0], 0);
		dup2(up[1], 1);
		close(down[1]);
		close(up[0]);
		execl(program, program, "balance", "--stdio", (char *)NULL);
		_exit(127);
	}
	close(down[0]);
	close(up[1]);
	c->to = fdopen(down[1], "w");
	c->from = fdopen(up[0], "r");
}

static cJSON *hear(struct child *c, const char *type)
{
	fputc('\n', c->to);
	fflush(c->to);
	ssize_t n = getline(&c->line, &c->room, c->from);
	cJSON *m = n > 0 ? json_parse((struct slice){ c->line, (size_t)n }) : NULL;
	if (!m || !slice_is(json_text(m, "type"), type))
		give_up("the program does not answer as it should");
	return m;
}

static void say_site(struct child *c)
{
	const struct world_conf *w = c->conf;
	fprintf(c->to, "{\"type\":\"hello\",\"v\":1,\"scenario\":\"%s\",\"period_s\":%g,\"dc_amps_per_kw\":%g,\"nodes\":[", w->name, w->period_s, w->amps_per_kw);
	for (int n = 0; n < w->n_nodes; n++) {
		const struct world_node *o = &w->nodes[n];
		fprintf(c->to, "%s{\"id\":\"%s\",\"parent\":", n ? "," : "", o->id);
		fprintf(c->to, o->parent < 0 ? "null" : "\"%s\"", o->parent < 0 ? "" : w->nodes[o->parent].id);
		fprintf(c->to, ",\"limit_a\":[%g,%g,%g],\"metered\":%s}", o->limit_a[0], o->limit_a[1], o->limit_a[2], o->metered ? "true" : "false");
	}
	fprintf(c->to, "],\"evses\":[");
	for (int i = 0; i < w->n_evses; i++) {
		const struct world_evse *e = &w->evses[i];
		fprintf(c->to, "%s{\"id\":\"%s\",\"node\":\"%s\",\"kind\":\"%s\",\"lines\":[", i ? "," : "", e->id, w->nodes[e->node].id, e->dc ? "dc" : "ac");
		for (int p = 0; p < e->n_lines; p++)
			fprintf(c->to, "%s%d", p ? "," : "", e->lines[p]);
		fprintf(c->to, "],\"min\":%g,\"max\":%g,\"failsafe\":%g,\"failsafe_after_s\":%d}", e->min, e->max, e->failsafe, e->failsafe_after_s);
	}
	fprintf(c->to, "]}");
	cJSON_Delete(hear(c, "ready"));
}

static void *open_stdio(const struct world_conf *conf)
{
	struct child *c = calloc(1, sizeof(*c));
	c->conf = conf;
	signal(SIGPIPE, SIG_IGN);
	start(c);
	say_site(c);
	return c;
}

static void say_number(FILE *to, const char *key, double value)
{
	if (isnan(value))
		fprintf(to, ",\"%s\":null", key);
	else
		fprintf(to, ",\"%s\":%.10g", key, value);
}

static void say_evse(struct child *c, const struct seen_evse *e, int i, bool first)
{
	const struct world_evse *o = &c->conf->evses[i];
	fprintf(c->to, "%s{\"id\":\"%s\",\"on\":%s,\"age\":%d,\"st\":\"%c\",\"sess\":\"s%d\",\"prio\":0", first ? "" : ",", o->id, e->on ? "true" : "false",
		e->age, e->st ? e->st : 'A', e->session);
	say_number(c->to, "set", e->set);
	say_number(c->to, "t_arr", (double)e->t_arr);
	say_number(c->to, "wh", e->wh);
	say_number(c->to, "need_wh", e->need_wh);
	say_number(c->to, "t_dep", e->t_dep);
	if (o->dc)
		say_number(c->to, "kw", e->i[0]);
	else
		fprintf(c->to, ",\"i\":[%.10g,%.10g,%.10g]", e->i[0], e->i[1], e->i[2]);
	fputc('}', c->to);
}

static void say_state(struct child *c, const struct seen *s)
{
	bool first = true;
	fprintf(c->to, "{\"type\":\"state\",\"t\":%lld,\"seq\":%lld,\"meters\":[", (long long)s->t, (long long)s->seq);
	for (int n = 0; n < c->conf->n_nodes; n++) {
		const struct seen_meter *m = &s->meters[n];
		if (!m->there)
			continue;
		fprintf(c->to, "%s{\"node\":\"%s\",\"i\":[%.10g,%.10g,%.10g],\"age\":%d,\"ok\":%s}", first ? "" : ",", c->conf->nodes[n].id, m->i[0], m->i[1],
			m->i[2], m->age, m->ok ? "true" : "false");
		first = false;
	}
	fprintf(c->to, "],\"caps\":[");
	first = true;
	for (int n = 0; n < c->conf->n_nodes; n++) {
		if (!s->capped[n])
			continue;
		fprintf(c->to, "%s{\"node\":\"%s\",\"limit_a\":[%.10g,%.10g,%.10g]}", first ? "" : ",", c->conf->nodes[n].id, s->cap_a[n][0], s->cap_a[n][1],
			s->cap_a[n][2]);
		first = false;
	}
	fprintf(c->to, "],\"evses\":[");
	first = true;
	for (int i = 0; i < c->conf->n_evses; i++) {
		if (!s->evses[i].listed)
			continue;
		say_evse(c, &s->evses[i], i, first);
		first = false;
	}
	fprintf(c->to, "]}");
}

static int evse_called(const struct child *c, struct slice id)
{
	for (int i = 0; i < c->conf->n_evses; i++)
		if (slice_is(id, c->conf->evses[i].id))
			return i;
	give_up("a set-point for nobody");
	return -1;
}

static void step_stdio(void *state, const struct seen *s, struct order *orders)
{
	struct child *c = state;
	say_state(c, s);
	cJSON *m = hear(c, "set");
	const cJSON *item;
	if (json_int(m, "seq", -1) != s->seq)
		give_up("an answer to another question");
	cJSON_ArrayForEach(item, json_at(m, "set"))
	{
		int i = evse_called(c, json_text(item, "id"));
		const struct world_evse *e = &c->conf->evses[i];
		double set = json_number(item, "set", -1);
		if (set != 0 && (set < e->min - 1e-9 || set > e->max + 1e-9))
			give_up("an invalid set-point");
		orders[i] = (struct order){ true, json_bool(item, "wake", false), set, 0, 0 };
	}
	cJSON_Delete(m);
}

static void close_stdio(void *state)
{
	struct child *c = state;
	int status;
	fprintf(c->to, "{\"type\":\"bye\"}\n");
	fclose(c->to);
	waitpid(c->pid, &status, 0);
	fclose(c->from);
	free(c->line);
	free(c);
	if (status)
		give_up("the program did not end well");
}

const struct driver drive_stdio = { "ampgate --stdio", open_stdio, step_stdio, close_stdio };
