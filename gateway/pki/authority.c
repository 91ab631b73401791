/* The authority's files are read for each act: acts are rare, and what is on disk is what counts.
 *
 * Easy to get wrong: the books are on disk before a certificate leaves, so that none is at large that cannot be taken back; a list whose next
 * update is overdue shuts all stations out, so it is made anew each day and holds for a week; clocks of stations are wrong, so that everything
 * counts from a day ago; and names come from outside, while OpenSSL reads them as a little language (dirName:, email:copy). */
#include "gateway/pki/authority.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "gateway/pki/books.h"

#define DAY_S 86400
#define ROOT_DAYS 3650
#define LIST_DAYS 7
#define A_DAY_MOST 10
#define SERIAL_BITS 127
#define CSR_MOST 16384

struct authority {
	const char *dir;
	X509 *root;
	EVP_PKEY *key;
};

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

static int fail(char why[AUTHORITY_WHY], int err, const char *text)
{
	const char *said = ERR_reason_error_string(ERR_peek_error());
	snprintf(why, AUTHORITY_WHY, "%s%s%s", text, said ? ": " : "", said ? said : "");
	ERR_clear_error();
	return err;
}

static int64_t now_s(void)
{
	return clock_wall_us() / US_PER_S;
}

/* ---- the root, as opened for an act ---- */

static void close_authority(struct authority *a)
{
	X509_free(a->root);
	EVP_PKEY_free(a->key);
}

static int open_authority(const char *dir, struct authority *a, char why[AUTHORITY_WHY])
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
	close_authority(a);
	return fail(why, ERR_STORAGE, "root.crt and root.key cannot be used");
}

/* ---- pieces of certificates ---- */

static bool put_name(X509_NAME *name, const char *field, const char *value)
{
	return !value || !*value || X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0);
}

static bool put_serial(X509 *x)
{
	BIGNUM *n = BN_new();
	bool good = n && BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return good;
}

static bool put_times(X509 *x, int64_t ends_s)
{
	return ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(now_s() - DAY_S)) && ASN1_TIME_set(X509_getm_notAfter(x), (time_t)ends_s);
}

static bool put_extension(X509 *x, X509 *issuer, int nid, const char *value)
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
	bool good = X509_set_version(x, 2) && put_serial(x) && put_times(x, now_s() + (int64_t)ROOT_DAYS * DAY_S) && put_name(subject, "O", organisation) &&
	            put_name(subject, "CN", name) && X509_set_issuer_name(x, subject) && X509_set_pubkey(x, key) &&
	            put_extension(x, x, NID_subject_key_identifier, "hash") && put_extension(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
	            put_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") && X509_sign(x, key, EVP_sha256());
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
		return fail(why, err, "the root cannot be made");
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
	ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(now_s() - DAY_S)), *until = ASN1_TIME_set(NULL, (time_t)(now_s() + LIST_DAYS * DAY_S));
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
	return err ? fail(why, err, "the revocation list cannot be made") : 0;
}

int authority_renew_list(const char *dir, char why[AUTHORITY_WHY])
{
	struct authority a;
	struct books b;
	int err = open_authority(dir, &a, why);
	if (err)
		return err;
	err = books_read(dir, &b);
	err = err ? fail(why, err, "the books cannot be read") : make_list(&a, &b, why);
	books_free(&b);
	close_authority(&a);
	return err;
}

static int mark(struct books *b, const char *which)
{
	int n = 0;
	int64_t now = now_s();
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
	int err = open_authority(dir, &a, why);
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
	close_authority(&a);
	return err ? err : n;
}

/* ---- issuing ---- */

static bool is_strong(EVP_PKEY *key)
{
	int kind = EVP_PKEY_get_base_id(key), bits = EVP_PKEY_get_bits(key);
	return (kind == EVP_PKEY_RSA && bits >= 2048) || (kind == EVP_PKEY_EC && bits >= 224); /* 2.x A00.FR.314 on */
}

static X509_REQ *read_request(struct slice csr, char why[AUTHORITY_WHY])
{
	BIO *b = csr.p && csr.n <= CSR_MOST ? BIO_new_mem_buf(csr.p, (int)csr.n) : NULL;
	X509_REQ *r = b ? PEM_read_bio_X509_REQ(b, NULL, NULL, NULL) : NULL;
	EVP_PKEY *key = r ? X509_REQ_get0_pubkey(r) : NULL;
	BIO_free(b);
	ERR_clear_error();
	const char *wrong = !r ? "it is no certificate request in PEM" : !key ? "its key cannot be read" : !is_strong(key) ? "its key is too weak or of an unknown kind"
	                    : X509_REQ_verify(r, key) != 1 ? "it is not signed by its own key" : NULL;
	ERR_clear_error();
	if (!wrong)
		return r;
	snprintf(why, AUTHORITY_WHY, "%s", wrong);
	X509_REQ_free(r);
	return NULL;
}

