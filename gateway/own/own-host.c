/* What one station keeps stands in the store under names of its own ("own/..."), files in a folder of its own below the state directory.
 *
 * Firmware of the box is installed by a program of the operator, `firmware.hook`:
 *
 *   HOOK install FILE   puts the verified file in place and sees to it that this program is started anew; exit status 0: so it will be
 *   HOOK confirm        the new program was accepted by the CSMS: keep it
 *   HOOK rollback       it was not, within firmware.confirm_within: go back to the one before
 *
 * A file is fetched beside the stations' folders and removed when it is not installed. Easy to get wrong: the one who rolls back is the new
 * program itself, so that it is on trial is kept before the hook is called, and looked for at each start. A new program that does not even
 * start is the service manager's to notice, and the hook's to have provided for. */
#include "gateway/own/own-host.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "config.h"
#include "gateway/own/own-certs.h"
#include "gateway/own/own-roots.h"
#include "gateway/own/transfer.h"
#include "gateway/session/learnt.h"
#include "gateway/session/trace.h"
#include "storage/kept.h"

#define PREFIX "own/"
#define PATH_MOST 512
#define FIRMWARE_MOST (INT64_C(1) << 30)
#define SECURITY_LOG_MOST (1 << 20)

extern char **environ;

struct own_host {
	struct gateway *gw;
	char *id, *serial, *dir, *firmware;
	struct log log;
	struct station *station;
	struct errand *sending, *fetching, *verifying, *hook;
	bool on_trial;            /* the program that runs was installed and is not confirmed yet */
	struct timer trial;
};

/* ---- memory ---- */

static void keep(void *arg, const char *name, struct slice value);

static void on_kept(void *arg, int err, int64_t value)
{
	(void)arg, (void)value;
	if (err)
		log_error(NULL, "a state of an own station was not kept: %s", err_text(err));
}

static void put(struct own_host *h, const char *name, struct slice value)
{
	char full[160];
	snprintf(full, sizeof(full), PREFIX "%s", name);
	int err = value.p ? kept_put(h->gw->store, h->id, full, value, on_kept, NULL) : kept_remove(h->gw->store, h->id, full, on_kept, NULL);
	if (err)
		on_kept(NULL, err, 0);
}

struct seeing {
	void (*see)(void *to, const char *name, struct slice value);
	void *to;
};

static bool see_one(void *arg, const char *name, struct slice value)
{
	struct seeing *s = arg;
	s->see(s->to, name + strlen(PREFIX), value);
	return true;
}

static void recall(void *arg, const char *prefix, void (*see)(void *to, const char *name, struct slice value), void *to)
{
	struct own_host *h = arg;
	struct seeing s = { see, to };
	char full[160];
	snprintf(full, sizeof(full), PREFIX "%s", prefix);
	int err = kept_each(h->gw->store, h->id, full, see_one, &s);
	if (err)
		log_error(&h->log, "what was kept cannot be read: %s", err_text(err));
}

/* ---- logs ---- */

static void security_path(const struct own_host *h, char out[PATH_MOST])
{
	snprintf(out, PATH_MOST, "%s/security.log", h->dir);
}

static void log_security(void *arg, int64_t wall_us, const char *type, struct slice info)
{
	struct own_host *h = arg;
	char path[PATH_MOST], old[PATH_MOST + 4], when[TIME_TEXT];
	struct stat st;
	security_path(h, path);
	snprintf(old, sizeof(old), "%s.1", path);
	if (stat(path, &st) == 0 && st.st_size > SECURITY_LOG_MOST)
		rename(path, old);
	FILE *f = fopen(path, "ae");
	if (!f) {
		log_error(&h->log, "%s: %s", path, strerror(errno));
		return;
	}
	fprintf(f, "%s %s%s%.*s\n", time_text(wall_us, when), type, info.n ? " " : "", SLICE_ARG(info));
	fclose(f);
}

struct copying {
	FILE *out;
	struct trace_filter filter;
	int64_t to_us;
};

static bool copy_one(void *arg, const struct trace_rec *r)
{
	struct copying *c = arg;
	struct buf line = { 0 };
	if (!trace_matches(&c->filter, r) || (c->to_us && r->wall_us > c->to_us))
		return true;
	trace_write(r, false, &line);
	fprintf(c->out, "%s\n", line.p);
	buf_free(&line);
	return true;
}

