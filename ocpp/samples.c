/* Meter values, read leniently and scaled to the unit of their measurand.
 *
 * Easy to get wrong: a missing unit means Wh by the letter of every version, but stations leave it out for watts and amperes as well, and
 * some put an energy unit on a power. Only the power of ten is therefore taken from the unit, never its dimension. */
#include "ocpp/samples.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static const struct measurand_word {
	const char *name, *unit;
	enum measurand measurand;
} measurands[] = { /* the first row of a measurand is how it is written */
	{ "Energy.Active.Import.Register", "Wh", MEAS_ENERGY_IMPORT },
	{ "Energy.Active.Export.Register", "Wh", MEAS_ENERGY_EXPORT },
	{ "Power.Active.Import", "W", MEAS_POWER_IMPORT },
	{ "Power.Offered", "W", MEAS_POWER_OFFERED },
	{ "Power.Import.Offered", "W", MEAS_POWER_OFFERED }, /* since 2.1, as the next */
	{ "Current.Import", "A", MEAS_CURRENT_IMPORT },
	{ "Current.Offered", "A", MEAS_CURRENT_OFFERED },
	{ "Current.Import.Offered", "A", MEAS_CURRENT_OFFERED },
	{ "Power.Active.Export", "W", MEAS_POWER_EXPORT },
	{ "Current.Export", "A", MEAS_CURRENT_EXPORT },
	{ "Voltage", "V", MEAS_VOLTAGE },
	{ "SoC", "Percent", MEAS_SOC },
};
#define MEASURANDS (sizeof(measurands) / sizeof(measurands[0]))

static const struct measurand_word *word_of(enum measurand m)
{
	for (size_t i = 0; i < MEASURANDS; i++)
		if (measurands[i].measurand == m)
			return &measurands[i];
	return NULL;
}

static enum measurand measurand_read(const cJSON *item)
{
	struct slice name = json_text(item, "measurand");
	if (!name.n)
		return MEAS_ENERGY_IMPORT;
	for (size_t i = 0; i < MEASURANDS; i++)
		if (slice_is(name, measurands[i].name))
			return measurands[i].measurand;
	return MEAS_OTHER;
}

/* 0: none said, 1..3, or -1 for one that our samples cannot tell. */
static int phase_read(const cJSON *item)
{
	static const char *const names[] = { "L1", "L2", "L3", "L1-N", "L2-N", "L3-N" };
	struct slice phase = json_text(item, "phase");
	if (!phase.n)
		return 0;
	for (int i = 0; i < 6; i++)
		if (slice_is(phase, names[i]))
			return i % 3 + 1;
	return -1;
}

static double scale_of(const cJSON *item)
{
	struct slice unit = json_text(item, "unit");
	if (!unit.p)
		unit = json_text(item, "unitOfMeasure.unit");
	int64_t power = json_int(item, "unitOfMeasure.multiplier", 0);
	double scale = power >= -12 && power <= 12 ? pow(10, (double)power) : 1;
	if (slice_is(unit, "kWh") || slice_is(unit, "kW") || slice_is(unit, "kV") || slice_is(unit, "kA"))
		return scale * 1000;
	if (slice_is(unit, "mA") || slice_is(unit, "mV") || slice_is(unit, "mW") || slice_is(unit, "mWh"))
		return scale / 1000;
	if (slice_is(unit, "MWh") || slice_is(unit, "MW"))
		return scale * 1e6;
	return scale;
}

static bool sample_read(const cJSON *item, int64_t time_us, struct sample *out)
{
	struct slice context = json_text(item, "context");
	int phase = phase_read(item);
	double value = json_number(item, "value", NAN) * scale_of(item);
	if (!isfinite(value) || phase < 0 || slice_is(json_text(item, "format"), "SignedData") || slice_is(json_text(item, "location"), "Upstream"))
		return false;
	*out = (struct sample){
		.time_us = time_us,
		.measurand = measurand_read(item),
		.phase = (uint8_t)phase,
		.begin = slice_is(context, "Transaction.Begin"),
		.end = slice_is(context, "Transaction.End"),
		.clock = slice_is(context, "Sample.Clock"),
		.trigger = slice_is(context, "Trigger"),
		.value = value,
	};
	if (slice_is(json_text(item, "location"), "EV") && out->measurand != MEAS_SOC)
		return false; /* what the car measures behind its charger is not what it takes here */
	return out->measurand != MEAS_OTHER;
}

