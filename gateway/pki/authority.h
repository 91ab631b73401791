/* An authority of the box's own, for sites without one: a root, the certificates it issued, and the list of those it took back. It lives in
 * DIR/authority, DIR being the state directory:
 *
 *   root.key (0600)  root.crt  list.crl  issued   one line each: serial, kind, issued, ends, revoked (seconds, 0: not), name
 *
 * Nothing of it comes about by itself: authority_init makes it. Blocks for the files; loop thread. */
#ifndef AMPGATE_GATEWAY_PKI_AUTHORITY_H
#define AMPGATE_GATEWAY_PKI_AUTHORITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define AUTHORITY_PATH 600
#define AUTHORITY_WHY 200
#define AUTHORITY_MOST 20000 /* certificates in the books */

bool authority_is_there(const char *dir);
void authority_root(const char *dir, char path_out[AUTHORITY_PATH]);
void authority_list(const char *dir, char path_out[AUTHORITY_PATH]);

/* Ten years. `rsa`: 3072 bits, for stations that know nothing else; else ECDSA P-256. ERR_EXISTS; ERR_INVALID and ERR_STORAGE with the reason. */
int authority_init(const char *dir, const char *name, const char *organisation, bool rsa, char why[AUTHORITY_WHY]) MUST_CHECK;

enum issued_kind { ISSUED_STATION, ISSUED_SERVER };
struct authority_ask {
	enum issued_kind kind;
	const char *name;   /* becomes the CN, whatever the request says; the O is the root's */
	const char *names;  /* of a server: host names and addresses, separated by commas; NULL: `name` */
	int days;
};
/* Signs a request (PEM). ERR_NOT_FOUND: there is no authority; ERR_INVALID: the request is none, is not signed by its key, or the key is weak; ERR_FULL:
 * ten of this name were issued today; each with the reason. */
int authority_issue(const char *dir, struct slice csr, const struct authority_ask *ask, struct buf *pem, char why[AUTHORITY_WHY]) MUST_CHECK;

/* One by its serial, or all of a name that count. Their number, or an error. */
int authority_revoke(const char *dir, const char *which, char why[AUTHORITY_WHY]);
/* Writes the list anew: it holds for a week. */
int authority_renew_list(const char *dir, char why[AUTHORITY_WHY]) MUST_CHECK;

struct issued {
	char serial[48], name[80];
	enum issued_kind kind;
	int64_t issued_s, ends_s, revoked_s; /* since 1970; revoked 0: it is not */
};
bool authority_issued(const char *dir, const char *serial);
/* In the order of their issue. ERR_NOT_FOUND: there is no authority. */
int authority_each(const char *dir, void (*see)(void *arg, const struct issued *i), void *arg) MUST_CHECK;

#endif
