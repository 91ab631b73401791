/* A register that holds no limit is not one that says "no limit": devices fill what they do not serve with all ones, the lowest number or NaN
 * (SunSpec: "not implemented"), and so does a gateway that has lost its device. That is a fault, as a broken wire is. Only the value that the
 * settings name lifts the limit. */
#include "plugins/grid-register.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

#define MOST_W 1e12 /* no site has that */

static int configure_free(struct grid_register *r, const cJSON *config, char *err, size_t errlen)
{
	struct slice word = json_text(config, "no_limit");
	if (slice_is(word, "nan"))
		r->free_when = NO_LIMIT_NAN;
	else if (slice_is(word, "negative"))
		r->free_when = NO_LIMIT_NEGATIVE;
	else if (cJSON_IsNumber(json_at(config, "no_limit"))) {
		r->free_when = NO_LIMIT_NUMBER;
		r->free_at = json_number(config, "no_limit", 0);
	} else if (json_at(config, "no_limit")) {
		snprintf(err, errlen, "no_limit is a number, \"nan\" or \"negative\"");
		return ERR_INVALID;
	}
	return 0;
}

int grid_register_configure(struct grid_register *r, const cJSON *config, char *err, size_t errlen)
{
	static const struct {
		const char *name;
		char type;
	} types[] = { { "u16", 's' }, { "u32", 'u' }, { "s32", 'i' }, { "f32", 'f' } };
	struct slice type = json_text(config, "type");
	*r = (struct grid_register){ .type = 'u', .scale = json_number(config, "scale", 1) };
	for (size_t i = 0; type.p && i < sizeof(types) / sizeof(types[0]); i++)
		if (slice_is(type, types[i].name))
			r->type = types[i].type;
	return configure_free(r, config, err, errlen);
}

int grid_register_words(const struct grid_register *r)
{
	return r->type == 's' ? 1 : 2;
}

static double number_in(const struct grid_register *r, const uint16_t *words)
{
	uint32_t both = (uint32_t)words[0] << 16 | words[grid_register_words(r) - 1];
	int32_t whole;
	float f;
	switch (r->type) {
	case 's':
		return words[0];
	case 'i':
		memcpy(&whole, &both, sizeof(whole));
		return whole;
	case 'f':
		memcpy(&f, &both, sizeof(f));
		return f;
	default:
		return both;
	}
}

static bool is_free(const struct grid_register *r, double number)
{
	switch (r->free_when) {
	case NO_LIMIT_NAN:
		return isnan(number);
	case NO_LIMIT_NEGATIVE:
		return number < 0;
	case NO_LIMIT_NUMBER:
		return number == (r->type == 'f' ? (double)(float)r->free_at : r->free_at);
	default:
		return false;
	}
}

/* All ones where the type has no sign; a negative number, the lowest one among them, and NaN where it has. */
static bool is_limit(const struct grid_register *r, double number)
{
	double ones = r->type == 's' ? 65535.0 : r->type == 'u' ? 4294967295.0 : (double)INFINITY;
	return number >= 0 && number != ones && number * r->scale < MOST_W;
}

int grid_register_read(const struct grid_register *r, const uint16_t *words, double *watts_out, char *fault, size_t room)
{
	double number = number_in(r, words);
	*watts_out = is_free(r, number) ? INFINITY : number * r->scale;
	if (is_free(r, number) || is_limit(r, number))
		return 0;
	if (grid_register_words(r) == 1)
		snprintf(fault, room, "the register holds 0x%04X, which is no limit", words[0]);
	else
		snprintf(fault, room, "the register holds 0x%04X%04X, which is no limit", words[0], words[1]);
	return ERR_INVALID;
}
