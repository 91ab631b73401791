/* The configuration of the running daemon: where its files are, which generation is in force, what is wrong with the files, and a change that
 * waits to be confirmed. A file with a mistake never takes the daemon away: at the start the newest good generation runs instead, or, when
 * there is none, safe mode (client and console only); at a reload what runs goes on. Loop thread. */
#ifndef AMPGATE_GATEWAY_CONFIGURATION_H
#define AMPGATE_GATEWAY_CONFIGURATION_H

#include "gateway/gateway.h"

/* At the start, before anything runs. Both are borrowed for the life of the process. Says on standard error what is wrong; always yields
 * settings, which belong to this file. */
const struct settings *config_open(const struct settings_files *files, const char *state_dir);
void config_close(void);

/* Everything runs with what config_open gave: it becomes a generation if it is a new one. */
void config_started(struct gateway *g);

/* Reads the files again (SIGHUP). What is usable and needs no restart is in force when this returns, and becomes a generation. The log says what
 * happened; config_view tells what is wrong. Out of safe mode the program starts anew. */
void config_reload(void);

/* The program is to start anew in its place when daemon_run has returned: same process, same arguments. */
bool config_wants_restart(void);

struct config_view {
	int generation;        /* in force; 0: none (safe mode, or they cannot be kept) */
	bool safe_mode;
	bool last_good;        /* the files were not usable at the start, and an older generation runs */
	const char *restart;   /* keys whose change waits for a restart, with commas; NULL: none */
	const char *fault;     /* what is wrong with the files, as --check-config prints it; NULL: nothing */
};
void config_view(struct config_view *out);

#endif
