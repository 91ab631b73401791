/* Each hint is one thing that an electrician can do something about. Easy to get wrong: a roof that feeds in at noon looks like transformers that
 * are turned round, all of them; so the words leave that open where it can be. */
#include "gateway/manage/meter-look.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gateway/manage/commission.h"

#define VOLTS_LEAST 180.0
#define VOLTS_MOST 260.0
#define FROZEN_SAMPLES 8

void look_failed(struct meter_look *l, const char *fault)
{
	l->failed++;
	snprintf(l->fault, sizeof(l->fault), "%s", fault ? fault : "no reading");
}

static bool is_same(const ag_meter_sample *a, const ag_meter_sample *b)
{
	ag_meter_sample x = *a, y = *b;
	x.mono_us = y.mono_us = 0;
	return memcmp(&x, &y, sizeof(x)) == 0;
}

void look_add(struct meter_look *l, const ag_meter_sample *s)
{
	for (int i = 0; i < 3; i++) {
		struct look_phase *p = &l->phases[i];
		bool u = (s->valid & AG_U) && !isnan(s->u_v[i]), c = (s->valid & AG_I) && !isnan(s->i_a[i]), w = (s->valid & AG_P) && !isnan(s->p_w[i]);
		p->u += u ? s->u_v[i] : 0;
		p->i += c ? s->i_a[i] : 0;
		p->size += c ? fabs(s->i_a[i]) : 0;
		p->p += w ? s->p_w[i] : 0;
		p->n_u += u;
		p->n_i += c;
		p->n_p += w;
		l->sum_of_phases += (s->valid & AG_POWER) && w ? s->p_w[i] : 0;
	}
	if (s->valid & AG_POWER) {
		l->power += s->power_w;
		l->n_power++;
	}
	if (l->n && !is_same(&l->last, s))
		l->changed = true;
	if (!l->n++)
		l->first = *s;
	l->last = *s;
}

static double mean(double sum, int n)
{
	return n ? sum / n : NAN;
}

/* --- hints --- */

