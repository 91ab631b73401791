/* What a station asks of the program around it: memory that survives, files that travel, keys and certificates. The station decides and
 * speaks; the host does. Every op may be NULL: the station then answers that it has no such thing. Loop thread; an op returns at once, and
 * what takes time ends in one of the station_... calls at the end. */
#ifndef AMPGATE_STATION_HOST_H
#define AMPGATE_STATION_HOST_H

#include "base/buf.h"
#include "base/mem.h"
#include "ocpp/certs.h"
#include "ocpp/network.h"

#define FILE_NAME_MOST 256

enum signer { SIGNER_GOOD, SIGNER_INVALID, SIGNER_REVOKED };

struct log_ask {
	const char *type;         /* "DiagnosticsLog", "SecurityLog" */
	struct slice url;
	int64_t request_id;       /* -1: none */
	int64_t from_us, to_us;   /* wall time; 0: open */
};

struct station_host {
	/* Small states by name. An absent value forgets. `recall` calls `see` for each whose name begins with `prefix`, before it returns. */
	void (*keep)(void *arg, const char *name, struct slice value);
	void (*recall)(void *arg, const char *prefix, void (*see)(void *to, const char *name, struct slice value), void *to);

	/* What files can travel by: "HTTP,HTTPS"; NULL or "": none do. */
	const char *file_protocols;
	/* Begins to send a log, its file name in `name`. Ends with station_log_sent. ERR_NOT_FOUND: there is none; ERR_UNSUPPORTED: not by
	 * that way. */
	int (*send_log)(void *arg, const struct log_ask *ask, char name[FILE_NAME_MOST]);
	void (*stop_log)(void *arg);

	/* Firmware. Each begins and ends with station_firmware_done, but `check_signer`, which answers. Two of them may not be under way. */
	enum signer (*check_signer)(void *arg, struct slice certificate);
	int (*fetch_firmware)(void *arg, struct slice url);
	int (*verify_firmware)(void *arg, struct slice certificate, struct slice signature);
	int (*install_firmware)(void *arg);
	void (*stop_firmware)(void *arg);

	/* Certificates. 0, ERR_INVALID: it is none, or expired; ERR_FULL; ERR_STORAGE: it could not be kept. */
	int (*install_certificate)(void *arg, const char *type, struct slice pem);
	size_t (*certificates)(void *arg, struct arena *mem, struct certificate_id **out);
	int (*delete_certificate)(void *arg, const struct certificate_id *id);                    /* 0, ERR_REFUSED: in use */
	int (*make_request)(void *arg, const char *type, const char *organisation, struct buf *csr); /* a new key, and a request for it */
	int (*take_certificate)(void *arg, const char *type, struct slice chain);                 /* 0, ERR_INVALID: not one for that key */

	/* How the station connects. */
	int (*set_password)(void *arg, struct slice password);
	int (*check_network)(void *arg, const struct network_profile *p);                         /* 0: it could connect so */
	void (*use_network)(void *arg, int slot, struct slice profile);                           /* from the next connection on */

	/* A line for the security log. */
	void (*log_security)(void *arg, int64_t wall_us, const char *type, struct slice info);
	/* What is to be read on the display has changed; "" is nothing. */
	void (*show)(void *arg, int evse, const char *text);
};

struct station;

enum send_end { SEND_DONE, SEND_FAILED, SEND_REFUSED, SEND_NO_WAY };
void station_log_sent(struct station *s, enum send_end end);
/* err 0: it went well. Of install: the station is told again after a restart, by the state it kept. */
void station_firmware_done(struct station *s, int err);
/* A new key and SignCertificate for it, now (2.0.1 A02). ERR_UNSUPPORTED: the host keeps no certificates. */
int station_ask_certificate(struct station *s) MUST_CHECK;
/* A security event that the program around it saw (2.0.1 A04, appendix 2). */
void station_security_event(struct station *s, const char *type, const char *info);

#endif
