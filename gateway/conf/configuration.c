/* The configuration of the running daemon. Which settings run is decided once, in config_open:
 *
 *   the files are usable            -> they run
 *   else, a generation is usable    -> the newest one runs, with the fault of the files shown on every page
 *   else                            -> safe mode: no circuits worth the name, no listeners for stations; stations keep their fallback */
#include "gateway/conf/configuration.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "gateway/conf/check.h"
#include "gateway/conf/generation.h"
#include "gateway/conf/managed.h"
#include "gateway/conf/reload.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/own/alarm.h"

#define CONFIRM_MOST_US (3600 * US_PER_S)
#define SAFE_MODE "version: 1\nsite: {id: safe-mode}\ncircuits: {grid: {kind: grid_connection, limit_a: 1}}\n" \
	"listen: {console: {address: 0.0.0.0, port: 8443, tls: console}}\ntls: {console: {mode: self-signed}}\n"

static struct {
	const struct settings_files *files;
	const char *state_dir;
	struct gateway *g;         /* NULL: not running yet */
	struct settings *settings; /* in force */
	struct settings **before;  /* those that were: some of what runs still points into them */
	size_t n_before;
	struct arena mem;          /* paths of the generation that runs */
	struct config_view view;
	struct buf fault, restart;
	bool wants_restart;
	struct timer confirm;      /* runs out when a change is to be taken back */
	bool self;
} cfg;

/* ---- at the start ---- */

static void run_newest_generation(void)
{
	struct settings_files files = { 0 };
	struct buf said = { 0 };
	if (generation_files(cfg.state_dir, 0, &cfg.mem, &files) == 0 && check_config(&files, &said, &cfg.settings) == 0)
		cfg.view.last_good = true;
	buf_free(&said);
}

static void run_safely(void)
{
	struct settings_files files = { .main_file = "safe mode", .built_in = SAFE_MODE };
	struct buf said = { 0 };
	if (check_config(&files, &said, &cfg.settings) != 0)
		log_error(NULL, "safe mode itself is not usable: %s", said.p);
	cfg.view.safe_mode = true;
	buf_free(&said);
}

/* A change that was not confirmed in time, or that the program did not survive usably, is as if it had never been. */
static void settle_pending(void)
{
	struct managed_pending p;
	struct buf said = { 0 };
	struct settings *tried = NULL;
	if (!managed_waits(cfg.state_dir, &cfg.mem, &p))
		return;
	bool usable = clock_wall_us() < p.until_us && check_config(cfg.files, &said, &tried) == 0;
	if (!usable && managed_back(cfg.state_dir) != 0)
		fprintf(stderr, "the unconfirmed change of the configuration cannot be taken back\n");
	settings_free(&tried);
	buf_free(&said);
}

const struct settings *config_open(const struct settings_files *files, const char *state_dir)
{
	struct buf said = { 0 };
	memset(&cfg, 0, sizeof(cfg));
	cfg.files = files;
	cfg.state_dir = state_dir;
	settle_pending();
	if (check_config(files, &said, &cfg.settings) == 0) {
		buf_free(&said);
		return cfg.settings;
	}
	fwrite(said.p, 1, said.n, stderr);
	cfg.fault = said;
	cfg.view.fault = cfg.fault.p;
	run_newest_generation();
	if (!cfg.settings)
		run_safely();
	return cfg.settings;
}

static void keep_generation(const char *who, const char *why)
{
	int err = generation_keep(cfg.state_dir, cfg.files, who, why, &cfg.view.generation);
	if (err)
		log_error(NULL, "generations of the configuration cannot be kept: %s", err_text(err));
}

static void on_generation(void *arg, const struct generation *g)
{
	int *newest = arg;
	if (!*newest)
		*newest = g->number;
}

static void on_confirmation_over(void *arg);

static void wait_for_confirmation(const struct managed_pending *p)
{
	int64_t left = p->until_us - clock_wall_us();
	left = left < 0 ? 0 : left > CONFIRM_MOST_US ? CONFIRM_MOST_US : left; /* the wall clock may have jumped */
	cfg.self = p->self;
	cfg.view.confirm_until_us = p->until_us;
	timer_set(&cfg.confirm, left, on_confirmation_over, NULL);
}

