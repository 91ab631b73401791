/* Inside the client, ampgate: what its files share. */
#ifndef AMPGATE_GATEWAY_CTL_H
#define AMPGATE_GATEWAY_CTL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/json.h"

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_CONFIG, EXIT_UNREACHABLE, EXIT_NOT_FOUND, EXIT_REFUSED, EXIT_TIMEOUT };

struct options {
	const char *socket;
	bool json;
};

typedef void print_fn(const cJSON *result);

/* Sends one request and prints its result: for people by `print`, or as JSON. Frees `args`. The exit status. */
int ctl_request(const struct options *o, const char *method, struct buf *args, print_fn *print);
int ctl_usage(const char *why); /* EXIT_USAGE, with the usage on standard error */

int ctl_plugin(int argc, char **argv); /* ampgate plugin ... */
int ctl_config(const struct options *o, int argc, char **argv); /* ampgate config ... */

#endif
