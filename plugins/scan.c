/* One address:
 *
 *   KNOCK: two registers by function 3, then 4 --silent--> OVER
 *      \--any answer, an exception too--> SUNSPEC --marker--> NAMEPLATE, then its own map, and OVER
 *                                            \--none--> MODELS: one map after the other, block by block
 *
 * Maps of one maker are much alike and several may fit; they come out in the order of their points, and it is for people to choose. What rules
 * a map out is a contradiction: values that no installation has, or that do not agree with each other. Floats read at the wrong place are
 * mostly tiny or huge, integers read as floats too, which tells most maps apart. */
#include "plugins/scan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define KNOCKS 2
#define NAMEPLATE 32 /* registers: 16 of the maker, 16 of the model */

void scan_start(struct scan *s, const struct regmap *models, size_t n)
{
	memset(s, 0, sizeof(*s));
	s->models = models;
	s->n_models = n;
}

/* --- what a sample is worth --- */

/* Neither nothing nor something that can be measured: what a float at the wrong place looks like. */
static bool is_debris(double v)
{
	return isinf(v) || (v != 0 && fabs(v) < 1e-6);
}

static bool has_debris(const ag_meter_sample *s)
{
	for (int i = 0; i < 3; i++)
		if (((s->valid & AG_U) && is_debris(s->u_v[i])) || ((s->valid & AG_I) && is_debris(s->i_a[i])) || ((s->valid & AG_P) && is_debris(s->p_w[i])))
			return true;
	return ((s->valid & AG_POWER) && is_debris(s->power_w)) || ((s->valid & AG_IMPORT) && (is_debris(s->import_wh) || s->import_wh > 1e13)) ||
	       ((s->valid & AG_EXPORT) && (is_debris(s->export_wh) || s->export_wh > 1e13));
}

/* Phases under voltage, 0 to 3; -1: one of them has what no phase has. Behind a voltage transformer they may be lower. */
static int live_phases(const ag_meter_sample *s)
{
	int n = 0;
	for (int i = 0; i < 3; i++) {
		if (isnan(s->u_v[i]) || s->u_v[i] < 12)
			continue;
		if (s->u_v[i] < 45 || s->u_v[i] > 290)
			return -1;
		n++;
	}
	return n;
}

static bool is_power_possible(double p, double u, double i)
{
	return isnan(p) || fabs(p) <= fabs(u * i) * 1.15 + 30;
}

/* Of P = U * I * cos(phi), phase by phase: 0 when it cannot be, else more where there is something to compare. */
static int power_points(const ag_meter_sample *s)
{
	int points = 5;
	for (int p = 0; p < 3; p++) {
		if (isnan(s->i_a[p]) || isnan(s->u_v[p]))
			continue;
		if (!is_power_possible(s->p_w[p], s->u_v[p], s->i_a[p]))
			return 0;
		if (fabs(s->i_a[p]) > 0.3 && fabs(s->p_w[p]) > 0.2 * s->u_v[p] * fabs(s->i_a[p]))
			points = 25;
	}
	return points;
}

/* Of the total, beside the phases' powers or what voltages and currents allow. */
static int total_points(const ag_meter_sample *s)
{
	double sum = 0, most = 0;
	for (int p = 0; p < 3; p++) {
		sum += (s->valid & AG_P) && !isnan(s->p_w[p]) ? s->p_w[p] : 0;
		most += (s->valid & AG_I) && !isnan(s->i_a[p]) && !isnan(s->u_v[p]) ? fabs(s->u_v[p] * s->i_a[p]) : 0;
	}
	if (s->valid & AG_P)
		return fabs(sum - s->power_w) <= 60 + fabs(sum) * 0.1 ? 15 : 0;
	return fabs(s->power_w) <= most * 1.15 + 60 ? 15 : -100;
}

int scan_points(const ag_meter_sample *s)
{
	int live = s->valid & AG_U ? live_phases(s) : -1, points = 0;
	if (!(s->valid & AG_I) || regmap_implausible(s) || has_debris(s))
		return 0;
	if (live < 0 || (live == 0 && !(s->valid & AG_IMPORT && s->import_wh > 0)))
		return 0;
	points += live ? 25 + 8 * live : 5; /* a meter may be dead and still tell its register */
	if (s->valid & AG_P) {
		int power = power_points(s);
		if (!power)
			return 0;
		points += power;
	}
	points += s->valid & AG_POWER ? total_points(s) : 0;
	points += (s->valid & AG_IMPORT ? 7 : 0) + (s->valid & AG_EXPORT ? 3 : 0);
	return points < 0 ? 0 : points < SCAN_POINTS ? points : SCAN_POINTS;
}

/* --- the maps --- */

static const struct regmap *current_map(const struct scan *s)
{
	return s->is_described ? &s->described : &s->models[s->model];
}

