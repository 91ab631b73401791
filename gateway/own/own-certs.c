/* A root's file is named by its type and the hash that names it in messages, so that installing it again changes nothing.
 *
 * Easy to get wrong: the hashes of a certificate are those of its issuer, taken over the DER of the issuer's name and over the bits of the
 * issuer's public key (RFC 6960's CertID). A root is its own issuer; for anything else the issuer's key is not at hand and the certificate's
 * own is taken, as it is only told of the station's own certificate. */
#include "gateway/own/own-certs.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "gateway/pki/cert.h"
#include "gateway/pki/request.h"

#define PATH_MOST OWN_CERTS_PATH
#define OWN "ChargingStationCertificate"
#define TRIAL "trial"
#define PAIR_MOST 16384

static bool hash_text(const void *bytes, size_t n, char out[129])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned length;
	if (!EVP_Digest(bytes, n, hash, &length, EVP_sha256(), NULL))
		return false;
	hex_text(hash, length, out);
	return true;
}

static bool describe(X509 *x, const char *type, struct certificate_id *out)
{
	unsigned char *name = NULL;
	int n = i2d_X509_NAME(X509_get_issuer_name(x), &name);
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(x);
	BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	char *hex = serial ? BN_bn2hex(serial) : NULL;
	*out = (struct certificate_id){ .type = type, .algorithm = "SHA256" };
	bool good = n > 0 && key && hex && hash_text(name, (size_t)n, out->name_hash) && hash_text(key->data, (size_t)key->length, out->key_hash);
	if (good) {
		const char *digits = hex;
		while (*digits == '0' && digits[1])
			digits++;
		snprintf(out->serial, sizeof(out->serial), "%s", digits);
	}
	OPENSSL_free(name);
	OPENSSL_free(hex);
	BN_free(serial);
	return good;
}

/* Files */

char *own_certs_dir(const char *state_dir, const char *station)
{
	char name[160], path[PATH_MOST];
	percent_encode(slice_of(station), name);
	snprintf(path, sizeof(path), "%s/station-%s", state_dir, name);
	return mem_strdup(path);
}

static void path_of(const char *dir, const struct certificate_id *id, char out[PATH_MOST])
{
	snprintf(out, PATH_MOST, "%s/%s-%.16s-%s.pem", dir, id->type, id->key_hash, id->serial);
}

static int write_file(const char *path, struct slice content)
{
	return file_replace(path, content, 0600) == 0 ? 0 : ERR_STORAGE;
}

static const char *known_type(const char *name)
{
	static const char *const types[] = { "CSMSRootCertificate", "ManufacturerRootCertificate", "V2GRootCertificate", "MORootCertificate", OWN };
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strncmp(name, types[i], strlen(types[i])) == 0)
			return types[i];
	}
	return NULL;
}

