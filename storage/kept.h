/* Small states that survive a power loss, by owner and name: the last BootNotification of a station and whether a CSMS ever accepted it, the
 * interval it was given, the newest status per connector that the CSMS has not seen. */
#ifndef AMPGATE_STORAGE_KEPT_H
#define AMPGATE_STORAGE_KEPT_H

#include "base/mem.h"
#include "storage/store.h"

int kept_put(struct store *s, const char *owner, const char *name, struct slice value, store_done *done, void *arg) MUST_CHECK;
int kept_remove(struct store *s, const char *owner, const char *name, store_done *done, void *arg) MUST_CHECK;
int kept_get(struct store *s, const char *owner, const char *name, struct arena *mem, struct slice *out) MUST_CHECK; /* ERR_NOT_FOUND */
/* All of an owner whose name starts with `prefix`, by name. */
int kept_each(struct store *s, const char *owner, const char *prefix, bool (*see)(void *arg, const char *name, struct slice value), void *arg) MUST_CHECK;

#endif
