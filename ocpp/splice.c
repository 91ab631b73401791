/* Finding one value in JSON text, and replacing it there.
 *
 * Easy to get wrong: a name may be written with escapes and still be the same name, and the same name may stand twice; readers disagree
 * on which of two counts, so two are as good as none. The whole object is therefore read even after the name was found. */
#include "ocpp/splice.h"

#include <string.h>

#include "ocpp/scan.h"

static const struct slice absent = { NULL, 0 };

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next character of a text with escapes; -1 at the end, -2 for what is no ASCII character or no escape (our names are all ASCII). */
static int next_char(struct slice *s)
{
	static const char shorts[] = "b\bf\fn\nr\rt\t\"\"\\\\//";
	int code = 0;
	if (!s->n)
		return -1;
	char c = *s->p++;
	s->n--;
	if (c != '\\')
		return c & 0x80 ? -2 : c;
	if (!s->n)
		return -2;
	c = *s->p++;
	s->n--;
	for (size_t i = 0; c != 'u' && i < sizeof(shorts) - 1; i += 2)
		if (shorts[i] == c)
			return shorts[i + 1];
	if (c != 'u' || s->n < 4)
		return -2;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(s->p[i]);
		if (digit < 0)
			return -2;
		code = code * 16 + digit;
	}
	s->p += 4;
	s->n -= 4;
	return code < 0x80 ? code : -2;
}

static bool same_name(struct slice written, struct slice name)
{
	if (written.n == name.n && memcmp(written.p, name.p, name.n) == 0)
		return !memchr(written.p, '\\', written.n);
	if (!memchr(written.p, '\\', written.n))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (next_char(&written) != name.p[i])
			return false;
	return !written.n;
}

/* At the front of an object. */
static struct slice member(struct slice object, struct slice name)
{
	struct scan s = scan_of(object);
	struct slice found = absent, key, value;
	if (!scan_take(&s, '{') || scan_take(&s, '}'))
		return absent;
	do {
		if (!scan_string(&s, &key) || !scan_take(&s, ':') || !scan_value(&s, &value))
			return absent;
		if (!same_name(key, name))
			continue;
		if (found.p)
			return absent;
		found = value;
	} while (scan_take(&s, ','));
	return scan_take(&s, '}') ? found : absent;
}

static struct slice element(struct slice array, struct slice index)
{
	struct scan s = scan_of(array);
	struct slice value;
	int64_t i;
	if (int_parse(index, &i) != 0 || i < 0 || !scan_take(&s, '['))
		return absent;
	do {
		if (!scan_value(&s, &value))
			return absent;
		if (i-- == 0)
			return value;
	} while (scan_take(&s, ','));
	return absent;
}

struct slice splice_find(struct slice json, const char *path)
{
	struct scan s = scan_of(json);
	struct slice at;
	if (!json.p || !scan_value(&s, &at))
		return absent;
	while (*path && at.p) {
		struct slice name = { path, strcspn(path, ".") };
		path += name.n + (path[name.n] == '.');
		at = *at.p == '[' ? element(at, name) : member(at, name);
	}
	return at;
}

void splice_write(struct buf *out, struct slice text, struct slice window, struct slice replacement)
{
	size_t front = (size_t)(window.p - text.p);
	buf_add(out, text.p, front);
	buf_slice(out, replacement);
	buf_add(out, window.p + window.n, text.n - front - window.n);
}

void splice_insert_member(struct buf *out, struct slice text, struct slice object, struct slice member_text)
{
	struct scan s = scan_of(object);
	if (!scan_take(&s, '{')) {
		buf_slice(out, text);
		return;
	}
	const char *behind = s.p;
	bool empty = scan_take(&s, '}');
	buf_add(out, text.p, (size_t)(behind - text.p));
	buf_slice(out, member_text);
	if (!empty)
		buf_add(out, ",", 1);
	buf_add(out, behind, (size_t)(text.p + text.n - behind));
}
