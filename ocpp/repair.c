/* Repairs by rows. A payload that deviates is read again with all its faults; each fault looks for its row, and a row's repair turns into
 * an edit: a window and what comes in its place. Edits are applied together, and the result is read again, since a value that was put right
 * may show what lies inside it (a meterValue that was no list), until no row has anything to do.
 *
 * Easy to get wrong: a verdict's window is between the quotes for a text of the right type, and with its quotes for one that should be
 * something else. Two members that go leave one comma between them, so edits that touch wait for the next round. */
#include "ocpp/repair.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ocpp/format.h"
#include "ocpp/lex.h"
#include "ocpp/scan.h"
#include "ocpp/splice.h"

#define ROUNDS 8
#define EDITS 64
#define ID_MOST 36 /* characters of a message id, 2.x Part 4 4.1.4 */

struct edit {
	struct slice window, text;
};

struct repairing {
	const struct payload_check *ask;
	bool repair;
	struct slice payload;
	struct arena mem;
	struct edit edits[EDITS];
	size_t n_edits;
	uint64_t told[DEVIATIONS_MOST]; /* what was told, by hash */
	size_t n_told;
};

/* Makes the edit for a fault. False: this one is not for it. */
typedef bool repair_fn(struct repairing *r, const struct verdict *v, struct edit *out);

/* ---- repairs */

static bool replace(struct repairing *r, struct slice window, const char *text, struct edit *out)
{
	(void)r;
	*out = (struct edit){ window, slice_of(text) };
	return true;
}

static bool wrap_in_list(struct repairing *r, const struct verdict *v, struct edit *out)
{
	struct field_info field;
	if (!v->shape || v->field < 0)
		return false;
	dictionary_field(v->shape, (size_t)v->field, &field);
	if (!field.list || !v->at.n || *v->at.p != '{')
		return false;
	return replace(r, v->at, arena_printf(&r->mem, "[%.*s]", SLICE_ARG(v->at)), out);
}

/* Bytes of one character as it is written: an escape, two of them for a pair, or UTF-8. */
static size_t character(struct slice s)
{
	size_t n = 1;
	if (*s.p == '\\') {
		n = s.n > 1 && s.p[1] == 'u' ? 6 : 2;
		bool high = n == 6 && s.n >= 12 && (s.p[2] | 0x20) == 'd' && strchr("89abAB", s.p[3]);
		n += high ? 6 : 0;
	} else {
		while (n < s.n && (s.p[n] & 0xc0) == 0x80)
			n++;
	}
	return n < s.n ? n : s.n;
}

static bool cut(struct repairing *r, const struct verdict *v, struct edit *out)
{
	struct field_info field;
	struct slice rest = v->at;
	dictionary_field(v->shape, (size_t)v->field, &field);
	for (unsigned i = 0; i < field.text_max && rest.n; i++) {
		size_t n = character(rest);
		rest.p += n;
		rest.n -= n;
	}
	*out = (struct edit){ rest, { "", 0 } };
	(void)r;
	return rest.n > 0;
}

/* Puts the T, the colon of the offset or the missing Z where RFC 3339 wants them; no digit changes. */
static bool spell_time(struct repairing *r, const struct verdict *v, struct edit *out)
{
	int64_t us;
	struct slice t = v->at;
	if (t.n < 19 || time_parse(t, &us) != 0)
		return false;
	char *s = arena_printf(&r->mem, "%.*s", SLICE_ARG(t)), *zone = s + 19;
	s[10] = 'T';
	while (*zone == '.' || (*zone >= '0' && *zone <= '9'))
		zone++;
	size_t n = strlen(zone);
	if (n == 0)
		s = arena_printf(&r->mem, "%sZ", s);
	else if (n == 3)
		s = arena_printf(&r->mem, "%s:00", s);
	else if (n == 5)
		s = arena_printf(&r->mem, "%.*s:%s", (int)(zone + 3 - s), s, zone + 3);
	return format_time(slice_of(s)) && replace(r, t, s, out);
}