static void hint(struct json_writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void hint(struct json_writer *w, const char *fmt, ...)
{
	char text[240];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	jw_string(w, NULL, text);
}

static int count(const enum wiring found[3], enum wiring a, enum wiring b)
{
	int n = 0;
	for (int i = 0; i < 3; i++)
		n += found[i] == a || found[i] == b;
	return n;
}

static bool hint_reversed(const enum wiring found[3], struct json_writer *w)
{
	int n = count(found, WIRING_REVERSED, WIRING_REVERSED), loaded = 3 - count(found, WIRING_UNLOADED, WIRING_UNKNOWN);
	if (n && n == loaded) {
		hint(w, "%s: something feeds in behind this meter now, or it counts the other way round (invert: true, or turn the transformers)",
		     n == 1 ? "the power is negative" : "the power of all phases is negative");
		return false;
	}
	for (int i = 0; i < 3; i++)
		if (found[i] == WIRING_REVERSED)
			hint(w, "L%d counts the other way round than the rest: turn its current transformer, unless something feeds in on that phase alone", i + 1);
	return n > 0;
}

static bool hint_swapped(const enum wiring found[3], struct json_writer *w)
{
	int n = count(found, WIRING_SWAPPED, WIRING_SWAPPED_REVERSED), at[3], k = 0;
	for (int i = 0; i < 3; i++)
		if (found[i] == WIRING_SWAPPED || found[i] == WIRING_SWAPPED_REVERSED)
			at[k++] = i + 1;
	if (n == 2)
		hint(w, "the currents of L%d and L%d belong to each other's voltage: change these two transformers over", at[0], at[1]);
	else if (n == 3)
		hint(w, "no current belongs to the voltage beside it: all three transformers are moved on by one phase (or the voltages are)");
	else if (n == 1)
		hint(w, "current and voltage of L%d do not belong together (power factor), or its load is mostly reactive", at[0]);
	return n > 0;
}

static bool hint_voltages(const struct meter_look *l, struct json_writer *w)
{
	bool bad = false;
	for (int i = 0; i < 3; i++) {
		double u = mean(l->phases[i].u, l->phases[i].n_u);
		if (isnan(u) || (u >= VOLTS_LEAST && u <= VOLTS_MOST))
			continue;
		bad = true;
		if (u < 20)
			hint(w, "L%d has no voltage: its measuring lead or fuse, or a meter for fewer phases", i + 1);
		else
			hint(w, "L%d has %.0f V: is it the right model, or a voltage transformer?", i + 1, u);
	}
	return bad;
}

static bool hint_sums(const struct meter_look *l, struct json_writer *w)
{
	int with_power = l->phases[0].n_p + l->phases[1].n_p + l->phases[2].n_p;
	double total = mean(l->power, l->n_power), sum = mean(l->sum_of_phases, l->n_power);
	if (!l->n_power || !with_power || fabs(total - sum) <= 60 + fabs(total) * 0.1)
		return false;
	hint(w, "the phases sum up to %.0f W, the meter says %.0f W: is it the right model?", sum, total);
	return true;
}

static bool hint_frozen(const struct meter_look *l, struct json_writer *w)
{
	bool loaded = l->phases[0].size + l->phases[1].size + l->phases[2].size > 0;
	if (l->n < FROZEN_SAMPLES || l->changed || !loaded)
		return false;
	hint(w, "%d readings were the same to the last digit: the meter, or the gateway before it, repeats an old one", l->n);
	return true;
}

static bool write_hints(const struct meter_look *l, const enum wiring found[3], struct json_writer *w)
{
	jw_array(w, "hints");
	bool bad = false;
	if (!l->n)
		hint(w, "no reading: %s", l->fault);
	else if (l->failed)
		hint(w, "%d of %d readings failed: %s", l->failed, l->n + l->failed, l->fault);
	bad |= !l->n || l->failed > l->n;
	bad |= hint_reversed(found, w);
	bad |= hint_swapped(found, w);
	bad |= hint_voltages(l, w);
	bad |= hint_sums(l, w);
	bad |= hint_frozen(l, w);
	if (l->n && count(found, WIRING_OK, WIRING_OK) == 0 && count(found, WIRING_UNLOADED, WIRING_UNLOADED))
		hint(w, "too little current flows to tell the direction: try again under load");
	jw_end(w, ']');
	return !bad;
}

/* --- the whole --- */

bool look_write(const struct meter_look *l, struct json_writer *w)
{
	enum wiring found[3];
	jw_int(w, "samples", l->n);
	jw_int(w, "failed", l->failed);
	jw_string(w, "fault", l->fault[0] ? l->fault : NULL);
	jw_array(w, "phases");
	for (int i = 0; i < 3; i++) {
		const struct look_phase *p = &l->phases[i];
		double u = mean(p->u, p->n_u), c = mean(p->i, p->n_i), power = mean(p->p, p->n_p), cosine;
		found[i] = judge_wiring(power, u, mean(p->size, p->n_i), &cosine);
		jw_object(w, NULL);
		jw_int(w, "phase", i + 1);
		jw_number(w, "u_v", u, 1);
		jw_number(w, "i_a", c, 2);
		jw_number(w, "p_w", power, 0);
		jw_number(w, "cos", cosine, 2);
		jw_string(w, "verdict", wiring_text(found[i]));
		jw_end(w, '}');
	}
	jw_end(w, ']');
	jw_number(w, "power_w", mean(l->power, l->n_power), 0);
	jw_number(w, "import_wh", l->n && l->last.valid & AG_IMPORT ? l->last.import_wh : NAN, 0);
	jw_number(w, "export_wh", l->n && l->last.valid & AG_EXPORT ? l->last.export_wh : NAN, 0);
	bool ok = write_hints(l, found, w);
	jw_bool(w, "ok", ok);
	return ok;
}
