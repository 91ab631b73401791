/* Files to and from servers by URL: HTTP, HTTPS, FTP, FTPS, by libcurl where it was built in. Each is an errand. Loop thread. */
#ifndef AMPGATE_GATEWAY_TRANSFER_H
#define AMPGATE_GATEWAY_TRANSFER_H

#include <stdint.h>

#include "base/str.h"
#include "gateway/own/errand.h"

const char *transfer_protocols(void); /* "HTTP,HTTPS,FTP,FTPS"; "" without libcurl */

/* How one ended, as `result` of done. */
enum { TRANSFER_DONE, TRANSFER_FAILED, TRANSFER_REFUSED, TRANSFER_NO_WAY };

/* Sends a file, under `name` where the URL ends with '/'. ERR_UNSUPPORTED: not by that way. */
int transfer_send(struct errand **out, const char *file, struct slice url, const char *name, void (*done)(void *owner, int result), void *owner) MUST_CHECK;
/* Fetches into a new file of at most so many bytes. */
int transfer_fetch(struct errand **out, struct slice url, const char *file, int64_t most, void (*done)(void *owner, int result), void *owner) MUST_CHECK;

#endif
