/* Verbs that take or give a whole file: stations, tokens. The file comes as text, and what is wrong with it is told with its name, line and column. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf-csv.h"
#include "base/conf.h"
#include "base/mem.h"
#include "gateway/conf/configuration.h"
#include "gateway/conf/stations-file.h"
#include "gateway/manage/command.h"
#include "storage/outbox.h"
#include "storage/tokens.h"

#define CONFIRM_US (120 * US_PER_S)
#define CONFIRM_MOST_US (3600 * US_PER_S)
#define TOKENS_MOST 20000
#define TOKEN_MOST 255

/* --- what they share --- */

static int fail_with(struct command *c, enum command_error err, const struct buf *said)
{
	if (said->n)
		buf_slice(&c->lines, buf_view(said));
	return command_fail(c, err, "the file cannot be used");
}

static enum command_error error_of(int err)
{
	return err == ERR_REFUSED ? COMMAND_FORBIDDEN : err == ERR_INVALID || err == ERR_SYNTAX || err == ERR_TOO_LARGE ? COMMAND_CONFIG : COMMAND_FAILED;
}

/* "csv", "yaml" or "json" by the argument, else by how the file is called, else by its first character. */
static bool is_csv(struct command *c, const char *text)
{
	const char *format = command_text(c, "format"), *name = command_text(c, "name");
	const char *dot = name ? strrchr(name, '.') : NULL;
	if (format || dot)
		return strcmp(format ? format : dot + 1, "csv") == 0;
	text += strspn(text, " \t\r\n");
	return !(*text == '[' || *text == '{' || strncmp(text, "stations:", 9) == 0 || *text == '#');
}

static const char *name_of(struct command *c, bool csv, const char *other)
{
	const char *name = command_text(c, "name");
	return name ? name : csv ? "import.csv" : other;
}

/* --- stations --- */

static int confirm_arg(struct command *c, int64_t *us_out)
{
	const char *text = command_text(c, "for");
	*us_out = CONFIRM_US;
	if (text && (conf_duration(text, us_out) != 0 || *us_out > CONFIRM_MOST_US))
		return command_fail(c, COMMAND_USAGE, "for is no duration up to 1h");
	return COMMAND_OK;
}

static int show_changes(struct command *c, struct slice yaml)
{
	struct buf said = { 0 };
	int err = config_compare(yaml, &said), status = COMMAND_OK;
	if (err) {
		status = fail_with(c, error_of(err), &said);
	} else {
		jw_object(&c->w, NULL);
		jw_text(&c->w, "changes", said.p ? buf_view(&said) : SLICE(""));
		jw_bool(&c->w, "dry_run", true);
		jw_end(&c->w, '}');
	}
	buf_free(&said);
	return status;
}

/* `layer` over the managed layer, in force until it is confirmed; or only what that would change. */
static int lay(struct command *c, const struct conf_node *layer, const char *why)
{
	struct buf yaml = { 0 }, said = { 0 };
	struct config_proposal p = { .who = c->user, .why = why, .restart = json_bool(c->args, "restart", false) };
	int status = confirm_arg(c, &p.confirm_us);
	if (status)
		return status;
	int err = config_overlay(layer, &yaml, &said);
	p.yaml = yaml.p ? buf_view(&yaml) : SLICE("");
	if (!err && json_bool(c->args, "dry_run", false)) {
		status = show_changes(c, p.yaml);
	} else {
		err = err ? err : config_apply(&p, &said);
		if (err)
			status = fail_with(c, error_of(err), &said);
		else
			config_write_applied(&c->w, &said);
	}
	buf_free(&yaml);
	buf_free(&said);
	return status;
}

int run_station_import(struct command *c)
{
	const char *text = command_text(c, "text");
	struct arena mem = { 0 };
	struct conf_report report = { 0 };
	struct conf_node *layer = NULL;
	struct buf said = { 0 };
	if (!text)
		return command_fail(c, COMMAND_USAGE, "text is missing: the file's content");
	bool csv = is_csv(c, text);
	int err = stations_read(&mem, name_of(c, csv, "import.yaml"), slice_of(text), csv, &report, &layer);
	conf_report_print(&report, &said);
	int status = err ? fail_with(c, error_of(err), &said) : lay(c, layer, "station.import");
	buf_free(&said);
	conf_report_free(&report);
	arena_free(&mem);
	return status;
}

int run_station_export(struct command *c)
{
	const char *format = command_text(c, "format");
	struct buf text = { 0 };
	if (format && strcmp(format, "csv") != 0 && strcmp(format, "yaml") != 0)
		return command_fail(c, COMMAND_USAGE, "format is csv or yaml");
	bool yaml = format && strcmp(format, "yaml") == 0;
	(yaml ? stations_write_yaml : stations_write_csv)(c->g->conf, &text);
	jw_object(&c->w, NULL);
	jw_string(&c->w, "format", yaml ? "yaml" : "csv");
	jw_text(&c->w, "text", buf_view(&text));
	jw_end(&c->w, '}');
	buf_free(&text);
	return COMMAND_OK;
}

