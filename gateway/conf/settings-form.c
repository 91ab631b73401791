/* The configuration for whoever draws a form of it: the tables, what is written and where, and messages with the keys they are about. */
#include "base/json.h"
#include "gateway/conf/settings-tables.h"

void settings_write_schema(const char *key, struct json_writer *w)
{
	conf_write_schema(&settings_table, key, w);
}

void settings_write_values(const struct settings *s, const char *key, struct json_writer *w)
{
	conf_write_values(&settings_table, s->source->tree, key, w);
}

static void write_message(const struct conf_node *tree, const struct conf_message *m, struct json_writer *w)
{
	jw_object(w, NULL);
	conf_write_place(tree, m, w);
	jw_string(w, "severity", m->severity == CONF_ERROR ? "error" : "warning");
	jw_string(w, "file", m->file);
	jw_int(w, "line", m->line);
	jw_int(w, "column", m->col);
	jw_string(w, "message", m->text);
	jw_string(w, "hint", m->hint);
	jw_end(w, '}');
}

void settings_write_messages(const struct settings_files *files, const struct conf_report *report, const char *key, struct json_writer *w)
{
	struct arena mem = { 0 };
	const struct conf_node *tree = report->n ? settings_tree(files, &mem) : NULL;
	jw_array(w, key);
	for (size_t i = 0; i < report->n; i++)
		write_message(tree, &report->messages[i], w);
	jw_end(w, ']');
	arena_free(&mem);
}
