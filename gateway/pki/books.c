/* One line each: serial, kind, issued, ends, revoked, name. The name comes last, as it may have spaces; it has no line breaks. The file is replaced as a
 * whole, so that a power cut leaves the old books or the new ones. */
#include "gateway/pki/books.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

#define DAY_S 86400
#define BOOKS_MOST_BYTES (8 << 20)

static bool read_line(const char *line, struct issued *i)
{
	char kind[8];
	long long issued, ends, revoked;
	int at = 0;
	*i = (struct issued){ .kind = ISSUED_STATION };
	if (sscanf(line, "%47s %7s %lld %lld %lld %n", i->serial, kind, &issued, &ends, &revoked, &at) != 5 || !at)
		return false;
	i->kind = strcmp(kind, "server") == 0 ? ISSUED_SERVER : ISSUED_STATION;
	i->issued_s = issued;
	i->ends_s = ends;
	i->revoked_s = revoked;
	snprintf(i->name, sizeof(i->name), "%s", line + at);
	return true;
}

int books_read(const char *dir, struct books *b)
{
	char path[AUTHORITY_PATH], *rest, *line;
	struct buf text = { 0 };
	size_t lines = 0;
	*b = (struct books){ .n = 0 };
	snprintf(path, sizeof(path), "%s/authority/issued", dir);
	int err = file_read(path, BOOKS_MOST_BYTES, &text);
	for (size_t i = 0; i < text.n && lines < AUTHORITY_MOST; i++)
		lines += text.p[i] == '\n';
	b->all = mem_new((lines + 2) * sizeof(*b->all)); /* and one that is written next */
	for (rest = text.p; !err && rest && b->n < lines && (line = strsep(&rest, "\n"));)
		b->n += read_line(line, &b->all[b->n]);
	buf_free(&text);
	return err == -ENOENT ? 0 : err;
}

/* Those that ended a month ago are of no use to anybody. */
int books_write(const char *dir, const struct books *b)
{
	char path[AUTHORITY_PATH];
	struct buf text = { 0 };
	int64_t since = clock_wall_us() / US_PER_S - 30 * DAY_S;
	snprintf(path, sizeof(path), "%s/authority/issued", dir);
	for (size_t i = 0; i < b->n; i++) {
		const struct issued *x = &b->all[i];
		if (x->ends_s > since)
			buf_printf(&text, "%s %s %lld %lld %lld %s\n", x->serial, x->kind == ISSUED_SERVER ? "server" : "station", (long long)x->issued_s,
			           (long long)x->ends_s, (long long)x->revoked_s, x->name);
	}
	int err = file_replace(path, (struct slice){ text.p ? text.p : "", text.n }, 0600);
	buf_free(&text);
	return err;
}

void books_free(struct books *b)
{
	mem_free(b->all);
	*b = (struct books){ .n = 0 };
}
