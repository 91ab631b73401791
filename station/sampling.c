/* Every phase that is measured is reported (1.6 specification 3.16.3, 2.x J 2.3); power is the sum over them and is only told when current
 * and voltage of each are known, since a part of a sum is a wrong sum. */
#include "station/sampling.h"

#include <math.h>

#include "energy/profile.h"
#include "station/keys.h"

#define BIT(m) (UINT32_C(1) << (m))

static const struct {
	const char *name;
	enum measurand measurand;
} known[] = {
	{ "Energy.Active.Import.Register", MEAS_ENERGY_IMPORT },
	{ "Power.Active.Import", MEAS_POWER_IMPORT },
	{ "Current.Import", MEAS_CURRENT_IMPORT },
	{ "Current.Offered", MEAS_CURRENT_OFFERED },
	{ "Power.Offered", MEAS_POWER_OFFERED },
	{ "Voltage", MEAS_VOLTAGE },
};

static measurands measurand_bit(struct slice name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (slice_is(name, known[i].name))
			return BIT(known[i].measurand);
	}
	return 0;
}

int sampling_parse(struct slice list, measurands *out)
{
	measurands wanted = 0;
	struct slice word;
	while (list_next(&list, &word)) {
		measurands bit = measurand_bit(word);
		if (!bit)
			return ERR_INVALID;
		wanted |= bit;
	}
	*out = wanted;
	return 0;
}

struct taking {
	struct sample *out;
	size_t n;
	measurands wanted;
	enum sampling_context context;
	int64_t wall_us;
};

static void take(struct taking *t, enum measurand m, int phase, double value)
{
	if (!(t->wanted & BIT(m)) || isnan(value))
		return;
	t->out[t->n++] = (struct sample){
		.time_us = t->wall_us,
		.measurand = m,
		.phase = (uint8_t)phase,
		.begin = t->context == SAMPLE_BEGIN,
		.end = t->context == SAMPLE_END,
		.clock = t->context == SAMPLE_CLOCK,
		.trigger = t->context == SAMPLE_TRIGGER,
		.value = value,
	};
}

size_t sampling_take(const struct evse_input *in, int phases, int32_t offered_ma, measurands wanted, enum sampling_context context,
                     int64_t wall_us, struct sample out[SAMPLES_MOST])
{
	struct taking t = { .out = out, .wanted = wanted, .context = context, .wall_us = wall_us };
	double power_w = 0;
	take(&t, MEAS_ENERGY_IMPORT, 0, in->energy_wh);
	for (int i = 0; i < phases; i++) {
		take(&t, MEAS_CURRENT_IMPORT, i + 1, in->i_a[i]);
		power_w += in->i_a[i] * in->v[i];
	}
	for (int i = 0; i < phases; i++)
		take(&t, MEAS_VOLTAGE, i + 1, in->v[i]);
	take(&t, MEAS_POWER_IMPORT, 0, power_w);
	take(&t, MEAS_CURRENT_OFFERED, 0, offered_ma / 1000.0);
	take(&t, MEAS_POWER_OFFERED, 0, offered_ma / 1000.0 * PROFILES_VOLTAGE * (in->phases ? in->phases : phases));
	return t.n;
}
