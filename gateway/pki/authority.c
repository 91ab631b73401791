/* The authority's root, the list of what it took back, and its files, which are read for each act: acts are rare, and what is on disk is what counts.
 * authority-issue.c issues.
 *
 * Easy to get wrong: a list whose next update is overdue shuts all stations out, so it is made anew each day and holds for a week; and clocks of
 * stations are wrong, so that everything counts from a day ago. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "gateway/pki/authority-local.h"
#include "gateway/pki/books.h"

#define ROOT_DAYS 3650
#define LIST_DAYS 7
#define SERIAL_BITS 127

static void path_of(const char *dir, const char *file, char out[AUTHORITY_PATH])
{
	snprintf(out, AUTHORITY_PATH, "%s/authority%s%s", dir, *file ? "/" : "", file);
}

void authority_root(const char *dir, char path_out[AUTHORITY_PATH])
{
	path_of(dir, "root.crt", path_out);
}

void authority_list(const char *dir, char path_out[AUTHORITY_PATH])
{
	path_of(dir, "list.crl", path_out);
}

bool authority_is_there(const char *dir)
{
	char path[AUTHORITY_PATH];
	authority_root(dir, path);
	return access(path, R_OK) == 0;
}

int authority_fail(char why[AUTHORITY_WHY], int err, const char *text)
{
	const char *said = ERR_reason_error_string(ERR_peek_error());
	snprintf(why, AUTHORITY_WHY, "%s%s%s", text, said ? ": " : "", said ? said : "");
	ERR_clear_error();
	return err;
}

int64_t authority_now_s(void)
{
	return clock_wall_us() / US_PER_S;
}

/* ---- the root, as opened for an act ---- */

void authority_close(struct authority *a)
{
	X509_free(a->root);
	EVP_PKEY_free(a->key);
}

int authority_open(const char *dir, struct authority *a, char why[AUTHORITY_WHY])
{
	char path[AUTHORITY_PATH];
	*a = (struct authority){ .dir = dir };
	ERR_clear_error();
	if (!authority_is_there(dir)) {
		snprintf(why, AUTHORITY_WHY, "there is no local authority: ampgate pki init makes one");
		return ERR_NOT_FOUND;
	}
	path_of(dir, "root.crt", path);
	FILE *f = fopen(path, "re");
	a->root = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
	if (f)
		fclose(f);
	path_of(dir, "root.key", path);
	f = fopen(path, "re");
	a->key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
	if (f)
		fclose(f);
	if (a->root && a->key && X509_check_private_key(a->root, a->key) == 1)
		return 0;
	authority_close(a);
	return authority_fail(why, ERR_STORAGE, "root.crt and root.key cannot be used");
}

/* ---- pieces of certificates ---- */

bool cert_put_name(X509_NAME *name, const char *field, const char *value)
{
	return !value || !*value || X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0);
}

bool cert_put_serial(X509 *x)
{
	BIGNUM *n = BN_new();
	bool good = n && BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return good;
}

bool cert_put_times(X509 *x, int64_t ends_s)
{
	return ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(authority_now_s() - DAY_S)) && ASN1_TIME_set(X509_getm_notAfter(x), (time_t)ends_s);
}

bool cert_put_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bool good = e && X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	return good;
}

static int write_pem(const char *dir, const char *file, mode_t mode, int (*write)(BIO *b, void *what), void *what)
{
	char path[AUTHORITY_PATH], *text;
	BIO *b = BIO_new(BIO_s_secmem());
	path_of(dir, file, path);
	int err = b && write(b, what) ? 0 : ERR_INVALID;
	if (!err) {
		long n = BIO_get_mem_data(b, &text);
		err = file_replace(path, (struct slice){ text, (size_t)n }, mode);
	}
	BIO_free(b);
	return err;
}

static int write_key(BIO *b, void *key)
{
	return PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL);
}

static int write_certificate(BIO *b, void *x)
{
	return PEM_write_bio_X509(b, x);
}

static int write_list(BIO *b, void *crl)
{
	return PEM_write_bio_X509_CRL(b, crl);
}

/* ---- making the root ---- */

