/* A walk over the strings of a text: a string behind which a colon stands is a name, and the string behind the colon its value. Names that
 * are spelled with escapes are not ours, so what stands behind them is replaced too. */
#include "gateway/session/redact.h"

#include <string.h>

#include "base/mem.h"
#include "gateway/manage/view.h"

static const char *const tokens[] = { "idTag", "parentIdTag", "idToken", "additionalIdToken" };
static const char *const secrets[] = { "AuthorizationKey", "Password" }; /* in a text with one of these, values are hidden */

static bool one_of(struct slice name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is(name, list[i]))
			return true;
	return false;
}
#define ONE_OF(name, list) one_of(name, list, sizeof(list) / sizeof((list)[0]))

static bool holds_secret(struct slice text)
{
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (text.p && memmem(text.p, text.n, secrets[i], strlen(secrets[i])))
			return true;
	return false;
}

/* basicAuthPassword and apnPassword are names themselves in 2.x. */
static bool ends_in_password(struct slice name)
{
	return name.n >= 8 && memcmp(name.p + name.n - 7, "assword", 7) == 0;
}

static bool is_hidden(struct slice name, bool secret)
{
	return ONE_OF(name, tokens) || ends_in_password(name) || (secret && (slice_is(name, "value") || slice_is(name, "attributeValue"))) || memchr(name.p, '\\', name.n);
}

/* The string that begins at text.p[i], a quote: up to the quote that ends it, or to the end of a text that was cut. */
static struct slice string_at(struct slice text, size_t i)
{
	size_t end = i + 1;
	while (end < text.n && text.p[end] != '"')
		end += text.p[end] == '\\' ? 2 : 1;
	if (end > text.n)
		end = text.n;
	return (struct slice){ text.p + i + 1, end - i - 1 };
}

static size_t over_space(struct slice text, size_t i)
{
	while (i < text.n && strchr(" \t\r\n", text.p[i]) && text.p[i])
		i++;
	return i;
}

void redact_value(struct slice value, struct buf *out)
{
	char shown[TOKEN_SHOWN], *text = mem_text(value);
	buf_puts(out, value.n ? view_token(text, shown) : "");
	mem_free(text);
}

/* Where logs are sent to and firmware comes from: who one is there, before the @, and what stands behind the question mark. The slashes may be
 * spelled with JSON's escape. */
static void redact_url(struct slice s, struct buf *out)
{
	const char *colon = s.n ? memchr(s.p, ':', s.n) : NULL, *end = s.p + s.n, *from = colon ? colon + 1 : end;
	int slashes = 0;
	while (from < end && slashes < 2 && (*from == '/' || *from == '\\'))
		slashes += *from++ == '/';
	if (slashes < 2) {
		buf_slice(out, s);
		return;
	}
	const char *path = from, *query = memchr(from, '?', (size_t)(end - from));
	while (path < end && !strchr("/\\?#", *path))
		path++;
	const char *at = path > from ? memrchr(from, '@', (size_t)(path - from)) : NULL;
	buf_add(out, s.p, (size_t)(from - s.p));
	buf_puts(out, at ? "***" : "");
	from = at ? at : from;
	buf_add(out, from, (size_t)((query ? query : end) - from));
	buf_puts(out, query ? "?***" : "");
}

void redact_text(struct slice text, struct buf *out)
{
	bool secret = holds_secret(text), hide = false;
	for (size_t i = 0; i < text.n;) {
		if (text.p[i] != '"') {
			hide = hide && (text.p[i] == ':' || over_space(text, i) > i);
			buf_add(out, text.p + i++, 1);
			continue;
		}
		struct slice s = string_at(text, i);
		size_t behind = i + 1 + s.n;
		bool closed = behind < text.n, name = over_space(text, behind + closed) < text.n && text.p[over_space(text, behind + closed)] == ':';
		buf_puts(out, "\"");
		if (hide && !name)
			redact_value(s, out);
		else if (name)
			buf_slice(out, s);
		else
			redact_url(s, out);
		buf_puts(out, closed ? "\"" : "");
		hide = name && is_hidden(s, secret);
		i = behind + closed;
	}
}

bool redact_wants(const char *path)
{
	const char *last = strrchr(path, '.');
	return last && ONE_OF(slice_of(last + 1), tokens);
}
