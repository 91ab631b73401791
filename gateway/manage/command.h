/* Verbs: one table (commands.def) behind the control socket and MQTT. A handler writes one JSON value as its result, or fails with a code
 * and a text that name the place. Some finish later (a CALL waits for its station). Loop thread. */
#ifndef AMPGATE_GATEWAY_COMMAND_H
#define AMPGATE_GATEWAY_COMMAND_H

#include "base/json.h"
#include "gateway/gateway.h"

enum role { ROLE_VIEWER, ROLE_OPERATOR, ROLE_INSTALLER, ROLE_ADMIN };

/* What a failed command reports; the client's exit code follows from it. */
enum command_error {
	COMMAND_OK,
	COMMAND_FAILED,    /* 1 */
	COMMAND_USAGE,     /* 2: arguments missing or wrong */
	COMMAND_NOT_FOUND, /* 5: no such object */
	COMMAND_FORBIDDEN, /* 6: role or state */
	COMMAND_TIMEOUT,   /* 7 */
	COMMAND_CONFIG     /* 3: a configuration that is not usable */
};
const char *command_error_code(enum command_error e); /* "failed", "invalid", "not_found", "forbidden", "timeout", "config_invalid" */

struct command {
	struct gateway *g;
	const char *user;          /* who asks, for caps and the journal */
	enum role role;
	const cJSON *args;         /* an object, or NULL; lives during the handler */
	struct buf result;         /* JSON */
	struct json_writer w;      /* into result */
	char detail[200];          /* of a failure */
	struct buf lines;          /* the same where it takes more than one line; empty: detail says it all */
	void (*done)(void *arg, enum command_error err, const char *json_or_detail);
	void *arg;
};

/* Runs a verb. `done` is called exactly once, perhaps before this returns. `args_json` absent: none. */
void command_run(struct gateway *g, const char *verb, struct slice args_json, enum role role, const char *user,
                 void (*done)(void *arg, enum command_error err, const char *json_or_detail), void *arg);

/* The table, for help and completion. */
struct verb {
	const char *name;   /* "station.list" */
	enum role role;
	int (*run)(struct command *c); /* enum command_error, or COMMAND_LATER after keeping c */
	const char *args, *help;
};
enum { COMMAND_LATER = -1 };
const struct verb *command_table(size_t *n_out);
/* command-grid.c, command-plan.c */
int command_plan(struct command *c);
int command_need_set(struct command *c);
int command_decisions(struct command *c);
int command_grid_show(struct command *c);
int command_grid_limit(struct command *c);
int command_grid_log(struct command *c);
int command_tariff_list(struct command *c);
int command_tariff_set(struct command *c);
void command_finish(struct command *c, enum command_error err); /* for handlers that said COMMAND_LATER */

/* For handlers: a text argument, or NULL; and a failure with its text, returned as it came. */
const char *command_text(const struct command *c, const char *name);
struct session *command_station(struct command *c, int *err_out); /* the argument "station"; NULL with the failure in *err_out */
/* "G-07" or "G-07/2"; without a number the first EVSE. Index in energy/control, or negative. */
int command_evse(const struct gateway *g, const char *object);
int command_fail(struct command *c, enum command_error err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The handlers, which are in command-*.c. */
int run_version(struct command *c);
int run_station_list(struct command *c);
int run_station_deviations(struct command *c);
int run_station_show(struct command *c);
int run_status(struct command *c);
int run_circuit_list(struct command *c);
int run_circuit_show(struct command *c);
int run_meter_show(struct command *c);
int run_evse_show(struct command *c);
int run_meter_list(struct command *c);
int run_uplink_list(struct command *c);
int run_uplink_map(struct command *c);
int run_uplink_switch(struct command *c);
int run_refresh(struct command *c);
int run_why(struct command *c);
int run_limit_set(struct command *c);
int run_limit_clear(struct command *c);
int run_limit_list(struct command *c);
int run_queue_list(struct command *c);
int run_queue_export(struct command *c);
int run_queue_show(struct command *c);
int run_queue_park(struct command *c);
int run_queue_retry(struct command *c);
int run_tx_show(struct command *c);
int run_tx_list(struct command *c);
int run_token_list(struct command *c);
int run_token_add(struct command *c);
int run_token_del(struct command *c);
int run_call(struct command *c);
int run_call_help(struct command *c);
int run_trace(struct command *c);
int run_config_show(struct command *c);
int run_config_check(struct command *c);
int run_config_diff(struct command *c);
int run_config_apply(struct command *c);
int run_config_try(struct command *c);
int run_config_schema(struct command *c);
int run_config_origin(struct command *c);
int run_config_confirm(struct command *c);
int run_config_rollback(struct command *c);
int run_config_history(struct command *c);
int run_health(struct command *c);
int run_doctor(struct command *c);
int run_event_list(struct command *c);
int run_history(struct command *c);
int command_write_history(struct command *c, const char *object); /* of a circuit, or an EVSE such as G-07/1, since the argument of that name */
int run_station_accept(struct command *c);
int run_station_import(struct command *c);
int run_station_export(struct command *c);
int run_station_rename(struct command *c);
int run_token_import(struct command *c);
int run_log_level(struct command *c);
int run_station_reject(struct command *c);
int run_station_reset(struct command *c);
int run_station_unlock(struct command *c);
int run_station_trigger(struct command *c);
int run_evse_start(struct command *c);
int run_evse_stop(struct command *c);
int run_job_list(struct command *c);
int run_job_show(struct command *c);
int run_job_stop(struct command *c);
int run_meter_test(struct command *c);
int run_meter_scan(struct command *c);
int run_uplink_test(struct command *c);
int run_commission_show(struct command *c);
int run_commission_note(struct command *c);
int run_commission_probe(struct command *c);
int run_commission_probed(struct command *c);
int run_commission_meters(struct command *c);
int run_commission_identify(struct command *c);
int run_commission_limit(struct command *c);
int run_commission_offline(struct command *c);
int run_commission_report(struct command *c);
int run_commission_reset(struct command *c);
int run_network_show(struct command *c);
int run_setup_code(struct command *c);
int run_user_list(struct command *c);
int run_user_add(struct command *c);
int run_user_del(struct command *c);
int run_api_token_list(struct command *c);
int run_api_token_add(struct command *c);
int run_api_token_del(struct command *c);
int run_pki_list(struct command *c);
int run_pki_root(struct command *c);
int run_pki_init(struct command *c);
int run_pki_issue(struct command *c);
int run_pki_revoke(struct command *c);
int run_pki_install(struct command *c);
int run_pki_renew(struct command *c);

#endif
