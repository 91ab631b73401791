/* Issuing: a request is judged, and a certificate made of its key.
 *
 * Easy to get wrong: the books are on disk before a certificate leaves, so that none is at large that cannot be taken back; and names come from
 * outside, while OpenSSL reads them as a little language (dirName:, email:copy). */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "gateway/pki/authority-local.h"
#include "gateway/pki/books.h"

#define A_DAY_MOST 10
#define CSR_MOST 16384

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
	bool good = cert_put_extension(x, a->root, NID_key_usage, rsa && server ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature");
	if (good && server)
		good = alternative_names(ask->names ? ask->names : ask->name, &names) && cert_put_extension(x, a->root, NID_subject_alt_name, names.p);
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
	bool good = X509_set_version(x, 2) && cert_put_serial(x) && cert_put_times(x, ends_s) &&
	            cert_put_name(subject, "O", organisation) && cert_put_name(subject, "CN", ask->name) &&
	            X509_set_issuer_name(x, of_root) && X509_set_pubkey(x, X509_REQ_get0_pubkey(r)) &&
	            cert_put_extension(x, a->root, NID_basic_constraints, "critical,CA:FALSE") && cert_put_extension(x, a->root, NID_subject_key_identifier, "hash") &&
	            cert_put_extension(x, a->root, NID_authority_key_identifier, "keyid:always") &&
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
		n += b->all[i].issued_s > authority_now_s() - DAY_S && strcmp(b->all[i].name, name) == 0;
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
	*i = (struct issued){ .kind = ask->kind, .issued_s = authority_now_s(), .ends_s = ends_s };
	snprintf(i->serial, sizeof(i->serial), "%s", digits);
	snprintf(i->name, sizeof(i->name), "%s", ask->name);
	OPENSSL_free(hex);
	BN_free(n);
}

static int issue(const struct authority *a, X509_REQ *r, const struct authority_ask *ask, struct buf *pem, char why[AUTHORITY_WHY])
{
	struct books b;
	char *text;
	int64_t ends_s = authority_now_s() + (int64_t)ask->days * DAY_S;
	int err = books_read(a->dir, &b);
	if (!err && (b.n >= AUTHORITY_MOST || issued_today(&b, ask->name) >= A_DAY_MOST)) {
		books_free(&b);
		return authority_fail(why, ERR_FULL, "too many were issued to it today");
	}
	X509 *x = err ? NULL : make_certificate(a, r, ask, ends_s);
	BIO *out = BIO_new(BIO_s_mem());
	if (!x)
		err = err ? err : authority_fail(why, ERR_INVALID, "the name does not fit a certificate");
	if (x)
		note(&b, x, ask, ends_s);
	if (!err && books_write(a->dir, &b) != 0)
		err = authority_fail(why, ERR_STORAGE, "the books cannot be written");
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
	int err = authority_open(dir, &a, why);
	if (err)
		return err;
	X509_REQ *r = read_request(csr, why);
	err = r ? issue(&a, r, ask, pem, why) : ERR_INVALID;
	X509_REQ_free(r);
	authority_close(&a);
	return err;
}