/* "a.example,192.0.2.1" as OpenSSL wants it; false: a name that is none. */
static bool alternative_names(const char *names, struct buf *out)
{
	struct slice rest = slice_of(names);
	while (rest.n) {
		unsigned char bytes[16];
		char name[256];
		const char *comma = memchr(rest.p, ',', rest.n);
		size_t n = comma ? (size_t)(comma - rest.p) : rest.n;
		snprintf(name, sizeof(name), "%.*s", (int)n, rest.p);
		bool address = inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
		if (!n || n >= sizeof(name) || (!address && name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-*")]))
			return false;
		buf_printf(out, "%s%s:%s", out->n ? "," : "", address ? "IP" : "DNS", name);
		rest = (struct slice){ rest.p + n + (comma != NULL), rest.n - n - (comma != NULL) };
	}
	return out->n;
}

static bool put_uses(X509 *x, const struct authority *a, const struct authority_ask *ask)
{
	struct buf names = { 0 };
	bool rsa = EVP_PKEY_get_base_id(X509_get0_pubkey(x)) == EVP_PKEY_RSA, server = ask->kind == ISSUED_SERVER;
	/* TLS_RSA suites, which the standards ask of a server, encipher a key with the certificate's. */
	bool good = put_extension(x, a->root, NID_key_usage, rsa && server ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature");
	if (good && server)
		good = alternative_names(ask->names ? ask->names : ask->name, &names) && put_extension(x, a->root, NID_subject_alt_name, names.p);
	buf_free(&names);
	return good;
}

/* Only the key is the request's: names and uses are what the authority gives (2.x A00.FR.511 on: CN the serial number, O the operator). */
static X509 *make_certificate(const struct authority *a, X509_REQ *r, const struct authority_ask *ask, int64_t ends_s)
{
	X509 *x = X509_new();
	X509_NAME *subject = X509_get_subject_name(x), *of_root = X509_get_subject_name(a->root);
	char organisation[200] = "";
	X509_NAME_get_text_by_NID(of_root, NID_organizationName, organisation, sizeof(organisation));
	bool good = X509_set_version(x, 2) && put_serial(x) && put_times(x, ends_s) && put_name(subject, "O", organisation) && put_name(subject, "CN", ask->name) &&
	            X509_set_issuer_name(x, of_root) && X509_set_pubkey(x, X509_REQ_get0_pubkey(r)) && put_extension(x, a->root, NID_basic_constraints, "critical,CA:FALSE") &&
	            put_extension(x, a->root, NID_subject_key_identifier, "hash") && put_extension(x, a->root, NID_authority_key_identifier, "keyid:always") &&
	            put_uses(x, a, ask) && X509_sign(x, a->key, EVP_sha256());
	if (good)
		return x;
	X509_free(x);
	return NULL;
}

static int issued_today(const struct books *b, const char *name)
{
	int n = 0;
	for (size_t i = 0; i < b->n; i++)
		n += b->all[i].issued_s > now_s() - DAY_S && strcmp(b->all[i].name, name) == 0;
	return n;
}

static void note(struct books *b, X509 *x, const struct authority_ask *ask, int64_t ends_s)
{
	struct issued *i = &b->all[b->n++];
	BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	char *hex = n ? BN_bn2hex(n) : NULL;
	const char *digits = hex ? hex : "0";
	while (*digits == '0' && digits[1])
		digits++;
	*i = (struct issued){ .kind = ask->kind, .issued_s = now_s(), .ends_s = ends_s };
	snprintf(i->serial, sizeof(i->serial), "%s", digits);
	snprintf(i->name, sizeof(i->name), "%s", ask->name);
	OPENSSL_free(hex);
	BN_free(n);
}

static int issue(const struct authority *a, X509_REQ *r, const struct authority_ask *ask, struct buf *pem, char why[AUTHORITY_WHY])
{
	struct books b;
	char *text;
	int64_t ends_s = now_s() + (int64_t)ask->days * DAY_S;
	int err = books_read(a->dir, &b);
	if (!err && (b.n >= AUTHORITY_MOST || issued_today(&b, ask->name) >= A_DAY_MOST)) {
		books_free(&b);
		return fail(why, ERR_FULL, "too many were issued to it today");
	}
	X509 *x = err ? NULL : make_certificate(a, r, ask, ends_s);
	BIO *out = BIO_new(BIO_s_mem());
	if (!x)
		err = err ? err : fail(why, ERR_INVALID, "the name does not fit a certificate");
	if (x)
		note(&b, x, ask, ends_s);
	if (!err && books_write(a->dir, &b) != 0)
		err = fail(why, ERR_STORAGE, "the books cannot be written");
	if (!err && PEM_write_bio_X509(out, x)) {
		long n = BIO_get_mem_data(out, &text);
		buf_add(pem, text, (size_t)n);
	}
	BIO_free(out);
	X509_free(x);
	books_free(&b);
	return err;
}

int authority_issue(const char *dir, struct slice csr, const struct authority_ask *ask, struct buf *pem, char why[AUTHORITY_WHY])
{
	struct authority a;
	int err = open_authority(dir, &a, why);
	if (err)
		return err;
	X509_REQ *r = read_request(csr, why);
	err = r ? issue(&a, r, ask, pem, why) : ERR_INVALID;
	X509_REQ_free(r);
	close_authority(&a);
	return err;
}
