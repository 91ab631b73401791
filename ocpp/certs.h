/* The messages about a station's certificates: 1.6 security extension and 2.x, blocks A and M. Certificates are PEM text here. */
#ifndef AMPGATE_OCPP_CERTS_H
#define AMPGATE_OCPP_CERTS_H

#include "base/buf.h"
#include "ocpp/catalogue.h"
#include "ocpp/frame.h"

/* How a certificate is named: hashes of its issuer and its serial number, all in hex. */
struct certificate_id {
	const char *type;         /* "CSMSRootCertificate", "ManufacturerRootCertificate" ... in the words of 2.x */
	const char *algorithm;    /* "SHA256" ... */
	char name_hash[129], key_hash[129], serial[41];
};

/* InstallCertificate, CertificateSigned, DeleteCertificate. Texts live with the frame's tree; `type` in the words of 2.x, absent: not said. */
struct certificate_ask {
	struct slice type, pem;
	struct slice algorithm, name_hash, key_hash, serial;
};
void certificate_ask_read(struct frame *f, struct certificate_ask *out);
bool certificate_ask_is(const struct certificate_ask *a, const struct certificate_id *id);

/* GetInstalledCertificateIds: whether certificates of this type are asked for. */
bool certificates_wanted(struct frame *f, const char *type);
void certificates_write_answer(const struct frame *asked, const struct certificate_id *ids, size_t n, struct buf *payload);

/* SignCertificate's payload; type in the words of 2.x, which 1.6 does not say. */
int certificate_write_request(enum ocpp_version v, const char *type, struct slice csr, struct buf *payload,
                              const struct action **act_out) MUST_CHECK;

#endif
