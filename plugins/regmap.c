/* From a map to reads, and from registers to a sample.
 *
 * Reads: the places of all values (and of the exponents that belong to them) are sorted and joined into blocks as long as the meter's
 * limit allows and no more than `bridge` unused registers lie between; a value is never split over two reads, so its words are of one
 * moment.
 *
 * Easy to get wrong: registers are big-endian on the wire and libmodbus has put that right already, but the order of the words of a
 * longer value differs by maker; a float that is not finite, 0x8000 or all ones mean "not available" and must never become a current of
 * 0 A; most meters give currents without a sign, so on a phase that exports the sign is that of its power. */
#include "plugins/regmap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A piece of the register space that has to be read in one go: a value, with its exponent where it has one. */
struct span {
	uint8_t function;
	unsigned at, end;
};

unsigned regmap_words(enum regmap_type type)
{
	static const uint8_t words[] = { 1, 1, 2, 2, 4, 4, 2, 4 };
	return words[type];
}

static struct span span_of(const struct regmap_field *f)
{
	struct span s = { f->function, f->at, f->at + regmap_words(f->type) };
	if (f->exponent_at < 0)
		return s;
	unsigned e = (unsigned)f->exponent_at;
	s.at = e < s.at ? e : s.at;
	s.end = e + 1 > s.end ? e + 1 : s.end;
	return s;
}

static int by_place(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	if (x->function != y->function)
		return x->function - y->function;
	return x->at != y->at ? (x->at > y->at) - (x->at < y->at) : (x->end > y->end) - (x->end < y->end);
}

/* Makes the block longer by the span if the meter's limits allow it. */
static bool joined(struct regmap_block *b, const struct span *s, const struct regmap *m)
{
	unsigned end = b->at + b->n;
	if (b->function != s->function || s->at > end + m->bridge)
		return false;
	end = s->end > end ? s->end : end;
	if (end - b->at > m->most)
		return false;
	b->n = (uint16_t)(end - b->at);
	return true;
}

static int make_blocks(struct regmap *m, const struct span spans[])
{
	m->n_blocks = 0;
	for (size_t i = 0; i < m->n_fields; i++) {
		const struct span *s = &spans[i];
		if (s->end - s->at > m->most || s->end > 0x10000)
			return ERR_INVALID;
		if (m->n_blocks && joined(&m->blocks[m->n_blocks - 1], s, m))
			continue;
		if (m->n_blocks == REGMAP_BLOCKS)
			return ERR_TOO_LARGE;
		m->blocks[m->n_blocks++] = (struct regmap_block){ s->function, (uint16_t)s->at, (uint16_t)(s->end - s->at) };
	}
	return 0;
}

/* Where the span's first register stands among those of a sample. Spans overlap where an exponent serves several values, so the block is
 * the one that holds all of it. */
static int place_of(const struct regmap *m, const struct span *s)
{
	unsigned before = 0;
	for (size_t i = 0; i < m->n_blocks; i++) {
		const struct regmap_block *b = &m->blocks[i];
		if (b->function == s->function && s->at >= b->at && s->end <= (unsigned)b->at + b->n)
			return (int)(before + s->at - b->at);
		before += b->n;
	}
	return ERR_INVALID;
}

int regmap_plan(struct regmap *m)
{
	struct span spans[REGMAP_FIELDS];
	if (!m->n_fields)
		return ERR_INVALID;
	for (size_t i = 0; i < m->n_fields; i++)
		spans[i] = span_of(&m->fields[i]);
	qsort(spans, m->n_fields, sizeof(spans[0]), by_place);
	int rc = make_blocks(m, spans);
	if (rc != 0)
		return rc;
	m->n_regs = 0;
	for (size_t i = 0; i < m->n_blocks; i++)
		m->n_regs += m->blocks[i].n;
	if (m->n_regs > REGMAP_REGS)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < m->n_fields; i++) {
		struct regmap_field *f = &m->fields[i];
		struct span s = span_of(f);
		int place = place_of(m, &s);
		if (place < 0)
			return place;
		f->place = (uint16_t)(place + (int)f->at - (int)s.at);
		if (f->exponent_at >= 0)
			f->exponent_place = (uint16_t)(place + f->exponent_at - (int)s.at);
	}
	return 0;
}

/* The bits of a value, its words in order. */
static uint64_t raw_value(const struct regmap_field *f, const uint16_t *regs)
{
	unsigned n = regmap_words(f->type);
	uint64_t raw = 0;
	for (unsigned i = 0; i < n; i++)
		raw = raw << 16 | regs[f->place + (f->low_first ? n - 1 - i : i)];
	return raw;
}

/* The highest raw value a signed or unsigned integer of this type counts up to. */
static uint64_t highest(enum regmap_type type)
{
	switch (type) {
	case REG_I16: return INT16_MAX;
	case REG_U16: return UINT16_MAX;
	case REG_I32: return INT32_MAX;
	case REG_U32: return UINT32_MAX;
	case REG_I64: return INT64_MAX;
	default: return UINT64_MAX;
	}
}

/* The highest value, and of signed types the lowest, are what meters show when they have nothing to show. */
static bool is_missing(const struct regmap_field *f, uint64_t raw)
{
	for (unsigned i = 0; i < f->n_missing; i++)
		if (raw == f->missing[i])
			return true;
	if (f->type == REG_F32 || f->type == REG_F64)
		return false;
	uint64_t top = highest(f->type);
	bool is_signed = f->type == REG_I16 || f->type == REG_I32 || f->type == REG_I64;
	return raw == top || (is_signed && raw == top + 1) || (f->overflow && raw >= f->overflow && raw <= top);
}