/* Equal points: the earlier one first. */
static void keep(struct scan *s, const struct regmap *m, const ag_meter_sample *sample, int points)
{
	size_t at = s->n_best;
	while (at && s->best[at - 1].points < points)
		at--;
	if (at == SCAN_BEST)
		return;
	s->n_best += s->n_best < SCAN_BEST;
	memmove(&s->best[at + 1], &s->best[at], (s->n_best - at - 1) * sizeof(s->best[0]));
	s->best[at] = (struct scan_match){ .points = points, .sample = *sample };
	snprintf(s->best[at].model, sizeof(s->best[at].model), "%s", s->is_described ? "sunspec" : m->model);
	snprintf(s->best[at].name, sizeof(s->best[at].name), "%s", m->name);
}

static void next_map(struct scan *s)
{
	s->block = s->n_regs = 0;
	if (s->is_described)
		s->stage = SCAN_OVER;
	else if (++s->model >= s->n_models)
		s->stage = SCAN_OVER;
}

static void map_is_read(struct scan *s)
{
	const struct regmap *m = current_map(s);
	ag_meter_sample sample = { .valid = 0 };
	int points = regmap_decode(m, s->regs, &sample) == 0 ? scan_points(&sample) : 0;
	if (s->is_described && points == 0 && sample.valid)
		points = SCAN_FITS; /* it says itself what it is, whatever it measures now */
	if (s->is_described && points)
		points = SCAN_POINTS;
	if (points >= SCAN_FITS)
		keep(s, m, &sample, points);
	next_map(s);
}

static void feed_map(struct scan *s, enum scan_answer answer, const uint16_t *regs)
{
	const struct regmap *m = current_map(s);
	if (answer != SCAN_READ) {
		next_map(s);
		return;
	}
	memcpy(s->regs + s->n_regs, regs, m->blocks[s->block].n * sizeof(*regs));
	s->n_regs += m->blocks[s->block].n;
	if (++s->block == m->n_blocks)
		map_is_read(s);
}

static void begin_models(struct scan *s)
{
	s->stage = s->n_models ? SCAN_MODELS : SCAN_OVER;
	s->model = s->block = s->n_regs = 0;
}

/* --- the way there --- */

static void feed_walk(struct scan *s, enum scan_answer answer, const uint16_t *regs)
{
	char why[120];
	bool marked = s->walk.marked;
	sunspec_feed(&s->walk, answer == SCAN_READ ? regs : NULL);
	if (!marked && s->walk.marked)
		s->nameplate_at = (uint16_t)(s->walk.at + 2); /* behind the header of the first block, which is always the common one */
	if (!s->walk.done)
		return;
	s->is_described = sunspec_map(&s->walk, &s->described, why, sizeof(why)) == 0;
	if (s->nameplate_at)
		s->stage = SCAN_NAMEPLATE;
	else
		begin_models(s);
}

/* Texts of 16 registers, padded with zeros or blanks. */
static void add_text(char *out, size_t room, const uint16_t *regs)
{
	size_t n = strlen(out), from = n;
	for (size_t i = 0; i < 32 && n + 1 < room; i++) {
		char c = (char)(i % 2 ? regs[i / 2] & 0xFF : regs[i / 2] >> 8);
		if (c < 0x20 || c > 0x7E)
			break;
		out[n++] = c;
	}
	while (n > from && out[n - 1] == ' ')
		n--;
	out[n] = 0;
}

static void feed_nameplate(struct scan *s, enum scan_answer answer, const uint16_t *regs)
{
	if (answer == SCAN_READ) {
		add_text(s->device, sizeof(s->device), regs);
		if (s->device[0])
			strncat(s->device, " ", sizeof(s->device) - strlen(s->device) - 1);
		add_text(s->device, sizeof(s->device), regs + 16);
	}
	if (s->is_described) {
		s->stage = SCAN_MODELS;
		s->block = s->n_regs = 0;
	} else {
		begin_models(s);
	}
}

static void feed_knock(struct scan *s, enum scan_answer answer)
{
	if (answer == SCAN_SILENT) {
		if (++s->knocks == KNOCKS)
			s->stage = SCAN_OVER;
		return;
	}
	s->answers = true;
	s->stage = SCAN_SUNSPEC;
	sunspec_start(&s->walk);
}

bool scan_next(const struct scan *s, struct regmap_block *want)
{
	switch (s->stage) {
	case SCAN_KNOCK:
		*want = (struct regmap_block){ s->knocks ? 4 : 3, 0, 2 };
		break;
	case SCAN_SUNSPEC:
		return sunspec_next(&s->walk, want);
	case SCAN_NAMEPLATE:
		*want = (struct regmap_block){ 3, s->nameplate_at, NAMEPLATE };
		break;
	case SCAN_MODELS:
		*want = current_map(s)->blocks[s->block];
		break;
	case SCAN_OVER:
		return false;
	}
	return true;
}

void scan_feed(struct scan *s, enum scan_answer answer, const uint16_t *regs)
{
	switch (s->stage) {
	case SCAN_KNOCK:
		feed_knock(s, answer);
		break;
	case SCAN_SUNSPEC:
		feed_walk(s, answer, regs);
		break;
	case SCAN_NAMEPLATE:
		feed_nameplate(s, answer, regs);
		break;
	case SCAN_MODELS:
		feed_map(s, answer, regs);
		break;
	case SCAN_OVER:
		break;
	}
}
