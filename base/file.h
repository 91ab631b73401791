/* Small files as a whole: read into memory, or replaced so that a crash leaves the old content or the new, never half of either. They block:
 * for start-up and rare changes only. */
#ifndef AMPGATE_BASE_FILE_H
#define AMPGATE_BASE_FILE_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

/* Appends the content to `out`. ERR_TOO_LARGE beyond `most` bytes, else what open() or read() said. */
int file_read(const char *path, size_t most, struct buf *out) MUST_CHECK;

/* Writes beside it, syncs, renames over it, syncs the directory. `mode` as in open(), regardless of the umask. */
int file_replace(const char *path, struct slice content, mode_t mode) MUST_CHECK;

/* Makes a directory's entries durable: after renames and removals in it. */
int file_sync_dir(const char *dir) MUST_CHECK;

/* A directory of files and directories of files, gone. What is not there is no error. */
int file_remove_tree(const char *dir) MUST_CHECK;

#endif
