/* Verbs about the grid: what its operator allows, what he has asked for, prices and schedules. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "energy/grid.h"
#include "gateway/manage/command.h"
#include "gateway/power/grid-inputs.h"
#include "gateway/power/times.h"
#include "storage/journal.h"

#define LOG_MOST 1000

int command_grid_show(struct command *c)
{
	if (!grid_inputs_there())
		return command_fail(c, COMMAND_NOT_FOUND, "no grid_operator is configured");
	jw_object(&c->w, NULL);
	grid_inputs_view(&c->w);
	jw_end(&c->w, '}');
	return COMMAND_OK;
}

/* A number of watts, "free", or null. 0 or a negative error. */
static int read_watts(const struct command *c, int64_t *out)
{
	const cJSON *item = c->args ? cJSON_GetObjectItemCaseSensitive(c->args, "limit_w") : NULL;
	*out = GRID_FREE_W;
	if (cJSON_IsNull(item) || (cJSON_IsString(item) && strcmp(item->valuestring, "free") == 0))
		return 0;
	if (cJSON_IsString(item))
		return int_parse(slice_of(item->valuestring), out) || *out < 0 ? ERR_INVALID : 0;
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble < 1e12))
		return ERR_INVALID;
	*out = (int64_t)item->valuedouble;
	return 0;
}

static void on_durable(void *arg, int err)
{
	struct command *c = arg;
	if (err) {
		command_finish(c, command_fail(c, COMMAND_FAILED, "the limit holds, but a restart may forget it, or it lacks evidence: %s", grid_durable_text(err)));
		return;
	}
	jw_object(&c->w, NULL);
	if (grid_inputs_there())
		grid_inputs_view(&c->w);
	jw_end(&c->w, '}');
	command_finish(c, COMMAND_OK);
}

int command_grid_limit(struct command *c)
{
	const char *input = command_text(c, "input"), *duration = command_text(c, "for");
	int64_t watts, for_us = 0;
	if (!input)
		return command_fail(c, COMMAND_USAGE, "input is missing");
	if (read_watts(c, &watts) != 0)
		return command_fail(c, COMMAND_USAGE, "limit_w is a number of watts, or free");
	if (duration && (conf_duration(duration, &for_us) != 0 || for_us <= 0))
		return command_fail(c, COMMAND_USAGE, "for is no duration such as 2h");
	if (grid_inputs_command(input, watts, for_us, on_durable, c) != 0)
		return command_fail(c, COMMAND_NOT_FOUND, "no grid input '%s' of kind command", input);
	return COMMAND_LATER;
}

/* How the wall clock stood to the monotonic one of a run of the machine, once it was known. */
struct anchor {
	char boot[20];
	int64_t ahead_us;
};

#define ANCHORS_MOST 64

struct listing {
	struct json_writer *w;
	int left;
	struct anchor anchors[ANCHORS_MOST]; /* the newest of them; of one boot the first counts */
	size_t n_anchors;
};

static void add_anchor(struct listing *l, struct slice boot, int64_t ahead_us)
{
	struct anchor *a = &l->anchors[l->n_anchors++ % ANCHORS_MOST];
	snprintf(a->boot, sizeof(a->boot), "%.*s", SLICE_ARG(boot));
	a->ahead_us = ahead_us;
}

static bool see_anchor(void *arg, const struct journal_rec *r)
{
	if (strcmp(r->code, "grid.clock") != 0)
		return true;
	cJSON *args = json_parse(slice_of(r->args ? r->args : ""));
	add_anchor(arg, json_text(args, "boot"), r->wall_us - json_int(args, "mono_ms", 0) * US_PER_MS);
	cJSON_Delete(args);
	return true;
}

/* This run of the machine is known by the clock itself. */
static void add_present(struct listing *l)
{
	char boot[20];
	if (!clock_trusted())
		return;
	snprintf(boot, sizeof(boot), "%016llx", (unsigned long long)clock_boot());
	add_anchor(l, slice_of(boot), clock_wall_us() - clock_mono_us());
}

static const struct anchor *anchor_of(const struct listing *l, struct slice boot)
{
	for (size_t i = 0; boot.n && i < l->n_anchors && i < ANCHORS_MOST; i++)
		if (slice_is(boot, l->anchors[i].boot))
			return &l->anchors[i];
	return NULL;
}

/* When it was, as far as that is known: what was recorded before somebody vouched for the clock is put right where the machine ran on since. */
static void write_times(const struct listing *l, const struct journal_rec *r)
{
	cJSON *args = r->args && strstr(r->args, "\"clock_trusted\":false") ? json_parse(slice_of(r->args)) : NULL;
	const struct anchor *a = args ? anchor_of(l, json_text(args, "boot")) : NULL;
	jw_time(l->w, "at", a ? json_int(args, "mono_ms", 0) * US_PER_MS + a->ahead_us : r->wall_us);
	jw_string(l->w, "clock", !args ? "known" : a ? "corrected" : "unknown");
	if (a)
		jw_time(l->w, "recorded_at", r->wall_us);
	cJSON_Delete(args);
}

static bool write_event(void *arg, const struct journal_rec *r)
{
	struct listing *l = arg;
	if (strncmp(r->code, "grid.", 5) != 0)
		return true;
	jw_object(l->w, NULL);
	jw_int(l->w, "seq", r->seq);
	write_times(l, r);
	jw_string(l->w, "code", r->code);
	jw_string(l->w, "object", r->object);
	jw_raw(l->w, "args", r->args && *r->args ? slice_of(r->args) : SLICE("null"));
	jw_end(l->w, '}');
	return --l->left > 0;
}

int command_grid_log(struct command *c)
{
	struct listing l = { .w = &c->w, .left = LOG_MOST };
	int64_t after = json_int(c->args, "after", -1);
	after = after < 0 ? journal_evidence_before(c->g->store, LOG_MOST) : after;
	int err = journal_each(c->g->store, after, see_anchor, &l); /* behind the lines that it is about */
	add_present(&l);
	jw_array(&c->w, NULL);
	err = err ? err : journal_each(c->g->store, after, write_event, &l);
	jw_end(&c->w, ']');
	return err ? command_fail(c, COMMAND_FAILED, "the journal cannot be read: %s", err_text(err)) : COMMAND_OK;
}

int command_tariff_list(struct command *c)
{
	jw_object(&c->w, NULL);
	times_view(&c->w);
	jw_end(&c->w, '}');
	return COMMAND_OK;
}

int command_tariff_set(struct command *c)
{
	const char *tariff = command_text(c, "tariff"), *text = command_text(c, "prices");
	cJSON *parsed = text ? json_parse(slice_of(text)) : NULL;
	const cJSON *prices = parsed ? parsed : c->args ? cJSON_GetObjectItemCaseSensitive(c->args, "prices") : NULL;
	char why[120] = "";
	int err = tariff ? times_prices(tariff, prices, command_text(c, "end"), why, sizeof(why)) : ERR_INVALID;
	cJSON_Delete(parsed);
	if (!tariff)
		return command_fail(c, COMMAND_USAGE, "tariff is missing");
	if (err == ERR_NOT_FOUND)
		return command_fail(c, COMMAND_NOT_FOUND, "no tariff '%s'", tariff);
	if (err)
		return command_fail(c, COMMAND_USAGE, "%s", why);
	jw_bool(&c->w, NULL, true);
	return COMMAND_OK;
}
