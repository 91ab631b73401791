/* protobuf-c packs trees of structs; the trees are made in an arena and die with the payload.
 *
 * Easy to get wrong: small integers of all signs travel as unsigned ones, and only their data type tells (Sparkplug 3.0, 6.4.17). */
#include "plugins/sparkplug-payload.h"

#include <math.h>

#include "base/error.h"
#include "base/mem.h"
#include "plugins/sparkplug.pb-c.h"

/* Data types that are only read. */
enum { INT8 = 1, INT16 = 2, INT32 = 3 };

static void put_value(Sparkplug__Metric *m, enum sparkplug_type type, const struct sparkplug_value *v)
{
	m->has_is_null = m->is_null = !v->known;
	if (!v->known)
		return;
	switch (type) {
	case SPARKPLUG_INT64:
	case SPARKPLUG_DATETIME:
		m->value_case = SPARKPLUG__METRIC__VALUE_LONG_VALUE;
		m->long_value = (uint64_t)v->integer;
		break;
	case SPARKPLUG_DOUBLE:
		m->value_case = SPARKPLUG__METRIC__VALUE_DOUBLE_VALUE;
		m->double_value = v->number;
		break;
	case SPARKPLUG_BOOLEAN:
		m->value_case = SPARKPLUG__METRIC__VALUE_BOOLEAN_VALUE;
		m->boolean_value = v->truth;
		break;
	case SPARKPLUG_STRING:
		m->value_case = SPARKPLUG__METRIC__VALUE_STRING_VALUE;
		m->string_value = (char *)v->text;
		break;
	}
}

/* The property that hosts look for, "engUnit". */
static Sparkplug__PropertySet *unit_property(struct arena *mem, const char *unit)
{
	Sparkplug__PropertySet *set = arena_new(mem, sizeof(*set));
	Sparkplug__PropertyValue *value = arena_new(mem, sizeof(*value));
	sparkplug__property_set__init(set);
	sparkplug__property_value__init(value);
	value->has_type = 1;
	value->type = SPARKPLUG_STRING;
	value->value_case = SPARKPLUG__PROPERTY_VALUE__VALUE_STRING_VALUE;
	value->string_value = (char *)unit;
	set->n_keys = set->n_values = 1;
	set->keys = arena_new(mem, sizeof(char *));
	set->keys[0] = (char *)"engUnit";
	set->values = arena_new(mem, sizeof(Sparkplug__PropertyValue *));
	set->values[0] = value;
	return set;
}

static Sparkplug__Metric *make_metric(struct arena *mem, uint64_t ms, const struct sparkplug_metric *from)
{
	Sparkplug__Metric *m = arena_new(mem, sizeof(*m));
	sparkplug__metric__init(m);
	m->name = (char *)from->name;
	m->has_alias = from->alias != 0;
	m->alias = from->alias;
	m->has_timestamp = m->has_datatype = 1;
	m->timestamp = ms;
	m->datatype = from->type;
	put_value(m, from->type, &from->value);
	if (from->name && from->unit)
		m->properties = unit_property(mem, from->unit);
	return m;
}

void sparkplug_write(struct buf *out, int64_t wall_us, int seq, const struct sparkplug_metric *metrics, size_t n)
{
	struct arena mem = { 0 };
	Sparkplug__Payload p = SPARKPLUG__PAYLOAD__INIT;
	p.has_timestamp = 1;
	p.timestamp = (uint64_t)(wall_us / 1000);
	p.has_seq = seq >= 0;
	p.seq = p.has_seq ? (uint64_t)seq : 0;
	p.n_metrics = n;
	p.metrics = arena_new(&mem, (n + 1) * sizeof(*p.metrics));
	for (size_t i = 0; i < n; i++)
		p.metrics[i] = make_metric(&mem, p.timestamp, &metrics[i]);
	size_t size = sparkplug__payload__get_packed_size(&p);
	sparkplug__payload__pack(&p, (uint8_t *)buf_room(out, size + 1));
	out->n += size;
	arena_free(&mem);
}

static double small_number(const Sparkplug__Metric *m)
{
	bool is_signed = m->datatype == INT8 || m->datatype == INT16 || m->datatype == INT32;
	return is_signed ? (double)(int32_t)m->int_value : (double)m->int_value;
}

static struct sparkplug_value take_value(const Sparkplug__Metric *m)
{
	struct sparkplug_value v = { .known = !m->is_null, .number = NAN };
	switch (m->value_case) {
	case SPARKPLUG__METRIC__VALUE_INT_VALUE:
		v.number = small_number(m);
		break;
	case SPARKPLUG__METRIC__VALUE_LONG_VALUE:
		v.number = m->datatype == SPARKPLUG_INT64 ? (double)(int64_t)m->long_value : (double)m->long_value;
		break;
	case SPARKPLUG__METRIC__VALUE_FLOAT_VALUE:
		v.number = (double)m->float_value;
		break;
	case SPARKPLUG__METRIC__VALUE_DOUBLE_VALUE:
		v.number = m->double_value;
		break;
	case SPARKPLUG__METRIC__VALUE_BOOLEAN_VALUE:
		v.truth = m->boolean_value != 0;
		break;
	case SPARKPLUG__METRIC__VALUE_STRING_VALUE:
		v.text = m->string_value;
		break;
	default:
		v.known = false;
	}
	return v;
}

int sparkplug_read(struct slice bytes, void (*see)(void *arg, const struct sparkplug_metric *m), void *arg)
{
	Sparkplug__Payload *p = sparkplug__payload__unpack(NULL, bytes.n, (const uint8_t *)bytes.p);
	if (!p)
		return ERR_SYNTAX;
	for (size_t i = 0; i < p->n_metrics; i++) {
		const Sparkplug__Metric *m = p->metrics[i];
		struct sparkplug_metric seen = { .name = m->name && *m->name ? m->name : NULL, .alias = m->alias, .value = take_value(m) };
		see(arg, &seen);
	}
	sparkplug__payload__free_unpacked(p, NULL);
	return 0;
}
