/* Accounts, sessions and tokens.
 *
 * Kept in the store by owner: "console.user" NAME {"role":..,"hash":"scrypt$15$8$1$SALT$KEY"}, "console.token" NAME {"role":..,"sha256":..,
 * "until_us":..}; read once at the start. Easy to get wrong: whether an account exists must not show in the time an answer takes, so an unknown
 * name is hashed against all the same. */
#include "gateway/http/users.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "gateway/http/failures.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/own/alarm.h"
#include "gateway/session/password-hash.h"
#include "storage/kept.h"

#define OWNER_USER "console.user"
#define OWNER_TOKEN "console.token"
#define SESSIONS 64
#define HASHING_MOST 2
#define USERS_MOST 64
#define IDLE_US (30 * 60 * US_PER_S)
#define WHOLE_US (12 * 3600 * US_PER_S)

struct user {
	struct list entry;
	char name[USER_NAME];
	enum role role;
	char hash[PASSWORD_HASH_TEXT]; /* "": plain is there */
	char *plain;          /* the configuration's; NULL: kept here */
};

struct token {
	struct list entry;
	char name[USER_NAME];
	enum role role;
	unsigned char digest[SHA256_DIGEST_LENGTH];
	int64_t until_us;
};

struct session_slot {
	unsigned char digest[SHA256_DIGEST_LENGTH]; /* of the cookie: a look at our memory shows no usable cookie */
	struct who who;
	int64_t begun_us, touched_us; /* monotonic; begun 0: free */
};

struct work;

static struct {
	struct gateway *g;
	struct list users, tokens;
	size_t n_users, n_tokens;
	struct session_slot sessions[SESSIONS];
	struct mailbox *mailbox;
	struct work *works[HASHING_MOST]; /* whose threads run */
	char setup_code[16];
	uint64_t attempts[LOGIN_FAILED + 1];
} us;

/* --- words --- */

static const char *const role_names[] = { "viewer", "operator", "installer", "admin" };

const char *role_text(enum role r)
{
	return role_names[r];
}

int role_parse(const char *text)
{
	for (int i = 0; i < 4; i++)
		if (text && strcmp(role_names[i], text) == 0)
			return i;
	return ERR_NOT_FOUND;
}