/* The enumeration's word in its own capitals. */
static bool respell_word(struct repairing *r, const struct verdict *v, struct edit *out)
{
	struct field_info field;
	const char *word;
	dictionary_field(v->shape, (size_t)v->field, &field);
	for (size_t i = 0; (word = dictionary_word(field.words, i)); i++)
		if (slice_eq_nocase(slice_of(word), v->at))
			return replace(r, v->at, word, out);
	return false;
}

static bool other_error(struct repairing *r, const struct verdict *v, struct edit *out)
{
	return replace(r, v->at, "OtherError", out);
}

static bool degrees(struct repairing *r, const struct verdict *v, struct edit *out)
{
	return slice_is(v->at, "C") && replace(r, v->at, "Celsius", out);
}

static bool quote(struct repairing *r, const struct verdict *v, struct edit *out)
{
	if (!v->at.n || !strchr("-0123456789tf", *v->at.p))
		return false;
	return replace(r, v->at, arena_printf(&r->mem, "\"%.*s\"", SLICE_ARG(v->at)), out);
}

static bool is_number(struct slice s)
{
	struct lex lex = { .p = s.p, .end = s.p + s.n };
	struct lex_number n;
	return s.n && (*s.p == '-' || (*s.p >= '0' && *s.p <= '9')) && lex_number(&lex, &n) && lex.p == lex.end;
}

static bool unquote(struct repairing *r, const struct verdict *v, struct edit *out)
{
	struct slice inner = { v->at.p + 1, v->at.n - 2 };
	struct field_info field;
	if (v->at.n < 3 || *v->at.p != '"')
		return false;
	dictionary_field(v->shape, (size_t)v->field, &field);
	bool fits = field.kind == FIELD_BOOL ? slice_is(inner, "true") || slice_is(inner, "false")
	                                     : (field.kind == FIELD_INT || field.kind == FIELD_DECIMAL) && is_number(inner);
	return fits && replace(r, v->at, arena_printf(&r->mem, "%.*s", SLICE_ARG(inner)), out);
}

static bool round_off(struct repairing *r, const struct verdict *v, struct edit *out)
{
	struct lex lex = { .p = v->at.p, .end = v->at.p + v->at.n };
	struct lex_number n;
	if (!is_number(v->at) || !lex_number(&lex, &n))
		return false;
	double value = lex_value(&n);
	return fabs(value) < 1e15 && replace(r, v->at, arena_printf(&r->mem, "%.0f", round(value)), out);
}

static bool drop_controls(struct repairing *r, const struct verdict *v, struct edit *out)
{
	struct buf text = { 0 };
	bool changed = repair_controls(r->payload, &text);
	(void)v;
	if (changed)
		*out = (struct edit){ r->payload, arena_slice(&r->mem, buf_view(&text)) };
	buf_free(&text);
	return changed;
}

static const char *back_over_space(const char *p, const char *start)
{
	while (p > start && (p[-1] == ' ' || p[-1] == '\t' || p[-1] == '\n' || p[-1] == '\r'))
		p--;
	return p;
}

/* Takes a member away, from its name to its value, with the comma on one side. */
static bool drop_member(struct repairing *r, const char *name, const char *end, struct edit *out)
{
	const char *start = r->payload.p, *text_end = start + r->payload.n;
	struct scan s = { end, text_end };
	if (scan_take(&s, ',')) {
		end = s.p;
	} else {
		const char *before = back_over_space(name, start);
		if (before > start && before[-1] == ',')
			name = before - 1;
	}
	*out = (struct edit){ { name, (size_t)(end - name) }, { "", 0 } };
	return true;
}

static bool drop_unknown(struct repairing *r, const struct verdict *v, struct edit *out)
{
	struct scan s = { v->at.p + v->at.n + 1, r->payload.p + r->payload.n };
	struct slice value;
	if (!scan_take(&s, ':') || !scan_value(&s, &value))
		return false;
	return drop_member(r, v->at.p - 1, value.p + value.n, out);
}