static int write_diagnostics(struct own_host *h, const struct log_ask *ask, const char *path)
{
	struct copying c = { fopen(path, "we"), { .station = h->id, .verdict = -1, .since_us = ask->from_us }, ask->to_us };
	char when[TIME_TEXT];
	if (!c.out)
		return ERR_STORAGE;
	fprintf(c.out, "{\"station\":\"%s\",\"at\":\"%s\"}\n", h->id, time_text(clock_wall_us(), when));
	trace_each(0, copy_one, &c);
	return fclose(c.out) == 0 ? 0 : ERR_STORAGE;
}

static void on_sent(void *owner, int result)
{
	static const enum send_end ends[] = { [TRANSFER_DONE] = SEND_DONE, [TRANSFER_FAILED] = SEND_FAILED, [TRANSFER_REFUSED] = SEND_REFUSED,
		[TRANSFER_NO_WAY] = SEND_NO_WAY };
	struct own_host *h = owner;
	station_log_sent(h->station, ends[result]);
}

static int send_log(void *arg, const struct log_ask *ask, char name[FILE_NAME_MOST])
{
	struct own_host *h = arg;
	char path[PATH_MOST];
	bool security = strcmp(ask->type, "SecurityLog") == 0;
	if (security)
		security_path(h, path);
	else
		snprintf(path, sizeof(path), "%s/diagnostics.jsonl", h->dir);
	int err = security ? 0 : write_diagnostics(h, ask, path);
	if (!err && access(path, R_OK) != 0)
		err = ERR_NOT_FOUND;
	snprintf(name, FILE_NAME_MOST, "%s-%s-%lld.%s", h->id, security ? "security" : "diagnostics", (long long)(clock_wall_us() / US_PER_S),
	         security ? "log" : "jsonl");
	return err ? err : transfer_send(&h->sending, path, ask->url, name, on_sent, h);
}

static void stop_log(void *arg)
{
	struct own_host *h = arg;
	errand_stop(&h->sending);
}

/* ---- the hook ---- */

struct hook_job {
	char *program, *verb, *file;
};

static void release_hook(void *arg)
{
	struct hook_job *j = arg;
	mem_free(j->program);
	mem_free(j->verb);
	mem_free(j->file);
	mem_free(j);
}

static int run_hook(struct errand *e, void *arg)
{
	struct hook_job *j = arg;
	char *const argv[] = { j->program, j->verb, j->file, NULL };
	pid_t pid;
	int status = 0;
	(void)e;
	int rc = posix_spawn(&pid, j->program, NULL, NULL, argv, environ);
	if (rc != 0)
		return -rc;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : ERR_REFUSED;
}

static int call_hook(struct own_host *h, const char *verb, const char *file, void (*done)(void *owner, int result))
{
	struct hook_job *j = NEW(struct hook_job);
	const struct errand_how how = { .run = run_hook, .done = done, .release = release_hook };
	*j = (struct hook_job){ mem_strdup(h->gw->conf->firmware.hook), mem_strdup(verb), mem_strdup(file) };
	log_info(&h->log, "firmware: %s %s", j->program, verb);
	return errand_start(&h->hook, &how, j, h);
}

static void on_judged(void *owner, int result)
{
	struct own_host *h = owner;
	if (result)
		log_error(&h->log, "firmware: the hook failed: %s", err_text(result));
}

static void on_trial_over(void *arg)
{
	struct own_host *h = arg;
	h->on_trial = false;
	put(h, "trial", (struct slice){ 0 });
	log_error(&h->log, "firmware: the CSMS did not accept the new program in time, back to the one before");
	if (call_hook(h, "rollback", NULL, on_judged) != 0)
		on_judged(h, ERR_REFUSED);
}

/* The station forgets its installation when it has told the CSMS how it went: it was accepted. */
static void confirm(struct own_host *h)
{
	h->on_trial = false;
	timer_cancel(&h->trial);
	put(h, "trial", (struct slice){ 0 });
	if (call_hook(h, "confirm", NULL, on_judged) != 0)
		on_judged(h, ERR_REFUSED);
}

