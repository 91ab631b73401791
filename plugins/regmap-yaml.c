/* Model files: a register map as its owner writes it. One file per meter, MODEL.yaml:
 *
 *   model: carlo-gavazzi-em24        # the name of the file
 *   name: Carlo Gavazzi EM24 (RS485)
 *   function: 4                      # 3 holding registers, 4 input registers
 *   type: i32                        # i16 u16 i32 u32 i64 u64 f32 f64
 *   words: low-first                 # or high-first, the default: order of the registers of a longer value
 *   most: 11                         # registers in one read, default 125
 *   bridge: 0                        # unused registers that may be read along, default 0
 *   pause_ms: 20                     # rest between two requests, default 0
 *   current_sign: power              # or own, where currents carry a sign themselves
 *   overflow: 0x7FFF0000             # this raw value and all above mean "out of range"
 *   values:
 *     u_v: {at: [0, 2, 4], scale: 0.1}          # phases: L1 or L1 to L3
 *     i_a: {at: [12, 14, 16], unit: mA}
 *     power_w: {at: 40, scale: 0.1}             # unit: V A mA W kW Wh kWh MWh, default V A W Wh
 *     import_wh: {at: 66, unit: kWh, scale: 0.1, type: u32, missing: [0]}
 *     export_wh: 92                              # an address alone, or a list of them, where the defaults do
 *
 * function, type, words and overflow at the top are defaults and may stand in each value. Addresses are those on the wire, from 0, and may
 * be written 0x... . Keys that nobody knows are refused: a misspelt "scale" would be a wrong current. */
#include "plugins/regmap.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/mem.h"

#define MODEL_SIZE 65536 /* bytes of a model file */
#define NAMES 256        /* models looked at for "did you mean" */

struct reader {
	yaml_document_t *doc;
	const char *file;
	struct regmap *map;
	char *err;
	size_t errlen;
	bool failed;
	struct regmap_field preset; /* the defaults at the top of the file */
};

static void fail(struct reader *r, const yaml_node_t *n, const char *what, const char *which)
{
	if (r->failed)
		return;
	r->failed = true;
	snprintf(r->err, r->errlen, "%s:%zu:%zu: %s%s%s", r->file, n ? n->start_mark.line + 1 : 1, n ? n->start_mark.column + 1 : 1, what,
	         which ? " " : "", which ? which : "");
}

static const char *text_of(struct reader *r, const yaml_node_t *n)
{
	if (n && n->type == YAML_SCALAR_NODE)
		return (const char *)n->data.scalar.value;
	fail(r, n, "a single value is expected", NULL);
	return "";
}

static int64_t whole(struct reader *r, const yaml_node_t *n, int64_t least, int64_t most)
{
	const char *text = text_of(r, n);
	char *end;
	errno = 0;
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	int64_t v = strtoll(text, &end, hex ? 16 : 10);
	if (end == text || *end || errno || v < least || v > most) {
		fail(r, n, "not a number in range:", text);
		return least;
	}
	return v;
}

static double number(struct reader *r, const yaml_node_t *n)
{
	const char *text = text_of(r, n);
	char *end;
	double v = strtod(text, &end);
	if (end == text || *end || !isfinite(v) || v == 0) {
		fail(r, n, "not a number other than 0:", text);
		return 1;
	}
	return v;
}

/* The place of a word in a NULL-terminated list. */
static unsigned word(struct reader *r, const yaml_node_t *n, const char *const *words)
{
	const char *text = text_of(r, n);
	for (unsigned i = 0; words[i]; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	const char *near = str_nearest(text, words);
	char note[96];
	snprintf(note, sizeof(note), "'%.30s'%s%s%s", text, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
	fail(r, n, "unknown word", note);
	return 0;
}

static const char *const type_words[] = { "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64", NULL };
static const char *const order_words[] = { "high-first", "low-first", NULL };
static const char *const sign_words[] = { "power", "own", NULL };

/* What is common to the top of the file and to a value: true when `key` was one of these. */
static bool read_form(struct reader *r, const char *key, const yaml_node_t *n, struct regmap_field *f)
{
	if (strcmp(key, "function") == 0)
		f->function = (uint8_t)whole(r, n, 3, 4);
	else if (strcmp(key, "type") == 0)
		f->type = (uint8_t)word(r, n, type_words);
	else if (strcmp(key, "words") == 0)
		f->low_first = word(r, n, order_words) == 1;
	else if (strcmp(key, "overflow") == 0)
		f->overflow = (uint64_t)whole(r, n, 1, INT64_MAX);
	else
		return false;
	return true;
}

/* A unit and what it is worth in the unit of the quantity. */
static const struct unit {
	const char *name, *of;
	double worth;
} units[] = {
	{ "V", "V", 1 },       { "mV", "V", 1e-3 },    { "kV", "V", 1e3 },   { "A", "A", 1 },     { "mA", "A", 1e-3 }, { "W", "W", 1 },
	{ "kW", "W", 1e3 },    { "Wh", "Wh", 1 },      { "kWh", "Wh", 1e3 }, { "MWh", "Wh", 1e6 },
};

static const struct value {
	const char *key, *unit;
	uint8_t what, phases;
} values[] = {
	{ "u_v", "V", RQ_U, 3 },
	{ "i_a", "A", RQ_I, 3 },
	{ "p_w", "W", RQ_P, 3 },
	{ "power_w", "W", RQ_POWER, 1 },
	{ "power_out_w", "W", RQ_POWER_OUT, 1 },
	{ "import_wh", "Wh", RQ_IMPORT, 1 },
	{ "export_wh", "Wh", RQ_EXPORT, 1 },
};

static double unit_worth(struct reader *r, const yaml_node_t *n, const struct value *v)
{
	const char *text = text_of(r, n);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(units[i].name, text) == 0 && strcmp(units[i].of, v->unit) == 0)
			return units[i].worth;
	fail(r, n, "not a unit for this value:", text);
	return 1;
}

static void read_missing(struct reader *r, const yaml_node_t *n, struct regmap_field *f)
{
	if (n->type != YAML_SEQUENCE_NODE) {
		fail(r, n, "a list is expected", NULL);
		return;
	}
	for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
		if (f->n_missing == REGMAP_MISSING) {
			fail(r, n, "too many values", NULL);
			return;
		}
		f->missing[f->n_missing++] = (uint64_t)whole(r, yaml_document_get_node(r->doc, *i), 0, INT64_MAX);
	}
}