static void random_text(char out[USER_SECRET])
{
	unsigned char bytes[32];
	char text[48];
	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		abort(); /* without randomness nothing here is safe */
	base64_text(bytes, sizeof(bytes), text);
	for (char *c = text; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? 0 : *c;
	snprintf(out, USER_SECRET, "%.43s", text);
}

static void make_setup_code(void)
{
	static const char letters[] = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"; /* 31 that nobody mistakes for another */
	unsigned char bytes[12];
	size_t n = 0;
	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		abort();
	for (int i = 0; i < 12; i++) {
		if (i && i % 4 == 0)
			us.setup_code[n++] = '-';
		us.setup_code[n++] = letters[bytes[i] % (sizeof(letters) - 1)];
	}
	us.setup_code[n] = 0;
}

/* --- hashes --- */

static bool same_text(const char *a, const char *b)
{
	unsigned char da[SHA256_DIGEST_LENGTH], db[SHA256_DIGEST_LENGTH];
	SHA256((const unsigned char *)a, strlen(a), da);
	SHA256((const unsigned char *)b, strlen(b), db);
	return CRYPTO_memcmp(da, db, sizeof(da)) == 0;
}

static void address_of(const char *peer, char out[64])
{
	snprintf(out, 64, "%s", peer);
	char *colon = strrchr(out, ':');
	if (colon)
		*colon = 0;
}

static int must_wait(const char *user, const char *address)
{
	int a = failures_wait("user", user), b = failures_wait("peer", address);
	return a > b ? a : b;
}

/* --- accounts --- */

static struct user *user_named(const char *name)
{
	LIST_WALK(&us.users, struct user, entry, u)
		if (strcmp(u->name, name) == 0)
			return u;
	return NULL;
}

static struct user *user_new(const char *name, enum role role)
{
	struct user *u = NEW(struct user);
	snprintf(u->name, sizeof(u->name), "%s", name);
	u->role = role;
	list_append(&us.users, &u->entry);
	us.n_users++;
	return u;
}

bool users_missing(void)
{
	LIST_WALK(&us.users, struct user, entry, u)
		if (u->role >= ROLE_INSTALLER)
			return false;
	return true;
}

const char *users_setup_code(void)
{
	if (!users_missing() || us.g->conf->console.login == LOGIN_NONE)
		return NULL;
	if (!us.setup_code[0])
		make_setup_code();
	return us.setup_code;
}

static bool see_user(void *arg, const char *name, struct slice value)
{
	cJSON *tree = json_parse(value);
	struct slice role = json_text(tree, "role"), hash = json_text(tree, "hash");
	char *word = mem_text(role);
	int r = role_parse(word);
	(void)arg;
	if (r >= 0 && hash.n && !user_named(name))
		snprintf(user_new(name, (enum role)r)->hash, PASSWORD_HASH_TEXT, "%.*s", SLICE_ARG(hash));
	mem_free(word);
	cJSON_Delete(tree);
	return true;
}

static struct token *token_new(const char *name, enum role role, int64_t until_us)
{
	struct token *t = NEW(struct token);
	snprintf(t->name, sizeof(t->name), "%s", name);
	t->role = role;
	t->until_us = until_us;
	list_append(&us.tokens, &t->entry);
	us.n_tokens++;
	return t;
}

static bool see_token(void *arg, const char *name, struct slice value)
{
	cJSON *tree = json_parse(value);
	char *word = mem_text(json_text(tree, "role"));
	unsigned char digest[SHA256_DIGEST_LENGTH];
	int r = role_parse(word);
	(void)arg;
	if (r >= 0 && hex_parse(json_text(tree, "sha256"), digest, sizeof(digest)) == (int)sizeof(digest))
		memcpy(token_new(name, (enum role)r, json_int(tree, "until_us", 0))->digest, digest, sizeof(digest));
	mem_free(word);
	cJSON_Delete(tree);
	return true;
}

static void add_configured(void)
{
	for (size_t i = 0; i < us.g->conf->console.n_users; i++) {
		const struct user_settings *c = &us.g->conf->console.users[i];
		if (!user_named(c->id))
			user_new(c->id, (enum role)c->role)->plain = mem_strdup(c->password);
	}
}

int users_open(struct gateway *g)
{
	us.g = g;
	list_init(&us.users);
	list_init(&us.tokens);
	add_configured();
	int err = kept_each(g->store, OWNER_USER, "", see_user, NULL);
	if (!err)
		err = kept_each(g->store, OWNER_TOKEN, "", see_token, NULL);
	if (!err)
		err = mailbox_open(&us.mailbox, NULL);
	return err;
}

/* --- work in a thread --- */

struct work {
	struct mail mail;
	pthread_t thread;
	struct mailbox *to;
	char *user, *password, *plain, address[64];
	char hash[PASSWORD_HASH_TEXT]; /* login: to compare with; else what came out */
	bool login, fits, joined;
	int err;
	enum role role;
	login_done *done;
	setup_done *stored;
	void *arg;
};

static void work_free(struct work *w)
{
	OPENSSL_cleanse(w->password, strlen(w->password));
	mem_free(w->user);
	mem_free(w->password);
	mem_free(w->plain);
	mem_free(w);
}

static void *hash_in_thread(void *arg)
{
	struct work *w = arg;
	if (w->login) {
		w->fits = password_hash_fits(w->hash, slice_of(w->password));
		if (w->plain)
			w->fits = same_text(w->plain, w->password);
	} else {
		w->err = password_hash(slice_of(w->password), PASSWORD_COST_PEOPLE, w->hash);
	}
	mailbox_post(w->to, &w->mail);
	return NULL;
}

static struct work *work_new(const char *user, const char *password, void *arg)
{
	struct work *w = NEW(struct work);
	w->user = mem_strdup(user);
	w->password = mem_strdup(password);
	w->to = us.mailbox;
	w->arg = arg;
	return w;
}

static bool work_start(struct work *w)
{
	for (size_t i = 0; i < HASHING_MOST; i++) {
		if (us.works[i])
			continue;
		if (pthread_create(&w->thread, NULL, hash_in_thread, w) != 0)
			break;
		us.works[i] = w;
		return true;
	}
	work_free(w);
	return false;
}

static void work_ended(struct work *w)
{
	if (!w->joined)
		pthread_join(w->thread, NULL);
	for (size_t i = 0; i < HASHING_MOST; i++)
		if (us.works[i] == w)
			us.works[i] = NULL;
}

/* Before the mailbox goes, nobody may be about to post. */
static void work_join_all(void)
{
	for (size_t i = 0; i < HASHING_MOST; i++) {
		if (!us.works[i])
			continue;
		pthread_join(us.works[i]->thread, NULL);
		us.works[i]->joined = true;
	}
}

/* --- logging in --- */

static struct session_slot *free_slot(void)
{
	struct session_slot *oldest = &us.sessions[0];
	for (size_t i = 0; i < SESSIONS; i++)
		if (us.sessions[i].touched_us < oldest->touched_us)
			oldest = &us.sessions[i];
	return oldest;
}

static const struct who *begin_session(const struct user *u, char cookie[USER_SECRET])
{
	struct session_slot *s = free_slot();
	random_text(cookie);
	*s = (struct session_slot){ .begun_us = clock_mono_us(), .touched_us = clock_mono_us() };
	SHA256((const unsigned char *)cookie, strlen(cookie), s->digest);
	snprintf(s->who.user, sizeof(s->who.user), "%s", u->name);
	s->who.role = u->role;
	random_text(s->who.csrf);
	return &s->who;
}

static void write_login_event(const char *code, const char *severity, const char *user, const char *address)
{
	char object[USER_NAME + 8];
	struct buf args = { 0 };
	struct json_writer w;
	snprintf(object, sizeof(object), "user/%s", user);
	jw_open(&w, &args);
	jw_object(&w, NULL);
	jw_string(&w, "from", address);
	jw_end(&w, '}');
	telemetry_event(us.g, code, severity, object, args.p);
	buf_free(&args);
	char info[160];
	snprintf(info, sizeof(info), "{'user': '%s', 'origin': '%s'}", user, address); /* the form that the appendix of 2.x recommends */
	alarm_raise(us.g, strcmp(code, "login") == 0 ? "MaintenanceLoginAccepted" : "MaintenanceLoginFailed", info, NULL);
}

static void finish_login(struct work *w, const struct user *u)
{
	char cookie[USER_SECRET];
	if (w->fits && u) {
		us.attempts[LOGIN_OK]++;
		failures_forget("user", w->user);
		failures_forget("peer", w->address);
		log_info(NULL, "%s logs in at the console from %s as %s", u->name, w->address, role_text(u->role));
		write_login_event("login", "info", u->name, w->address);
		const struct who *who = begin_session(u, cookie);
		w->done(w->arg, LOGIN_OK, 0, cookie, who);
		OPENSSL_cleanse(cookie, sizeof(cookie));
		return;
	}
	us.attempts[LOGIN_WRONG]++;
	failures_count("user", w->user);
	failures_count("peer", w->address);
	log_warn(NULL, "a login at the console from %s failed", w->address);
	if (u)
		write_login_event("login.failed", "warning", u->name, w->address);
	w->done(w->arg, LOGIN_WRONG, 0, NULL, NULL);
}

static void on_login_hashed(struct mail *mail, void *arg)
{
	struct work *w = (struct work *)(void *)mail;
	(void)arg;
	work_ended(w);
	finish_login(w, user_named(w->user));
	work_free(w);
}

void users_login(const char *user, const char *password, const char *peer, login_done *done, void *arg)
{
	const struct user *u = user_named(user);
	char address[64];
	address_of(peer, address);
	int wait = must_wait(user, address);
	if (wait) {
		us.attempts[LOGIN_WAIT]++;
		done(arg, LOGIN_WAIT, wait, NULL, NULL);
		return;
	}
	struct work *w = work_new(user, password, arg);
	w->login = true;
	w->done = done;
	w->mail.deliver = on_login_hashed;
	snprintf(w->address, sizeof(w->address), "%s", address);
	if (u)
		snprintf(w->hash, sizeof(w->hash), "%s", u->hash);
	if (u && u->plain)
		w->plain = mem_strdup(u->plain);
	if (!work_start(w)) {
		us.attempts[LOGIN_WAIT]++;
		done(arg, LOGIN_WAIT, 1, NULL, NULL);
	}
}

static struct session_slot *slot_of(struct slice cookie)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	int64_t now = clock_mono_us();
	if (cookie.n != USER_SECRET - 1)
		return NULL;
	SHA256((const unsigned char *)cookie.p, cookie.n, digest);
	for (size_t i = 0; i < SESSIONS; i++) {
		struct session_slot *s = &us.sessions[i];
		if (s->begun_us && CRYPTO_memcmp(s->digest, digest, sizeof(digest)) == 0)
			return now - s->touched_us > IDLE_US || now - s->begun_us > WHOLE_US ? NULL : s;
	}
	return NULL;
}