size_t own_certs_list(const char *dir, struct arena *mem, struct certificate_id **out)
{
	DIR *d = opendir(dir);
	size_t n = 0;
	*out = arena_new(mem, (OWN_CERTS_MOST + 1) * sizeof(**out));
	for (struct dirent *e; d && n <= OWN_CERTS_MOST && (e = readdir(d));) {
		char path[PATH_MOST];
		const char *type = known_type(e->d_name), *end = strrchr(e->d_name, '.');
		if (!type || !end || strcmp(end, ".pem") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		X509 *x = cert_read_file(path);
		if (x && describe(x, type, &(*out)[n]))
			n++;
		X509_free(x);
	}
	if (d)
		closedir(d);
	return n;
}

int own_certs_install(const char *dir, const char *type, struct slice pem)
{
	struct arena mem = { 0 };
	struct certificate_id id, *there;
	char path[PATH_MOST];
	X509 *x = cert_read(pem);
	bool good = x && cert_is_valid_now(x) && known_type(type) && describe(x, type, &id);
	X509_free(x);
	if (!good)
		return ERR_INVALID;
	size_t n = own_certs_list(dir, &mem, &there);
	arena_free(&mem);
	path_of(dir, &id, path);
	if (access(path, F_OK) != 0 && n >= OWN_CERTS_MOST)
		return ERR_FULL;
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return ERR_STORAGE;
	return write_file(path, pem);
}

int own_certs_delete(const char *dir, const struct certificate_id *id)
{
	char path[PATH_MOST];
	path_of(dir, id, path);
	return unlink(path) == 0 ? 0 : ERR_NOT_FOUND;
}

/* The station's own */

int own_certs_request(const char *dir, const char *common_name, const char *organisation, struct buf *csr)
{
	char path[PATH_MOST];
	struct buf key = { 0 };
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return ERR_STORAGE;
	snprintf(path, sizeof(path), "%s/waiting.key", dir);
	int err = request_make(common_name, organisation, &key, csr);
	if (!err)
		err = write_file(path, buf_view(&key));
	request_wipe(&key);
	return err;
}

static EVP_PKEY *waiting_key(const char *dir)
{
	char path[PATH_MOST];
	snprintf(path, sizeof(path), "%s/waiting.key", dir);
	FILE *f = fopen(path, "re");
	EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
	if (f)
		fclose(f);
	return key;
}

static void add_root(void *arg, const char *file, X509 *x)
{
	(void)file;
	X509_STORE_add_cert(arg, x);
}

/* Whether a certificate leads to an installed root of this type, or to one of `more` (NULL: none); *any_out: whether there is an installed one. */
static bool leads_to(const char *dir, const char *type, const char *more, X509 *x, STACK_OF(X509) *between, bool *any_out)
{
	X509_STORE *roots = X509_STORE_new();
	X509_STORE_CTX *c = X509_STORE_CTX_new();
	DIR *d = opendir(dir);
	*any_out = false;
	for (struct dirent *e; d && (e = readdir(d));) {
		char path[PATH_MOST];
		if (strncmp(e->d_name, type, strlen(type)) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		X509 *root = cert_read_file(path);
		*any_out |= root && X509_STORE_add_cert(roots, root);
		X509_free(root);
	}
	if (d)
		closedir(d);
	if (more && roots && cert_each(more, add_root, roots) != 0)
		log_debug(NULL, "%s: no certificate can be read", more);
	if (roots)
		X509_STORE_set_flags(roots, X509_V_FLAG_PARTIAL_CHAIN);
	bool good = roots && c && X509_STORE_CTX_init(c, roots, x, between) && X509_verify_cert(c) == 1;
	X509_STORE_CTX_free(c);
	X509_STORE_free(roots);
	return good;
}

static bool is_acceptable(const char *dir, const char *more, STACK_OF(X509) *chain, EVP_PKEY *key)
{
	X509 *x = sk_X509_value(chain, 0);
	bool any, leads;
	if (!x || !key || !cert_is_valid_now(x) || X509_check_private_key(x, key) != 1)
		return false;
	leads = leads_to(dir, "CSMSRootCertificate", more, x, chain, &any);
	return leads || !any;
}

/* Key and chain in one file, so that a power cut leaves the old two or the new two. */
static int put_pair(const char *dir, const char *name, struct slice chain)
{
	char waiting[PATH_MOST], path[PATH_MOST];
	struct buf pair = { 0 };
	snprintf(waiting, sizeof(waiting), "%s/waiting.key", dir);
	snprintf(path, sizeof(path), "%s/%s.pem", dir, name);
	int err = file_read(waiting, PAIR_MOST, &pair) == 0 ? 0 : ERR_STORAGE;
	buf_slice(&pair, chain);
	if (!err)
		err = write_file(path, buf_view(&pair));
	if (!err)
		unlink(waiting);
	request_wipe(&pair);
	return err;
}

static int take(const char *dir, const char *name, const char *more, struct slice pem)
{
	STACK_OF(X509) *chain = cert_read_all(pem);
	EVP_PKEY *key = waiting_key(dir);
	int err = is_acceptable(dir, more, chain, key) ? 0 : ERR_INVALID;
	EVP_PKEY_free(key);
	sk_X509_pop_free(chain, X509_free);
	return err ? err : put_pair(dir, name, pem);
}

int own_certs_take(const char *dir, struct slice chain)
{
	return take(dir, OWN, NULL, chain);
}

int own_certs_take_on_trial(const char *dir, const char *more, struct slice chain)
{
	return take(dir, TRIAL, more, chain);
}

static void pair_path(const char *dir, enum own_pair which, char out[PATH_MOST])
{
	snprintf(out, PATH_MOST, "%s/%s.pem", dir, which == OWN_TRIAL ? TRIAL : OWN);
}

void own_certs_settle(const char *dir, bool good)
{
	char trial[PATH_MOST], present[PATH_MOST];
	pair_path(dir, OWN_TRIAL, trial);
	pair_path(dir, OWN_PRESENT, present);
	if (!good)
		unlink(trial);
	else if (rename(trial, present) != 0 || file_sync_dir(dir) != 0)
		log_error(NULL, "%s: the new certificate is used, but may be forgotten at the next start: %s", present, err_text(-errno));
}

bool own_certs_pair(const char *dir, enum own_pair which, char path_out[OWN_CERTS_PATH])
{
	pair_path(dir, which, path_out);
	FILE *f = fopen(path_out, "re");
	EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
	bool there = key != NULL;
	EVP_PKEY_free(key);
	if (f)
		fclose(f);
	ERR_clear_error();
	return there;
}

int64_t own_certs_end(const char *dir, const char *otherwise)
{
	char path[PATH_MOST];
	X509 *x = own_certs_pair(dir, OWN_PRESENT, path) ? cert_read_file(path) : otherwise ? cert_read_file(otherwise) : NULL;
	int64_t end = x ? cert_ends_us(x) : 0;
	X509_free(x);
	return end;
}

const char *const *own_certs_roots(const char *dir, const char *type, struct arena *mem)
{
	const char **out = arena_new(mem, (OWN_CERTS_MOST + 1) * sizeof(*out));
	DIR *d = opendir(dir);
	size_t n = 0;
	for (struct dirent *e; d && n < OWN_CERTS_MOST && (e = readdir(d));) {
		const char *end = strrchr(e->d_name, '.');
		if (strncmp(e->d_name, type, strlen(type)) == 0 && end && strcmp(end, ".pem") == 0)
			out[n++] = arena_printf(mem, "%s/%s", dir, e->d_name);
	}
	if (d)
		closedir(d);
	return out;
}

/* Firmware */

bool own_certs_trust_signer(const char *dir, struct slice pem)
{
	STACK_OF(X509) *chain = cert_read_all(pem);
	X509 *x = chain ? sk_X509_value(chain, 0) : NULL;
	bool any, good = x && cert_is_valid_now(x) && leads_to(dir, "ManufacturerRootCertificate", NULL, x, chain, &any);
	sk_X509_pop_free(chain, X509_free);
	return good;
}

static bool feed(EVP_MD_CTX *c, const char *file)
{
	unsigned char bytes[65536];
	FILE *f = fopen(file, "rbe");
	bool good = f != NULL;
	size_t n;
	while (good && (n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		good = EVP_DigestVerifyUpdate(c, bytes, n) == 1;
	if (f) {
		good = good && !ferror(f);
		fclose(f);
	}
	return good;
}

bool own_certs_verify(const char *file, const char *pem, const char *signature)
{
	unsigned char bytes[1024];
	int n = base64_parse(slice_of(signature), bytes, sizeof(bytes));
	X509 *x = cert_read(slice_of(pem));
	EVP_PKEY *key = x ? X509_get0_pubkey(x) : NULL;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how = NULL;
	bool good = n > 0 && key && c && EVP_DigestVerifyInit(c, &how, EVP_sha256(), NULL, key) == 1;
	if (good && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
		good = EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 && EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_AUTO) == 1;
	good = good && feed(c, file) && EVP_DigestVerifyFinal(c, bytes, (size_t)n) == 1;
	EVP_MD_CTX_free(c);
	X509_free(x);
	return good;
}
