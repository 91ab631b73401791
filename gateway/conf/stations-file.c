/* Both forms become the same tree (base/conf-csv.h), so that whatever is wrong is found by the one reader of the configuration and told with its place
 * in the file. Easy to get wrong: an export shows what holds for a station, of which much comes from station_defaults or a range; written back as it
 * is, that would be frozen. So what a station shares with the defaults is left out. */
#include "gateway/conf/stations-file.h"

#include <string.h>

#include "base/conf-csv.h"
#include "base/json.h"
#include "gateway/conf/settings-tables.h"

#define MASKED "***"

/* --- reading --- */

static bool is_masked(const struct conf_node *n)
{
	return n->kind == CONF_SCALAR && strcmp(n->text, MASKED) == 0;
}

/* A copy without them: an alias shares its children, so trees are not edited. */
static struct conf_node *without_masked(struct arena *mem, const struct conf_node *map)
{
	struct conf_node *out = arena_new(mem, sizeof(*out));
	*out = *map;
	out->next = NULL;
	if (map->kind != CONF_MAP)
		return out;
	out->first = out->last = NULL;
	for (const struct conf_node *n = map->first; n; n = n->next) {
		if (is_masked(n))
			continue;
		struct conf_node *copy = without_masked(mem, n);
		if (out->last)
			out->last->next = copy;
		else
			out->first = copy;
		out->last = copy;
	}
	return out;
}

static int only_stations(const struct conf_node *root, struct conf_report *report)
{
	struct conf_pos top = root->pos;
	bool any = false;
	for (const struct conf_node *n = root->first; n; n = n->next) {
		any |= strcmp(n->key, "stations") == 0 && n->kind == CONF_MAP;
		if (strcmp(n->key, "stations") != 0)
			conf_say(report, CONF_ERROR, &n->key_pos, "other keys go by ampgate config apply", "only stations are imported, not '%s'", n->key);
		else if (n->kind != CONF_MAP)
			conf_say(report, CONF_ERROR, &n->pos, NULL, "stations is a map of stations by their identity");
	}
	if (!root->first)
		conf_say(report, CONF_ERROR, &top, NULL, "there are no stations in it");
	return any && !report->errors ? 0 : ERR_INVALID;
}

int stations_read(struct arena *mem, const char *name, struct slice text, bool csv, struct conf_report *report, struct conf_node **out)
{
	int err = csv ? conf_csv_parse(mem, name, text, "stations", "id", report, out) : conf_yaml_parse(mem, name, text, report, out);
	if (!err)
		err = only_stations(*out, report);
	if (!err)
		*out = without_masked(mem, *out);
	return err;
}

/* --- writing --- */

/* One value in one line, or empty; "***" where it is a secret in the clear. */
static void value_text(const struct conf_node *n, struct buf *out)
{
	bool secret = strcmp(n->key, "password") == 0;
	if (secret && n->kind == CONF_SCALAR && strncmp(n->text, "cred:", 5) != 0 && strcmp(n->text, "relay") != 0)
		buf_puts(out, MASKED);
	else if (n->kind == CONF_SCALAR)
		buf_puts(out, n->text);
	else
		conf_value_print(out, n);
}

static bool says_the_same(const struct conf_node *a, const struct conf_node *b)
{
	struct buf x = { 0 }, y = { 0 };
	if (!a || !b)
		return false;
	conf_value_print(&x, a);
	conf_value_print(&y, b);
	bool same = x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
	buf_free(&x);
	buf_free(&y);
	return same;
}

static bool is_own(const struct settings *s, const struct conf_node *value)
{
	const struct conf_node *defaults = conf_child(s->source->tree, "station_defaults");
	return !conf_is_null(value) && !(defaults && says_the_same(value, conf_child(defaults, value->key)));
}

static const struct conf_node *all_stations(const struct settings *s)
{
	const struct conf_node *n = s->source->tree ? conf_child(s->source->tree, "stations") : NULL;
	return n && n->kind == CONF_MAP ? n : NULL;
}

/* Whether any station says something of its own about it: a column. */
static bool is_used(const struct settings *s, const char *key)
{
	const struct conf_node *all = all_stations(s);
	for (const struct conf_node *st = all ? all->first : NULL; st; st = st->next) {
		const struct conf_node *n = st->kind == CONF_MAP ? conf_child(st, key) : NULL;
		if (n && is_own(s, n))
			return true;
	}
	return false;
}