/* An optional member that says nothing. Its name stands before it, in plain letters or it is left alone. */
static bool drop_empty(struct repairing *r, const struct verdict *v, struct edit *out)
{
	struct field_info field;
	const char *start = r->payload.p, *p = back_over_space(v->at.p, start);
	dictionary_field(v->shape, (size_t)v->field, &field);
	size_t n = strlen(field.name);
	if (field.required || (v->rule == RULE_TYPE && !slice_is(v->at, "null")) || p == start || p[-1] != ':')
		return false;
	p = back_over_space(p - 1, start);
	if ((size_t)(p - start) < n + 2 || p[-1] != '"' || memcmp(p - 1 - n, field.name, n) != 0 || p[-2 - (ptrdiff_t)n] != '"')
		return false;
	return drop_member(r, p - 2 - n, v->at.p + v->at.n, out);
}

/* ---- the rows */

enum { CALLED = 1, ANSWERED = 2 };

static const struct row {
	uint8_t versions, in;
	const char *action; /* NULL: any */
	const char *path;   /* [] is any element; with * in front, how the path ends */
	enum rule rule;
	repair_fn *repair;  /* NULL: known, and passed on */
	const char *quirk;
} rows[] = {
	/* The first that matches and can do it repairs; the first that matches names the quirk otherwise. */
	{ V_ALL, CALLED | ANSWERED, NULL, "*", RULE_SYNTAX, drop_controls, "control characters inside texts are left out" },
	{ V_ALL, CALLED, NULL, "*.meterValue", RULE_TYPE, wrap_in_list, "a single meter value is put into a list" },
	{ V_ALL, CALLED, NULL, "*.sampledValue", RULE_TYPE, wrap_in_list, "a single sampled value is put into a list" },
	{ V16, CALLED, "StopTransaction", "$.transactionData", RULE_TYPE, wrap_in_list, "a single meter value is put into a list" },

	{ V_ALL, CALLED | ANSWERED, NULL, "*", RULE_DATE_TIME, spell_time, "a time without zone counts as UTC; offsets and separators are spelled out" },

	{ V16, CALLED, "BootNotification", "*", RULE_MAX_LENGTH, cut, "descriptions of the station are cut to the length allowed" },
	{ V_2X, CALLED, "BootNotification", "*", RULE_MAX_LENGTH, cut, "descriptions of the station are cut to the length allowed" },
	{ V16, CALLED, "StatusNotification", "*", RULE_MAX_LENGTH, cut, "information for people is cut to the length allowed" },
	{ V_ALL, CALLED, "SecurityEventNotification", "$.techInfo", RULE_MAX_LENGTH, cut, "information for people is cut to the length allowed" },
	{ V_2X, CALLED, "NotifyEvent", "*.techInfo", RULE_MAX_LENGTH, cut, "information for people is cut to the length allowed" },
	{ V_2X, CALLED | ANSWERED, NULL, "*.statusInfo.additionalInfo", RULE_MAX_LENGTH, cut, "information for people is cut to the length allowed" },
	{ V_ALL, CALLED, NULL, "*.idTag", RULE_MAX_LENGTH, NULL, "a token that is cut could become somebody else's" },
	{ V_2X, CALLED, NULL, "*.idToken", RULE_MAX_LENGTH, NULL, "a token that is cut could become somebody else's" },
	{ V16, ANSWERED, "GetConfiguration", "$.configurationKey[].value", RULE_MAX_LENGTH, NULL, "a setting that is cut could be written back so" },

	{ V_ALL, CALLED | ANSWERED, NULL, "*", RULE_ENUM, respell_word, "a word in other capitals" },
	{ V16, CALLED, "StatusNotification", "$.errorCode", RULE_ENUM, other_error, "an error code that the standard does not have" },
	{ V_ALL, CALLED, NULL, "*.unit", RULE_ENUM, degrees, "degrees Celsius as one letter" },
	{ V16, CALLED, NULL, "*.unit", RULE_ENUM, NULL, "a unit that 1.6 does not have; without it the value would count as Wh" },
	{ V_ALL, CALLED, NULL, "*.context", RULE_ENUM, NULL, "without its context a sample would count as periodic" },

	{ V16, CALLED, NULL, "*.sampledValue[].value", RULE_TYPE, quote, "1.6 writes sampled values as text" },
	{ V16, ANSWERED, "GetConfiguration", "$.configurationKey[].value", RULE_TYPE, quote, "1.6 writes all settings as text" },
	{ V16, ANSWERED, "GetConfiguration", "$.configurationKey[].readonly", RULE_TYPE, unquote, "a truth value as text" },
	{ V_2X, CALLED, NULL, "*.sampledValue[].value", RULE_TYPE, unquote, "2.x writes sampled values as numbers" },
	{ V_ALL, CALLED, NULL, "$.connectorId", RULE_TYPE, unquote, "a number as text" },
	{ V16, CALLED, NULL, "$.transactionId", RULE_TYPE, unquote, "a number as text" },
	{ V16, CALLED, "StopTransaction", "$.transactionId", RULE_TYPE, NULL, "no transaction is named; it is found by its connector" },
	{ V16, CALLED, "StopTransaction", "$.transactionId", RULE_REQUIRED, NULL, "no transaction is named; it is found by its connector" },
	{ V16, CALLED, "StartTransaction", "$.meterStart", RULE_TYPE, unquote, "a number as text" },
	{ V16, CALLED, "StopTransaction", "$.meterStop", RULE_TYPE, unquote, "a number as text" },
	{ V16, CALLED, "StartTransaction", "$.meterStart", RULE_TYPE, round_off, "a register with decimals is rounded to Wh" },
	{ V16, CALLED, "StopTransaction", "$.meterStop", RULE_TYPE, round_off, "a register with decimals is rounded to Wh" },

	{ V_2X, CALLED | ANSWERED, NULL, "*", RULE_EMPTY, drop_empty, "an optional field without a value is left out" },
	{ V16, CALLED | ANSWERED, NULL, "*", RULE_TYPE, drop_empty, "an optional field without a value is left out" },
	{ V16, CALLED, "Authorize", "$.connectorId", RULE_UNKNOWN_FIELD, drop_unknown, "an extra connector that says nothing the link does not" },
	{ V16, CALLED, "StopTransaction", "$.connectorId", RULE_UNKNOWN_FIELD, drop_unknown, "an extra connector; the transaction names it" },
	{ V_ALL, CALLED | ANSWERED, NULL, "*", RULE_UNKNOWN_FIELD, NULL, "an extra field; what it says would be lost" },
	{ V_2X, CALLED, NULL, "$.connectorId", RULE_REQUIRED, NULL, "which connector it was cannot be known" },
	{ V_2X, CALLED, "TransactionEvent", "$.triggerReason", RULE_REQUIRED, NULL, "why it was sent cannot be known" },
};

