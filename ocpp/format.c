/* Date-time and URI. Both are checked by looking, nothing is converted: a station's spelling is passed on as it came. */
#include "ocpp/format.h"

#include <string.h>

/* The number of `n` digits at *p, which moves on; -1: something else stands there. */
static int digits(const char **p, const char *end, int n)
{
	int v = 0;
	if (end - *p < n)
		return -1;
	for (int i = 0; i < n; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		v = v * 10 + (**p - '0');
	}
	return v;
}

static bool take(const char **p, const char *end, const char *any_of)
{
	if (*p == end || !**p || !strchr(any_of, **p))
		return false;
	(*p)++;
	return true;
}

static bool date(const char **p, const char *end)
{
	static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year = digits(p, end, 4);
	if (year < 0 || !take(p, end, "-"))
		return false;
	int month = digits(p, end, 2);
	if (month < 1 || month > 12 || !take(p, end, "-"))
		return false;
	bool leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	int day = digits(p, end, 2);
	return day >= 1 && day <= month_days[month - 1] + leap;
}

/* Minutes east of UTC. */
static bool offset(const char **p, const char *end, int *minutes_out)
{
	*minutes_out = 0;
	if (take(p, end, "Zz"))
		return true;
	int sign = take(p, end, "-") ? -1 : take(p, end, "+") ? 1 : 0;
	int h = sign ? digits(p, end, 2) : -1;
	int m = h >= 0 && take(p, end, ":") ? digits(p, end, 2) : -1;
	*minutes_out = sign * (h * 60 + m);
	return h >= 0 && h <= 23 && m >= 0 && m <= 59;
}

bool format_time(struct slice s)
{
	const char *p = s.p, *end = s.p + s.n;
	int east;
	if (!s.n || !date(&p, end) || !take(&p, end, "Tt"))
		return false;
	int h = digits(&p, end, 2);
	int m = h >= 0 && take(&p, end, ":") ? digits(&p, end, 2) : -1;
	int sec = m >= 0 && take(&p, end, ":") ? digits(&p, end, 2) : -1;
	if (h > 23 || m > 59 || sec < 0 || sec > 60)
		return false;
	if (take(&p, end, ".") && digits(&p, end, 1) < 0)
		return false;
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	if (!offset(&p, end, &east) || p != end)
		return false;
	return sec < 60 || (h * 60 + m - east + 2 * 1440) % 1440 == 1439;
}

static bool letter(char c)
{
	return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool hex_digit(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Whether all of [p, end) is unreserved, encoded, or one of `more`. */
static bool uri_characters(const char *p, const char *end, const char *more)
{
	for (; p < end; p++) {
		if (*p == '%') {
			if (end - p < 3 || !hex_digit(p[1]) || !hex_digit(p[2]))
				return false;
			p += 2;
		} else if (!letter(*p) && !(*p >= '0' && *p <= '9') && (!*p || !strchr("-._~!$&'()*+,;=", *p) ) && (!*p || !strchr(more, *p))) {
			return false;
		}
	}
	return true;
}

static bool ip_literal(const char *p, const char *end)
{
	if (p < end && (*p | 0x20) == 'v')
		return uri_characters(p + 1, end, ":");
	for (const char *q = p; q < end; q++)
		if (!hex_digit(*q) && *q != ':' && *q != '.')
			return false;
	return end - p >= 2;
}

/* [user@]host[:port] */
static bool authority(const char *p, const char *end)
{
	const char *at = memchr(p, '@', (size_t)(end - p));
	if (at && !uri_characters(p, at, ":"))
		return false;
	if (at)
		p = at + 1;
	const char *host_end = end;
	if (p < end && *p == '[') {
		const char *close = memchr(p, ']', (size_t)(end - p));
		if (!close || !ip_literal(p + 1, close))
			return false;
		p = host_end = close + 1;
	} else {
		const char *colon = memchr(p, ':', (size_t)(end - p));
		if (colon)
			host_end = colon;
		if (!uri_characters(p, host_end, ""))
			return false;
		p = host_end;
	}
	if (p < end && *p++ != ':')
		return false;
	for (; p < end; p++)
		if (*p < '0' || *p > '9')
			return false;
	return true;
}

static const char *first_of(const char *p, const char *end, const char *any_of)
{
	while (p < end && !(*p && strchr(any_of, *p)))
		p++;
	return p;
}

bool format_uri(struct slice s)
{
	const char *p = s.p, *end = s.p + s.n;
	if (!s.n || !letter(*p))
		return false;
	while (p < end && (letter(*p) || (*p >= '0' && *p <= '9') || *p == '+' || *p == '-' || *p == '.'))
		p++;
	if (p == end || *p++ != ':')
		return false;
	if (end - p >= 2 && p[0] == '/' && p[1] == '/') {
		const char *path = first_of(p + 2, end, "/?#");
		if (!authority(p + 2, path))
			return false;
		p = path;
	}
	const char *query = first_of(p, end, "?#");
	if (!uri_characters(p, query, ":@/"))
		return false;
	const char *fragment = first_of(query, end, "#");
	if (query < fragment && !uri_characters(query + 1, fragment, ":@/?"))
		return false;
	return fragment == end || uri_characters(fragment + 1, end, ":@/?");
}
