/* Key and certificate are written under other names and renamed, key first: a power cut leaves a whole pair or none. */
#include "gateway/http/tls-own.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/pki/cert.h"

#define DAYS 3650
#define NAMES_MOST 2000

static void write_fingerprint(X509 *x, char out[96])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	X509_digest(x, EVP_sha256(), md, &n);
	for (unsigned i = 0; i < n && i < 32; i++)
		snprintf(out + 3 * i, 4, "%02X%s", md[i], i + 1 < n ? ":" : "");
}

int tls_cert_look(const char *path, char fingerprint_out[96], int64_t *expires_us_out)
{
	X509 *x = cert_read_file(path);
	if (!x)
		return access(path, R_OK) == 0 ? ERR_SYNTAX : ERR_NOT_FOUND;
	write_fingerprint(x, fingerprint_out);
	*expires_us_out = cert_ends_us(x);
	X509_free(x);
	return 0;
}

static void add_addresses(struct buf *san)
{
	struct ifaddrs *all;
	char host[NI_MAXHOST];
	if (getifaddrs(&all) != 0)
		return;
	for (struct ifaddrs *i = all; i && san->n < NAMES_MOST; i = i->ifa_next) {
		int family = i->ifa_addr ? i->ifa_addr->sa_family : 0;
		socklen_t n = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
		if ((family == AF_INET || family == AF_INET6) && getnameinfo(i->ifa_addr, n, host, sizeof(host), NULL, 0, NI_NUMERICHOST) == 0 && !strchr(host, '%'))
			buf_printf(san, ",IP:%s", host);
	}
	freeifaddrs(all);
}

static void alternative_names(const char *host, const char *const *names, struct buf *san)
{
	buf_printf(san, "DNS:localhost,DNS:%s", host);
	for (size_t i = 0; names && names[i] && san->n < NAMES_MOST; i++)
		buf_printf(san, ",DNS:%s", names[i]);
	add_addresses(san);
}

static int add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	int ok = e && X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	return ok;
}

static X509 *make_certificate(EVP_PKEY *key, const char *const *names)
{
	char host[256] = "ampgate";
	struct buf san = { 0 };
	X509 *x = X509_new();
	BIGNUM *serial = BN_new();
	gethostname(host, sizeof(host) - 1);
	alternative_names(host, names, &san);
	X509_NAME *name = X509_get_subject_name(x);
	int ok = X509_set_version(x, 2) && BN_rand(serial, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x));
	ok = ok && X509_gmtime_adj(X509_getm_notBefore(x), -86400) && X509_time_adj_ex(X509_getm_notAfter(x), DAYS, 0, NULL);
	ok = ok && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)host, -1, -1, 0) && X509_set_issuer_name(x, name);
	ok = ok && X509_set_pubkey(x, key) && add_extension(x, NID_subject_alt_name, san.p) && add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
	     add_extension(x, NID_ext_key_usage, "serverAuth") && X509_sign(x, key, EVP_sha256());
	BN_free(serial);
	buf_free(&san);
	if (ok)
		return x;
	X509_free(x);
	return NULL;
}

static FILE *create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? NULL : fdopen(fd, "w");
}

static bool settle(FILE *f, bool ok, const char *from, const char *to)
{
	ok = f && ok && fflush(f) == 0 && fsync(fileno(f)) == 0;
	if (f)
		fclose(f);
	return ok && rename(from, to) == 0;
}

static int make(struct tls_own *t, const char *const *names)
{
	struct buf cert = { 0 }, key = { 0 };
	buf_printf(&cert, "%s.new", t->cert.p);
	buf_printf(&key, "%s.new", t->key.p);
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	X509 *x = pair ? make_certificate(pair, names) : NULL;
	FILE *f = x ? create(key.p) : NULL;
	bool ok = f && settle(f, PEM_write_PrivateKey(f, pair, NULL, NULL, 0, NULL, NULL) == 1, key.p, t->key.p);
	f = ok ? create(cert.p) : NULL;
	ok = f && settle(f, PEM_write_X509(f, x) == 1, cert.p, t->cert.p);
	if (!ok)
		log_error(NULL, "a certificate for the console cannot be made at %s: %s", t->cert.p, x ? strerror(errno) : "OpenSSL refuses");
	X509_free(x);
	EVP_PKEY_free(pair);
	buf_free(&cert);
	buf_free(&key);
	ERR_clear_error();
	return ok ? 0 : ERR_TLS;
}

int tls_own_open(const char *dir, const char *const *names, struct tls_own *out)
{
	struct buf at = { 0 };
	int err = 0;
	*out = (struct tls_own){ .expires_us = 0 };
	buf_printf(&at, "%s/tls", dir);
	if (mkdir(at.p, 0700) != 0 && errno != EEXIST) {
		err = -errno;
		log_error(NULL, "%s: %s", at.p, err_text(err));
	}
	buf_printf(&out->cert, "%s/console.crt", at.p);
	buf_printf(&out->key, "%s/console.key", at.p);
	buf_free(&at);
	if (!err && (tls_cert_look(out->cert.p, out->fingerprint, &out->expires_us) != 0 || out->expires_us < clock_wall_us() || access(out->key.p, R_OK) != 0)) {
		err = make(out, names);
		if (!err)
			err = tls_cert_look(out->cert.p, out->fingerprint, &out->expires_us);
	}
	return err;
}

void tls_own_free(struct tls_own *t)
{
	buf_free(&t->cert);
	buf_free(&t->key);
}
