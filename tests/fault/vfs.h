/* A disk that misbehaves on demand: SQLite's own file layer with a hand in between. Becomes the default one when installed. */
#ifndef AMPGATE_TESTS_FAULT_VFS_H
#define AMPGATE_TESTS_FAULT_VFS_H

#include <stdbool.h>

void vfs_install(void);

/* The n-th write, sync or truncation from now fails, and with `all` every one after it. 0: none does. `full`: as a full disk. */
void vfs_fail(int nth, bool all, bool full);
bool vfs_failed(void); /* since vfs_fail */

/* From now on remembers what is on the disk for sure (synced) and what is only on its way. At every sync, before it takes effect, `see` is called
 * on the thread that syncs and may call vfs_cut. NULL: stops. */
void vfs_watch(void (*see)(void *arg), void *arg);

/* Writes to `folder` what a power cut now would leave: all that was synced and, of the rest, what chance let through, sector by sector. */
void vfs_cut(const char *folder, unsigned *seed);

#endif
