/* One file per vendor: its name, and a list of rows, each for the models (and versions of firmware) that begin with a text. Read by tables as the configuration is, so
 * a mistake is told with its place. */
#include "gateway/power/traits.h"

#include <dirent.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "storage/kept.h"

struct row {
	const char *model;        /* NULL: all of them */
	const char *firmware;     /* NULL: any */
	struct traits traits;
};

struct vendor {
	const char *vendor;
	struct row *models;
	size_t n_models;
	struct vendor *next;
};

struct traits_book {
	struct arena mem;
	struct vendor *vendors;
};

#define S US_PER_S
#define H (3600 * S)
#define WORDS(...) (const char *const[]){ __VA_ARGS__, NULL }
#define AT(member) .at = offsetof(struct row, member)

static const char *const forms[] = { "TxProfile", "TxDefaultProfile", "StationMaxProfile", NULL };

static const struct conf_row model_rows[] = {
	{ .name = "model", .type = CONF_TEXT, AT(model), .help = "What the model's name begins with; all of the vendor's when not said" },
	{ .name = "firmware", .type = CONF_TEXT, AT(firmware), .help = "What its firmware's version begins with; any when not said" },
	{ .name = "purpose", .type = CONF_CHOICE, .words = forms, .preset = "TxProfile", AT(traits.form), .help = "The first form of a limit to try" },
	{ .name = "max_stack_level", .type = CONF_INT, .min = -1, .max = 1000, .preset = "-1", AT(traits.max_level), .help = "-1: it is asked" },
	{ .name = "unit", .type = CONF_CHOICE, .words = WORDS("A", "W"), .preset = "A", AT(traits.unit), .help = "Unit of its limits" },
	{ .name = "whole_amps", .type = CONF_BOOL, .preset = "false", AT(traits.whole_amps), .help = "Limits are rounded down to whole amperes" },
	{ .name = "relative_only", .type = CONF_BOOL, .preset = "false", AT(traits.relative_only), .help = "Schedules must not have a start" },
	{ .name = "connector_zero", .type = CONF_BOOL, .preset = "true", AT(traits.connector_zero), .help = "Takes a default profile for connector 0" },
	{ .name = "number_phases", .type = CONF_BOOL, .preset = "true", AT(traits.number_phases), .help = "Limits may say for how many phases they are" },
	{ .name = "min_interval", .type = CONF_DURATION, .min = S, .max = H, .preset = "5s", AT(traits.min_interval_us), .help = "Between two raises" },
	{ .name = "meter_interval", .type = CONF_DURATION, .min = S, .max = H, .preset = "1s", AT(traits.meter_interval_us),
	  .help = "Sends meter values no more often" },
	{ .name = "response", .type = CONF_DURATION, .min = S, .max = 600 * S, .preset = "15s", AT(traits.response_us), .help = "From a limit to the current" },
	{ 0 },
};
static const struct conf_table model_table = { .noun = "model", .size = sizeof(struct row), .rows = model_rows };

static const struct conf_row vendor_rows[] = {
	{ .name = "vendor", .type = CONF_TEXT, .required = true, .at = offsetof(struct vendor, vendor), .help = "As in BootNotification" },
	{ .name = "models", .type = CONF_ITEMS, .table = &model_table, .at = offsetof(struct vendor, models), .help = "The first row that fits best counts" },
	{ 0 },
};
static const struct conf_table vendor_table = { .noun = "vendor", .size = sizeof(struct vendor), .rows = vendor_rows };

static void read_file(struct traits_book *b, const char *path, struct conf_report *report)
{
	struct conf_fill fill = { .mem = &b->mem, .report = report };
	struct vendor *v = arena_new(&b->mem, sizeof(*v));
	struct conf_node *tree;
	unsigned errors = report->errors;
	if (conf_yaml_read(&b->mem, path, report, &tree) != 0)
		return;
	conf_fill(&fill, &vendor_table, tree, v);
	conf_fill_free(&fill);
	if (report->errors > errors)
		return;
	v->next = b->vendors;
	b->vendors = v;
}

static void read_directory(struct traits_book *b, const char *path, struct conf_report *report)
{
	DIR *dir = path ? opendir(path) : NULL;
	const struct dirent *d;
	while (dir && (d = readdir(dir))) {
		size_t n = strlen(d->d_name);
		if (n > 5 && strcmp(d->d_name + n - 5, ".yaml") == 0)
			read_file(b, arena_printf(&b->mem, "%s/%s", path, d->d_name), report);
	}
	if (dir)
		closedir(dir);
}

struct traits_book *traits_open(const char *installed, const char *local, struct conf_report *report)
{
	struct traits_book *b = NEW(struct traits_book);
	read_directory(b, installed, report);
	read_directory(b, local, report);
	return b;
}

void traits_close(struct traits_book *b)
{
	if (!b)
		return;
	arena_free(&b->mem);
	mem_free(b);
}

static bool begins(struct slice text, const char *with)
{
	size_t n = strlen(with);
	return text.n >= n && strncasecmp(text.p, with, n) == 0;
}

/* How well; 0: not. */
static int fits(const struct row *r, struct slice model, struct slice firmware)
{
	if ((r->model && (!model.p || !begins(model, r->model))) || (r->firmware && (!firmware.p || !begins(firmware, r->firmware))))
		return 0;
	return 1 + (r->model ? (int)strlen(r->model) : 0) + (r->firmware ? (int)strlen(r->firmware) : 0);
}

struct traits traits_of(const struct traits_book *b, struct slice vendor, struct slice model, struct slice firmware)
{
	struct traits found = { .form = FORM_TX, .max_level = -1, .connector_zero = true, .number_phases = true, .min_interval_us = 5 * S,
		.meter_interval_us = S, .response_us = 15 * S };
	int best = 0;
	for (const struct vendor *v = b->vendors; v; v = v->next) {
		if (!vendor.p || !begins(vendor, v->vendor))
			continue;
		for (size_t i = 0; i < v->n_models; i++) {
			int fit = fits(&v->models[i], model, firmware);
			if (fit <= best)
				continue;
			best = fit;
			found = v->models[i].traits;
		}
	}
	return found;
}

const char *traits_form_text(enum limit_form form)
{
	return forms[form];
}

static const char *owner_of(const char *vendor, const char *model, char out[128])
{
	snprintf(out, 128, "model:%s/%s", vendor, model);
	return out;
}

void traits_learnt(struct store *s, const char *vendor, const char *model, enum limit_form form)
{
	char owner[128];
	if (!model[0])
		return;
	int err = kept_put(s, owner_of(vendor, model, owner), "limit-form", slice_of(forms[form]), NULL, NULL);
	if (err)
		log_warn(NULL, "what a model takes could not be kept: %s", err_text(err));
}

void traits_recall(struct store *s, const char *vendor, const char *model, struct traits *t)
{
	struct arena mem = { 0 };
	struct slice value;
	char owner[128];
	if (model[0] && kept_get(s, owner_of(vendor, model, owner), "limit-form", &mem, &value) == 0)
		for (int i = 0; i < FORMS; i++)
			if (slice_is(value, forms[i]))
				t->form = i;
	arena_free(&mem);
}