/* Whether the path has this form; both from the end. */
static bool same_path(const char *form, const char *path)
{
	if (*form == '*') {
		size_t n = strlen(++form);
		for (const char *from = path; !n || (from = strpbrk(from, ".$[")); from++) {
			if (!n || same_path(form, from))
				return true;
		}
		return false;
	}
	while (*form && *path) {
		if (form[0] == '[' && form[1] == ']' && *path == '[') {
			path += strcspn(path, "]") + 1;
			form += 2;
		} else if (*form++ != *path++) {
			return false;
		}
	}
	return !*form && !*path;
}

static bool row_is_for(const struct row *row, const struct payload_check *c, const struct verdict *v)
{
	bool needs_field = v->rule != RULE_SYNTAX && v->rule != RULE_UNKNOWN_FIELD;
	return row->rule == v->rule && (!needs_field || v->field >= 0) && (row->versions & (1 << c->version)) && (row->in & (c->answer ? ANSWERED : CALLED)) &&
		(!row->action || strcmp(row->action, c->action) == 0) && same_path(row->path, v->path);
}

/* Looks for the row. Its words in *quirk_out; true: the edit is made. */
static bool repair_fault(struct repairing *r, const struct verdict *v, const char **quirk_out)
{
	*quirk_out = NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!row_is_for(&rows[i], r->ask, v))
			continue;
		if (rows[i].repair && r->repair && r->n_edits < EDITS && rows[i].repair(r, v, &r->edits[r->n_edits])) {
			*quirk_out = rows[i].quirk;
			r->n_edits++;
			return true;
		}
		if (!rows[i].repair && !*quirk_out)
			*quirk_out = rows[i].quirk;
	}
	return false;
}

