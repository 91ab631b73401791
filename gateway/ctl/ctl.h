/* Inside the client, ampgate: what its files share. */
#ifndef AMPGATE_GATEWAY_CTL_H
#define AMPGATE_GATEWAY_CTL_H

#include <stdbool.h>
#include <stdio.h>

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
/* The same with the answer for the caller, who deletes it; NULL with *status_out when there is none. `args` NULL: none. */
cJSON *ctl_ask(const struct options *o, const char *method, const struct buf *args, int *status_out);
void ctl_print_json(const cJSON *result);
/* Starts a job, waits for its end and prints what came of it: `print` gets its result. Frees `args`. EXIT_FAILED when it did not end well. */
int ctl_job(const struct options *o, const char *method, struct buf *args, print_fn *print);
void ctl_progress(const char *step, double part); /* on a terminal; NULL: it is over */
/* Arguments as an object: pairs of key and value, values NULL are left out. */
struct buf ctl_object(const char *const pairs[][2], size_t n);
bool ctl_is_up(const struct options *o); /* a daemon listens at the socket */
/* EXIT_USAGE, with the usage on standard error: of the noun that `why` begins with, or all of it. */
int ctl_usage(const char *why);
int ctl_usage_lines(FILE *to, const char *noun); /* the lines of the usage about a noun; how many there are */

const char *ctl_usage_text(void);
const char *ctl_verb_arguments(const char *verb); /* as the table has them; NULL: no such verb */
int ctl_verb(const struct options *o, int argc, char **argv); /* any verb */
int ctl_need(const struct options *o, int argc, char **argv);
int ctl_plan(const struct options *o, int argc, char **argv);
int ctl_balance(const struct options *o, int argc, char **argv);

int ctl_help(const struct options *o, int argc, char **argv);
int ctl_completion(const struct options *o, int argc, char **argv);
int ctl_trace(const struct options *o, int argc, char **argv); /* ampgate trace ... */
int ctl_top(const struct options *o, int argc, char **argv);
int ctl_health(const struct options *o, int argc, char **argv);
int ctl_doctor(const struct options *o, int argc, char **argv);
int ctl_bundle(const struct options *o, int argc, char **argv);
int ctl_backup(const struct options *o, int argc, char **argv);
/* ctl-file.c */
int ctl_station_import(const struct options *o, int argc, char **argv);
int ctl_station_export(const struct options *o, int argc, char **argv);
int ctl_station_rename(const struct options *o, int argc, char **argv);
int ctl_token_import(const struct options *o, int argc, char **argv);
/* ctl-log.c */
int ctl_log(const struct options *o, int argc, char **argv);
int ctl_log_level(const struct options *o, int argc, char **argv);
int ctl_meter(const struct options *o, int argc, char **argv); /* ampgate meter test, meter scan */
int ctl_pki_issue(const struct options *o, int argc, char **argv);
int ctl_hash(const struct options *o, int argc, char **argv); /* ampgate hash */
int ctl_plugin(int argc, char **argv); /* ampgate plugin ... */
int ctl_config(const struct options *o, int argc, char **argv); /* ampgate config ... */

#endif
