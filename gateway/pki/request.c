/* The subject is what the asker says; who signs decides what it becomes. */
#include "gateway/pki/request.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static bool take(BIO *b, bool good, struct buf *out)
{
	char *text;
	long n = good ? BIO_get_mem_data(b, &text) : 0;
	if (good)
		buf_add(out, text, (size_t)n);
	BIO_free(b);
	return good;
}

static bool write_key(EVP_PKEY *key, struct buf *out)
{
	BIO *b = BIO_new(BIO_s_secmem());
	return take(b, b && PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL), out);
}

static bool name_it(X509_REQ *r, const char *field, const char *value)
{
	X509_NAME *name = X509_REQ_get_subject_name(r);
	return !*value || X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0);
}

static bool write_request(EVP_PKEY *key, const char *common_name, const char *organisation, struct buf *out)
{
	X509_REQ *r = X509_REQ_new();
	BIO *b = BIO_new(BIO_s_mem());
	bool good = r && b && name_it(r, "CN", common_name) && name_it(r, "O", organisation) && X509_REQ_set_pubkey(r, key) &&
	            X509_REQ_sign(r, key, EVP_sha256()) && PEM_write_bio_X509_REQ(b, r);
	X509_REQ_free(r);
	return take(b, good, out);
}

int request_make(const char *common_name, const char *organisation, struct buf *key, struct buf *csr)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	bool good = pair && write_request(pair, common_name, organisation, csr) && write_key(pair, key);
	EVP_PKEY_free(pair);
	ERR_clear_error();
	return good ? 0 : ERR_INVALID;
}

void request_wipe(struct buf *key)
{
	if (key->p)
		OPENSSL_cleanse(key->p, key->room);
	buf_free(key);
}