static bool is_news(struct repairing *r, const struct verdict *v)
{
	uint64_t hash = UINT64_C(14695981039346656037) + (uint64_t)v->rule;
	for (const char *p = v->path; *p; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
	for (size_t i = 0; i < r->n_told; i++)
		if (r->told[i] == hash)
			return false;
	if (r->n_told == DEVIATIONS_MOST)
		return false;
	r->told[r->n_told++] = hash;
	return true;
}

static void on_fault(void *arg, const struct verdict *v)
{
	struct repairing *r = arg;
	struct deviation d = { .fault = v };
	d.repaired = repair_fault(r, v, &d.quirk);
	if (is_news(r, v) && r->ask->on_deviation)
		r->ask->on_deviation(r->ask->arg, &d);
}

static int by_place(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;
	return (x->window.p > y->window.p) - (x->window.p < y->window.p);
}

static void apply(struct repairing *r, struct buf *out)
{
	const char *from = r->payload.p, *end = from + r->payload.n;
	qsort(r->edits, r->n_edits, sizeof(r->edits[0]), by_place);
	for (size_t i = 0; i < r->n_edits; i++) {
		const struct edit *e = &r->edits[i];
		if (e->window.p < from)
			continue; /* the next round sees it again */
		buf_add(out, from, (size_t)(e->window.p - from));
		buf_slice(out, e->text);
		from = e->window.p + e->window.n;
	}
	buf_add(out, from, (size_t)(end - from));
}

static bool deviates(struct repairing *r, const struct shape *shape)
{
	struct validate_how all = { .on_fault = on_fault, .arg = r };
	struct verdict first;
	r->n_edits = 0;
	return validate_with(shape, r->payload, r->ask->version, &all, &first) != 0;
}

static bool is_json(struct slice text)
{
	struct lex lex = { .p = text.p, .end = text.p + text.n };
	if (!lex_peek(&lex) || !lex_skip(&lex))
		return false;
	lex_peek(&lex);
	return lex.p == lex.end;
}

/* What is no JSON, and does not become it without control characters, is left alone: nobody can know what it was meant to be. */
static bool can_be_repaired(struct slice payload)
{
	struct buf text = { 0 };
	bool can = is_json(payload) || (repair_controls(payload, &text) && is_json(buf_view(&text)));
	buf_free(&text);
	return can;
}

enum repair_result repair_payload(const struct payload_check *c, struct slice payload, struct buf *out)
{
	assert(!out->n);
	const struct shape *shape = dictionary_shape(c->version, c->action, c->answer);
	struct verdict first;
	enum repair_result result = REPAIR_DEVIANT;
	if (!shape || validate(shape, payload, c->version, &first) == 0)
		return REPAIR_CLEAN;
	struct repairing *r = NEW(struct repairing);
	r->ask = c;
	r->repair = c->repair && can_be_repaired(payload);
	r->payload = payload;
	for (int round = 0; deviates(r, shape) && r->n_edits && round < ROUNDS; round++) {
		struct buf next = { 0 };
		apply(r, &next);
		buf_free(out);
		*out = next;
		r->payload = buf_view(out);
		result = REPAIR_DONE;
	}
	arena_free(&r->mem);
	mem_free(r);
	return result;
}

/* ---- frames */

static bool is_object(struct slice s)
{
	return s.n && *s.p == '{';
}

static void write_whole_error(const struct frame *f, struct buf *out)
{
	buf_puts(out, "[4,\"");
	buf_slice(out, f->id);
	buf_puts(out, "\",\"");
	buf_slice(out, f->code);
	buf_puts(out, "\",\"");
	buf_slice(out, f->description);
	buf_puts(out, "\",");
	if (is_object(f->payload))
		buf_slice(out, f->payload);
	else if (f->payload.n && !slice_is(f->payload, "null") && !slice_is(f->payload, "\"\""))
		buf_printf(out, "{\"details\":%.*s}", SLICE_ARG(f->payload));
	else
		buf_puts(out, "{}");
	buf_puts(out, "]");
}

static void add_control(struct buf *out, char c)
{
	if (c == '\t')
		buf_puts(out, "\\t");
	else if (c == '\n')
		buf_puts(out, "\\n");
	else if (c == '\r')
		buf_puts(out, "\\r");
}

bool repair_controls(struct slice text, struct buf *out)
{
	bool inside = false, changed = false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool space = c == '\t' || c == '\n' || c == '\r';
		if ((unsigned char)c < 0x20 && (inside || !space)) {
			if (inside)
				add_control(out, c);
			changed = true;
			continue;
		}
		if (inside && c == '\\' && i + 1 < text.n) {
			if ((unsigned char)text.p[i + 1] < 0x20)
				continue; /* escapes nothing; the control character goes next */
			buf_add(out, &c, 1);
			c = text.p[++i];
		} else if (c == '"') {
			inside = !inside;
		}
		buf_add(out, &c, 1);
	}
	return changed;
}