const struct who *users_session(struct slice cookie)
{
	struct session_slot *s = slot_of(cookie);
	if (!s)
		return NULL;
	s->touched_us = clock_mono_us();
	return &s->who;
}

void users_logout(struct slice cookie)
{
	struct session_slot *s = slot_of(cookie);
	if (s)
		OPENSSL_cleanse(s, sizeof(*s));
}

/* A person that has gone, or has another role or password now, has to log in again. */
static void end_sessions_of(const char *name)
{
	for (size_t i = 0; i < SESSIONS; i++)
		if (strcmp(us.sessions[i].who.user, name) == 0)
			OPENSSL_cleanse(&us.sessions[i], sizeof(us.sessions[i]));
}

/* The configuration says of this person what it said before, or nothing, as before. */
static bool is_as_configured(const struct user *u)
{
	const struct console_settings *c = &us.g->conf->console;
	for (size_t i = 0; i < c->n_users; i++)
		if (strcmp(c->users[i].id, u->name) == 0)
			return u->plain && c->users[i].password && c->users[i].role == (int)u->role && strcmp(c->users[i].password, u->plain) == 0;
	return !u->plain;
}

int users_reload(struct gateway *g)
{
	us.g = g;
	LIST_WALK(&us.users, struct user, entry, u) {
		if (is_as_configured(u))
			continue;
		end_sessions_of(u->name);
		list_remove(&u->entry);
		us.n_users--;
		mem_free(u->plain);
		mem_free(u);
	}
	add_configured();
	return kept_each(g->store, OWNER_USER, "", see_user, NULL); /* whom the configuration had covered */
}