static void add_field(struct reader *r, const yaml_node_t *at, struct regmap_field f)
{
	if (r->map->n_fields == REGMAP_FIELDS) {
		fail(r, at, "too many values", NULL);
		return;
	}
	f.at = (uint16_t)whole(r, at, 0, 0xFFFF);
	r->map->fields[r->map->n_fields++] = f;
}

/* One address, or those of L1 to L3. */
static void add_fields(struct reader *r, const yaml_node_t *at, const struct value *v, struct regmap_field f)
{
	f.what = v->what;
	if (at->type != YAML_SEQUENCE_NODE) {
		add_field(r, at, f);
		return;
	}
	long n = at->data.sequence.items.top - at->data.sequence.items.start;
	if (n < 1 || n > v->phases) {
		fail(r, at, "a list of addresses for as many phases is expected", NULL);
		return;
	}
	for (long i = 0; i < n; i++, f.what++)
		add_field(r, yaml_document_get_node(r->doc, at->data.sequence.items.start[i]), f);
}

static void read_value(struct reader *r, const struct value *v, const yaml_node_t *n)
{
	struct regmap_field f = r->preset;
	const yaml_node_t *at = n;
	double worth = 1;
	if (n->type == YAML_MAPPING_NODE) {
		at = NULL;
		for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
			const yaml_node_t *k = yaml_document_get_node(r->doc, p->key), *x = yaml_document_get_node(r->doc, p->value);
			const char *key = text_of(r, k);
			if (strcmp(key, "at") == 0)
				at = x;
			else if (strcmp(key, "scale") == 0)
				f.scale = number(r, x);
			else if (strcmp(key, "unit") == 0)
				worth = unit_worth(r, x, v);
			else if (strcmp(key, "missing") == 0)
				read_missing(r, x, &f);
			else if (!read_form(r, key, x, &f))
				fail(r, k, "unknown key", key);
		}
	}
	f.scale *= worth;
	if (at)
		add_fields(r, at, v, f);
	else
		fail(r, n, "'at' is missing", NULL);
}

static void read_values(struct reader *r, const yaml_node_t *n)
{
	if (n->type != YAML_MAPPING_NODE) {
		fail(r, n, "a map of values is expected", NULL);
		return;
	}
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
		const yaml_node_t *k = yaml_document_get_node(r->doc, p->key);
		const char *key = text_of(r, k);
		const struct value *v = NULL;
		for (size_t i = 0; !v && i < sizeof(values) / sizeof(values[0]); i++)
			if (strcmp(values[i].key, key) == 0)
				v = &values[i];
		if (v)
			read_value(r, v, yaml_document_get_node(r->doc, p->value));
		else
			fail(r, k, "unknown value", key);
	}
}

static void copy_text(struct reader *r, const yaml_node_t *n, char *out, size_t room)
{
	const char *text = text_of(r, n);
	if (strlen(text) >= room)
		fail(r, n, "too long:", text);
	else
		strcpy(out, text);
}

/* One key at the top. The values wait: the defaults they start from may stand behind them. */
static void read_key(struct reader *r, const yaml_node_t *k, const yaml_node_t *n, const yaml_node_t **values_out)
{
	const char *key = text_of(r, k);
	struct regmap *m = r->map;
	if (strcmp(key, "model") == 0)
		copy_text(r, n, m->model, sizeof(m->model));
	else if (strcmp(key, "name") == 0)
		copy_text(r, n, m->name, sizeof(m->name));
	else if (strcmp(key, "most") == 0)
		m->most = (unsigned)whole(r, n, 1, REGMAP_MOST);
	else if (strcmp(key, "bridge") == 0)
		m->bridge = (unsigned)whole(r, n, 0, REGMAP_MOST);
	else if (strcmp(key, "pause_ms") == 0)
		m->pause_ms = (unsigned)whole(r, n, 0, 1000);
	else if (strcmp(key, "current_sign") == 0)
		m->own_sign = word(r, n, sign_words) == 1;
	else if (strcmp(key, "values") == 0)
		*values_out = n;
	else if (!read_form(r, key, n, &r->preset))
		fail(r, k, "unknown key", key);
}

