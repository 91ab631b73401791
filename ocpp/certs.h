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

/* InstallCertificate, CertificateSigned and SignCertificate in another version. ERR_UNSUPPORTED: that one has no such type of certificate. */
int certificate_convert(enum ocpp_version to, struct frame *f, struct buf *payload, const struct action **act_out) MUST_CHECK;

/* GetInstalledCertificateIds for one type, in the words of 2.x. ERR_UNSUPPORTED: this version has no such type. */
int certificates_write_query(enum ocpp_version v, const char *type, struct buf *payload, const struct action **act_out) MUST_CHECK;
/* The i-th entry of its answer as version `to` writes it, appended. False: there is none. `type`: what was asked for, which 1.6 does not say again. */
bool certificates_entry(const struct frame *answer, size_t i, const char *type, enum ocpp_version to, struct buf *out);
/* The same of one that is known by its id. */
void certificates_entry_of(const struct certificate_id *id, enum ocpp_version to, struct buf *out);
/* An answer with a list of such entries, as JSON. */
void certificates_write_entries(enum ocpp_version v, struct slice list, size_t n, struct buf *payload);

/* What a CSMS sends: a chain for a request that it has signed; a root to trust it by; and what makes a station ask. `act_out` is the row of the
 * action; ERR_UNSUPPORTED: the version has none. */
int certificate_write_signed(enum ocpp_version v, struct slice chain, struct buf *payload, const struct action **act_out) MUST_CHECK;
int certificate_write_root(enum ocpp_version v, struct slice pem, struct buf *payload, const struct action **act_out) MUST_CHECK;
int certificate_write_trigger(enum ocpp_version v, struct buf *payload, const struct action **act_out) MUST_CHECK;
/* SignCertificate for the station's own certificate, not one for cars: its request in PEM; absent: it is something else. */
struct slice certificate_request_of(struct frame *f);

#endif
