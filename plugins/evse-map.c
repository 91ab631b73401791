/* Rows for base/conf, which says what is wrong and where. What rows cannot say: a function that fits the value, and at least the states A, B
 * and C. */
#include "plugins/evse-map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "config.h"

#define AT(s, member) .at = offsetof(struct s, member)
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define ADDRESS(s) { .name = "at", .type = CONF_INT, .min = 0, .max = 65535, .required = true, AT(s, at), .help = "Address on the wire" }
#define LETTER(text, i) { .name = text, .type = CONF_TEXTS, .preset = "[]", .at = offsetof(struct evse_map_state, letters) + (i) * sizeof(char *const *), \
	.help = "Values that mean this state" }

static const struct conf_row state_rows[] = {
	ADDRESS(evse_map_state),
	{ .name = "function", .type = CONF_INT, .min = 3, .max = 4, .preset = "3", AT(evse_map_state, function), .help = "3 holding, 4 input register" },
	{ .name = "byte", .type = CONF_CHOICE, .words = WORDS("both", "high", "low"), .preset = "both", AT(evse_map_state, byte), .help = "Half of the register" },
	LETTER("a", 0), LETTER("b", 1), LETTER("c", 2), LETTER("d", 3), LETTER("e", 4), LETTER("f", 5),
	{ 0 }
};
static const struct conf_table state_table = { .noun = "state", .size = sizeof(struct evse_map_state), .rows = state_rows };

static const struct conf_row switch_rows[] = {
	ADDRESS(evse_map_switch),
	{ .name = "function", .type = CONF_INT, .min = 5, .max = 16, .preset = "5", AT(evse_map_switch, function), .help = "5 coil, 6 one register, 16 several" },
	{ .name = "on", .type = CONF_INT, .min = 0, .max = 65535, .preset = "1", AT(evse_map_switch, on), .help = "Value that permits" },
	{ .name = "off", .type = CONF_INT, .min = 0, .max = 65535, .preset = "0", AT(evse_map_switch, off), .help = "Value that forbids" },
	{ 0 }
};
static const struct conf_table switch_table = { .noun = "enable", .size = sizeof(struct evse_map_switch), .rows = switch_rows };

static const struct conf_row current_rows[] = {
	ADDRESS(evse_map_current),
	{ .name = "function", .type = CONF_INT, .min = 6, .max = 16, .preset = "6", AT(evse_map_current, function), .help = "6 one register, 16 several" },
	{ .name = "type", .type = CONF_CHOICE, .words = WORDS("u16", "f32"), .preset = "u16", AT(evse_map_current, type), .help = "How it is written" },
	{ .name = "per_amp", .type = CONF_NUMBER, .min = 1, .max = 1000000, .preset = "1", AT(evse_map_current, per_amp), .help = "Steps of one ampere" },
	{ 0 }
};
static const struct conf_table current_table = { .noun = "current", .size = sizeof(struct evse_map_current), .rows = current_rows };

static const struct conf_row set_rows[] = {
	ADDRESS(evse_map_set),
	{ .name = "function", .type = CONF_INT, .min = 5, .max = 16, .preset = "6", AT(evse_map_set, function), .help = "5 coil, 6 one register, 16 several" },
	{ .name = "value", .type = CONF_INT, .min = 0, .max = 65535, .required = true, AT(evse_map_set, value), .help = "What is written" },
	{ 0 }
};
static const struct conf_table set_table = { .noun = "value", .size = sizeof(struct evse_map_set), .rows = set_rows };

static const struct conf_row map_rows[] = {
	{ .name = "model", .type = CONF_ID, .required = true, AT(evse_map, model), .help = "The name of the file" },
	{ .name = "name", .type = CONF_TEXT, .required = true, AT(evse_map, name), .help = "What people call it" },
	{ .name = "pause_ms", .type = CONF_INT, .min = 0, .max = 1000, .preset = "0", AT(evse_map, pause_ms), .help = "Rest between two requests" },
	{ .name = "state", .type = CONF_SECTION, .required = true, .table = &state_table, AT(evse_map, state), .help = "State of the car" },
	{ .name = "enable", .type = CONF_MAYBE, .table = &switch_table, AT(evse_map, enable), .help = "Permission" },
	{ .name = "current", .type = CONF_SECTION, .required = true, .table = &current_table, AT(evse_map, current), .help = "Most current" },
	{ .name = "setup", .type = CONF_ITEMS, .table = &set_table, AT(evse_map, setup), .help = "Written after connecting" },
	{ .name = "heartbeat", .type = CONF_MAYBE, .table = &set_table, AT(evse_map, heartbeat), .help = "Written with every order" },
	{ 0 }
};
static const struct conf_table map_table = { .noun = "controller", .size = sizeof(struct evse_map), .rows = map_rows };