const struct who *users_bearer(struct slice token)
{
	static struct who who;
	unsigned char digest[SHA256_DIGEST_LENGTH];
	SHA256((const unsigned char *)token.p, token.n, digest);
	LIST_WALK(&us.tokens, struct token, entry, t) {
		if (CRYPTO_memcmp(t->digest, digest, sizeof(digest)) != 0 || (t->until_us && t->until_us < clock_wall_us()))
			continue;
		who = (struct who){ .role = t->role };
		snprintf(who.user, sizeof(who.user), "%s", t->name);
		return &who;
	}
	return NULL;
}

/* --- changes --- */

static void on_kept(void *arg, int err, int64_t value)
{
	(void)arg, (void)value;
	if (err)
		log_error(NULL, "a change of the console's users is not on disk: %s", err_text(err));
}

static void on_user_hashed(struct mail *mail, void *arg)
{
	struct work *w = (struct work *)(void *)mail;
	struct buf value = { 0 };
	(void)arg;
	work_ended(w);
	if (!w->err) {
		struct user *u = user_named(w->user);
		if (!u)
			u = user_new(w->user, w->role);
		end_sessions_of(w->user);
		u->role = w->role;
		memcpy(u->hash, w->hash, sizeof(u->hash));
		buf_printf(&value, "{\"role\":\"%s\",\"hash\":\"%s\"}", role_text(w->role), w->hash);
		w->err = kept_put(us.g->store, OWNER_USER, w->user, buf_view(&value), on_kept, NULL);
		us.setup_code[0] = 0;
	}
	w->stored(w->arg, w->err);
	buf_free(&value);
	work_free(w);
}

int users_put(const char *name, enum role role, const char *password, setup_done *done, void *arg)
{
	const struct user *u = user_named(name);
	if (!conf_id_ok(name) || strlen(password) < USERS_PASSWORD_LEAST || strlen(password) > 200)
		return ERR_INVALID;
	if (u && u->plain)
		return ERR_REFUSED;
	if (!u && us.n_users >= USERS_MOST)
		return ERR_FULL;
	struct work *w = work_new(name, password, arg);
	w->role = role;
	w->stored = done;
	w->mail.deliver = on_user_hashed;
	return work_start(w) ? 0 : ERR_FULL;
}

static unsigned admins(void)
{
	unsigned n = 0;
	LIST_WALK(&us.users, struct user, entry, u)
		n += u->role == ROLE_ADMIN;
	return n;
}

