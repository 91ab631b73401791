/* Who may use the console and the API: people with passwords, programs with tokens, the sessions of browsers, and the setup code with which the
 * first person is made. People come from the configuration, and from the box itself, where only a scrypt hash of their password is kept; of a
 * token only its SHA-256 is.
 *
 * After five wrong passwords an account, and the address they came from, wait: a second, two, four ... up to a quarter of an hour. Loop thread;
 * scrypt runs in a thread of its own, since it takes as long as a car needs to notice that a fuse is too warm. */
#ifndef AMPGATE_GATEWAY_USERS_H
#define AMPGATE_GATEWAY_USERS_H

#include "gateway/gateway.h"
#include "gateway/manage/command.h"

#define USER_NAME 41
#define USER_SECRET 44 /* 32 random bytes in base64url, and NUL */

struct who {
	char user[USER_NAME];
	enum role role;
	char csrf[USER_SECRET]; /* what a browser has to show with every change; "": nothing, a token was shown */
};

int users_open(struct gateway *g) MUST_CHECK;
void users_close(void);
/* After a change of the configuration. Whoever is in it no more, or with another role or password, has to log in again; the others stay. */
int users_reload(struct gateway *g) MUST_CHECK;

/* Nobody can log in yet. */
bool users_missing(void);
/* "ABCD-EFGH-JKMN" while nobody can log in, else NULL. */
const char *users_setup_code(void);

enum login_result { LOGIN_OK, LOGIN_WRONG, LOGIN_WAIT, LOGIN_FAILED };
typedef void login_done(void *arg, enum login_result r, int wait_s, const char *session, const struct who *who);
/* `done` follows, perhaps before this returns. `session` is the value of the cookie. */
void users_login(const char *user, const char *password, const char *peer, login_done *done, void *arg);

/* The first admin, and an installer where `installer` is not NULL. ERR_AUTH: not the code; ERR_INVALID: a password is too short; ERR_EXISTS. */
typedef void setup_done(void *arg, int err);
void users_setup(const char *code, const char *peer, const char *admin, const char *installer, setup_done *done, void *arg);
#define USERS_PASSWORD_LEAST 10

const struct who *users_session(struct slice cookie);  /* NULL: none, or over; touching it keeps it alive */
void users_logout(struct slice cookie);
const struct who *users_bearer(struct slice token);    /* "agt_..."; NULL: unknown or expired */

/* For the verbs. Names as in [a-z0-9-]{1,40}. */
int users_put(const char *name, enum role role, const char *password, setup_done *done, void *arg) MUST_CHECK;
int users_remove(const char *name) MUST_CHECK; /* ERR_NOT_FOUND, ERR_REFUSED: it is the configuration's, or the last admin */
void users_each(void (*see)(void *arg, const char *name, enum role role, bool configured), void *arg);
/* `out` receives the token, which is never shown again. until_us: wall, 0: never ends. */
int users_token_new(const char *name, enum role role, int64_t until_us, char out[64]) MUST_CHECK;
int users_token_remove(const char *name) MUST_CHECK;
void users_tokens_each(void (*see)(void *arg, const char *name, enum role role, int64_t until_us), void *arg);

/* Counts since the start, by enum login_result. */
const uint64_t *users_attempts(void);
const char *role_text(enum role r);
int role_parse(const char *text); /* enum role, or ERR_NOT_FOUND */

#endif
