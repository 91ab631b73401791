/* Values of settings: one reader per type. A value is what its row says it is: `yes` is no boolean, `10` is no duration, and a phase list is
 * no text. Numbers are read as decimal text into integers of the stored unit, so that 6.1 A is 6100 mA and not a rounding of it. */
#include "base/conf.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MOST 255
#define LIST_MOST 256

/* ---- texts that mean numbers ---- */

struct unit {
	const char *suffix;
	int64_t factor;
};

static const struct unit durations[] = {
	{ "d", INT64_C(86400000000) }, { "h", INT64_C(3600000000) }, { "m", 60000000 }, { "s", 1000000 }, { "ms", 1000 }, { NULL, 0 }
};
static const struct unit sizes[] = {
	{ "GiB", 1024 * 1024 * 1024 }, { "MiB", 1024 * 1024 }, { "KiB", 1024 }, { "", 1 }, { NULL, 0 }
};

static int read_unit(const char *text, const struct unit *units, int64_t *out)
{
	size_t digits = strspn(text, "0123456789");
	int64_t number;
	if (!digits || int_parse((struct slice){ text, digits }, &number) != 0)
		return ERR_SYNTAX;
	for (; units->suffix; units++) {
		if (strcmp(text + digits, units->suffix) != 0)
			continue;
		if (number > INT64_MAX / units->factor)
			return ERR_TOO_LARGE;
		*out = number * units->factor;
		return 0;
	}
	return ERR_SYNTAX;
}

int conf_duration(const char *text, int64_t *us_out)
{
	return read_unit(text, durations, us_out);
}

int conf_size(const char *text, int64_t *bytes_out)
{
	return read_unit(text, sizes, bytes_out);
}

int conf_milli(const char *text, int64_t *thousandths_out)
{
	bool minus = *text == '-';
	const char *p = text + minus;
	int64_t whole = 0, part = 0;
	size_t digits = strspn(p, "0123456789");
	if (!digits || int_parse((struct slice){ p, digits }, &whole) != 0)
		return ERR_SYNTAX;
	if (whole > INT64_MAX / 2000)
		return ERR_TOO_LARGE;
	p += digits;
	if (*p == '.') {
		digits = strspn(++p, "0123456789");
		if (digits < 1 || digits > 3 || int_parse((struct slice){ p, digits }, &part) != 0)
			return ERR_SYNTAX;
		for (size_t i = digits; i < 3; i++)
			part *= 10;
		p += digits;
	}
	if (*p)
		return ERR_SYNTAX;
	*thousandths_out = (minus ? -1 : 1) * (whole * 1000 + part);
	return 0;
}

static void unit_text(const struct unit *units, int64_t value, char out[CONF_VALUE_TEXT])
{
	for (; units[1].suffix && (value % units->factor || value == 0); units++)
		;
	snprintf(out, CONF_VALUE_TEXT, "%lld%s", (long long)(value / units->factor), units->suffix);
}

static void milli_text(int64_t value, char out[CONF_VALUE_TEXT])
{
	int n = snprintf(out, CONF_VALUE_TEXT, "%s%lld.%03lld", value < 0 ? "-" : "", (long long)(value < 0 ? -(value / 1000) : value / 1000),
		(long long)(value < 0 ? -(value % 1000) : value % 1000));
	while (out[n - 1] == '0')
		out[--n] = 0;
	if (out[n - 1] == '.')
		out[n - 1] = 0;
}

char *conf_value_text(enum conf_type type, int64_t value, char out[CONF_VALUE_TEXT])
{
	if (type == CONF_DURATION && !value)
		snprintf(out, CONF_VALUE_TEXT, "0s");
	else if (type == CONF_DURATION)
		unit_text(durations, value, out);
	else if (type == CONF_SIZE)
		unit_text(sizes, value, out);
	else if (type == CONF_AMPS || type == CONF_PHASE_AMPS || type == CONF_NUMBER)
		milli_text(value, out);
	else
		snprintf(out, CONF_VALUE_TEXT, "%lld%s", (long long)value, type == CONF_PERCENT ? "%" : "");
	return out;
}

