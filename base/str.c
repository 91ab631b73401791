/* Text helpers without state. Dates use the civil-day arithmetic of Howard Hinnant's public description, so no libc time zone is asked. */
#include "base/str.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

struct slice slice_of(const char *text)
{
	return (struct slice){ text, text ? strlen(text) : 0 };
}

bool slice_is(struct slice a, const char *text)
{
	return slice_eq(a, slice_of(text));
}

bool slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

/* The length of the UTF-8 sequence at p, 0 if it is not one (overlong, surrogate, beyond U+10FFFF, cut). */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
	if (p[0] < 0x80)
		return 1;
	size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n < len)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f))
		return 0;
	if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

bool utf8_valid(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	for (size_t i = 0; i < s.n;) {
		size_t len = utf8_sequence(p + i, s.n - i);
		if (!len)
			return false;
		i += len;
	}
	return true;
}

static int64_t days_from_civil(int64_t y, int m, int d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void civil_from_days(int64_t z, int64_t *y, int *m, int *d)
{
	z += 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = yoe + era * 400 + (*m <= 2);
}

char *time_text(int64_t wall_us, char out[TIME_TEXT])
{
	int64_t ms = (wall_us - (wall_us < 0 ? 999 : 0)) / 1000, day = ms / 86400000, rest = ms % 86400000, y;
	if (rest < 0) {
		rest += 86400000;
		day--;
	}
	int m, d;
	civil_from_days(day, &y, &m, &d);
	char text[64];
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)y, m, d, (int)(rest / 3600000), (int)(rest / 60000 % 60),
	         (int)(rest / 1000 % 60), (int)(rest % 1000));
	memcpy(out, text, TIME_TEXT - 1);
	out[TIME_TEXT - 1] = 0;
	return out;
}

/* A cursor over the text of a time; `bad` sticks. */
struct cursor {
	const char *p, *end;
	bool bad;
};

static int digits(struct cursor *c, int count)
{
	int v = 0;
	for (int i = 0; i < count; i++) {
		if (c->p >= c->end || *c->p < '0' || *c->p > '9') {
			c->bad = true;
			return 0;
		}
		v = v * 10 + (*c->p++ - '0');
	}
	return v;
}

static bool take(struct cursor *c, char ch)
{
	if (c->p < c->end && *c->p == ch) {
		c->p++;
		return true;
	}
	return false;
}

static void expect(struct cursor *c, char ch)
{
	if (!take(c, ch))
		c->bad = true;
}

static int64_t fraction_us(struct cursor *c)
{
	int64_t us = 0, scale = 100000;
	if (!take(c, '.') && !take(c, ','))
		return 0;
	if (c->p >= c->end || *c->p < '0' || *c->p > '9')
		c->bad = true;
	for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++, scale /= 10)
		us += (*c->p - '0') * scale;
	return us;
}

static int64_t offset_us(struct cursor *c)
{
	if (c->p == c->end || take(c, 'Z') || take(c, 'z'))
		return 0;
	int sign = take(c, '-') ? -1 : 1;
	if (sign > 0)
		expect(c, '+');
	int h = digits(c, 2), m = 0;
	take(c, ':');
	if (c->p < c->end)
		m = digits(c, 2);
	return sign * (h * 3600 + m * 60) * INT64_C(1000000);
}

int time_parse(struct slice s, int64_t *wall_us_out)
{
	static const int month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct cursor c = { s.p, s.p + s.n, s.n == 0 };
	int y = digits(&c, 4);
	expect(&c, '-');
	int mon = digits(&c, 2);
	expect(&c, '-');
	int d = digits(&c, 2);
	if (!take(&c, 'T') && !take(&c, 't'))
		expect(&c, ' ');
	int h = digits(&c, 2);
	expect(&c, ':');
	int min = digits(&c, 2), sec = 0;
	if (take(&c, ':'))
		sec = digits(&c, 2);
	int64_t us = fraction_us(&c);
	int64_t off = offset_us(&c);
	if (c.bad || c.p != c.end || mon < 1 || mon > 12 || d < 1 || d > month_days[mon - 1] || h > 24 || min > 59 || sec > 60)
		return ERR_SYNTAX;
	*wall_us_out = (days_from_civil(y, mon, d) * 86400 + h * 3600 + min * 60 + sec) * INT64_C(1000000) + us - off;
	return 0;
}

