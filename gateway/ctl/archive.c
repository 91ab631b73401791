/* A tar header is 512 bytes of text with octal numbers; content follows, padded to 512. Easy to get wrong: a name from an archive is a path
 * that somebody else chose. */
#include "gateway/ctl/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/clock.h"

#define BLOCK 512
#define FILE_MOST (2u << 30)

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[8], user[32], group[32], major[8], minor[8],
		prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

struct archive {
	gzFile gz;
	bool failed;
};

static unsigned sum_of(const struct header *h)
{
	const unsigned char *p = (const unsigned char *)h;
	unsigned sum = 0;
	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= offsetof(struct header, sum) && i < offsetof(struct header, type) ? ' ' : p[i];
	return sum;
}

struct archive *archive_create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	gzFile gz = fd >= 0 ? gzdopen(fd, "wb") : NULL;
	if (!gz)
		return NULL;
	struct archive *a = NEW(struct archive);
	a->gz = gz;
	return a;
}

static void put(struct archive *a, const void *p, size_t n)
{
	if (n && gzwrite(a->gz, p, (unsigned)n) != (int)n)
		a->failed = true;
}

/* A long name is parted at a slash. */
static bool set_name(struct header *h, const char *name)
{
	size_t n = strlen(name), cut = 0;
	while (n - cut >= sizeof(h->name)) {
		const char *slash = strchr(name + cut, '/');
		if (!slash || (size_t)(slash - name) >= sizeof(h->prefix))
			return false;
		cut = (size_t)(slash - name) + 1;
	}
	memcpy(h->name, name + cut, n - cut);
	memcpy(h->prefix, name, cut ? cut - 1 : 0);
	return true;
}

void archive_add(struct archive *a, const char *name, unsigned mode, struct slice content)
{
	static const char zeros[BLOCK];
	struct header h = { .type = '0', .magic = "ustar" };
	if (!set_name(&h, name) || content.n >= FILE_MOST) {
		a->failed = true;
		return;
	}
	h.magic[6] = h.magic[7] = '0';
	snprintf(h.mode, sizeof(h.mode), "%07o", mode & 07777);
	snprintf(h.uid, sizeof(h.uid), "%07o", 0);
	snprintf(h.gid, sizeof(h.gid), "%07o", 0);
	snprintf(h.size, sizeof(h.size), "%011lo", (unsigned long)content.n);
	snprintf(h.mtime, sizeof(h.mtime), "%011lo", (unsigned long)(clock_wall_us() / US_PER_S) & 077777777777);
	snprintf(h.sum, sizeof(h.sum), "%06o", sum_of(&h));
	h.sum[7] = ' ';
	put(a, &h, BLOCK);
	put(a, content.p, content.n);
	put(a, zeros, (BLOCK - content.n % BLOCK) % BLOCK);
}

int archive_close(struct archive *a)
{
	static const char end[2 * BLOCK];
	put(a, end, sizeof(end));
	bool failed = gzclose(a->gz) != Z_OK || a->failed;
	mem_free(a);
	return failed ? -EIO : 0;
}

static bool stays_below(const char *name)
{
	if (*name == '/' || !*name)
		return false;
	for (const char *p = name; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || !p[2]))
			return false;
	}
	return true;
}

static int read_file(gzFile gz, const struct header *h, int (*each)(void *arg, const char *name, unsigned mode, struct slice content), void *arg)
{
	char name[260], size[13] = "", *end;
	struct buf content = { 0 };
	memcpy(size, h->size, sizeof(h->size));
	unsigned long n = strtoul(size, &end, 8);
	snprintf(name, sizeof(name), "%.155s%s%.100s", h->prefix, h->prefix[0] ? "/" : "", h->name);
	if (h->type != '0' || n >= FILE_MOST || (*end && *end != ' '))
		return ERR_SYNTAX;
	if (!stays_below(name))
		return ERR_INVALID;
	for (unsigned long padded = (n + BLOCK - 1) / BLOCK * BLOCK, got = 0; got < padded;) {
		unsigned part = padded - got > 65536 ? 65536 : (unsigned)(padded - got);
		if (gzread(gz, buf_room(&content, part), part) != (int)part) {
			buf_free(&content);
			return ERR_SYNTAX;
		}
		got += part;
		content.n += part;
	}
	int rc = each(arg, name, (unsigned)strtoul(h->mode, NULL, 8) & 0777, (struct slice){ content.p, n });
	buf_free(&content);
	return rc;
}

static bool all_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* After the mark of the end, nothing but padding. It is read to its last byte, since only there zlib compares the sum of what it has unpacked:
 * damage may look like an early end. */
static int read_end(gzFile gz, const struct header *h)
{
	char rest[BLOCK];
	int n;
	if (!all_zero((const char *)h, BLOCK))
		return ERR_SYNTAX;
	while ((n = gzread(gz, rest, sizeof(rest))) > 0)
		if (!all_zero(rest, (size_t)n))
			return ERR_SYNTAX;
	return n < 0 ? ERR_SYNTAX : 0;
}

int archive_read(const char *path, int (*each)(void *arg, const char *name, unsigned mode, struct slice content), void *arg)
{
	gzFile gz = gzopen(path, "rb");
	struct header h;
	int rc = gz ? 0 : ERR_SYNTAX;
	while (rc == 0) {
		if (gzread(gz, &h, BLOCK) != BLOCK)
			rc = ERR_SYNTAX;
		else if (!h.name[0])
			break;
		else
			rc = memcmp(h.magic, "ustar", 5) == 0 && strtoul(h.sum, NULL, 8) == sum_of(&h) ? read_file(gz, &h, each, arg) : ERR_SYNTAX;
	}
	rc = rc ? rc : read_end(gz, &h);
	if (gz && gzclose(gz) != Z_OK && rc == 0)
		rc = ERR_SYNTAX;
	return rc;
}