static double as_number(enum regmap_type type, uint64_t raw)
{
	float f;
	double d;
	uint32_t low = (uint32_t)raw;
	switch (type) {
	case REG_I16: return (int16_t)low;
	case REG_I32: return (int32_t)low;
	case REG_I64: return (double)(int64_t)raw;
	case REG_F32:
		memcpy(&f, &low, sizeof(f));
		return (double)f;
	case REG_F64:
		memcpy(&d, &raw, sizeof(d));
		return d;
	default: return (double)raw;
	}
}

/* NaN: not available. */
static double value_of(const struct regmap_field *f, const uint16_t *regs)
{
	uint64_t raw = raw_value(f, regs);
	if (is_missing(f, raw))
		return NAN;
	double v = as_number(f->type, raw) * f->scale;
	if (f->exponent_at >= 0) {
		int e = (int16_t)regs[f->exponent_place];
		v = e < -10 || e > 10 ? NAN : v * pow(10, e);
	}
	return isfinite(v) ? v : NAN;
}

/* The three phases of one kind: known when all that the meter has are known. */
static uint32_t phases(const double v[3], const bool has[3], double out[3], uint32_t bit)
{
	bool any = false, all = true;
	for (int i = 0; i < 3; i++) {
		out[i] = v[i];
		any = any || has[i];
		all = all && (!has[i] || !isnan(v[i]));
	}
	return any && all ? bit : 0;
}

static uint32_t single(double v, double *out, uint32_t bit)
{
	*out = v;
	return isnan(v) ? 0 : bit;
}

static double total_power(const ag_meter_sample *s, const double v[RQ_COUNT], const bool has[RQ_COUNT])
{
	if (has[RQ_POWER] && has[RQ_POWER_OUT])
		return v[RQ_POWER] - v[RQ_POWER_OUT];
	if (!isnan(v[RQ_POWER]))
		return v[RQ_POWER];
	if (!(s->valid & AG_P))
		return NAN;
	double sum = 0;
	for (int i = 0; i < 3; i++)
		sum += isnan(s->p_w[i]) ? 0 : s->p_w[i];
	return sum;
}

static void sign_from_power(ag_meter_sample *s)
{
	for (int i = 0; i < 3; i++)
		if (s->p_w[i] != 0 && !isnan(s->p_w[i]))
			s->i_a[i] = copysign(s->i_a[i], s->p_w[i]);
}

int regmap_decode(const struct regmap *m, const uint16_t regs[], ag_meter_sample *out)
{
	double v[RQ_COUNT];
	bool has[RQ_COUNT] = { false };
	for (int q = 0; q < RQ_COUNT; q++)
		v[q] = NAN;
	for (size_t i = 0; i < m->n_fields; i++) {
		const struct regmap_field *f = &m->fields[i];
		has[f->what] = true;
		if (isnan(v[f->what]))
			v[f->what] = value_of(f, regs);
	}
	memset(out, 0, sizeof(*out));
	out->valid |= phases(&v[RQ_U], &has[RQ_U], out->u_v, AG_U);
	out->valid |= phases(&v[RQ_I], &has[RQ_I], out->i_a, AG_I);
	out->valid |= phases(&v[RQ_P], &has[RQ_P], out->p_w, AG_P);
	out->valid |= single(total_power(out, v, has), &out->power_w, AG_POWER);
	out->valid |= single(v[RQ_IMPORT], &out->import_wh, AG_IMPORT);
	out->valid |= single(v[RQ_EXPORT], &out->export_wh, AG_EXPORT);
	if ((out->valid & AG_I) && (out->valid & AG_P) && !m->own_sign)
		sign_from_power(out);
	return out->valid ? 0 : ERR_NOT_FOUND;
}

void regmap_adjust(ag_meter_sample *s, double ct_ratio, bool invert)
{
	double factor = invert ? -ct_ratio : ct_ratio;
	for (int i = 0; i < 3; i++) {
		s->i_a[i] *= factor;
		s->p_w[i] *= factor;
	}
	s->power_w *= factor;
	double in = s->import_wh * ct_ratio, ex = s->export_wh * ct_ratio;
	s->import_wh = invert ? ex : in;
	s->export_wh = invert ? in : ex;
	if (!invert)
		return;
	uint32_t energy = s->valid & (AG_IMPORT | AG_EXPORT);
	s->valid &= ~energy;
	s->valid |= (energy & AG_IMPORT ? AG_EXPORT : 0) | (energy & AG_EXPORT ? AG_IMPORT : 0);
}

const char *regmap_implausible(const ag_meter_sample *s)
{
	for (int i = 0; i < 3; i++) {
		if ((s->valid & AG_U) && (s->u_v[i] < 0 || s->u_v[i] > 1000))
			return "a voltage outside 0..1000 V: is it the right model?";
		if ((s->valid & AG_I) && fabs(s->i_a[i]) > 20000)
			return "a current over 20000 A: is it the right model?";
		if ((s->valid & AG_P) && fabs(s->p_w[i]) > 2e7)
			return "a power over 20 MW: is it the right model?";
	}
	if ((s->valid & AG_POWER) && fabs(s->power_w) > 6e7)
		return "a power over 60 MW: is it the right model?";
	if (((s->valid & AG_IMPORT) && s->import_wh < 0) || ((s->valid & AG_EXPORT) && s->export_wh < 0))
		return "an energy below 0: is it the right model?";
	return NULL;
}
