/* The configuration of the running daemon: where its files are, which generation is in force, what is wrong with the files, and a change that
 * waits to be confirmed. A file with a mistake never takes the daemon away: at the start the newest good generation runs instead, or, when
 * there is none, safe mode (client and console only); at a reload what runs goes on. Loop thread. */
#ifndef AMPGATE_GATEWAY_CONFIGURATION_H
#define AMPGATE_GATEWAY_CONFIGURATION_H

#include "base/json.h"
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

/* A change of the layer that the program itself writes. */
struct config_proposal {
	struct slice yaml;     /* the whole layer */
	const char *who, *why; /* for the history: "installer", "config.apply" */
	int base;              /* generation that the change was made for; 0: any */
	int64_t confirm_us;    /* taken back after so long unless confirmed; 0: for good at once */
	bool self;             /* when the time is up, it is confirmed if broker and uplinks are up */
	bool restart;          /* the program may start anew for it */
};
/* Checks it and puts it in force. ERR_INVALID: it is not usable; ERR_REFUSED: locked, another change waits, other base, needs a restart; else what
 * the disk said. `said` gets the reason, or the differences, one per line. */
int config_apply(const struct config_proposal *c, struct buf *said) MUST_CHECK;
/* Lays `over` (YAML) over the present managed layer and applies that, for good: how one key is set, or taken away with null. */
int config_set(struct slice over, const char *who, const char *why, struct buf *said) MUST_CHECK;
/* The managed layer with `over` laid over it, as config_apply takes it, after the whole was found usable; else ERR_INVALID with all that is wrong in
 * `said`, where `over` (and whatever it came from) says it. */
int config_overlay(const struct conf_node *over, struct buf *yaml_out, struct buf *said) MUST_CHECK;
int config_confirm(const char *who) MUST_CHECK;               /* ERR_NOT_FOUND: nothing waits */
int config_roll_back(const char *who, const char *why) MUST_CHECK; /* of a change that waits: ERR_NOT_FOUND */
/* What `yaml` in place of the managed layer would change, one difference per line; changes nothing. ERR_INVALID with the reason. */
int config_compare(struct slice yaml, struct buf *said) MUST_CHECK;
/* The same for a form: opens an object in `w` and leaves it open, with "usable", "changes", "restarts" and "errors" (warnings too) in it. */
struct json_writer;
void config_look(struct slice yaml, struct json_writer *w);
/* Where each value comes from, as members of the object that is open in `w`. */
void config_write_origin(struct json_writer *w);
/* Checks the files as they are now, as --check-config does. */
int config_check(struct buf *said) MUST_CHECK;
/* What the files say now and is not in force: the keys, one per line. ERR_INVALID: they are not usable. */
int config_drift(struct buf *said) MUST_CHECK;
const char *config_state_dir(void);
const struct settings *config_settings(void); /* in force */

/* The program is to start anew in its place when daemon_run has returned: same process, same arguments. */
bool config_wants_restart(void);

struct config_view {
	int generation;        /* in force; 0: none (safe mode, or they cannot be kept) */
	bool safe_mode;
	bool last_good;        /* the files were not usable at the start, and an older generation runs */
	int64_t confirm_until_us; /* wall, of a change that waits to be confirmed; 0: none */
	const char *restart;   /* keys whose change waits for a restart, with commas; NULL: none */
	const char *fault;     /* what is wrong with the files, as --check-config prints it; NULL: nothing */
};
void config_view(struct config_view *out);
/* After a change: what changed, the generation it made, until when it wants to be confirmed, whether the program starts anew for it. */
void config_write_applied(struct json_writer *w, const struct buf *said);

#endif