int run_station_rename(struct command *c)
{
	const char *from = command_text(c, "station"), *to = command_text(c, "to");
	struct arena mem = { 0 };
	struct conf_report report = { 0 };
	struct conf_node *layer = NULL;
	struct buf yaml = { 0 };
	if (!from || !to || !conf_identity_ok(to))
		return command_fail(c, COMMAND_USAGE, "station or to is missing, or no identity");
	if (!settings_station(c->g->conf, slice_of(from)))
		return command_fail(c, COMMAND_NOT_FOUND, "no station '%s' in the configuration", from);
	if (settings_station(c->g->conf, slice_of(to)))
		return command_fail(c, COMMAND_FORBIDDEN, "station '%s' is in the configuration already", to);
	int64_t waiting = outbox_count(c->g->store, from);
	if (waiting)
		return command_fail(c, COMMAND_FORBIDDEN, "%lld messages of '%s' still wait for the CSMS: under another name they could not be delivered",
			(long long)waiting, from);
	stations_rename(c->g->conf, from, to, json_bool(c->args, "keep_uplink_id", false), &yaml);
	int err = conf_yaml_parse(&mem, "rename", buf_view(&yaml), &report, &layer);
	int status = err ? command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : lay(c, layer, "station.rename");
	buf_free(&yaml);
	conf_report_free(&report);
	arena_free(&mem);
	return status;
}

/* --- tokens --- */

static const char *const statuses[] = { "Accepted", "Blocked", "ConcurrentTx", "Expired", "Invalid", "NoCredit", "NotAllowedTypeEVSE", "NotAtThisLocation",
	"NotAtThisTime", "Unknown", NULL };
static const char *const types[] = { "Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "NoAuthorization", "EVCCID", "VIN",
	"DirectPayment", NULL };
static const char *const columns[] = { "token", "status", "expiry", "type", "group", NULL };

static bool is_word(const char *const *words, const char *text)
{
	while (*words && strcmp(*words, text) != 0)
		words++;
	return *words != NULL;
}

struct intake {
	struct arena mem;
	struct conf_report report;
	struct token_rec *all;
	size_t n;
};

static void wrong(struct intake *in, const struct conf_node *n, const char *const *words, const char *what)
{
	const char *near = words ? str_nearest(n->text, words) : NULL;
	conf_say(&in->report, CONF_ERROR, &n->pos, near ? arena_printf(&in->mem, "did you mean '%s'?", near) : NULL, "'%s' is no %s", n->text, what);
}

static void take_value(struct intake *in, struct token_rec *t, const struct conf_node *n)
{
	if (n->kind != CONF_SCALAR || conf_is_null(n))
		return;
	if (strcmp(n->key, "status") == 0) {
		t->status = n->text;
		if (!is_word(statuses, n->text))
			wrong(in, n, statuses, "status");
	} else if (strcmp(n->key, "type") == 0) {
		t->type = slice_of(n->text);
		if (!is_word(types, n->text))
			wrong(in, n, types, "type");
	} else if (strcmp(n->key, "expiry") == 0) {
		if (time_parse(slice_of(n->text), &t->expiry_us) != 0)
			wrong(in, n, NULL, "time such as 2027-01-31T00:00:00Z");
	} else if (strcmp(n->key, "group") == 0) {
		t->group = slice_of(n->text);
	} else if (strcmp(n->key, "token") != 0) {
		const char *near = str_nearest(n->key, columns);
		conf_say(&in->report, CONF_ERROR, &n->key_pos, near ? arena_printf(&in->mem, "did you mean '%s'?", near) : NULL, "unknown column '%s'", n->key);
	}
}

static void take_token(struct intake *in, const struct conf_node *row)
{
	struct token_rec *t = &in->all[in->n++];
	*t = (struct token_rec){ .token = slice_of(row->key), .status = "Accepted", .updated_us = clock_wall_us() };
	if (t->token.n > TOKEN_MOST)
		conf_say(&in->report, CONF_ERROR, &row->key_pos, NULL, "the token is longer than %d characters", TOKEN_MOST);
	for (const struct conf_node *n = row->kind == CONF_MAP ? row->first : NULL; n; n = n->next)
		take_value(in, t, n);
}