static void keep(void *arg, const char *name, struct slice value)
{
	struct own_host *h = arg;
	put(h, name, value);
	if (h->on_trial && strcmp(name, "firmware") == 0 && !value.p)
		confirm(h);
}

/* ---- firmware ---- */

static enum signer check_signer(void *arg, struct slice certificate)
{
	struct own_host *h = arg;
	return own_certs_trust_signer(h->dir, certificate) ? SIGNER_GOOD : SIGNER_INVALID;
}

static void on_fetched(void *owner, int result)
{
	struct own_host *h = owner;
	station_firmware_done(h->station, result == TRANSFER_DONE ? 0 : ERR_CLOSED);
}

static int fetch_firmware(void *arg, struct slice url)
{
	struct own_host *h = arg;
	return transfer_fetch(&h->fetching, url, h->firmware, FIRMWARE_MOST, on_fetched, h);
}

struct verify_job {
	char *file, *certificate, *signature;
};

static void release_verify(void *arg)
{
	struct verify_job *j = arg;
	mem_free(j->file);
	mem_free(j->certificate);
	mem_free(j->signature);
	mem_free(j);
}

static int run_verify(struct errand *e, void *arg)
{
	struct verify_job *j = arg;
	(void)e;
	return own_certs_verify(j->file, j->certificate, j->signature) ? 0 : ERR_INVALID;
}

static void on_verified(void *owner, int result)
{
	struct own_host *h = owner;
	if (result)
		unlink(h->firmware);
	station_firmware_done(h->station, result);
}

static int verify_firmware(void *arg, struct slice certificate, struct slice signature)
{
	struct own_host *h = arg;
	struct verify_job *j = NEW(struct verify_job);
	const struct errand_how how = { .run = run_verify, .done = on_verified, .release = release_verify };
	*j = (struct verify_job){ mem_strdup(h->firmware), mem_text(certificate), mem_text(signature) };
	return errand_start(&h->verifying, &how, j, h);
}

static void on_not_restarted(void *arg)
{
	struct own_host *h = arg;
	put(h, "trial", (struct slice){ 0 });
	unlink(h->firmware);
	station_firmware_done(h->station, ERR_TIMEOUT);
}

/* The hook has put the file in place: what follows is told by the next program. One that is not started is an installation that failed. */
static void on_installed(void *owner, int result)
{
	struct own_host *h = owner;
	if (!result) {
		timer_set(&h->trial, h->gw->conf->firmware.confirm_us, on_not_restarted, h);
		return;
	}
	put(h, "trial", (struct slice){ 0 });
	unlink(h->firmware);
	station_firmware_done(h->station, result);
}

static int install_firmware(void *arg)
{
	struct own_host *h = arg;
	put(h, "trial", SLICE(PACKAGE_VERSION));
	int err = store_flush(h->gw->store); /* before the hook may end us */
	return err ? err : call_hook(h, "install", h->firmware, on_installed);
}

static void stop_firmware(void *arg)
{
	struct own_host *h = arg;
	errand_stop(&h->fetching);
	errand_stop(&h->verifying);
	unlink(h->firmware);
}

/* ---- certificates ---- */

/* The uplink that connects with what is kept here; NULL: none does, for the station is not the box's own identity. */
static struct uplink *uplink_of(const struct own_host *h)
{
	const struct settings *conf = h->gw->conf;
	for (size_t i = 0; i < conf->n_uplinks; i++)
		if (conf->uplinks[i].own_identity && strcmp(conf->uplinks[i].own_identity, h->id) == 0)
			return h->gw->uplinks[i];
	return NULL;
}

static void roots_changed(const struct own_host *h)
{
	struct uplink *u = uplink_of(h);
	if (u)
		uplink_certificates_changed(u);
}

static int install_certificate(void *arg, const char *type, struct slice pem)
{
	struct own_host *h = arg;
	const struct uplink *u = uplink_of(h);
	const struct uplink_settings *conf = u ? uplink_conf(u) : NULL;
	bool checked = conf && conf->additional_root_check && strcmp(type, "CSMSRootCertificate") == 0;
	int err = checked ? own_roots_may_follow(h->dir, conf->ca, pem) : 0;
	if (!err)
		err = own_certs_install(h->dir, type, pem);
	if (!err)
		roots_changed(h);
	return err;
}

