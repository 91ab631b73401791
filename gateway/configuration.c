/* The configuration of the running daemon. Which settings run is decided once, in config_open:
 *
 *   the files are usable            -> they run
 *   else, a generation is usable    -> the newest one runs, with the fault of the files shown on every page
 *   else                            -> safe mode: no circuits worth the name, no listeners for stations; stations keep their fallback */
#include "gateway/configuration.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "gateway/check.h"
#include "gateway/generation.h"

#define SAFE_MODE "version: 1\nsite: {id: safe-mode}\ncircuits: {grid: {kind: grid_connection, limit_a: 1}}\n"

static struct {
	const struct settings_files *files;
	const char *state_dir;
	struct settings *settings; /* in force */
	struct arena mem;          /* paths of the generation that runs */
	struct config_view view;
	struct buf fault;
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

static void on_generation(void *arg, const struct generation *g)
{
	int *newest = arg;
	if (!*newest)
		*newest = g->number;
}

void config_started(struct gateway *g)
{
	int err = 0;
	(void)g;
	if (!cfg.files)
		return; /* a demo: its settings come from nowhere */
	if (cfg.view.safe_mode) {
		log_error(NULL, "the configuration is not usable and there is no earlier one: safe mode, no station is served");
	} else if (cfg.view.last_good) {
		err = generation_each(cfg.state_dir, on_generation, &cfg.view.generation);
		log_error(NULL, "the configuration is not usable: generation %d runs, the last good one", cfg.view.generation);
	} else {
		err = generation_keep(cfg.state_dir, cfg.files, "start", "files", &cfg.view.generation);
	}
	if (err)
		log_error(NULL, "generations of the configuration cannot be kept: %s", err_text(err));
}

void config_close(void)
{
	settings_free(&cfg.settings);
	buf_free(&cfg.fault);
	arena_free(&cfg.mem);
}

void config_view(struct config_view *out)
{
	*out = cfg.view;
}