/* A JSON list of objects becomes the same tree as a table; its places are the numbers of its items. */
static struct conf_node *node_of(struct intake *in, const struct conf_file *file, unsigned item, const char *key, const char *text)
{
	struct conf_node *n = arena_new(&in->mem, sizeof(*n));
	n->kind = text ? CONF_SCALAR : CONF_MAP;
	n->key = key;
	n->text = text;
	n->quoted = true;
	n->pos = n->key_pos = (struct conf_pos){ file, item, 1, 1 };
	return n;
}

static int read_json(struct intake *in, const char *name, const char *text, struct conf_node **out)
{
	struct conf_file *file = arena_new(&in->mem, sizeof(*file));
	cJSON *tree = json_parse(slice_of(text)), *item, *value;
	struct conf_node *all = node_of(in, file, 1, "tokens", NULL);
	unsigned n = 0;
	file->name = arena_printf(&in->mem, "%s, item", name);
	if (!cJSON_IsArray(tree))
		conf_say(&in->report, CONF_ERROR, &all->pos, NULL, "no JSON list of objects with a token each");
	cJSON_ArrayForEach(item, tree) {
		struct slice token = json_text(item, "token");
		struct conf_node *row = node_of(in, file, ++n, arena_text(&in->mem, token.n ? token : SLICE("")), NULL);
		if (!token.n)
			conf_say(&in->report, CONF_ERROR, &row->pos, NULL, "it has no token");
		cJSON_ArrayForEach(value, item)
			if (cJSON_IsString(value))
				conf_append(row, node_of(in, file, n, arena_text(&in->mem, slice_of(value->string)), arena_text(&in->mem, slice_of(value->valuestring))));
		conf_append(all, row);
	}
	cJSON_Delete(tree);
	*out = node_of(in, file, 1, NULL, NULL);
	conf_append(*out, all);
	return in->report.errors ? ERR_SYNTAX : 0;
}

static int read_tokens(struct intake *in, struct command *c, const char *text)
{
	struct conf_node *root = NULL;
	bool csv = is_csv(c, text);
	const char *name = name_of(c, csv, "import.json");
	int err = csv ? conf_csv_parse(&in->mem, name, slice_of(text), "tokens", "token", &in->report, &root) : read_json(in, name, text, &root);
	size_t n = 0;
	for (const struct conf_node *row = err ? NULL : root->first->first; row; row = row->next)
		n++;
	in->all = arena_new(&in->mem, (n + 1) * sizeof(*in->all));
	for (const struct conf_node *row = err ? NULL : root->first->first; row; row = row->next)
		take_token(in, row);
	return err ? err : in->report.errors ? ERR_INVALID : 0;
}

struct storing {
	struct command *c;
	size_t n;
};

static void on_tokens_stored(void *arg, int err, int64_t value)
{
	struct storing *s = arg;
	struct command *c = s->c;
	(void)value;
	jw_object(&c->w, NULL);
	jw_int(&c->w, "tokens", (int64_t)s->n);
	jw_end(&c->w, '}');
	mem_free(s);
	command_finish(c, err ? (enum command_error)command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_OK);
}

static int store(struct command *c, enum token_source source, const struct intake *in)
{
	if (json_bool(c->args, "dry_run", false)) {
		jw_object(&c->w, NULL);
		jw_int(&c->w, "tokens", (int64_t)in->n);
		jw_bool(&c->w, "dry_run", true);
		jw_end(&c->w, '}');
		return COMMAND_OK;
	}
	struct storing *s = NEW(struct storing);
	*s = (struct storing){ c, in->n };
	int err = token_put_all(c->g->store, source, json_bool(c->args, "replace", false), in->all, in->n, on_tokens_stored, s);
	if (!err)
		return COMMAND_LATER;
	mem_free(s);
	return command_fail(c, COMMAND_FAILED, "%s", err_text(err));
}

int run_token_import(struct command *c)
{
	const char *text = command_text(c, "text"), *word = command_text(c, "source");
	struct intake in = { .n = 0 };
	struct buf said = { 0 };
	if (!text)
		return command_fail(c, COMMAND_USAGE, "text is missing: the file's content");
	if (word && strcmp(word, "list") != 0 && strcmp(word, "cache") != 0)
		return command_fail(c, COMMAND_USAGE, "source is list or cache");
	enum token_source source = word && strcmp(word, "cache") == 0 ? TOKEN_CACHE : TOKEN_LIST;
	int err = read_tokens(&in, c, text), status;
	conf_report_print(&in.report, &said);
	if (err)
		status = fail_with(c, error_of(err), &said);
	else if (in.n > (source == TOKEN_CACHE ? TOKENS_CACHED_MOST : TOKENS_MOST))
		status = command_fail(c, COMMAND_USAGE, "%zu tokens are too many", in.n);
	else
		status = store(c, source, &in);
	buf_free(&said);
	conf_report_free(&in.report);
	arena_free(&in.mem);
	return status;
}