int int_parse(struct slice s, int64_t *out)
{
	size_t i = 0;
	bool neg = s.n && s.p[0] == '-';
	if (neg || (s.n && s.p[0] == '+'))
		i++;
	if (i == s.n)
		return ERR_SYNTAX;
	int64_t v = 0;
	for (; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return ERR_SYNTAX;
		if (__builtin_mul_overflow(v, INT64_C(10), &v) || __builtin_sub_overflow(v, (int64_t)(s.p[i] - '0'), &v))
			return ERR_TOO_LARGE;
	}
	if (!neg && v == INT64_MIN)
		return ERR_TOO_LARGE;
	*out = neg ? v : -v;
	return 0;
}

void hex_text(const void *bytes, size_t n, char *out)
{
	static const char digit[] = "0123456789abcdef";
	const unsigned char *b = bytes;
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digit[b[i] >> 4];
		out[2 * i + 1] = digit[b[i] & 15];
	}
	out[2 * n] = 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hex_parse(struct slice s, void *out, size_t room)
{
	unsigned char *b = out;
	if (s.n % 2)
		return ERR_SYNTAX;
	if (s.n / 2 > room)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < s.n; i += 2) {
		int hi = hex_value(s.p[i]), lo = hex_value(s.p[i + 1]);
		if (hi < 0 || lo < 0)
			return ERR_SYNTAX;
		b[i / 2] = (unsigned char)(hi << 4 | lo);
	}
	return (int)(s.n / 2);
}

static const char base64_digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_text(const void *bytes, size_t n, char *out)
{
	const unsigned char *b = bytes;
	size_t o = 0;
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)b[i] << 16 | (i + 1 < n ? (uint32_t)b[i + 1] << 8 : 0) | (i + 2 < n ? b[i + 2] : 0);
		out[o++] = base64_digit[v >> 18];
		out[o++] = base64_digit[v >> 12 & 63];
		out[o++] = i + 1 < n ? base64_digit[v >> 6 & 63] : '=';
		out[o++] = i + 2 < n ? base64_digit[v & 63] : '=';
	}
	out[o] = 0;
	return o;
}

int base64_parse(struct slice s, void *out, size_t room)
{
	unsigned char *b = out;
	uint32_t v = 0;
	int bits = 0;
	size_t o = 0;
	while (s.n && s.p[s.n - 1] == '=')
		s.n--;
	for (size_t i = 0; i < s.n; i++) {
		const char *at = s.p[i] ? strchr(base64_digit, s.p[i]) : NULL;
		if (!at)
			return ERR_SYNTAX;
		v = v << 6 | (uint32_t)(at - base64_digit);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (o == room)
			return ERR_TOO_LARGE;
		b[o++] = (unsigned char)(v >> bits);
	}
	return s.n % 4 == 1 ? ERR_SYNTAX : (int)o;
}

int percent_decode(struct slice s, char *out)
{
	size_t o = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '%') {
			out[o++] = s.p[i];
			continue;
		}
		if (i + 2 >= s.n || hex_value(s.p[i + 1]) < 0 || hex_value(s.p[i + 2]) < 0)
			return ERR_SYNTAX;
		out[o++] = (char)(hex_value(s.p[i + 1]) << 4 | hex_value(s.p[i + 2]));
		i += 2;
	}
	out[o] = 0;
	return (int)o;
}

size_t percent_encode(struct slice s, char *out)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	size_t o = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] && strchr(plain, s.p[i]))
			out[o++] = s.p[i];
		else
			o += (size_t)sprintf(out + o, "%%%02X", (unsigned char)s.p[i]);
	}
	out[o] = 0;
	return o;
}

#define WORD_MOST 48

/* Levenshtein distance with one row; words longer than WORD_MOST count as far away. */
static size_t distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), row[WORD_MOST + 1];
	if (la > WORD_MOST || lb > WORD_MOST)
		return WORD_MOST;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

const char *str_nearest(const char *word, const char *const *words)
{
	size_t len = strlen(word), best = len < 4 ? 2 : len / 3 + 2;
	const char *found = NULL;
	for (; *words; words++) {
		size_t d = distance(word, *words);
		/* A word that continues the typed one ("user" for "username") is as near as a slip of one key. */
		if (len >= 3 && strncmp(word, *words, len) == 0)
			d = 1;
		if (d < best) {
			best = d;
			found = *words;
		}
	}
	return found;
}

char *uuid_text(char out[UUID_TEXT])
{
	unsigned char b[16];
	char hex[33];
	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		memset(b, 0, sizeof(b)); /* cannot happen for 16 bytes once the pool is ready */
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	hex_text(b, sizeof(b), hex);
	snprintf(out, UUID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
	return out;
}
