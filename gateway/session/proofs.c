/* Easy to get wrong: the answer is found by asking again, so what has just been found must still be remembered then; a wrong one is forgotten only when
 * as many newer ones came. And a thread must not see anything that the loop may free, so it works on copies. */
#include "gateway/session/proofs.h"

#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "gateway/own/errand.h"
#include "gateway/session/access.h"
#include "gateway/session/password-hash.h"

#define RUNNING_MOST 2
#define WAITING_MOST 512
#define OF_ONE_MOST 320     /* as many as may come from behind one router at once */
#define WRONG_KEPT 1024     /* more than can wait */
#define DIGEST 32
#define SECRET_MOST 128

/* A check that waits or runs. */
struct check {
	struct list entry;
	struct session *session;
	char *hash;                /* owned */
	char secret[SECRET_MOST];
	size_t n;
	unsigned char digest[DIGEST];
	uint64_t source, ticket;
	void (*ready)(void *arg, uint64_t ticket);
	void *arg;                 /* NULL: nobody waits any more */
	struct errand *errand;     /* NULL: it waits */
};

static struct {
	struct list waiting, running;
	size_t n_waiting, n_running;
	uint64_t last_source;
	unsigned char key[DIGEST];
	unsigned char wrong[WRONG_KEPT][DIGEST];
	size_t n_wrong;
	bool open;
} p;

static void open_once(void)
{
	if (p.open)
		return;
	list_init(&p.waiting);
	list_init(&p.running);
	if (RAND_bytes(p.key, sizeof(p.key)) != 1)
		abort(); /* without randomness nothing here is safe */
	p.open = true;
}

/* --- what is known --- */

static void digest_of(const struct session *s, const char *hash, struct slice secret, unsigned char out[DIGEST])
{
	struct buf text = { 0 };
	unsigned n = DIGEST;
	buf_printf(&text, "%s\n%s\n", s->id, hash);
	buf_slice(&text, secret);
	HMAC(EVP_sha256(), p.key, sizeof(p.key), (const unsigned char *)text.p, text.n, out, &n);
	explicit_bzero(text.p, text.n);
	buf_free(&text);
}

static bool was_wrong(const unsigned char digest[DIGEST])
{
	for (size_t i = 0; i < (p.n_wrong < WRONG_KEPT ? p.n_wrong : WRONG_KEPT); i++)
		if (memcmp(p.wrong[i], digest, DIGEST) == 0)
			return true;
	return false;
}

static bool is_known(const struct session *s, const unsigned char digest[DIGEST])
{
	return (s->proven && memcmp(s->proof, digest, DIGEST) == 0) || was_wrong(digest);
}

/* --- the thread --- */

static int run(struct errand *e, void *arg)
{
	const struct check *c = arg;
	(void)e;
	return password_hash_fits(c->hash, (struct slice){ c->secret, c->n });
}

static void check_free(void *arg)
{
	struct check *c = arg;
	explicit_bzero(c->secret, sizeof(c->secret));
	mem_free(c->hash);
	mem_free(c);
}

static void start(void);

static void tell(const struct check *c)
{
	if (c->arg)
		c->ready(c->arg, c->ticket);
}

static void on_checked(void *owner, int fits)
{
	struct check *c = owner;
	list_remove(&c->entry);
	p.n_running--;
	if (fits) {
		memcpy(c->session->proof, c->digest, DIGEST);
		c->session->proven = true;
	} else {
		memcpy(p.wrong[p.n_wrong++ % WRONG_KEPT], c->digest, DIGEST);
	}
	tell(c);
	start();
}

/* Of another source than the last one, where there is one. */
static struct check *next(void)
{
	LIST_WALK(&p.waiting, struct check, entry, c)
		if (c->source != p.last_source)
			return c;
	return LIST_TOP(&p.waiting, struct check, entry);
}

/* Where no thread can be had, `c` is gone, and its connection runs into its deadline. */
static void begin(struct check *c)
{
	static const struct errand_how how = { run, on_checked, check_free };
	if (errand_start(&c->errand, &how, c, c) != 0)
		return;
	list_append(&p.running, &c->entry);
	p.n_running++;
}

static void start(void)
{
	struct check *c;
	while (p.n_running < RUNNING_MOST && (c = next())) {
		list_remove(&c->entry);
		p.n_waiting--;
		p.last_source = c->source;
		if (!is_known(c->session, c->digest)) {
			begin(c);
			continue;
		}
		tell(c); /* the same was asked before it */
		check_free(c);
	}
}

/* --- asking --- */

static size_t waiting_of(uint64_t source)
{
	size_t n = 0;
	LIST_WALK(&p.waiting, struct check, entry, c)
		n += c->source == source;
	return n;
}

static enum proof enqueue(struct session *s, const char *hash, struct slice secret, const unsigned char digest[DIGEST], const struct proof_ask *ask)
{
	if (secret.n > SECRET_MOST)
		return PROOF_WRONG;
	if (p.n_waiting >= WAITING_MOST || waiting_of(ask->source) >= OF_ONE_MOST)
		return PROOF_BUSY;
	struct check *c = NEW(struct check);
	c->session = s;
	c->hash = mem_strdup(hash);
	memcpy(c->secret, secret.p, secret.n);
	c->n = secret.n;
	memcpy(c->digest, digest, DIGEST);
	c->source = ask->source;
	c->ticket = ask->ticket;
	c->ready = ask->ready;
	c->arg = ask->arg;
	list_append(&p.waiting, &c->entry);
	p.n_waiting++;
	return PROOF_LATER;
}

enum proof proof_of(struct session *s, const char *configured, const struct proof_ask *ask)
{
	unsigned char digest[DIGEST];
	char bytes[PASSWORD_BYTES];
	if (!password_hash_is(configured))
		return access_password_matches(ask->password, configured) ? PROOF_RIGHT : PROOF_WRONG;
	open_once();
	struct slice secret = password_plain(ask->password, bytes);
	digest_of(s, configured, secret, digest);
	if (s->proven && memcmp(s->proof, digest, DIGEST) == 0)
		return PROOF_RIGHT;
	if (was_wrong(digest))
		return PROOF_WRONG;
	enum proof r = enqueue(s, configured, secret, digest, ask);
	explicit_bzero(bytes, sizeof(bytes));
	start();
	return r;
}

static void forget_in(struct list *all, const void *arg)
{
	LIST_WALK(all, struct check, entry, c)
		if (c->arg == arg)
			c->arg = NULL;
}

void proofs_forget(const void *arg)
{
	if (!p.open)
		return;
	forget_in(&p.waiting, arg);
	forget_in(&p.running, arg);
}

void proofs_close(void)
{
	if (!p.open)
		return;
	LIST_WALK(&p.waiting, struct check, entry, c) {
		list_remove(&c->entry);
		check_free(c);
	}
	LIST_WALK(&p.running, struct check, entry, c) {
		list_remove(&c->entry);
		errand_stop(&c->errand);
	}
	p.n_waiting = p.n_running = 0;
}
