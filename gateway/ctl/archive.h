/* Archives as tar.gz, written and read by the client (POSIX.1-1988 ustar; RFC 1952). One file at a time, in memory: nothing here is large.
 * Only plain files, with names that stay below where they are unpacked. Not thread-safe. */
#ifndef AMPGATE_GATEWAY_ARCHIVE_H
#define AMPGATE_GATEWAY_ARCHIVE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/mem.h"

struct archive;

/* The file is new and for its owner alone. NULL: errno says why. */
struct archive *archive_create(const char *path);
void archive_add(struct archive *a, const char *name, unsigned mode, struct slice content);
int archive_close(struct archive *a) MUST_CHECK; /* 0, or -EIO when some of it could not be written */

/* Calls `each` per file until it fails. 0, ERR_SYNTAX for what is no such archive or is cut, ERR_INVALID for a name that leaves its place, or
 * what `each` returned. */
int archive_read(const char *path, int (*each)(void *arg, const char *name, unsigned mode, struct slice content), void *arg) MUST_CHECK;

#endif
