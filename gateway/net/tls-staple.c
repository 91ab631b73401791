/* OCSP upwards: the server brings the word of its certificate's authority along, stapled to the handshake, so that the box asks nobody.
 *
 * Easy to get wrong: a response is about a certificate by issuer and number, and may be signed by a delegate of the issuer whose certificate it
 * carries; one that is old is none; and one that cannot be checked says nothing, whatever it says. A connection that resumes a session has
 * no certificate and so no staple: it lives on what the first handshake found (tls-client.c bounds how long). */
#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "base/stats.h"
#include "gateway/net/tls-local.h"
#include "gateway/pki/cert.h"

#define SKEW_S 300 /* that the clocks of authority and box may differ */

enum word { WORD_GOOD, WORD_REVOKED, WORD_UNKNOWN, WORD_INVALID, WORD_NONE };

/* What a response says of a certificate, when it can be believed. */
static enum word read_basic(OCSP_BASICRESP *basic, STACK_OF(X509) *chain, X509_STORE *roots)
{
	static const enum word words[] = { [V_OCSP_CERTSTATUS_GOOD] = WORD_GOOD, [V_OCSP_CERTSTATUS_REVOKED] = WORD_REVOKED,
		[V_OCSP_CERTSTATUS_UNKNOWN] = WORD_UNKNOWN };
	ASN1_GENERALIZEDTIME *since, *until;
	int status, reason;
	OCSP_CERTID *id = OCSP_cert_to_id(NULL, sk_X509_value(chain, 0), sk_X509_value(chain, 1));
	bool believed = id && OCSP_basic_verify(basic, chain, roots, 0) == 1 && OCSP_resp_find_status(basic, id, &status, &reason, NULL, &since, &until) == 1 &&
	                OCSP_check_validity(since, until, SKEW_S, -1) == 1;
	OCSP_CERTID_free(id);
	return believed && status >= 0 && status <= V_OCSP_CERTSTATUS_UNKNOWN ? words[status] : WORD_INVALID;
}

static enum word read_staple(SSL *ssl, STACK_OF(X509) *chain)
{
	const unsigned char *bytes = NULL;
	long n = SSL_get_tlsext_status_ocsp_resp(ssl, &bytes);
	if (!bytes || n <= 0)
		return WORD_NONE;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &bytes, n);
	OCSP_BASICRESP *basic = response && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL ? OCSP_response_get1_basic(response) : NULL;
	enum word w = basic ? read_basic(basic, chain, SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl))) : WORD_INVALID;
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	ERR_clear_error();
	return w;
}

long tls_staple_verdict(SSL *ssl, bool hard)
{
	static const char *const labels[] = { "result=\"good\"", "result=\"revoked\"", "result=\"unknown\"", "result=\"invalid\"", "result=\"none\"" };
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	if (!chain || sk_X509_num(chain) < 2)
		return X509_V_OK; /* it is its own authority */
	enum word w = read_staple(ssl, chain);
	bool needed = hard || cert_must_staple(sk_X509_value(chain, 0));
	stats_add("ampgate_tls_staples_total", labels[w], 1);
	if (w == WORD_GOOD)
		return X509_V_OK;
	if (w == WORD_REVOKED)
		return X509_V_ERR_CERT_REVOKED;
	if (!needed)
		return X509_V_OK;
	return w == WORD_NONE ? X509_V_ERR_OCSP_VERIFY_NEEDED : w == WORD_UNKNOWN ? X509_V_ERR_OCSP_CERT_UNKNOWN : X509_V_ERR_OCSP_VERIFY_FAILED;
}