void config_started(struct gateway *g)
{
	struct managed_pending pending;
	int err = 0;
	if (!cfg.files)
		return; /* a demo: its settings come from nowhere */
	cfg.g = g;
	if (cfg.view.safe_mode) {
		log_error(NULL, "the configuration is not usable and there is no earlier one: safe mode, no station is served");
	} else if (cfg.view.last_good) {
		err = generation_each(cfg.state_dir, on_generation, &cfg.view.generation);
		log_error(NULL, "the configuration is not usable: generation %d runs, the last good one", cfg.view.generation);
	} else if (managed_waits(cfg.state_dir, &cfg.mem, &pending)) {
		err = generation_each(cfg.state_dir, on_generation, &cfg.view.generation);
		wait_for_confirmation(&pending);
	} else {
		keep_generation("start", "files");
	}
	if (err)
		log_error(NULL, "generations of the configuration cannot be kept: %s", err_text(err));
}

void config_close(void)
{
	timer_cancel(&cfg.confirm);
	settings_free(&cfg.settings);
	for (size_t i = 0; i < cfg.n_before; i++)
		settings_free(&cfg.before[i]);
	mem_free(cfg.before);
	buf_free(&cfg.fault);
	buf_free(&cfg.restart);
	arena_free(&cfg.mem);
}

/* ---- while everything runs ---- */

static void set_fault(const struct buf *said)
{
	buf_reset(&cfg.fault);
	if (said)
		buf_slice(&cfg.fault, buf_view(said));
	cfg.view.fault = said ? cfg.fault.p : NULL;
}

static void add_restart_key(void *arg, const struct conf_change *c)
{
	(void)arg;
	if (c->effect == AT_RESTART)
		buf_printf(&cfg.restart, "%s%s", cfg.restart.n ? ", " : "", c->path);
}

static void note_restart(const struct reload_plan *plan)
{
	buf_reset(&cfg.restart);
	if (plan)
		reload_each(plan, add_restart_key, NULL);
	cfg.view.restart = plan ? cfg.restart.n ? cfg.restart.p : "circuits" : NULL;
}

static void log_change(void *arg, const struct conf_change *c)
{
	(void)arg;
	log_info(NULL, "configuration: %s: %s -> %s (%s)", c->path, c->from ? c->from : "-", c->to ? c->to : "-", conf_effect_text(c->effect));
}

/* Takes `next` over, whether it is put in force or not. */
/* Keys by which it is decided who may do what, or who is believed; values are not told. */
static bool is_about_security(const char *path)
{
	static const char *const words[] = { "password", "min_security_profile", "security_profile", "only", "cert", "key", "ca", "role", "onboarding" };
	const char *last = strrchr(path, '.') ? strrchr(path, '.') + 1 : path;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(last, words[i]) == 0)
			return true;
	return strncmp(path, "tls.", 4) == 0 || strncmp(path, "console.users", 13) == 0;
}

static void note_security(void *arg, const struct conf_change *c)
{
	struct buf *text = arg;
	if (is_about_security(c->path) && text->n < 160)
		buf_printf(text, "%s%s", text->n ? ", " : "", c->path);
}

static int go_over(struct settings *next, const struct reload_plan *plan)
{
	if (reload_is_empty(plan)) {
		settings_free(&next);
		reload_certificates(cfg.g);
		return 0;
	}
	struct buf security = { 0 };
	reload_each(plan, log_change, NULL);
	reload_each(plan, note_security, &security);
	int err = reload_apply(cfg.g, next, plan);
	if (!err && security.n)
		alarm_raise(cfg.g, "ReconfigurationOfSecurityParameters", security.p, NULL);
	buf_free(&security);
	if (err) {
		settings_free(&next);
		return err;
	}
	cfg.before = mem_grow(cfg.before, (cfg.n_before + 1) * sizeof(struct settings *));
	cfg.before[cfg.n_before++] = cfg.settings;
	cfg.settings = next;
	return 0;
}