static void tell(const struct frame_check *c, const struct deviation *d)
{
	if (c->on_deviation)
		c->on_deviation(c->arg, d);
}

/* A fault of the envelope, in the form of one in a payload. */
static void tell_envelope(const struct frame_check *c, const char *path, enum rule rule, const char *code, struct slice at, const char *quirk, bool repaired)
{
	struct verdict v = { .rule = rule, .code = code, .at = at, .field = -1 };
	snprintf(v.path, sizeof(v.path), "%s", path);
	tell(c, &(struct deviation){ .fault = &v, .quirk = quirk, .repaired = repaired });
}

static bool check_id(const struct frame_check *c, const struct frame *f)
{
	if (f->id.n <= ID_MOST)
		return false;
	tell_envelope(c, "id", RULE_MAX_LENGTH, f->version == OCPP16 ? "FormationViolation" : "RpcFrameworkError", f->id,
	              "a message id over 36 characters is carried: answers must name it as it came", false);
	return true;
}

static enum repair_result check_error(const struct frame_check *c, const struct frame *f, struct buf *out)
{
	if (f->description.p && is_object(f->payload))
		return REPAIR_CLEAN;
	tell_envelope(c, f->description.p ? "details" : "description", f->description.p && f->payload.p ? RULE_TYPE : RULE_REQUIRED, "GenericError", f->payload,
	              "an error answer gets all its five elements", c->repair);
	if (!c->repair)
		return REPAIR_DEVIANT;
	write_whole_error(f, out);
	return REPAIR_DONE;
}

/* The name of the action that the payload belongs to; NULL: none that is known. */
static const char *action_of(const struct frame_check *c, const struct frame *f)
{
	if (f->kind == FRAME_RESULT)
		return c->asked ? c->asked->name : NULL;
	return f->act ? f->act->name : NULL;
}

enum repair_result repair_frame(const struct frame_check *c, const struct frame *f, struct buf *out)
{
	struct payload_check p = { .version = f->version, .action = action_of(c, f), .answer = f->kind == FRAME_RESULT, .repair = c->repair,
		.on_deviation = c->on_deviation, .arg = c->arg };
	struct buf payload = { 0 };
	bool deviant = check_id(c, f);
	if (f->kind == FRAME_ERROR)
		return check_error(c, f, out);
	if (f->kind == FRAME_RESULT_ERROR)
		return deviant ? REPAIR_DEVIANT : REPAIR_CLEAN;
	if (!p.action && f->kind != FRAME_RESULT) {
		tell_envelope(c, "action", RULE_ENUM, "NotImplemented", f->action, "an action that this version does not have is carried unread", false);
		return REPAIR_DEVIANT;
	}
	enum repair_result result = p.action ? repair_payload(&p, f->payload, &payload) : REPAIR_CLEAN;
	if (result == REPAIR_DONE)
		splice_write(out, f->raw, f->payload, buf_view(&payload));
	buf_free(&payload);
	return result == REPAIR_CLEAN && deviant ? REPAIR_DEVIANT : result;
}
