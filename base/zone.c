/* Reads TZif files (RFC 8536): a list of moments at which the offset changes, and behind it a rule for the time after the last of them, in the
 * notation of POSIX TZ ("CET-1CEST,M3.5.0,M10.5.0/3"). Files made by newer tools hold little more than the rule, so both are needed.
 *
 * Easy to get wrong: the file holds everything twice, first with 32-bit times, which are skipped; offsets in the rule count west of Greenwich
 * as positive; and the end of summer time is told in summer time. */
#include "base/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define ZONES "/usr/share/zoneinfo"
#define FILE_MOST 65536
#define HEAD 44
#define DAY_S INT64_C(86400)

struct turn {                 /* Mm.w.d/time */
	int month, week, day;
	int64_t time_s;
};

struct zone {
	int64_t *at_s;            /* changes, ascending */
	int32_t *offset_s;        /* from then on */
	size_t n;
	int32_t first_s;          /* before all of them */
	bool rule;                /* for after the last */
	int32_t winter_s, summer_s;
	bool summer;              /* the rule has a summer time */
	struct turn to_summer, to_winter;
};

/* --- the file --- */

static int64_t big(const uint8_t *p, int bytes)
{
	uint64_t v = p[0] & 0x80 ? ~UINT64_C(0) : 0;
	for (int i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

/* The counts of a header, in the order of the file: isut, isstd, leap, time, type, char. */
static size_t data_size(const uint8_t *head, int time_bytes, size_t count[6])
{
	for (int i = 0; i < 6; i++)
		count[i] = (size_t)(uint32_t)big(head + 20 + 4 * i, 4);
	for (int i = 0; i < 6; i++)
		if (count[i] > FILE_MOST)
			return FILE_MOST;
	return count[3] * (size_t)time_bytes + count[3] + count[4] * 6 + count[5] + count[2] * (size_t)(time_bytes + 4) + count[1] + count[0];
}

static const char *number(const char *s, int64_t *out)
{
	char *end;
	*out = strtol(s, &end, 10);
	return end > s ? end : NULL;
}

/* [+-]hh[:mm[:ss]] */
static const char *clock_text(const char *s, int64_t *out_s)
{
	int64_t part, sign = *s == '-' ? -1 : 1, unit = 3600;
	s += *s == '-' || *s == '+';
	*out_s = 0;
	for (;; s++, unit /= 60) {
		s = number(s, &part);
		if (!s)
			return NULL;
		*out_s += sign * part * unit;
		if (*s != ':' || unit == 1)
			return s;
	}
}

static const char *skip_name(const char *s)
{
	if (*s == '<')
		return strchr(s, '>') ? strchr(s, '>') + 1 : NULL;
	return s + strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static const char *turn_text(const char *s, struct turn *out)
{
	int taken = 0;
	out->time_s = 7200;
	if (sscanf(s, ",M%d.%d.%d%n", &out->month, &out->week, &out->day, &taken) < 3 || !taken || out->month < 1 || out->month > 12)
		return NULL;
	return s[taken] == '/' ? clock_text(s + taken + 1, &out->time_s) : s + taken;
}

static bool read_rule(struct zone *z, const char *s)
{
	int64_t west;
	s = skip_name(s);
	s = s ? clock_text(s, &west) : NULL;
	if (!s)
		return false;
	z->winter_s = z->summer_s = (int32_t)-west;
	if (!*s)
		return true;
	s = skip_name(s);
	if (!s)
		return false;
	west -= 3600;
	if (*s != ',')
		s = clock_text(s, &west);
	z->summer_s = (int32_t)-west;
	s = s ? turn_text(s, &z->to_summer) : NULL;
	s = s ? turn_text(s, &z->to_winter) : NULL;
	z->summer = s && !*s;
	return z->summer;
}

static bool read_block(struct zone *z, const uint8_t *p, const size_t count[6])
{
	const uint8_t *kinds = p + count[3] * 8, *types = kinds + count[3];
	z->n = count[3];
	z->at_s = mem_new((z->n + 1) * sizeof(*z->at_s));
	z->offset_s = mem_new((z->n + 1) * sizeof(*z->offset_s));
	for (size_t i = 0; i < z->n; i++) {
		if (kinds[i] >= count[4])
			return false;
		z->at_s[i] = big(p + 8 * i, 8);
		z->offset_s[i] = (int32_t)big(types + 6 * kinds[i], 4);
	}
	z->first_s = count[4] ? (int32_t)big(types, 4) : 0;
	return count[4] > 0;
}

static bool read_all(struct zone *z, const uint8_t *p, size_t n)
{
	size_t count[6];
	if (n < HEAD || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
		return false;
	size_t skip = HEAD + data_size(p, 4, count);
	if (skip + HEAD > n)
		return false;
	size_t size = data_size(p + skip, 8, count);
	if (skip + HEAD + size > n || !read_block(z, p + skip + HEAD, count))
		return false;
	const uint8_t *foot = p + skip + HEAD + size;
	const uint8_t *end = foot < p + n && *foot == '\n' ? memchr(foot + 1, '\n', (size_t)(p + n - foot - 1)) : NULL;
	if (end) {
		char *text = mem_text((struct slice){ (const char *)foot + 1, (size_t)(end - foot - 1) });
		z->rule = read_rule(z, text);
		mem_free(text);
	}
	return true;
}

struct zone *zone_open(const char *name)
{
	struct zone *z = NEW(struct zone);
	char path[256];
	uint8_t *text = mem_new(FILE_MOST);
	bool plain = name && name[0] && name[0] != '/' && !strstr(name, "..");
	snprintf(path, sizeof(path), ZONES "/%s", plain ? name : "");
	FILE *f = plain ? fopen(path, "re") : NULL;
	size_t n = f ? fread(text, 1, FILE_MOST, f) : 0;
	if (f)
		fclose(f);
	if (!read_all(z, text, n))
		zone_close(&z);
	mem_free(text);
	return z;
}

void zone_close(struct zone **z)
{
	if (*z) {
		mem_free((*z)->at_s);
		mem_free((*z)->offset_s);
		mem_free(*z);
	}
	*z = NULL;
}

/* --- asking --- */

/* Days since 1970 of a date in the Gregorian calendar. */
static int64_t days_of(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400, in_era = year - era * 400;
	int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

static int64_t year_of(int64_t days)
{
	int64_t year = 1970 + days / 366;
	while (days_of(year + 1, 1, 1) <= days)
		year++;
	return year;
}

/* The local time at which a year's turn happens, in the offset before it. */
static int64_t turn_in(const struct turn *t, int64_t year)
{
	int64_t first = days_of(year, t->month, 1), next = t->month == 12 ? days_of(year + 1, 1, 1) : days_of(year, t->month + 1, 1);
	int64_t weekday = ((first + 4) % 7 + 7) % 7, day = first + (t->day - weekday + 7) % 7 + 7 * (t->week - 1);
	while (day >= next)
		day -= 7;
	return day * DAY_S + t->time_s;
}

static int32_t by_rule(const struct zone *z, int64_t utc_s)
{
	if (!z->summer || utc_s < 0)
		return z->winter_s;
	int64_t year = year_of((utc_s + z->winter_s) / DAY_S);
	int64_t from = turn_in(&z->to_summer, year) - z->winter_s, to = turn_in(&z->to_winter, year) - z->summer_s;
	bool summer = from < to ? utc_s >= from && utc_s < to : utc_s >= from || utc_s < to;
	return summer ? z->summer_s : z->winter_s;
}

static int32_t offset_s(const struct zone *z, int64_t utc_s)
{
	size_t low = 0, high = z->n;
	if (z->rule && (!z->n || utc_s >= z->at_s[z->n - 1]))
		return by_rule(z, utc_s);
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (z->at_s[middle] <= utc_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? z->offset_s[low - 1] : z->first_s;
}

static int64_t floor_s(int64_t us)
{
	return us / US_PER_S - (us % US_PER_S < 0);
}

int64_t zone_offset_us(const struct zone *z, int64_t utc_us)
{
	return z ? offset_s(z, floor_s(utc_us)) * US_PER_S : 0;
}

int64_t zone_utc_us(const struct zone *z, int64_t local_us)
{
	/* The offsets of the day before and the day after are all there is to choose from. */
	int64_t before = zone_offset_us(z, local_us - DAY_S * US_PER_S), after = zone_offset_us(z, local_us + DAY_S * US_PER_S);
	int64_t first = local_us - before, second = local_us - after;
	if (zone_offset_us(z, first) == before)
		return first;
	return zone_offset_us(z, second) == after ? second : first;
}