int users_remove(const char *name)
{
	struct user *u = user_named(name);
	if (!u)
		return ERR_NOT_FOUND;
	if (u->plain || (u->role == ROLE_ADMIN && admins() == 1))
		return ERR_REFUSED;
	end_sessions_of(name);
	list_remove(&u->entry);
	us.n_users--;
	mem_free(u);
	return kept_remove(us.g->store, OWNER_USER, name, on_kept, NULL);
}

void users_each(void (*see)(void *arg, const char *name, enum role role, bool configured), void *arg)
{
	LIST_WALK(&us.users, struct user, entry, u)
		see(arg, u->name, u->role, u->plain != NULL);
}

static struct token *token_named(const char *name)
{
	LIST_WALK(&us.tokens, struct token, entry, t)
		if (strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

int users_token_new(const char *name, enum role role, int64_t until_us, char out[64])
{
	char secret[USER_SECRET], hex[2 * SHA256_DIGEST_LENGTH + 1];
	struct buf value = { 0 };
	if (!conf_id_ok(name))
		return ERR_INVALID;
	if (token_named(name))
		return ERR_EXISTS;
	if (us.n_tokens >= USERS_MOST)
		return ERR_FULL;
	random_text(secret);
	snprintf(out, 64, "agt_%s", secret);
	struct token *t = token_new(name, role, until_us);
	SHA256((const unsigned char *)out, strlen(out), t->digest);
	hex_text(t->digest, sizeof(t->digest), hex);
	buf_printf(&value, "{\"role\":\"%s\",\"sha256\":\"%s\",\"until_us\":%lld}", role_text(role), hex, (long long)until_us);
	int err = kept_put(us.g->store, OWNER_TOKEN, name, buf_view(&value), on_kept, NULL);
	buf_free(&value);
	return err;
}

int users_token_remove(const char *name)
{
	struct token *t = token_named(name);
	if (!t)
		return ERR_NOT_FOUND;
	list_remove(&t->entry);
	us.n_tokens--;
	mem_free(t);
	return kept_remove(us.g->store, OWNER_TOKEN, name, on_kept, NULL);
}

void users_tokens_each(void (*see)(void *arg, const char *name, enum role role, int64_t until_us), void *arg)
{
	LIST_WALK(&us.tokens, struct token, entry, t)
		see(arg, t->name, t->role, t->until_us);
}

/* --- the first person --- */

struct setup {
	char *installer;
	setup_done *done;
	void *arg;
};

static void setup_end(struct setup *s, int err)
{
	s->done(s->arg, err);
	mem_free(s->installer);
	mem_free(s);
}

static void on_installer_stored(void *arg, int err)
{
	setup_end(arg, err);
}

static void on_admin_stored(void *arg, int err)
{
	struct setup *s = arg;
	if (!err)
		telemetry_event(us.g, "setup.done", "info", "user/admin", NULL);
	if (!err && s->installer) {
		err = users_put("installer", ROLE_INSTALLER, s->installer, on_installer_stored, s);
		if (!err)
			return;
	}
	setup_end(s, err);
}

void users_setup(const char *code, const char *peer, const char *admin, const char *installer, setup_done *done, void *arg)
{
	const char *wanted = users_setup_code();
	char address[64];
	address_of(peer, address);
	int err = !wanted ? ERR_EXISTS : failures_wait("setup", address) ? ERR_FULL : !same_text(wanted, code) ? ERR_AUTH : 0;
	if (err == ERR_AUTH)
		failures_count("setup", address);
	if (!err && installer && strlen(installer) < USERS_PASSWORD_LEAST)
		err = ERR_INVALID;
	if (!err) {
		struct setup *s = NEW(struct setup);
		*s = (struct setup){ mem_strdup(installer), done, arg };
		err = users_put("admin", ROLE_ADMIN, admin, on_admin_stored, s);
		if (!err)
			return;
		mem_free(s->installer);
		mem_free(s);
	}
	done(arg, err);
}

const uint64_t *users_attempts(void)
{
	return us.attempts;
}

void users_close(void)
{
	if (!us.mailbox)
		return;
	work_join_all();
	mailbox_close(us.mailbox);
	LIST_WALK(&us.users, struct user, entry, u) {
		mem_free(u->plain);
		mem_free(u);
	}
	LIST_WALK(&us.tokens, struct token, entry, t)
		mem_free(t);
	failures_clear();
	OPENSSL_cleanse(&us, sizeof(us));
}
