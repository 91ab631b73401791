/* Reading certificates. Easy to get wrong: a PEM file may hold keys, parameters and words between its certificates, which OpenSSL skips; and
 * what it could not find stays in the thread's queue of errors, where the next TLS call would find it. */
#include "gateway/pki/cert.h"

#include <dirent.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"

#define PATH_MOST 600
#define STATUS_REQUEST 5 /* the feature's number, RFC 6066 */

static int64_t time_of(const ASN1_TIME *t)
{
	struct tm tm;
	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) * US_PER_S : 0;
}

static void name_text(const X509_NAME *name, char *out, size_t room)
{
	static const int parts[] = { NID_commonName, NID_organizationName };
	out[0] = 0;
	for (size_t i = 0; i < 2 && !out[0]; i++) {
		int at = X509_NAME_get_index_by_NID(name, parts[i], -1);
		unsigned char *text = NULL;
		int n = at < 0 ? -1 : ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
		if (n > 0 && utf8_valid((struct slice){ (char *)text, (size_t)n }))
			snprintf(out, room, "%.*s", n, text);
		OPENSSL_free(text);
	}
}

static void serial_text(const X509 *x, char *out, size_t room)
{
	BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	char *hex = n ? BN_bn2hex(n) : NULL;
	const char *digits = hex ? hex : "";
	while (*digits == '0' && digits[1])
		digits++;
	snprintf(out, room, "%s", digits);
	OPENSSL_free(hex);
	BN_free(n);
}

int64_t cert_ends_us(const X509 *x)
{
	return time_of(X509_get0_notAfter(x));
}

bool cert_is_valid_now(const X509 *x)
{
	int64_t now = clock_wall_us();
	return time_of(X509_get0_notBefore(x)) <= now && now < cert_ends_us(x);
}

void cert_facts(X509 *x, struct cert_facts *out)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	*out = (struct cert_facts){ .starts_us = time_of(X509_get0_notBefore(x)), .ends_us = cert_ends_us(x), .authority = X509_check_ca(x) > 0 };
	name_text(X509_get_subject_name(x), out->subject, sizeof(out->subject));
	name_text(X509_get_issuer_name(x), out->issuer, sizeof(out->issuer));
	serial_text(x, out->serial, sizeof(out->serial));
	if (X509_digest(x, EVP_sha256(), md, &n) == 1 && n == 32)
		hex_text(md, n, out->fingerprint);
}

bool cert_must_staple(const X509 *x)
{
	TLS_FEATURE *features = X509_get_ext_d2i(x, NID_tlsfeature, NULL, NULL);
	bool found = false;
	for (int i = 0; features && i < sk_ASN1_INTEGER_num(features); i++)
		found |= ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == STATUS_REQUEST;
	TLS_FEATURE_free(features);
	return found;
}

X509 *cert_read(struct slice pem)
{
	BIO *b = pem.p ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
	X509 *x = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
	BIO_free(b);
	ERR_clear_error();
	return x;
}

STACK_OF(X509) *cert_read_all(struct slice pem)
{
	STACK_OF(X509) *all = sk_X509_new_null();
	BIO *b = pem.p ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
	X509 *x;
	while (b && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)))
		sk_X509_push(all, x);
	BIO_free(b);
	ERR_clear_error();
	return all;
}

X509 *cert_read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	X509 *x = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
	if (f)
		fclose(f);
	ERR_clear_error();
	return x;
}

typedef void see_cert(void *arg, const char *file, X509 *x);

static size_t each_in_file(const char *path, see_cert *see, void *arg)
{
	FILE *f = fopen(path, "re");
	size_t n = 0;
	X509 *x;
	while (f && (x = PEM_read_X509(f, NULL, NULL, NULL))) {
		see(arg, path, x);
		X509_free(x);
		n++;
	}
	if (f)
		fclose(f);
	ERR_clear_error();
	return n;
}

static size_t each_in_directory(const char *dir, see_cert *see, void *arg)
{
	struct dirent **found;
	size_t n = 0;
	int files = scandir(dir, &found, NULL, alphasort);
	for (int i = 0; i < files; i++) {
		char path[PATH_MOST];
		const char *end = strrchr(found[i]->d_name, '.');
		int length = snprintf(path, sizeof(path), "%s/%s", dir, found[i]->d_name);
		if (end && (strcmp(end, ".pem") == 0 || strcmp(end, ".crt") == 0) && length < PATH_MOST)
			n += each_in_file(path, see, arg);
		free(found[i]);
	}
	if (files >= 0)
		free(found);
	return n;
}

int cert_each(const char *path, see_cert *see, void *arg)
{
	struct stat st;
	bool directory = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	return (directory ? each_in_directory : each_in_file)(path, see, arg) ? 0 : ERR_NOT_FOUND;
}
