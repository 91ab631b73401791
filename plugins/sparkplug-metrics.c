/* A metric's name is what its topic is about, then the row's own: "EVSE 1/Current L1". Rows with a verb can be written, and those without a path
 * have nothing to show: they are there to be written.
 *
 * Easy to get wrong: an alias stands for one metric of the whole node, devices included, and a device's metrics never change their types, so
 * a value that is missing or of another kind is null. */
#include "plugins/sparkplug-metrics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

enum part { PART_INFO, PART_SITE, PART_CIRCUIT, PART_METER, PART_STATION, PART_EVSE };

static const struct row {
	enum part part;
	const char *path;  /* in the topic's JSON; NULL: only to be written; "a.*.b": for each member of a */
	const char *name;
	enum sparkplug_type type;
	const char *unit;
	bool phases;       /* an array of three: L1, L2, L3 */
	const char *verb;  /* that writing it runs; NULL: it cannot be written */
} rows[] = {
	{ PART_INFO, "name", "Properties/Name", SPARKPLUG_STRING, NULL, false, NULL },
	{ PART_INFO, "version", "Properties/Version", SPARKPLUG_STRING, NULL, false, NULL },
	{ PART_SITE, "i_a", "Current", SPARKPLUG_DOUBLE, "A", true, NULL },
	{ PART_SITE, "limit_a", "Limit", SPARKPLUG_DOUBLE, "A", true, NULL },
	{ PART_SITE, "p_w", "Power", SPARKPLUG_DOUBLE, "W", false, NULL },
	{ PART_SITE, "charging", "Charging", SPARKPLUG_INT64, NULL, false, NULL },
	{ PART_SITE, "waiting", "Waiting", SPARKPLUG_INT64, NULL, false, NULL },
	{ PART_SITE, "queue.messages", "Queue/Messages", SPARKPLUG_INT64, NULL, false, NULL },
	{ PART_SITE, "uplink.*.state", "Uplink/*/State", SPARKPLUG_STRING, NULL, false, NULL },
	{ PART_CIRCUIT, "i_a", "Current", SPARKPLUG_DOUBLE, "A", true, NULL },
	{ PART_CIRCUIT, "limit_a", "Limit", SPARKPLUG_DOUBLE, "A", true, NULL },
	{ PART_CIRCUIT, "headroom_a", "Headroom", SPARKPLUG_DOUBLE, "A", true, NULL },
	{ PART_CIRCUIT, "p_w", "Power", SPARKPLUG_DOUBLE, "W", false, NULL },
	{ PART_CIRCUIT, "stale", "Stale", SPARKPLUG_BOOLEAN, NULL, false, NULL },
	{ PART_CIRCUIT, NULL, "Control/Cap", SPARKPLUG_DOUBLE, "A", false, "limit.set" },
	{ PART_METER, "state", "State", SPARKPLUG_STRING, NULL, false, NULL },
	{ PART_METER, "i_a", "Current", SPARKPLUG_DOUBLE, "A", true, NULL },
	{ PART_METER, "p_w", "Power", SPARKPLUG_DOUBLE, "W", false, NULL },
	{ PART_METER, "import_wh", "Energy", SPARKPLUG_INT64, "Wh", false, NULL },
	{ PART_STATION, "name", "Properties/Name", SPARKPLUG_STRING, NULL, false, NULL },
	{ PART_STATION, "vendor", "Properties/Vendor", SPARKPLUG_STRING, NULL, false, NULL },
	{ PART_STATION, "model", "Properties/Model", SPARKPLUG_STRING, NULL, false, NULL },
	{ PART_STATION, "firmware", "Properties/Firmware", SPARKPLUG_STRING, NULL, false, NULL },
	{ PART_STATION, "subprotocol", "Properties/Protocol", SPARKPLUG_STRING, NULL, false, NULL },
	{ PART_STATION, "state", "State", SPARKPLUG_STRING, NULL, false, NULL },
	{ PART_STATION, "queued", "Queued", SPARKPLUG_INT64, NULL, false, NULL },
	{ PART_STATION, NULL, "Control/Reset", SPARKPLUG_BOOLEAN, NULL, false, "station.reset" },
	{ PART_EVSE, "state", "State", SPARKPLUG_STRING, NULL, false, NULL },
	{ PART_EVSE, "circuit", "Circuit", SPARKPLUG_STRING, NULL, false, NULL },
	{ PART_EVSE, "waiting", "Waiting", SPARKPLUG_BOOLEAN, NULL, false, NULL },
	{ PART_EVSE, "i_a", "Current", SPARKPLUG_DOUBLE, "A", true, NULL },
	{ PART_EVSE, "offered_a", "Offered", SPARKPLUG_DOUBLE, "A", false, NULL },
	{ PART_EVSE, "p_w", "Power", SPARKPLUG_DOUBLE, "W", false, NULL },
	{ PART_EVSE, "energy_wh", "Energy", SPARKPLUG_INT64, "Wh", false, NULL },
	{ PART_EVSE, "error", "Error", SPARKPLUG_STRING, NULL, false, NULL },
	{ PART_EVSE, "limit.a", "Limit", SPARKPLUG_DOUBLE, "A", true, NULL },
	{ PART_EVSE, "limit.reason", "Limit/Reason", SPARKPLUG_STRING, NULL, false, NULL },
	{ PART_EVSE, "limit.ref", "Limit/Object", SPARKPLUG_STRING, NULL, false, NULL },
	{ PART_EVSE, "cap_a", "Cap", SPARKPLUG_DOUBLE, "A", false, "limit.set" },
	{ PART_EVSE, "tx.id", "Transaction/Id", SPARKPLUG_STRING, NULL, false, NULL },
	{ PART_EVSE, "tx.token", "Transaction/Token", SPARKPLUG_STRING, NULL, false, NULL },
	{ PART_EVSE, "tx.start", "Transaction/Start", SPARKPLUG_DATETIME, NULL, false, NULL },
	{ PART_EVSE, "tx.energy_wh", "Transaction/Energy", SPARKPLUG_INT64, "Wh", false, NULL },
	{ PART_EVSE, NULL, "Control/Stop", SPARKPLUG_BOOLEAN, NULL, false, "evse.stop" },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

struct point {
	struct list entry;
	const struct row *row;
	char *name;
	uint64_t alias;
	char *object;      /* the circuit or EVSE that an order is for */
	struct sparkplug_value value;
	char *text;        /* of the value */
	bool changed;
};

struct sparkplug_metrics {
	bool (*allowed)(void *arg, const char *verb);
	void *arg;
	uint64_t last_alias;
	struct sparkplug_thing node;
	struct list devices;
};

/* What a topic is about. */
struct subject {
	enum part part;
	struct slice station, object; /* levels */
};

/* ---- things and points ---- */

static void free_thing(struct sparkplug_thing *t)
{
	LIST_WALK(&t->points, struct point, entry, p) {
		mem_free(p->name);
		mem_free(p->object);
		mem_free(p->text);
		mem_free(p);
	}
	mem_free(t->id);
}

struct sparkplug_metrics *sparkplug_metrics_new(bool (*allowed)(void *arg, const char *verb), void *arg)
{
	struct sparkplug_metrics *m = NEW(struct sparkplug_metrics);
	m->allowed = allowed;
	m->arg = arg;
	m->node.online = true;
	list_init(&m->node.points);
	list_init(&m->devices);
	return m;
}

void sparkplug_metrics_free(struct sparkplug_metrics **m)
{
	if (!*m)
		return;
	LIST_WALK(&(*m)->devices, struct sparkplug_thing, entry, t) {
		free_thing(t);
		mem_free(t);
	}
	free_thing(&(*m)->node);
	mem_free(*m);
	*m = NULL;
}

struct sparkplug_thing *sparkplug_node(struct sparkplug_metrics *m)
{
	return &m->node;
}

struct list *sparkplug_devices(struct sparkplug_metrics *m)
{
	return &m->devices;
}

struct sparkplug_thing *sparkplug_device(struct sparkplug_metrics *m, struct slice id)
{
	LIST_WALK(&m->devices, struct sparkplug_thing, entry, t)
		if (slice_is(id, t->id))
			return t;
	return NULL;
}

static struct sparkplug_thing *thing_of(struct sparkplug_metrics *m, const struct subject *s)
{
	struct sparkplug_thing *t = s->station.p ? sparkplug_device(m, s->station) : &m->node;
	if (t)
		return t;
	t = NEW(struct sparkplug_thing);
	t->id = mem_text(s->station);
	list_init(&t->points);
	list_append(&m->devices, &t->entry);
	return t;
}

static struct point *point_named(struct sparkplug_metrics *m, struct sparkplug_thing *t, const struct row *row, const char *name, struct slice object)
{
	LIST_WALK(&t->points, struct point, entry, p)
		if (p->row == row && strcmp(p->name, name) == 0)
			return p;
	struct point *p = NEW(struct point);
	p->row = row;
	p->name = mem_strdup(name);
	p->alias = ++m->last_alias;
	p->object = mem_text(object);
	if (row->type == SPARKPLUG_BOOLEAN && !row->path)
		p->value.known = true; /* an order that nobody gives is false */
	list_append(&t->points, &p->entry);
	t->grown = true;
	return p;
}

/* ---- values ---- */

static struct sparkplug_value value_of(enum sparkplug_type type, const cJSON *j)
{
	struct sparkplug_value v = { 0 };
	int64_t wall_us = 0;
	switch (type) {
	case SPARKPLUG_INT64:
		v.known = cJSON_IsNumber(j);
		v.integer = v.known ? llround(j->valuedouble) : 0;
		break;
	case SPARKPLUG_DOUBLE:
		v.known = cJSON_IsNumber(j);
		v.number = v.known ? j->valuedouble : 0;
		break;
	case SPARKPLUG_BOOLEAN:
		v.known = cJSON_IsBool(j);
		v.truth = cJSON_IsTrue(j);
		break;
	case SPARKPLUG_STRING:
		v.known = cJSON_IsString(j);
		v.text = v.known ? j->valuestring : NULL;
		break;
	case SPARKPLUG_DATETIME:
		v.known = cJSON_IsString(j) && time_parse(slice_of(j->valuestring), &wall_us) == 0;
		v.integer = wall_us / 1000;
		break;
	}
	return v;
}

static bool same(const struct sparkplug_value *a, const struct sparkplug_value *b)
{
	bool same_text = a->text && b->text ? strcmp(a->text, b->text) == 0 : a->text == b->text;
	return a->known == b->known && a->integer == b->integer && a->number == b->number && a->truth == b->truth && same_text;
}

static void set_value(struct sparkplug_thing *t, struct point *p, const cJSON *j)
{
	struct sparkplug_value v = value_of(p->row->type, j);
	if (same(&v, &p->value))
		return;
	mem_free(p->text);
	p->text = v.text ? mem_strdup(v.text) : NULL;
	p->value = v;
	p->value.text = p->text;
	p->changed = t->changed = true;
}

/* ---- topics ---- */

static struct slice next_level(struct slice *rest)
{
	const char *slash = rest->n ? memchr(rest->p, '/', rest->n) : NULL;
	struct slice level = { rest->p, slash ? (size_t)(slash - rest->p) : rest->n };
	*rest = slash ? (struct slice){ slash + 1, rest->n - level.n - 1 } : (struct slice){ 0 };
	return level;
}

/* False: nothing that has metrics. */
static bool read_topic(const char *topic, struct subject *s, bool *is_status)
{
	struct slice rest = slice_of(topic), first = next_level(&rest), second = next_level(&rest), third = next_level(&rest);
	*is_status = false;
	*s = (struct subject){ 0 };
	if (slice_is(first, "station") && second.n) {
		*is_status = slice_is(third, "status");
		s->part = slice_is(third, "evse") ? PART_EVSE : PART_STATION;
		s->station = second;
		s->object = s->part == PART_EVSE ? rest : (struct slice){ 0 };
		return s->part == PART_STATION || rest.n;
	}
	s->part = slice_is(first, "info") ? PART_INFO : slice_is(first, "site") ? PART_SITE : slice_is(first, "circuit") ? PART_CIRCUIT : PART_METER;
	s->object = second;
	return s->part == PART_INFO || s->part == PART_SITE || (second.n && (s->part == PART_CIRCUIT || slice_is(first, "meter")));
}

/* "EVSE 1/" and the like. */
static void begin_name(const struct subject *s, struct buf *name)
{
	static const char *const words[] = { [PART_INFO] = "", [PART_SITE] = "Site/", [PART_CIRCUIT] = "Circuit/", [PART_METER] = "Meter/",
		[PART_STATION] = "", [PART_EVSE] = "EVSE " };
	buf_puts(name, words[s->part]);
	if (!s->object.n)
		return;
	buf_slice(name, s->object);
	buf_puts(name, "/");
}

/* One metric; `star` and `tail` are put behind the row's name. */
static void feed_one(struct sparkplug_metrics *m, struct sparkplug_thing *t, const struct subject *s, const struct row *row, const char *star,
                     const char *tail, const cJSON *value)
{
	struct buf name = { 0 };
	const char *at = strchr(row->name, '*');
	begin_name(s, &name);
	buf_add(&name, row->name, at ? (size_t)(at - row->name) : strlen(row->name));
	if (at)
		buf_printf(&name, "%s%s", star, at + 1);
	buf_puts(&name, tail);
	struct point *p = point_named(m, t, row, name.p, s->object);
	if (row->path)
		set_value(t, p, value);
	buf_free(&name);
}

static void feed_each(struct sparkplug_metrics *m, struct sparkplug_thing *t, const struct subject *s, const struct row *row, const cJSON *json)
{
	const char *star = strstr(row->path, ".*.");
	char head[32];
	const cJSON *member;
	snprintf(head, sizeof(head), "%.*s", (int)(star - row->path), row->path);
	cJSON_ArrayForEach(member, json_at(json, head))
		if (member->string)
			feed_one(m, t, s, row, member->string, "", json_at(member, star + 3));
}

static void feed_row(struct sparkplug_metrics *m, struct sparkplug_thing *t, const struct subject *s, const struct row *row, const cJSON *json)
{
	static const char *const tails[] = { " L1", " L2", " L3" };
	const cJSON *value = row->path ? json_at(json, row->path) : NULL;
	if (row->path && strchr(row->path, '*'))
		feed_each(m, t, s, row, json);
	else if (row->phases)
		for (int i = 0; i < 3; i++)
			feed_one(m, t, s, row, "", tails[i], cJSON_GetArrayItem(value, i));
	else if (row->path || m->allowed(m->arg, row->verb))
		feed_one(m, t, s, row, "", "", value);
}

void sparkplug_feed(struct sparkplug_metrics *m, const char *topic, struct slice payload)
{
	struct subject s;
	bool is_status;
	if (!read_topic(topic, &s, &is_status))
		return;
	struct sparkplug_thing *t = thing_of(m, &s);
	if (is_status) {
		t->online = slice_is(payload, "online");
		return;
	}
	cJSON *json = json_parse(payload);
	for (size_t i = 0; json && i < ROWS; i++)
		if (rows[i].part == s.part)
			feed_row(m, t, &s, &rows[i], json);
	cJSON_Delete(json);
}

/* ---- out ---- */

size_t sparkplug_take(struct sparkplug_thing *t, bool birth, struct sparkplug_metric **out)
{
	size_t room = 0, n = 0;
	LIST_WALK(&t->points, struct point, entry, counted)
		room += birth || counted->changed;
	*out = mem_new((room + 1) * sizeof(**out));
	LIST_WALK(&t->points, struct point, entry, p) {
		if (birth || p->changed)
			(*out)[n++] = (struct sparkplug_metric){ birth ? p->name : NULL, p->alias, p->row->type, p->row->unit, p->value };
		p->changed = false;
	}
	t->changed = false;
	t->grown = t->grown && !birth;
	return n;
}

/* ---- orders ---- */

static const struct point *find(const struct sparkplug_thing *t, const struct sparkplug_metric *written)
{
	LIST_WALK(&t->points, struct point, entry, p)
		if (written->name ? strcmp(p->name, written->name) == 0 : p->alias == written->alias)
			return p;
	return NULL;
}

/* A level of a topic as the id it stands for. */
static void unescape(const char *level, struct buf *id)
{
	for (; *level; level++) {
		unsigned char byte;
		if (*level == '%' && level[1] && level[2] && hex_parse((struct slice){ level + 1, 2 }, &byte, 1) == 1) {
			buf_add(id, &byte, 1);
			level += 2;
		} else {
			buf_add(id, level, 1);
		}
	}
}

/* Whoever writes false does not press the button. */
static bool fits(enum sparkplug_type type, const struct sparkplug_value *v)
{
	return v->known && (type == SPARKPLUG_BOOLEAN ? v->truth : isfinite(v->number));
}

const char *sparkplug_order(struct sparkplug_metrics *m, const struct sparkplug_thing *t, const struct sparkplug_metric *written, struct buf *json)
{
	const struct point *p = find(t, written);
	const struct sparkplug_value *v = &written->value;
	struct json_writer w;
	if (!p || !p->row->verb || !m->allowed(m->arg, p->row->verb) || !fits(p->row->type, v))
		return NULL;
	jw_open(&w, json);
	jw_object(&w, NULL);
	if (t->id) {
		struct buf id = { 0 };
		unescape(t->id, &id);
		jw_string(&w, "station", id.p);
		buf_free(&id);
	} else {
		jw_string(&w, "circuit", p->object);
	}
	if (p->row->part == PART_EVSE)
		jw_raw(&w, "evse", slice_of(p->object));
	if (p->row->type == SPARKPLUG_DOUBLE) {
		jw_number(&w, "limit_a", v->number, 3);
		jw_string(&w, "for", "12h");
	}
	jw_end(&w, '}');
	return p->row->verb;
}