/* The first entry of a list, or the object itself where a station forgot the list around it. */
static const cJSON *first_of(const cJSON *list)
{
	if (cJSON_IsArray(list))
		return list->child;
	return cJSON_IsObject(list) ? list : NULL;
}

static const cJSON *next_of(const cJSON *list, const cJSON *entry)
{
	return cJSON_IsArray(list) ? entry->next : NULL;
}

static size_t count_values(const cJSON *list)
{
	size_t n = 0;
	for (const cJSON *entry = first_of(list); entry && n < SAMPLES_MOST; entry = next_of(list, entry)) {
		const cJSON *values = json_at(entry, "sampledValue");
		for (const cJSON *v = first_of(values); v && n < SAMPLES_MOST; v = next_of(values, v))
			n++;
	}
	return n;
}

void samples_read(struct reading *r, const cJSON *list, struct event *out)
{
	size_t left = count_values(list);
	if (!left)
		return;
	out->samples = arena_new(r->mem, left * sizeof(struct sample));
	for (const cJSON *entry = first_of(list); entry; entry = next_of(list, entry)) {
		int64_t time_us = bind_time(entry, "timestamp");
		const cJSON *values = json_at(entry, "sampledValue");
		for (const cJSON *v = first_of(values); v && left; v = next_of(values, v), left--)
			out->n_samples += sample_read(v, time_us, &out->samples[out->n_samples]);
	}
}

static void value_write(struct writing *w, double value)
{
	struct buf text = { 0 };
	struct json_writer number;
	if (w->version != OCPP16) {
		jw_number(&w->w, "value", value, 3);
		return;
	}
	jw_open(&number, &text);
	jw_number(&number, NULL, value, 3);
	jw_text(&w->w, "value", buf_view(&text));
	buf_free(&text);
}

static void phase_write(struct writing *w, const struct sample *s)
{
	char name[8];
	if (!s->phase)
		return;
	snprintf(name, sizeof(name), "L%u%s", (unsigned)s->phase, s->measurand == MEAS_VOLTAGE ? "-N" : "");
	jw_string(&w->w, "phase", name);
}

static const char *context_of(const struct sample *s)
{
	if (s->begin || s->end)
		return s->begin ? "Transaction.Begin" : "Transaction.End";
	if (s->clock || s->trigger)
		return s->clock ? "Sample.Clock" : "Trigger";
	return "Sample.Periodic";
}

static void sample_write(struct writing *w, const struct sample *s)
{
	const struct measurand_word *word = word_of(s->measurand);
	jw_object(&w->w, NULL);
	value_write(w, s->value);
	jw_string(&w->w, "context", context_of(s));
	jw_string(&w->w, "measurand", word->name);
	phase_write(w, s);
	if (w->version != OCPP16)
		jw_object(&w->w, "unitOfMeasure");
	jw_string(&w->w, "unit", word->unit);
	if (w->version != OCPP16)
		jw_end(&w->w, '}');
	jw_end(&w->w, '}');
}

static bool writable(const struct sample *s)
{
	return word_of(s->measurand) && isfinite(s->value) && s->phase <= 3;
}

static const struct sample *next_writable(const struct event *e, const struct sample *s)
{
	while (s < e->samples + e->n_samples && !writable(s))
		s++;
	return s < e->samples + e->n_samples ? s : NULL;
}

void samples_write(struct writing *w, const char *key, const struct event *e)
{
	const struct sample *s = e->n_samples ? next_writable(e, e->samples) : NULL;
	if (!s)
		return;
	jw_array(&w->w, key);
	while (s) {
		int64_t time_us = s->time_us;
		jw_object(&w->w, NULL);
		jw_time(&w->w, "timestamp", time_us ? time_us : e->time_us ? e->time_us : clock_wall_us());
		jw_array(&w->w, "sampledValue");
		for (; s && s->time_us == time_us; s = next_writable(e, s + 1))
			sample_write(w, s);
		jw_end(&w->w, ']');
		jw_end(&w->w, '}');
	}
	jw_end(&w->w, ']');
}