static X509 *make_root(EVP_PKEY *key, const char *name, const char *organisation)
{
	X509 *x = X509_new();
	X509_NAME *subject = X509_get_subject_name(x);
	bool good = X509_set_version(x, 2) && cert_put_serial(x) && cert_put_times(x, authority_now_s() + (int64_t)ROOT_DAYS * DAY_S) &&
	            cert_put_name(subject, "O", organisation) && cert_put_name(subject, "CN", name) && X509_set_issuer_name(x, subject) && X509_set_pubkey(x, key) &&
	            cert_put_extension(x, x, NID_subject_key_identifier, "hash") && cert_put_extension(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
	            cert_put_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") && X509_sign(x, key, EVP_sha256());
	if (good)
		return x;
	X509_free(x);
	return NULL;
}

int authority_init(const char *dir, const char *name, const char *organisation, bool rsa, char why[AUTHORITY_WHY])
{
	char path[AUTHORITY_PATH];
	if (authority_is_there(dir)) {
		snprintf(why, AUTHORITY_WHY, "there is one already");
		return ERR_EXISTS;
	}
	path_of(dir, "", path);
	if (mkdir(path, 0700) != 0 && errno != EEXIST) {
		snprintf(why, AUTHORITY_WHY, "%.120s: %s", path, strerror(errno));
		return ERR_STORAGE;
	}
	ERR_clear_error();
	EVP_PKEY *key = rsa ? EVP_RSA_gen(3072) : EVP_EC_gen("P-256");
	X509 *root = key ? make_root(key, name, organisation) : NULL;
	int err = root ? write_pem(dir, "root.key", 0600, write_key, key) : ERR_INVALID;
	if (!err)
		err = write_pem(dir, "root.crt", 0644, write_certificate, root); /* last: from here on it is there */
	EVP_PKEY_free(key);
	X509_free(root);
	if (err)
		return authority_fail(why, err, "the root cannot be made");
	return authority_renew_list(dir, why);
}

int authority_each(const char *dir, void (*see)(void *arg, const struct issued *i), void *arg)
{
	struct books b;
	if (!authority_is_there(dir))
		return ERR_NOT_FOUND;
	int err = books_read(dir, &b);
	for (size_t i = 0; i < b.n; i++)
		see(arg, &b.all[i]);
	books_free(&b);
	return err;
}

struct looking {
	const char *serial;
	bool found;
};

static void see_serial(void *arg, const struct issued *i)
{
	struct looking *l = arg;
	l->found |= strcasecmp(i->serial, l->serial) == 0;
}

bool authority_issued(const char *dir, const char *serial)
{
	struct looking l = { serial, false };
	return authority_each(dir, see_serial, &l) == 0 && l.found;
}

/* ---- the list of what was taken back ---- */

static bool add_revoked(X509_CRL *crl, const struct issued *i)
{
	X509_REVOKED *r = X509_REVOKED_new();
	BIGNUM *n = NULL;
	ASN1_INTEGER *serial = BN_hex2bn(&n, i->serial) ? BN_to_ASN1_INTEGER(n, NULL) : NULL;
	ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)i->revoked_s);
	bool good = r && serial && when && X509_REVOKED_set_serialNumber(r, serial) && X509_REVOKED_set_revocationDate(r, when) && X509_CRL_add0_revoked(crl, r);
	ASN1_INTEGER_free(serial);
	ASN1_TIME_free(when);
	BN_free(n);
	if (!good)
		X509_REVOKED_free(r);
	return good;
}

static bool finish_list(X509_CRL *crl, const struct authority *a)
{
	ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(authority_now_s() - DAY_S)), *until = ASN1_TIME_set(NULL, (time_t)(authority_now_s() + LIST_DAYS * DAY_S));
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	bool good = from && until && number && X509_CRL_set_version(crl, 1) && X509_CRL_set_issuer_name(crl, X509_get_subject_name(a->root)) &&
	            X509_CRL_set1_lastUpdate(crl, from) && X509_CRL_set1_nextUpdate(crl, until) && ASN1_INTEGER_set_int64(number, clock_wall_us()) &&
	            X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) && X509_CRL_sort(crl) && X509_CRL_sign(crl, a->key, EVP_sha256());
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	ASN1_INTEGER_free(number);
	return good;
}

static int make_list(const struct authority *a, const struct books *b, char why[AUTHORITY_WHY])
{
	X509_CRL *crl = X509_CRL_new();
	bool good = crl != NULL;
	for (size_t i = 0; good && i < b->n; i++)
		good = !b->all[i].revoked_s || add_revoked(crl, &b->all[i]);
	good = good && finish_list(crl, a);
	int err = good ? write_pem(a->dir, "list.crl", 0644, write_list, crl) : ERR_INVALID;
	X509_CRL_free(crl);
	return err ? authority_fail(why, err, "the revocation list cannot be made") : 0;
}

int authority_renew_list(const char *dir, char why[AUTHORITY_WHY])
{
	struct authority a;
	struct books b;
	int err = authority_open(dir, &a, why);
	if (err)
		return err;
	err = books_read(dir, &b);
	err = err ? authority_fail(why, err, "the books cannot be read") : make_list(&a, &b, why);
	books_free(&b);
	authority_close(&a);
	return err;
}

static int mark(struct books *b, const char *which)
{
	int n = 0;
	int64_t now = authority_now_s();
	for (size_t i = 0; i < b->n; i++) {
		struct issued *x = &b->all[i];
		if (x->revoked_s || x->ends_s <= now || (strcasecmp(x->serial, which) != 0 && strcmp(x->name, which) != 0))
			continue;
		x->revoked_s = now;
		n++;
	}
	return n;
}

int authority_revoke(const char *dir, const char *which, char why[AUTHORITY_WHY])
{
	struct authority a;
	struct books b;
	int err = authority_open(dir, &a, why);
	if (err)
		return err;
	err = books_read(dir, &b);
	int n = err ? 0 : mark(&b, which);
	if (!err && !n) {
		snprintf(why, AUTHORITY_WHY, "no certificate that counts has this serial or name");
		err = ERR_NOT_FOUND;
	}
	if (!err)
		err = books_write(dir, &b);
	if (!err)
		err = make_list(&a, &b, why);
	books_free(&b);
	authority_close(&a);
	return err ? err : n;
}