static bool writes(int function, bool coil_too)
{
	return function == 6 || function == 16 || (coil_too && function == 5);
}

static void wrong(struct conf_report *r, const struct conf_node *n, const char *what)
{
	conf_say(r, CONF_ERROR, &n->pos, NULL, "%s", what);
}

static bool are_numbers(const char *const *values)
{
	char *end;
	for (; *values; values++) {
		long v = strtol(*values, &end, 10);
		if (end == *values || *end || v < 0 || v > 65535)
			return false;
	}
	return true;
}

static void check(const struct evse_map *m, const struct conf_node *tree, struct conf_report *r)
{
	bool known = m->state.letters[0][0] && m->state.letters[1][0] && m->state.letters[2][0];
	bool good = writes(m->current.function, false) && (m->current.type == 0 || m->current.function == 16) && (!m->enable || writes(m->enable->function, true)) &&
		(!m->heartbeat || writes(m->heartbeat->function, true));
	for (size_t i = 0; i < m->n_setup; i++)
		good &= writes(m->setup[i].function, true);
	if (!good)
		wrong(r, tree, "a function that does not write this: 5 coils, 6 one register, 16 several (f32)");
	if (!known)
		wrong(r, conf_child(tree, "state"), "the states a, b and c have values");
	for (int i = 0; i < 6; i++) {
		if (!are_numbers(m->state.letters[i]))
			wrong(r, conf_child(tree, "state"), "the value of a state is a number from 0 to 65535");
	}
}

static int read_tree(struct evse_map *out, const struct conf_node *tree, struct conf_report *report)
{
	struct conf_fill fill = { .mem = &out->mem, .report = report };
	struct arena mem = out->mem;
	struct evse_map m = { 0 };
	fill.mem = &mem;
	conf_fill(&fill, &map_table, tree, &m);
	conf_resolve(&fill);
	conf_fill_free(&fill);
	if (!report->errors)
		check(&m, tree, report);
	*out = m;
	out->mem = mem;
	return report->errors ? ERR_INVALID : 0;
}

static int finish(struct evse_map *out, int rc, const struct conf_node *tree, struct conf_report *report, char *err, size_t errlen)
{
	if (rc == 0)
		rc = read_tree(out, tree, report);
	if (rc != 0 && report->n)
		snprintf(err, errlen, "%s:%u:%u: %s", report->messages[0].file, report->messages[0].line, report->messages[0].col, report->messages[0].text);
	conf_report_free(report);
	if (rc != 0)
		evse_map_free(out);
	return rc;
}

int evse_map_parse(const char *name, struct slice text, struct evse_map *out, char *err, size_t errlen)
{
	struct conf_report report = { 0 };
	struct conf_node *tree = NULL;
	*out = (struct evse_map){ 0 };
	int rc = conf_yaml_parse(&out->mem, name, text, &report, &tree);
	return finish(out, rc, tree, &report, err, errlen);
}

int evse_map_load(const char *path, struct evse_map *out, char *err, size_t errlen)
{
	struct conf_report report = { 0 };
	struct conf_node *tree = NULL;
	*out = (struct evse_map){ 0 };
	int rc = conf_yaml_read(&out->mem, path, &report, &tree);
	return finish(out, rc, tree, &report, err, errlen);
}

int evse_map_find(const char *model, const char *dir, struct evse_map *out, char *err, size_t errlen)
{
	const char *const dirs[] = { dir, SYSCONF_DIR "/controllers", DATA_DIR "/controllers" };
	int rc = -ENOENT;
	if (!model[0] || model[strspn(model, "abcdefghijklmnopqrstuvwxyz0123456789-")]) {
		snprintf(err, errlen, "'%s' is not a model: small letters, digits and '-' only", model);
		return ERR_INVALID;
	}
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]) && rc == -ENOENT; i++) {
		char path[512];
		if (!dirs[i])
			continue;
		snprintf(path, sizeof(path), "%s/%s.yaml", dirs[i], model);
		rc = access(path, F_OK) == 0 ? evse_map_load(path, out, err, errlen) : -ENOENT;
	}
	if (rc == -ENOENT)
		snprintf(err, errlen, "no controller '%s'", model);
	return rc;
}

void evse_map_free(struct evse_map *m)
{
	arena_free(&m->mem);
}

char evse_map_letter(const struct evse_map *m, uint16_t value)
{
	uint16_t v = m->state.byte == 1 ? value >> 8 : m->state.byte == 2 ? value & 0xFF : value;
	for (int i = 0; i < 6; i++) {
		for (const char *const *one = m->state.letters[i]; *one; one++) {
			if (strtol(*one, NULL, 10) == v)
				return (char)('A' + i);
		}
	}
	return 0;
}