/* ---- ids ---- */

static bool made_of(const char *text, size_t most, const char *others, bool upper)
{
	size_t n = strlen(text);
	if (n < 1 || n > most)
		return false;
	for (const char *p = text; *p; p++)
		if (!(*p >= 'a' && *p <= 'z') && !(*p >= '0' && *p <= '9') && !(upper && *p >= 'A' && *p <= 'Z') && !strchr(others, *p))
			return false;
	return true;
}

bool conf_id_ok(const char *text)
{
	return made_of(text, 40, "-", false);
}

bool conf_identity_ok(const char *text)
{
	return made_of(text, 48, "*-_=:+|@.", true);
}

/* ---- one reader per type ---- */

typedef int reader(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at);

static int wrong(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, const char *what, const char *hint)
{
	if (n->kind == CONF_SCALAR)
		conf_say(f->report, CONF_ERROR, &n->pos, hint, "'%s' is not %s, which '%s' takes", n->text, what, row->name);
	else
		conf_say(f->report, CONF_ERROR, &n->pos, hint, "'%s' takes %s, not a %s", row->name, what, n->kind == CONF_MAP ? "map" : "list");
	return ERR_INVALID;
}

static int in_range(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, int64_t value)
{
	char min[CONF_VALUE_TEXT], max[CONF_VALUE_TEXT];
	if ((!row->min && !row->max) || (value >= row->min && value <= row->max))
		return 0;
	conf_say(f->report, CONF_ERROR, &n->pos, NULL, "%s: %s is outside %s to %s", row->name, n->text, conf_value_text(row->type, row->min, min),
		conf_value_text(row->type, row->max, max));
	return ERR_INVALID;
}

/* A number by `parse`, in the row's range; what int64_t, int32_t and int have in common. */
static int number(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, int (*parse)(const char *, int64_t *), const char *what,
	const char *hint, int64_t *out)
{
	if (n->kind != CONF_SCALAR || parse(n->text, out) != 0)
		return wrong(f, row, n, what, hint);
	return in_range(f, row, n, *out);
}

static int whole(const char *text, int64_t *out)
{
	return *text == '+' ? ERR_SYNTAX : int_parse(slice_of(text), out);
}

static int percent(const char *text, int64_t *out)
{
	size_t n = strlen(text);
	return n && text[n - 1] == '%' && isdigit((unsigned char)*text) ? int_parse((struct slice){ text, n - 1 }, out) : ERR_SYNTAX;
}

static int read_int(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	int64_t v;
	bool is_percent = row->type == CONF_PERCENT;
	int rc = number(f, row, n, is_percent ? percent : whole, is_percent ? "a percentage" : "a whole number", is_percent ? "write it like 50%" : NULL, &v);
	if (rc == 0 && (v < INT32_MIN || v > INT32_MAX))
		rc = wrong(f, row, n, "a number of this size", NULL);
	if (rc == 0)
		*(int *)at = (int)v;
	return rc;
}

static int read_number(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	int64_t v;
	int rc = number(f, row, n, conf_milli, "a number", NULL, &v);
	if (rc == 0)
		*(double *)at = (double)v / 1000;
	return rc;
}

static int read_duration(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	return number(f, row, n, conf_duration, "a duration", "write it like 500ms, 10s, 15m, 36h or 90d", at);
}

static int read_size(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	return number(f, row, n, conf_size, "a size", "write it like 64KiB, 256MiB or 2GiB", at);
}

static int read_amps(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	int64_t v;
	int rc = number(f, row, n, conf_milli, "a current in amperes", "write a number, as in 16 or 6.5", &v);
	if (rc == 0 && v > INT32_MAX)
		rc = wrong(f, row, n, "a current in amperes", "this is too much");
	if (rc == 0)
		*(int32_t *)at = (int32_t)v;
	return rc;
}