static size_t certificates(void *arg, struct arena *mem, struct certificate_id **out)
{
	return own_certs_list(((struct own_host *)arg)->dir, mem, out);
}

static int delete_certificate(void *arg, const struct certificate_id *id)
{
	struct own_host *h = arg;
	int err = own_certs_delete(h->dir, id);
	if (!err)
		roots_changed(h);
	return err;
}

static int make_request(void *arg, const char *type, const char *organisation, struct buf *csr)
{
	struct own_host *h = arg;
	(void)type;
	return own_certs_request(h->dir, h->serial, organisation, csr);
}

/* The one that the box connects with where it is the box's own identity. */
static int take_certificate(void *arg, const char *type, struct slice chain)
{
	struct own_host *h = arg;
	struct uplink *u = uplink_of(h);
	(void)type;
	int err = u ? own_certs_take_on_trial(h->dir, uplink_conf(u)->ca, chain) : own_certs_take(h->dir, chain);
	if (u && !err)
		uplink_certificates_changed(u);
	return err;
}

/* The box shows it in the station's name. */
static int set_password(void *arg, struct slice password)
{
	const struct own_host *h = arg;
	struct session *s = session_find(h->gw, h->id);
	return s ? learnt_own(s, password) : ERR_REFUSED;
}

/* ---- life ---- */

static struct station_host with_hook = {
	.keep = keep, .recall = recall, .send_log = send_log, .stop_log = stop_log, .check_signer = check_signer, .fetch_firmware = fetch_firmware,
	.verify_firmware = verify_firmware, .install_firmware = install_firmware, .stop_firmware = stop_firmware,
	.install_certificate = install_certificate, .certificates = certificates, .delete_certificate = delete_certificate,
	.make_request = make_request, .take_certificate = take_certificate, .set_password = set_password, .log_security = log_security,
};
static struct station_host without_hook;

/* What was not built in or not configured is not offered. */
const struct station_host *own_host_ops(const struct own_host *h)
{
	bool travels = transfer_protocols()[0];
	with_hook.file_protocols = transfer_protocols();
	if (!travels)
		with_hook.send_log = NULL;
	without_hook = with_hook;
	without_hook.fetch_firmware = NULL;
	without_hook.install_firmware = NULL;
	return h->gw->conf->firmware.hook && travels ? &with_hook : &without_hook;
}

/* A program of the version that asked for the installation is the one before: there is nothing to be judged. */
static void look_for_trial(struct own_host *h)
{
	struct arena mem = { 0 };
	struct slice before;
	bool kept = kept_get(h->gw->store, h->id, PREFIX "trial", &mem, &before) == 0;
	h->on_trial = kept && h->gw->conf->firmware.hook && !slice_is(before, PACKAGE_VERSION);
	if (kept && !h->on_trial)
		put(h, "trial", (struct slice){ 0 });
	arena_free(&mem);
	if (h->on_trial)
		timer_set(&h->trial, h->gw->conf->firmware.confirm_us, on_trial_over, h);
}

struct own_host *own_host_open(struct gateway *g, const char *station, const char *serial)
{
	struct own_host *h = NEW(struct own_host);
	h->gw = g;
	h->id = mem_strdup(station);
	h->serial = mem_strdup(serial);
	h->dir = own_certs_dir(g->state_dir, station);
	struct buf firmware = { 0 };
	buf_printf(&firmware, "%s.firmware", h->dir);
	h->firmware = firmware.p;
	h->log = (struct log){ .key = "station", .value = h->id };
	if (mkdir(h->dir, 0700) != 0 && errno != EEXIST)
		log_error(&h->log, "%s: %s", h->dir, strerror(errno));
	look_for_trial(h);
	return h;
}

void own_host_serves(struct own_host *h, struct station *s)
{
	h->station = s;
}

void own_host_close(struct own_host *h)
{
	if (!h)
		return;
	errand_stop(&h->sending);
	errand_stop(&h->fetching);
	errand_stop(&h->verifying);
	errand_stop(&h->hook);
	timer_cancel(&h->trial);
	mem_free(h->id);
	mem_free(h->serial);
	mem_free(h->dir);
	mem_free(h->firmware);
	mem_free(h);
}

void own_hosts_close(void)
{
	errands_close();
}
