/* Who may charge: the local lists that the CSMS sent to stations, the list that the site entered, and the cache of answers the CSMS gave.
 * 1.6 3.5, 2.x C10, C13: a list beats the cache; tokens compare without case. Loop thread; reads are from the database's read side. */
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

#define TOKENS_CACHED_MOST 10000 /* what is not accepted goes first, then what was heard longest ago */

/* The station's list (NULL: none), then the site's, then the cache. ERR_NOT_FOUND. An expired entry is returned with status "Expired", as is one
 * of the cache that was heard before `cached_since_us`. */
int token_find(struct store *s, const char *station, struct slice token, int64_t now_us, int64_t cached_since_us, struct arena *mem,
               struct token_rec *out) MUST_CHECK;
int token_put(struct store *s, const struct token_rec *t, store_done *done, void *arg) MUST_CHECK;
/* Many in one commit; with `replace` the others of the source go. Of the cache no more than it holds are kept. */
int token_put_all(struct store *s, enum token_source source, bool replace, const struct token_rec *all, size_t n, store_done *done, void *arg) MUST_CHECK;
int token_remove(struct store *s, enum token_source source, struct slice token, store_done *done, void *arg) MUST_CHECK;
int token_clear(struct store *s, enum token_source source, store_done *done, void *arg) MUST_CHECK;
int token_each(struct store *s, bool (*see)(void *arg, const struct token_rec *t), void *arg) MUST_CHECK;

/* What the CSMS sent to a station, in one commit: a full list takes the place of the old one, a differential one is merged into it; an entry
 * without a status (NULL) goes. */
struct token_list {
	const char *station;
	bool full;
	int64_t version;
	const struct token_rec *entries;
	size_t n;
};
int token_list_put(struct store *s, const struct token_list *l, store_done *done, void *arg) MUST_CHECK;
int64_t token_list_version(struct store *s, const char *station); /* 0: the CSMS has sent none */
int64_t token_list_length(struct store *s, const char *station);

#endif