static int read_phase_amps(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	int32_t *ma = at;
	if (n->kind != CONF_LIST) {
		int rc = read_amps(f, row, n, &ma[0]);
		ma[1] = ma[2] = ma[0];
		return rc;
	}
	size_t i = 0;
	for (const struct conf_node *c = n->first; c; c = c->next, i++)
		if (i < 3 && read_amps(f, row, c, &ma[i]) != 0)
			return ERR_INVALID;
	if (i == 3)
		return 0;
	conf_say(f->report, CONF_ERROR, &n->pos, "three numbers, for L1, L2 and L3", "'%s' has %zu phases", row->name, i);
	return ERR_INVALID;
}

static int read_bool(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	bool on = n->kind == CONF_SCALAR && strcmp(n->text, "true") == 0;
	if (!on && (n->kind != CONF_SCALAR || strcmp(n->text, "false") != 0))
		return wrong(f, row, n, "true or false", NULL);
	*(bool *)at = on;
	return 0;
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static int read_text(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	int64_t min = row->max ? row->min : 1, max = row->max ? row->max : TEXT_MOST;
	if (n->kind != CONF_SCALAR)
		return wrong(f, row, n, "a text", NULL);
	int64_t len = (int64_t)strlen(n->text);
	if (len < min || len > max) {
		conf_say(f->report, CONF_ERROR, &n->pos, NULL, "'%s' takes %lld to %lld characters", row->name, (long long)min, (long long)max);
		return ERR_INVALID;
	}
	if (!is_printable(n->text))
		return wrong(f, row, n, "a text without control characters", NULL);
	*(const char **)at = n->text;
	return 0;
}

static int read_id(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	bool identity = row->type == CONF_IDENTITY;
	if (n->kind != CONF_SCALAR || !(identity ? conf_identity_ok(n->text) : conf_id_ok(n->text)))
		return wrong(f, row, n, identity ? "an identity" : "an id",
			identity ? "up to 48 of letters, digits and * - _ = : + | @ ." : "up to 40 of a-z, 0-9 and -");
	*(const char **)at = n->text;
	return 0;
}

static int read_path(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	int rc = read_text(f, row, n, at);
	if (rc == 0)
		conf_use_add(f, row, n, at);
	return rc;
}

static int read_ref(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	if (n->kind != CONF_SCALAR)
		return wrong(f, row, n, "an id", NULL);
	conf_use_add(f, row, n, at);
	return 0;
}

static int read_secret(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	if (n->kind != CONF_SCALAR)
		return wrong(f, row, n, "a secret", "write cred:NAME");
	if (row->read)
		return row->read(f, row, n, at);
	const char *secret = f->secret ? f->secret(f->secret_arg, f, row, n, f->id) : n->text;
	if (!secret)
		return ERR_INVALID;
	*(const char **)at = secret;
	if (row->type == CONF_SECRET_PATH)
		conf_use_add(f, row, n, at);
	return 0;
}

/* ---- words ---- */

/* True if `word` is one of those separated by spaces in `words`. */
static bool is_one_of(const char *words, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = words; p && n && (p = strstr(p, word)); p += n)
		if ((p == words || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

static char *listed(struct arena *mem, const char *const *words)
{
	struct buf b = { 0 };
	for (size_t i = 0; words[i]; i++)
		buf_printf(&b, "%s%s", !i ? "one of " : words[i + 1] ? ", " : " or ", words[i]);
	char *text = arena_text(mem, buf_view(&b));
	buf_free(&b);
	return text;
}

/* The index of a word, or ERR_INVALID with a message. */
static int word(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n)
{
	if (n->kind != CONF_SCALAR)
		return wrong(f, row, n, listed(f->mem, row->words), NULL);
	for (int i = 0; row->words[i]; i++)
		if (strcmp(row->words[i], n->text) == 0)
			return i;
	if (is_one_of(row->later, n->text)) {
		conf_say(f->report, CONF_ERROR, &n->pos, listed(f->mem, row->words), "'%s' is not available yet", n->text);
		return ERR_INVALID;
	}
	const char *near = str_nearest(n->text, row->words);
	conf_say(f->report, CONF_ERROR, &n->pos, near ? arena_printf(f->mem, "did you mean '%s'?", near) : listed(f->mem, row->words),
		"'%s' is not a value of '%s'", n->text, row->name);
	return ERR_INVALID;
}

static int read_choice(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	int i = word(f, row, n);
	if (i < 0)
		return i;
	*(int *)at = i;
	return 0;
}

static int said_twice(struct conf_fill *f, const struct conf_node *n)
{
	conf_say(f->report, CONF_ERROR, &n->pos, NULL, "'%s' is listed twice", n->text);
	return ERR_INVALID;
}

static int bits(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, unsigned *out)
{
	unsigned all = 0;
	if (n->kind != CONF_LIST)
		return wrong(f, row, n, "a list", "write it like [a, b]");
	for (const struct conf_node *c = n->first; c; c = c->next) {
		int i = word(f, row, c);
		if (i < 0)
			return i;
		if (all & 1u << i)
			return said_twice(f, c);
		all |= 1u << i;
	}
	*out = all;
	return 0;
}

static int read_choices(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	return bits(f, row, n, at);
}

static int read_phases(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	static const char *const phases[] = { "L1", "L2", "L3", NULL };
	struct conf_row named = *row;
	unsigned all;
	named.words = phases;
	if (n->kind != CONF_LIST)
		return wrong(f, row, n, "a list of phases", "write it like [L1, L2, L3]");
	if (bits(f, &named, n, &all) != 0)
		return ERR_INVALID;
	if (!all)
		return wrong(f, row, n, "at least one phase", NULL);
	*(uint8_t *)at = (uint8_t)all;
	return 0;
}

static bool is_listed(const char *const *list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return false;
}

static int read_texts(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	struct conf_row one = *row;
	size_t count = 0, room = 1;
	one.type = CONF_TEXT;
	if (n->kind != CONF_LIST)
		return wrong(f, row, n, "a list", "write it like [a, b]");
	for (const struct conf_node *c = n->first; c; c = c->next)
		room++;
	if (room > LIST_MOST)
		return wrong(f, row, n, "a list of this length", NULL);
	const char **list = arena_new(f->mem, room * sizeof(*list));
	for (const struct conf_node *c = n->first; c; c = c->next) {
		if (row->words ? word(f, row, c) < 0 : read_text(f, &one, c, &list[count]) != 0)
			return ERR_INVALID;
		if (is_listed(list, count, c->text))
			return said_twice(f, c);
		list[count++] = c->text;
	}
	*(const char *const **)at = list;
	return 0;
}

static int read_special(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	return row->read(f, row, n, at);
}

static reader *const readers[] = {
	[CONF_TEXT] = read_text,
	[CONF_ID] = read_id,
	[CONF_IDENTITY] = read_id,
	[CONF_INT] = read_int,
	[CONF_NUMBER] = read_number,
	[CONF_BOOL] = read_bool,
	[CONF_AMPS] = read_amps,
	[CONF_PHASE_AMPS] = read_phase_amps,
	[CONF_PHASES] = read_phases,
	[CONF_DURATION] = read_duration,
	[CONF_SIZE] = read_size,
	[CONF_PERCENT] = read_int,
	[CONF_CHOICE] = read_choice,
	[CONF_CHOICES] = read_choices,
	[CONF_TEXTS] = read_texts,
	[CONF_PATH] = read_path,
	[CONF_SECRET] = read_secret,
	[CONF_SECRET_PATH] = read_secret,
	[CONF_REF] = read_ref,
	[CONF_SPECIAL] = read_special,
};

int conf_read(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	return readers[row->type](f, row, n, at);
}