static void read_map(struct reader *r)
{
	const yaml_node_t *root = yaml_document_get_root_node(r->doc), *found = NULL;
	if (!root || root->type != YAML_MAPPING_NODE) {
		fail(r, root, "a map is expected", NULL);
		return;
	}
	for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top; p++)
		read_key(r, yaml_document_get_node(r->doc, p->key), yaml_document_get_node(r->doc, p->value), &found);
	if (found)
		read_values(r, found);
	else
		fail(r, root, "'values' is missing", NULL);
	if (!r->failed && regmap_plan(r->map) != 0)
		fail(r, found, "these values cannot be read: longer than a read, too many, or none", NULL);
}

int regmap_parse(const char *name, struct slice text, struct regmap *out, char *err, size_t errlen)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	*out = (struct regmap){ .most = REGMAP_MOST };
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
	if (!yaml_parser_load(&parser, &doc)) {
		snprintf(err, errlen, "%s:%zu:%zu: %s", name, parser.problem_mark.line + 1, parser.problem_mark.column + 1,
		         parser.problem ? parser.problem : "no YAML");
		yaml_parser_delete(&parser);
		return ERR_SYNTAX;
	}
	struct reader r = { .doc = &doc, .file = name, .map = out, .err = err, .errlen = errlen,
	                    .preset = { .function = 3, .exponent_at = -1, .scale = 1 } };
	read_map(&r);
	yaml_document_delete(&doc);
	yaml_parser_delete(&parser);
	return r.failed ? ERR_INVALID : 0;
}

int regmap_load(const char *path, struct regmap *out, char *err, size_t errlen)
{
	FILE *f = fopen(path, "re");
	if (!f) {
		int rc = -errno;
		snprintf(err, errlen, "%s: %s", path, err_text(rc));
		return rc;
	}
	struct buf text = { 0 };
	char *room = buf_room(&text, MODEL_SIZE + 1);
	text.n = fread(room, 1, MODEL_SIZE + 1, f);
	fclose(f);
	int rc = text.n > MODEL_SIZE ? ERR_TOO_LARGE : regmap_parse(path, (struct slice){ room, text.n }, out, err, errlen);
	if (rc == ERR_TOO_LARGE)
		snprintf(err, errlen, "%s: too large", path);
	buf_free(&text);
	return rc;
}

/* Adds the models of a directory to a list of names. */
static size_t list_models(const char *dir, char *names[], size_t n)
{
	DIR *d = dir ? opendir(dir) : NULL;
	for (struct dirent *e; d && n < NAMES && (e = readdir(d));) {
		size_t len = strlen(e->d_name);
		if (len > 5 && strcmp(e->d_name + len - 5, ".yaml") == 0)
			names[n++] = mem_text((struct slice){ e->d_name, len - 5 });
	}
	if (d)
		closedir(d);
	return n;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void regmap_each(const char *dir, void (*see)(void *arg, const char *model), void *arg)
{
	char *names[NAMES] = { NULL };
	size_t n = list_models(dir, names, list_models(DATA_DIR "/models", names, 0));
	qsort(names, n, sizeof(names[0]), by_text);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
			see(arg, names[i]);
	for (size_t i = 0; i < n; i++)
		mem_free(names[i]);
}

static void say_unknown(const char *model, const char *dir, char *err, size_t errlen)
{
	char *names[NAMES + 1] = { NULL };
	size_t n = list_models(dir, names, list_models(DATA_DIR "/models", names, 0));
	const char *near = str_nearest(model, (const char *const *)names);
	snprintf(err, errlen, "no model '%s'%s%s%s", model, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
	for (size_t i = 0; i < n; i++)
		mem_free(names[i]);
}

int regmap_find(const char *model, const char *dir, struct regmap *out, char *err, size_t errlen)
{
	const char *const dirs[] = { dir, DATA_DIR "/models" };
	if (!model[0] || model[strspn(model, "abcdefghijklmnopqrstuvwxyz0123456789-")]) {
		snprintf(err, errlen, "'%s' is not a model: small letters, digits and '-' only", model);
		return ERR_INVALID;
	}
	int rc = -ENOENT;
	for (size_t i = 0; i < 2 && rc == -ENOENT; i++) {
		struct buf path = { 0 };
		if (!dirs[i])
			continue;
		buf_printf(&path, "%s/%s.yaml", dirs[i], model);
		rc = regmap_load(path.p, out, err, errlen);
		buf_free(&path);
	}
	if (rc == -ENOENT) {
		say_unknown(model, dir, err, errlen);
		return ERR_NOT_FOUND;
	}
	return rc;
}
