/* Numbers are integers in the unit that their key names in the manual (millivolts, hundredths of a percent, ohms, tenths of a degree,
 * milliamperes, watt-hours), so a small board needs no floating point. */
#include "base/board-line.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *word;
	uint32_t bit;
} pin_words[] = {
	{ "pilot", AG_PIN_PILOT }, { "prox", AG_PIN_PROXIMITY }, { "plugged", AG_PIN_PLUGGED }, { "k1", AG_PIN_CLOSED_1 }, { "k2", AG_PIN_CLOSED_2 },
	{ "second", AG_PIN_SECOND }, { "rcd", AG_PIN_RESIDUAL }, { "rcdtest", AG_PIN_RESIDUAL_TEST }, { "mains", AG_PIN_MAINS },
	{ "stop", AG_PIN_EMERGENCY }, { "lock", AG_PIN_LOCK }, { "fan", AG_PIN_FAN }, { "temp", AG_PIN_HEAT }, { "e", AG_PIN_STATE_E },
};
static const char *const pilot_words[] = { "steady", "pwm", "off", "neg" };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- reading ---- */

static unsigned checksum(const char *text, size_t n)
{
	unsigned sum = 0;
	for (size_t i = 0; i < n; i++)
		sum ^= (unsigned char)text[i];
	return sum;
}

/* Cuts the checksum off. */
static bool is_whole(char *line)
{
	char *star = strrchr(line, '*'), *end;
	if (!star || strlen(star) != 3)
		return false;
	unsigned long said = strtoul(star + 1, &end, 16);
	*star = 0;
	return !*end && said == checksum(line, (size_t)(star - line));
}