static void restart_in_place(const char *why)
{
	log_info(NULL, "starts anew: %s", why);
	cfg.wants_restart = true;
	loop_stop();
}

bool config_wants_restart(void)
{
	return cfg.wants_restart;
}

void config_reload(void)
{
	struct buf said = { 0 };
	struct settings *next = NULL;
	if (!cfg.g)
		return;
	bool usable = check_config(cfg.files, &said, &next) == 0;
	set_fault(usable ? NULL : &said);
	buf_free(&said);
	if (!usable) {
		log_error(NULL, "the changed configuration is not usable, what ran before goes on: %.*s", (int)strcspn(cfg.fault.p, "\n"), cfg.fault.p);
		return;
	}
	if (cfg.view.safe_mode) {
		settings_free(&next);
		restart_in_place("the configuration is usable now");
		return;
	}
	struct reload_plan *plan = reload_look(cfg.settings, next);
	bool restart = reload_needs_restart(plan);
	note_restart(restart ? plan : NULL);
	if (restart) {
		log_warn(NULL, "the changed configuration waits for a restart of ampgated: %s", cfg.view.restart);
		settings_free(&next);
	} else if (go_over(next, plan) == 0) {
		cfg.view.safe_mode = cfg.view.last_good = false;
		keep_generation("SIGHUP", "files");
		log_info(NULL, "configuration read again, generation %d", cfg.view.generation);
	}
	reload_plan_free(&plan);
}

void config_view(struct config_view *out)
{
	*out = cfg.view;
}

/* ---- changes of the managed layer ---- */

static void event(const char *code, const char *severity, const char *who)
{
	struct buf args = { 0 };
	struct json_writer w;
	jw_open(&w, &args);
	jw_object(&w, NULL);
	jw_string(&w, "who", who);
	jw_int(&w, "generation", cfg.view.generation);
	jw_end(&w, '}');
	telemetry_event(cfg.g, code, severity, "config", args.p);
	buf_free(&args);
}

