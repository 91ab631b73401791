/* The running daemon: what is started and stopped, in order. */
#ifndef AMPGATE_GATEWAY_DAEMON_H
#define AMPGATE_GATEWAY_DAEMON_H

#include "base/error.h"
#include "gateway/conf/settings.h"

struct daemon_options {
	const char *state_dir;  /* where the database lives */
	const char *socket;     /* control socket; NULL: from the settings */
	int ready_fd;           /* one line is written here when everything runs: "ready\n"; -1: nobody asks */
};

/* Runs until SIGTERM or SIGINT. 0: an orderly end. What fails is logged. */
int daemon_run(const struct settings *conf, const struct daemon_options *options) MUST_CHECK;

#endif
