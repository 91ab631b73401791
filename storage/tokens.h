/* Who may charge: the local list (as the CSMS sent it, or the site entered it) and the cache of answers the CSMS gave.
 * 1.6 3.5, 2.x C10, C13: the list beats the cache; tokens compare without case. Loop thread; reads are from the database's read side. */
#ifndef AMPGATE_STORAGE_TOKENS_H
#define AMPGATE_STORAGE_TOKENS_H

#include "base/mem.h"
#include "storage/store.h"

enum token_source { TOKEN_LIST, TOKEN_CACHE };

struct token_rec {
	enum token_source source;
	struct slice token, type;   /* type absent in 1.6 */
	const char *status;         /* "Accepted", "Blocked", ... */
	int64_t expiry_us;          /* 0: none */
	struct slice group;
	int64_t updated_us;
};

/* List first, then cache. ERR_NOT_FOUND. An expired entry is returned with status "Expired". */
int token_find(struct store *s, struct slice token, int64_t now_us, struct arena *mem, struct token_rec *out) MUST_CHECK;
int token_put(struct store *s, const struct token_rec *t, store_done *done, void *arg) MUST_CHECK;
int token_remove(struct store *s, enum token_source source, struct slice token, store_done *done, void *arg) MUST_CHECK;
int token_clear(struct store *s, enum token_source source, store_done *done, void *arg) MUST_CHECK;
int token_each(struct store *s, bool (*see)(void *arg, const struct token_rec *t), void *arg) MUST_CHECK;

#endif
