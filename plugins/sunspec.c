/* The walk: marker "SunS" at one of three addresses, then blocks of (model id, length, data) up to the id 0xFFFF.
 *
 *   base: marker? --no--> next base          header: 201-204, 211-214 --> found
 *            \--yes--> header of the first block  \-- other --> behind its data, next header; 0xFFFF: no meter here
 *
 * Models 201 to 204 hold integers with powers of ten in registers of their own. Those may change while the meter runs, so they are read
 * with the values each time, in the same request; an energy of 0 means "not implemented" there. 211 to 214 hold floats. Offsets count from
 * the model id. A length that leads past the end of the address space or a walk that does not end is a
 * device that is not SunSpec after all. */
#include "plugins/sunspec.h"

#include <stdio.h>
#include <string.h>

#define BLOCKS_MOST 100

static const uint16_t bases[] = { 40000, 50000, 0 };
#define N_BASES (sizeof(bases) / sizeof(bases[0]))

struct place {
	uint8_t what, offset, exponent;
};

/* 201-204. The second entry of a quantity counts where the first is not implemented. */
static const struct place integers[] = {
	{ RQ_I, 3, 6 },       { RQ_I + 1, 4, 6 },  { RQ_I + 2, 5, 6 },   { RQ_U, 8, 15 },         { RQ_U + 1, 9, 15 },      { RQ_U + 2, 10, 15 },
	{ RQ_P, 19, 22 },     { RQ_P + 1, 20, 22 }, { RQ_P + 2, 21, 22 }, { RQ_POWER, 18, 22 },    { RQ_EXPORT, 38, 54 },    { RQ_IMPORT, 46, 54 },
};
static const struct place integers_one_phase[] = { { RQ_I, 2, 6 }, { RQ_U, 7, 15 }, { RQ_P, 18, 22 } };

static const struct place floats[] = {
	{ RQ_I, 4, 0 },  { RQ_I + 1, 6, 0 },  { RQ_I + 2, 8, 0 },  { RQ_U, 12, 0 },     { RQ_U + 1, 14, 0 },  { RQ_U + 2, 16, 0 },
	{ RQ_P, 30, 0 }, { RQ_P + 1, 32, 0 }, { RQ_P + 2, 34, 0 }, { RQ_POWER, 28, 0 }, { RQ_EXPORT, 60, 0 }, { RQ_IMPORT, 68, 0 },
};
static const struct place floats_one_phase[] = { { RQ_I, 2, 0 }, { RQ_U, 10, 0 }, { RQ_P, 28, 0 } };

void sunspec_start(struct sunspec *s)
{
	*s = (struct sunspec){ .at = bases[0] };
}

bool sunspec_next(const struct sunspec *s, struct regmap_block *want)
{
	*want = (struct regmap_block){ 3, (uint16_t)s->at, 2 };
	return !s->done;
}

static void next_base(struct sunspec *s)
{
	if (++s->base == N_BASES)
		s->done = true;
	else
		s->at = bases[s->base];
}

static void on_header(struct sunspec *s, uint16_t id, uint16_t length)
{
	if ((id >= 201 && id <= 204) || (id >= 211 && id <= 214)) {
		s->id = id;
		s->length = length;
		s->done = true;
		return;
	}
	s->at += 2u + length;
	if (id == 0xFFFF || s->at > 0xFFFE || ++s->blocks == BLOCKS_MOST)
		s->done = true;
}

void sunspec_feed(struct sunspec *s, const uint16_t *regs)
{
	if (s->marked && regs) {
		on_header(s, regs[0], regs[1]);
	} else if (s->marked) {
		s->done = true;
	} else if (regs && regs[0] == 0x5375 && regs[1] == 0x6E53) {
		s->marked = true;
		s->at += 2;
	} else {
		next_base(s);
	}
}

static void add(struct regmap *m, const struct sunspec *s, const struct place places[], size_t n, unsigned phases)
{
	bool is_float = s->id > 210;
	for (size_t i = 0; i < n; i++) {
		const struct place *p = &places[i];
		bool energy = p->what == RQ_IMPORT || p->what == RQ_EXPORT;
		if (p->what < RQ_POWER && p->what % 3 >= phases)
			continue;
		m->fields[m->n_fields++] = (struct regmap_field){
			.what = p->what,
			.function = 3,
			.type = is_float ? REG_F32 : energy ? REG_U32 : REG_I16,
			.at = (uint16_t)(s->at + p->offset),
			.exponent_at = is_float ? -1 : (int32_t)s->at + p->exponent,
			.scale = 1,
			.n_missing = energy && !is_float, /* the value 0 */
		};
	}
}

int sunspec_map(const struct sunspec *s, struct regmap *out, char *err, size_t errlen)
{
	static const unsigned phases[] = { 0, 1, 2, 3, 3 };
	bool is_float = s->id > 210;
	if (!s->id || s->length < (is_float ? 124 : 105) || s->at + 2u + s->length > 0x10000) {
		snprintf(err, errlen, "%s", !s->marked ? "no SunSpec marker at 40000, 50000 or 0" : s->id ? "the length of the SunSpec meter block is wrong" :
		         "a SunSpec device, but none of its blocks is a meter (201-204, 211-214)");
		return ERR_NOT_FOUND;
	}
	*out = (struct regmap){ .most = REGMAP_MOST, .bridge = 32 };
	snprintf(out->model, sizeof(out->model), "sunspec-%u", s->id);
	snprintf(out->name, sizeof(out->name), "SunSpec meter, model %u", s->id);
	unsigned n = phases[s->id % 10];
	if (is_float)
		add(out, s, floats, sizeof(floats) / sizeof(floats[0]), n);
	else
		add(out, s, integers, sizeof(integers) / sizeof(integers[0]), n);
	if (n == 1 && is_float)
		add(out, s, floats_one_phase, sizeof(floats_one_phase) / sizeof(floats_one_phase[0]), n);
	else if (n == 1)
		add(out, s, integers_one_phase, sizeof(integers_one_phase) / sizeof(integers_one_phase[0]), n);
	return regmap_plan(out);
}