static uint32_t read_words(char *list)
{
	uint32_t bits = 0;
	char *save;
	for (char *w = strtok_r(list, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		for (size_t i = 0; i < COUNT(pin_words); i++)
			bits |= strcmp(w, pin_words[i].word) == 0 ? pin_words[i].bit : 0;
	}
	return bits;
}

/* false: not a number. */
static bool read_number(const char *text, double scale, double *out)
{
	char *end;
	long v = strtol(text, &end, 10);
	if (end == text || *end)
		return false;
	*out = (double)v * scale;
	return true;
}

static void read_three(char *text, double scale, double out[3])
{
	char *save, *part = strtok_r(text, ",", &save);
	for (int i = 0; i < 3 && part; i++, part = strtok_r(NULL, ",", &save))
		read_number(part, scale, &out[i]);
}

static void read_pin(struct board_text *t, const char *key, char *value)
{
	ag_pins *p = &t->pins;
	double number = NAN;
	if (strcmp(key, "on") == 0) {
		p->on = read_words(value);
		return;
	}
	if (strcmp(key, "i") == 0) {
		read_three(value, 0.001, p->i_a);
		return;
	}
	if (strcmp(key, "u") == 0) {
		read_three(value, 0.001, p->u_v);
		return;
	}
	if (!read_number(value, 1, &number))
		return;
	if (strcmp(key, "high") == 0)
		p->high_v = number / 1000;
	else if (strcmp(key, "low") == 0)
		p->low_v = number / 1000;
	else if (strcmp(key, "duty") == 0)
		p->duty = number / 10000;
	else if (strcmp(key, "prox") == 0)
		p->proximity_ohm = number;
	else if (strcmp(key, "temp") == 0)
		p->celsius = number / 10;
	else if (strcmp(key, "wh") == 0)
		p->energy_wh = number;
}

static void read_hello(struct board_text *t, const char *key, char *value)
{
	double number = 0;
	if (strcmp(key, "board") == 0)
		snprintf(t->name, sizeof(t->name), "%s", value);
	else if (strcmp(key, "has") == 0)
		t->pins.has = read_words(value);
	else if (read_number(value, 1, &number) && number >= 0 && number < 1e9) {
		if (strcmp(key, "version") == 0)
			t->version = (int)number;
		else if (strcmp(key, "opens") == 0)
			t->pins.opens_ms = (uint32_t)number;
		else if (strcmp(key, "watchdog") == 0)
			t->pins.watchdog_ms = (uint32_t)number;
	}
}

/* A bit of `seen` for each key that an order must have. */
static unsigned read_drive(struct board_text *t, const char *key, const char *value)
{
	static const char *const keys[] = { "k1", "k2", "lock", "fan", "test" };
	uint8_t *const outs[] = { &t->drive.close_1, &t->drive.close_2, &t->drive.lock, &t->drive.fan, &t->drive.residual_test };
	double number = 0;
	for (unsigned i = 0; i < COUNT(keys); i++) {
		if (strcmp(key, keys[i]) == 0 && (strcmp(value, "0") == 0 || strcmp(value, "1") == 0)) {
			*outs[i] = value[0] == '1';
			return 1u << i;
		}
	}
	if (strcmp(key, "duty") == 0 && read_number(value, 0.0001, &number) && number >= 0 && number <= 1) {
		t->drive.duty = number;
		return 1u << 5;
	}
	for (uint8_t i = 0; strcmp(key, "pilot") == 0 && i < COUNT(pilot_words); i++) {
		if (strcmp(value, pilot_words[i]) == 0) {
			t->drive.pilot = i;
			return 1u << 6;
		}
	}
	return 0;
}
#define DRIVE_IS_WHOLE 0x7Fu

static void forget(struct board_text *t)
{
	*t = (struct board_text){ 0 };
	t->pins = (ag_pins){ .high_v = NAN, .low_v = NAN, .duty = NAN, .proximity_ohm = INFINITY, .celsius = NAN, .i_a = { NAN, NAN, NAN },
		.u_v = { NAN, NAN, NAN }, .energy_wh = NAN };
}

enum board_line board_read(char *line, struct board_text *out)
{
	static const char *const words[] = { [BOARD_HELLO] = "hello", [BOARD_PINS] = "pins", [BOARD_DRIVE] = "drive", [BOARD_ASK] = "ask" };
	char *save, *word;
	unsigned seen = 0;
	forget(out);
	if (!is_whole(line) || !(word = strtok_r(line, " ", &save)))
		return BOARD_NONE;
	for (unsigned i = 1; i < COUNT(words); i++) {
		if (strcmp(word, words[i]) == 0)
			out->kind = (enum board_line)i;
	}
	while ((word = strtok_r(NULL, " ", &save))) {
		char *value = strchr(word, '=');
		if (!value)
			continue;
		*value++ = 0;
		if (strcmp(word, "n") == 0)
			out->order = (uint32_t)strtoul(value, NULL, 10);
		else if (out->kind == BOARD_HELLO)
			read_hello(out, word, value);
		else if (out->kind == BOARD_PINS)
			read_pin(out, word, value);
		else if (out->kind == BOARD_DRIVE)
			seen |= read_drive(out, word, value);
	}
	if (out->kind == BOARD_DRIVE && seen != DRIVE_IS_WHOLE)
		out->kind = BOARD_NONE;
	return out->kind;
}

/* ---- writing ---- */

static size_t add(char *out, size_t n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static size_t add(char *out, size_t n, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int wrote = n < BOARD_LINE ? vsnprintf(out + n, BOARD_LINE - n, fmt, ap) : 0;
	va_end(ap);
	return n + (size_t)wrote < BOARD_LINE ? n + (size_t)wrote : BOARD_LINE - 1;
}

static size_t add_words(char *out, size_t n, const char *key, uint32_t bits)
{
	const char *before = "=";
	n = add(out, n, " %s", key);
	for (size_t i = 0; i < COUNT(pin_words); i++) {
		if (!(bits & pin_words[i].bit))
			continue;
		n = add(out, n, "%s%s", before, pin_words[i].word);
		before = ",";
	}
	return bits ? n : add(out, n, "=");
}

static size_t add_number(char *out, size_t n, const char *key, double value, double scale)
{
	return isfinite(value) ? add(out, n, " %s=%ld", key, lround(value * scale)) : n;
}

static size_t add_three(char *out, size_t n, const char *key, const double v[3])
{
	if (isnan(v[0]))
		return n;
	n = add(out, n, " %s=%ld", key, lround(v[0] * 1000));
	for (int i = 1; i < 3 && !isnan(v[i]); i++)
		n = add(out, n, ",%ld", lround(v[i] * 1000));
	return n;
}

static size_t end(char *out, size_t n)
{
	return n + (size_t)sprintf(out + n, "*%02X\n", checksum(out, n));
}

size_t board_write_hello(char *out, const char *name, const ag_pins *p)
{
	size_t n = add(out, 0, "hello version=%d board=%.39s opens=%u watchdog=%u", BOARD_VERSION, name, p->opens_ms, p->watchdog_ms);
	return end(out, add_words(out, n, "has", p->has));
}

size_t board_write_pins(char *out, uint32_t order, const ag_pins *p)
{
	size_t n = add(out, 0, "pins n=%u", order);
	n = add_number(out, n, "high", p->high_v, 1000);
	n = add_number(out, n, "low", p->low_v, 1000);
	n = add_number(out, n, "duty", p->duty, 10000);
	n = add_number(out, n, "prox", p->proximity_ohm, 1);
	n = add_words(out, n, "on", p->on);
	n = add_number(out, n, "temp", p->celsius, 10);
	n = add_three(out, n, "i", p->i_a);
	n = add_three(out, n, "u", p->u_v);
	return end(out, add_number(out, n, "wh", p->energy_wh, 1));
}

size_t board_write_drive(char *out, uint32_t order, const ag_drive *d)
{
	size_t n = add(out, 0, "drive n=%u pilot=%s duty=%ld k1=%d k2=%d lock=%d fan=%d test=%d", order, pilot_words[d->pilot & 3], lround(d->duty * 10000),
	               d->close_1 != 0, d->close_2 != 0, d->lock != 0, d->fan != 0, d->residual_test != 0);
	return end(out, n);
}

size_t board_write_ask(char *out)
{
	return end(out, add(out, 0, "ask"));
}