static int refuse(struct buf *said, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int refuse(struct buf *said, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(said, fmt, ap);
	va_end(ap);
	return ERR_REFUSED;
}

static int may_change(const struct config_proposal *c, struct buf *said)
{
	if (!cfg.g || !cfg.files->managed)
		return refuse(said, "this program has no configuration of its own");
	if (cfg.settings->site.locked)
		return refuse(said, "the configuration is locked by site.locked");
	if (cfg.view.confirm_until_us)
		return refuse(said, "another change waits to be confirmed: confirm it or roll it back first");
	if (c->base && c->base != cfg.view.generation)
		return refuse(said, "the change was made for generation %d, in force is %d", c->base, cfg.view.generation);
	if (c->yaml.n > MANAGED_MOST)
		return refuse(said, "the change is too large");
	return 0;
}

static int load_with(struct slice yaml, struct buf *said, struct settings **next)
{
	struct settings_files files = *cfg.files;
	char *text = mem_text(yaml);
	files.managed_text = text;
	int err = check_config(&files, said, next) == 0 ? 0 : ERR_INVALID;
	mem_free(text);
	if (!err)
		buf_reset(said);
	return err;
}

static void say_change(void *arg, const struct conf_change *c)
{
	buf_printf(arg, "%s: %s -> %s (%s)\n", c->path, c->from ? c->from : "-", c->to ? c->to : "-", conf_effect_text(c->effect));
}

/* On disk first, and as a change that can be taken back: if it cannot be put in force, it is. */
static int go_over_with(const struct config_proposal *c, struct settings *next, const struct reload_plan *plan)
{
	int err = 0;
	if (reload_needs_restart(plan)) {
		settings_free(&next);
		restart_in_place("the configuration was changed");
	} else {
		err = go_over(next, plan);
	}
	if (err && managed_back(cfg.state_dir) != 0)
		log_error(NULL, "a change of the configuration that cannot be put in force cannot be taken back either");
	else if (!err && !c->confirm_us)
		err = managed_keep(cfg.state_dir);
	return err;
}

static int put_in_force(const struct config_proposal *c, struct settings *next, const struct reload_plan *plan)
{
	struct managed_pending p = { .until_us = clock_wall_us() + (c->confirm_us ? c->confirm_us : CONFIRM_MOST_US), .who = c->who, .self = c->self };
	int err = managed_try(cfg.state_dir, c->yaml, &p);
	if (err)
		settings_free(&next);
	else
		err = go_over_with(c, next, plan);
	if (err)
		return err;
	if (c->confirm_us)
		wait_for_confirmation(&p);
	else if (!cfg.wants_restart)
		keep_generation(c->who, c->why);
	set_fault(NULL);
	note_restart(NULL);
	event("config.applied", "info", c->who);
	return 0;
}

int config_apply(const struct config_proposal *c, struct buf *said)
{
	struct settings *next = NULL;
	int err = may_change(c, said);
	if (!err)
		err = load_with(c->yaml, said, &next);
	if (err)
		return err;
	struct reload_plan *plan = reload_look(cfg.settings, next);
	reload_each(plan, say_change, said);
	if (reload_needs_restart(plan) && !c->restart) {
		err = refuse(said, "this needs a start of the program: allow the restart\n");
		settings_free(&next);
	} else {
		err = put_in_force(c, next, plan);
	}
	reload_plan_free(&plan);
	return err;
}

int config_overlay(const struct conf_node *over, struct buf *yaml_out, struct buf *said)
{
	struct settings *next = NULL;
	struct buf now = { 0 };
	if (!cfg.files || !cfg.files->managed)
		return refuse(said, "this program has no configuration of its own");
	struct settings_files files = *cfg.files;
	files.over = over;
	int err = check_config(&files, said, &next) == 0 ? 0 : ERR_INVALID;
	settings_free(&next);
	if (!err)
		buf_reset(said);
	if (!err)
		err = managed_read(cfg.state_dir, &now);
	if (!err)
		err = managed_lay(now.p ? buf_view(&now) : SLICE(""), over, yaml_out);
	buf_free(&now);
	return err;
}

int config_set(struct slice over, const char *who, const char *why, struct buf *said)
{
	struct buf now = { 0 }, merged = { 0 };
	int err = managed_read(cfg.state_dir, &now);
	if (!err)
		err = managed_merge(buf_view(&now), over, &merged);
	if (err)
		buf_puts(said, err_text(err));
	else
		err = config_apply(&(struct config_proposal){ .yaml = merged.p ? buf_view(&merged) : SLICE(""), .who = who, .why = why }, said);
	buf_free(&now);
	buf_free(&merged);
	return err;
}

int config_confirm(const char *who)
{
	if (!cfg.view.confirm_until_us)
		return ERR_NOT_FOUND;
	int err = managed_keep(cfg.state_dir);
	if (err)
		return err;
	timer_cancel(&cfg.confirm);
	cfg.view.confirm_until_us = 0;
	keep_generation(who, "config.apply");
	log_info(NULL, "the changed configuration is confirmed by %s, generation %d", who, cfg.view.generation);
	event("config.confirmed", "info", who);
	return 0;
}

int config_roll_back(const char *who, const char *why)
{
	struct buf said = { 0 };
	struct settings *next = NULL;
	if (!cfg.view.confirm_until_us)
		return ERR_NOT_FOUND;
	int err = managed_back(cfg.state_dir);
	if (err)
		return err;
	timer_cancel(&cfg.confirm);
	cfg.view.confirm_until_us = 0;
	log_warn(NULL, "the changed configuration is taken back: %s", why);
	err = check_config(cfg.files, &said, &next) == 0 ? 0 : ERR_INVALID;
	struct reload_plan *plan = err ? NULL : reload_look(cfg.settings, next);
	if (plan && reload_needs_restart(plan)) {
		settings_free(&next);
		restart_in_place("a change of the configuration was taken back");
	} else if (plan) {
		err = go_over(next, plan);
	}
	reload_plan_free(&plan);
	buf_free(&said);
	event("config.rolled_back", "warning", who);
	return err;
}

static bool connections_stand(void)
{
	for (size_t i = 0; i < cfg.g->conf->n_uplinks; i++) {
		struct uplink_view v;
		uplink_view(cfg.g->uplinks[i], &v);
		if (v.lanes && v.state != UPLINK_UP)
			return false;
	}
	return !cfg.g->conf->mqtt.url || telemetry_up();
}

static void on_confirmation_over(void *arg)
{
	(void)arg;
	bool stands = cfg.self && connections_stand();
	int err = stands ? config_confirm("itself") : config_roll_back("itself", cfg.self ? "a connection is down" : "nobody confirmed it in time");
	if (err)
		log_error(NULL, "the waiting change of the configuration cannot be settled: %s", err_text(err));
}

int config_compare(struct slice yaml, struct buf *said)
{
	struct settings *next = NULL;
	int err = load_with(yaml, said, &next);
	if (err)
		return err;
	struct reload_plan *plan = reload_look(cfg.settings, next);
	reload_each(plan, say_change, said);
	reload_plan_free(&plan);
	settings_free(&next);
	return 0;
}

static void write_change(void *arg, const struct conf_change *c)
{
	struct json_writer *w = arg;
	jw_object(w, NULL);
	jw_string(w, "path", c->path);
	jw_string(w, "from", c->from);
	jw_string(w, "to", c->to);
	jw_string(w, "effect", conf_effect_text(c->effect));
	jw_end(w, '}');
}

void config_look(struct slice yaml, struct json_writer *w)
{
	struct settings_files files = *cfg.files;
	struct conf_report report = { 0 };
	struct settings *next = NULL;
	char *text = mem_text(yaml);
	files.managed_text = text;
	jw_object(w, NULL);
	jw_bool(w, "usable", check_files(&files, &report, NULL, &next) == 0);
	struct reload_plan *plan = next ? reload_look(cfg.settings, next) : NULL;
	jw_array(w, "changes");
	if (plan)
		reload_each(plan, write_change, w);
	jw_end(w, ']');
	jw_bool(w, "restarts", plan && reload_needs_restart(plan));
	settings_write_messages(&files, &report, "errors", w);
	reload_plan_free(&plan);
	settings_free(&next);
	conf_report_free(&report);
	mem_free(text);
}

void config_write_origin(struct json_writer *w)
{
	if (cfg.view.generation)
		jw_int(w, "generation", cfg.view.generation);
	else
		jw_null(w, "generation");
	jw_bool(w, "locked", cfg.settings->site.locked || !cfg.files->managed);
	jw_string(w, "managed", cfg.files->managed);
	settings_write_values(cfg.settings, "values", w);
}

int config_check(struct buf *said)
{
	struct settings *next = NULL;
	int err = check_config(cfg.files, said, &next) == 0 ? 0 : ERR_INVALID;
	settings_free(&next);
	return err;
}

static void say_key(void *arg, const struct conf_change *c)
{
	buf_printf(arg, "%s\n", c->path);
}

int config_drift(struct buf *said)
{
	struct settings *next = NULL;
	struct buf checked = { 0 };
	if (!cfg.files)
		return 0;
	int err = check_config(cfg.files, &checked, &next) == 0 ? 0 : ERR_INVALID;
	buf_free(&checked);
	if (!err)
		settings_diff(cfg.settings, next, say_key, said);
	settings_free(&next);
	return err;
}

const char *config_state_dir(void)
{
	return cfg.state_dir;
}

const struct settings *config_settings(void)
{
	return cfg.settings;
}

void config_write_applied(struct json_writer *w, const struct buf *said)
{
	struct config_view v;
	config_view(&v);
	jw_object(w, NULL);
	jw_text(w, "changes", said->p ? buf_view(said) : SLICE(""));
	jw_int(w, "generation", v.generation);
	if (v.confirm_until_us)
		jw_time(w, "confirm_until", v.confirm_until_us);
	else
		jw_null(w, "confirm_until");
	jw_bool(w, "restarts", config_wants_restart());
	jw_end(w, '}');
}
