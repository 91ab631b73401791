/* Error codes shared by every folder: 0 is success, a negative errno says what libc said, and the codes below say the rest.
 *
 * A function either logs its failure or returns it. The folders base, ocpp, energy and storage return; gateway and station log. */
#ifndef AMPGATE_BASE_ERROR_H
#define AMPGATE_BASE_ERROR_H

#define MUST_CHECK __attribute__((warn_unused_result))

enum {
	ERR_FIRST = -2099,
	ERR_SYNTAX = ERR_FIRST, /* text that does not follow its grammar */
	ERR_INVALID,            /* follows the grammar, breaks a rule */
	ERR_NOT_FOUND,          /* no such object */
	ERR_EXISTS,             /* there is one already */
	ERR_CLOSED,             /* the other end is gone */
	ERR_FULL,               /* a bound of ours is reached, or the disk is full; try again when there is room */
	ERR_TOO_LARGE,          /* over a size limit, for good */
	ERR_TIMEOUT,            /* no answer in time */
	ERR_REFUSED,            /* understood and declined */
	ERR_AUTH,               /* credentials missing or wrong */
	ERR_TLS,                /* a TLS handshake or certificate failed */
	ERR_PROTOCOL,           /* a peer broke the rules of its protocol */
	ERR_STORAGE,            /* the database said no */
	ERR_CORRUPT,            /* stored data is damaged */
	ERR_UNSUPPORTED,        /* known, not available here */
	ERR_LAST = ERR_UNSUPPORTED
};

/* The text of a code: one of ours, or strerror for a negative errno. Static or thread-local storage; never NULL. */
const char *err_text(int code);

#endif
