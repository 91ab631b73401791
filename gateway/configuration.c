/* The configuration of the running daemon. Which settings run is decided once, in config_open:
 *
 *   the files are usable            -> they run
 *   else, a generation is usable    -> the newest one runs, with the fault of the files shown on every page
 *   else                            -> safe mode: no circuits worth the name, no listeners for stations; stations keep their fallback */
#include "gateway/configuration.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "gateway/check.h"
#include "gateway/generation.h"
#include "gateway/reload.h"

#define SAFE_MODE "version: 1\nsite: {id: safe-mode}\ncircuits: {grid: {kind: grid_connection, limit_a: 1}}\n"

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

const struct settings *config_open(const struct settings_files *files, const char *state_dir)
{
	struct buf said = { 0 };
	memset(&cfg, 0, sizeof(cfg));
	cfg.files = files;
	cfg.state_dir = state_dir;
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

void config_started(struct gateway *g)
{
	int err = 0;
	if (!cfg.files)
		return; /* a demo: its settings come from nowhere */
	cfg.g = g;
	if (cfg.view.safe_mode) {
		log_error(NULL, "the configuration is not usable and there is no earlier one: safe mode, no station is served");
	} else if (cfg.view.last_good) {
		err = generation_each(cfg.state_dir, on_generation, &cfg.view.generation);
		log_error(NULL, "the configuration is not usable: generation %d runs, the last good one", cfg.view.generation);
	} else {
		keep_generation("start", "files");
	}
	if (err)
		log_error(NULL, "generations of the configuration cannot be kept: %s", err_text(err));
}

void config_close(void)
{
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
static int go_over(struct settings *next, const struct reload_plan *plan)
{
	if (reload_is_empty(plan)) {
		settings_free(&next);
		reload_certificates(cfg.g);
		return 0;
	}
	reload_each(plan, log_change, NULL);
	int err = reload_apply(cfg.g, next, plan);
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