/* The columns that a table always has, then the others that are used, each in the order of the settings. */
static const char *const fixed[] = { "circuit", "rotation", "max_current_a", "password", NULL };

static bool is_fixed(const char *key)
{
	for (size_t i = 0; fixed[i]; i++)
		if (strcmp(fixed[i], key) == 0)
			return true;
	return false;
}

static const struct conf_table *station_table_of(void)
{
	for (const struct conf_row *row = settings_table.rows; row->name; row++)
		if (strcmp(row->name, "stations") == 0)
			return row->table;
	return NULL;
}

static void write_cell(const struct settings *s, const struct conf_node *st, const char *key, struct buf *out)
{
	const struct conf_node *n = conf_child(st, key);
	struct buf text = { 0 };
	buf_puts(out, ",");
	if (n && is_own(s, n))
		value_text(n, &text);
	if (text.n)
		conf_csv_cell(out, buf_view(&text));
	buf_free(&text);
}

void stations_write_csv(const struct settings *s, struct buf *out)
{
	const char *columns[64];
	size_t n = 0;
	const struct conf_node *all = all_stations(s);
	for (; fixed[n]; n++)
		columns[n] = fixed[n];
	for (const struct conf_row *row = station_table_of()->rows; row->name && n < 64; row++)
		if (!is_fixed(row->name) && is_used(s, row->name))
			columns[n++] = row->name;
	buf_puts(out, "id");
	for (size_t i = 0; i < n; i++)
		buf_printf(out, ",%s", columns[i]);
	buf_puts(out, "\r\n");
	for (const struct conf_node *st = all ? all->first : NULL; st; st = st->next) {
		if (st->kind != CONF_MAP)
			continue;
		conf_csv_cell(out, slice_of(st->key));
		for (size_t i = 0; i < n; i++)
			write_cell(s, st, columns[i], out);
		buf_puts(out, "\r\n");
	}
}

/* JSON's quotes are YAML's. */
static void write_pair(const struct conf_node *n, bool masked, bool first, struct buf *out)
{
	struct buf text = { 0 };
	if (n->kind == CONF_SCALAR && masked)
		value_text(n, &text);
	buf_printf(out, "%s%s: ", first ? "" : ", ", n->key);
	if (text.n && strcmp(text.p, n->text) != 0)
		json_quote(out, buf_view(&text));
	else
		conf_value_print(out, n);
	buf_free(&text);
}

static void write_station(const struct settings *s, const struct conf_node *st, const char *id, const char *more, bool masked, struct buf *out)
{
	bool first = true;
	buf_puts(out, "  ");
	json_quote(out, slice_of(id));
	buf_puts(out, ": {");
	for (const struct conf_node *n = st->first; n; n = n->next) {
		if (!is_own(s, n))
			continue;
		write_pair(n, masked, first, out);
		first = false;
	}
	buf_printf(out, "%s%s}\n", *more && !first ? ", " : "", more);
}

void stations_write_yaml(const struct settings *s, struct buf *out)
{
	const struct conf_node *all = all_stations(s);
	buf_puts(out, all && all->first ? "stations:\n" : "stations: {}\n");
	for (const struct conf_node *st = all ? all->first : NULL; st; st = st->next)
		if (st->kind == CONF_MAP)
			write_station(s, st, st->key, "", true, out);
}

void stations_rename(const struct settings *s, const char *from, const char *to, bool keep_uplink_id, struct buf *yaml_out)
{
	const struct conf_node *all = all_stations(s), *st = all ? conf_child(all, from) : NULL;
	struct buf more = { 0 };
	if (keep_uplink_id && st && !conf_child(st, "uplink_id")) {
		buf_puts(&more, "uplink_id: ");
		json_quote(&more, slice_of(from));
	}
	buf_puts(yaml_out, "stations:\n");
	if (st)
		write_station(s, st, to, more.n ? more.p : "", false, yaml_out);
	buf_puts(yaml_out, "  ");
	json_quote(yaml_out, slice_of(from));
	buf_puts(yaml_out, ": null\n");
	buf_free(&more);
}
