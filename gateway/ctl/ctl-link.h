/* The client's connection to the daemon: JSON-RPC, one object per line. */
#ifndef AMPGATE_GATEWAY_CTL_LINK_H
#define AMPGATE_GATEWAY_CTL_LINK_H

#include "base/buf.h"
#include "base/json.h"

struct ctl_link {
	int fd;        /* -1: not open */
	struct buf in;
};

/* Exit statuses (ctl.h); why not is told on standard error. */
int ctl_connect(const char *path, struct ctl_link *c);
int ctl_send(struct ctl_link *c, const char *method, const struct buf *args);
int ctl_error(const cJSON *answer); /* of an answer that is an error */
cJSON *ctl_line(struct ctl_link *c); /* the next line as a tree; NULL: the daemon closed */

#endif
