/* From files to struct settings: layers are read and merged as trees, ranges of stations become single ones with station_defaults below
 * them, and only then the tables are laid over the tree. So --print-config shows what each station really has, and `null` in a station
 * takes away a default just as it takes away a key of an earlier layer. */
#include "gateway/conf/settings.h"

#define PILOT_LEAST_MA 6000 /* the least that a control pilot can say */
#define MESSAGE_VOLTS 230.0 /* by which messages turn amperes into watts */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/conf/settings-tables.h"

#define STATIONS_MOST 2000

/* ---- layers ---- */

static int is_layer(const struct dirent *d)
{
	size_t n = strlen(d->d_name);
	return d->d_name[0] != '.' && n > 5 && strcmp(d->d_name + n - 5, ".yaml") == 0;
}

/* Not alphasort: the order of the layers must not depend on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_layer(struct settings_source *src, const char *path, const char *built_in, struct conf_report *report)
{
	struct conf_node *layer;
	int rc = built_in ? conf_yaml_parse(&src->mem, path, slice_of(built_in), report, &layer) : conf_yaml_read(&src->mem, path, report, &layer);
	if (rc == 0)
		src->tree = conf_merge(&src->mem, src->tree, layer);
	return rc;
}

static int each_of_dir(struct arena *mem, const char *dir, int (*each)(void *arg, const char *path, const char *name), void *arg)
{
	struct dirent **names;
	int n = scandir(dir, &names, is_layer, by_name), rc = 0;
	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		int one = each(arg, arena_printf(mem, "%s/%s", dir, names[i]->d_name), arena_printf(mem, "conf.d/%s", names[i]->d_name));
		rc = rc ? rc : one;
		free(names[i]);
	}
	free(names);
	return rc;
}

static bool has_managed(const struct settings_files *files)
{
	return files->managed && (files->managed_text || access(files->managed, F_OK) == 0);
}

int settings_each_file(const struct settings_files *files, int (*each)(void *arg, const char *path, const char *name), void *arg)
{
	struct arena mem = { 0 };
	int rc = files->built_in ? 0 : each(arg, files->main_file, "ampgate.yaml");
	int more = files->confd ? each_of_dir(&mem, files->confd, each, arg) : 0;
	rc = rc ? rc : more;
	if (!rc && has_managed(files))
		rc = each(arg, files->managed, "managed.yaml");
	arena_free(&mem);
	return rc;
}

struct layering {
	struct settings_source *src;
	struct conf_report *report;
};

static int on_confd_file(void *arg, const char *path, const char *name)
{
	struct layering *l = arg;
	(void)name;
	return add_layer(l->src, path, NULL, l->report);
}

/* All of *.yaml, also after one that is broken: all messages in one go. A directory that is not there has no layers. */
static int add_layers(struct settings_source *src, const char *dir, struct conf_report *report)
{
	struct layering l = { src, report };
	unsigned before = report->errors;
	int rc = each_of_dir(&src->mem, dir, on_confd_file, &l);
	if (rc && report->errors == before) {
		struct conf_file file = { .name = dir };
		struct conf_pos pos = { &file, 1, 1, 1 };
		conf_say(report, CONF_ERROR, &pos, NULL, "cannot be read: %s", err_text(rc));
	}
	return rc;
}

/* The administrator's files have the last word on whether the program may have one: a managed layer cannot unlock itself. */
static bool is_locked(const struct settings_source *src)
{
	static const char *const path[] = { "site", "locked" };
	const struct conf_node *n = src->tree ? conf_at(src->tree, path, 2) : NULL;
	return n && n->kind == CONF_SCALAR && strcmp(n->text, "true") == 0;
}

static int read_layers(struct settings_source *src, const struct settings_files *files, struct conf_report *report)
{
	int rc = add_layer(src, files->main_file, files->built_in, report);
	int more = files->confd ? add_layers(src, files->confd, report) : 0;
	rc = rc ? rc : more;
	if (has_managed(files) && !is_locked(src))
		more = add_layer(src, files->managed, files->managed_text, report);
	rc = rc ? rc : more;
	if (!rc && files->over)
		src->tree = conf_merge(&src->mem, src->tree, files->over);
	return rc;
}

/* ---- the tree that the tables are laid over ---- */

static struct conf_node *node_copy(struct arena *mem, const struct conf_node *n)
{
	struct conf_node *c = arena_new(mem, sizeof(*c));
	*c = *n;
	c->next = NULL;
	return c;
}

static void node_append(struct conf_node *parent, struct conf_node *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
}

static struct conf_node *empty_like(struct arena *mem, const struct conf_node *n)
{
	struct conf_node *c = node_copy(mem, n);
	c->first = c->last = NULL;
	return c;
}

/* Without the keys that stations do not share: those are reported once, where they stand. */
static struct conf_node *shared_defaults(struct arena *mem, const struct conf_node *defaults)
{
	if (!defaults || defaults->kind != CONF_MAP)
		return NULL;
	struct conf_node *kept = empty_like(mem, defaults);
	for (const struct conf_row *row = station_defaults_table.rows; row->name; row++) {
		const struct conf_node *n = conf_child(defaults, row->name);
		if (n && !conf_is_null(n))
			node_append(kept, node_copy(mem, n));
	}
	return kept;
}

struct expansion {
	struct arena *mem;
	struct conf_report *report;
	struct conf_node *out;            /* map of single stations */
	struct map by_id;                 /* id -> its node in `out` */
	const struct conf_node *defaults; /* NULL: none */
	const struct conf_node *from;     /* the range or plain key being dealt out */
	size_t stations;
};

/* The item of a list of rotations that falls to the member. Single stations keep their list, which their row refuses. */
static struct conf_node *dealt(struct expansion *x, size_t at)
{
	const struct conf_node *list = conf_child(x->from, "rotation");
	if (!conf_is_range(x->from->key) || !list || list->kind != CONF_LIST || !list->first)
		return node_copy(x->mem, x->from);
	size_t n = 0;
	for (const struct conf_node *c = list->first; c; c = c->next)
		n++;
	const struct conf_node *item = list->first;
	for (at %= n; at; at--)
		item = item->next;
	struct conf_node *own = empty_like(x->mem, x->from);
	for (const struct conf_node *c = x->from->first; c; c = c->next) {
		struct conf_node *copy = node_copy(x->mem, c == list ? item : c);
		copy->key = c->key;
		copy->key_pos = c->key_pos;
		node_append(own, copy);
	}
	return own;
}

static void add_station(struct expansion *x, const char *name, struct conf_node *own)
{
	struct conf_node *whole = x->defaults && own->kind == CONF_MAP ? conf_merge(x->mem, x->defaults, own) : own;
	whole->pos = own->pos;
	whole->key_pos = own->key_pos;
	whole->key = arena_text(x->mem, slice_of(name));
	node_append(x->out, whole);
	map_put(&x->by_id, slice_of(whole->key), whole);
	x->stations++;
}

static void refine_station(struct expansion *x, struct conf_node *known, const struct conf_node *own)
{
	struct conf_node *next = known->next;
	const char *name = known->key;
	struct conf_node *merged = conf_merge(x->mem, known, own);
	*known = *merged;
	known->next = next;
	known->key = name;
	known->key_pos = own->key_pos;
}

static void on_member(void *arg, const char *name, size_t at)
{
	struct expansion *x = arg;
	struct conf_node *own = dealt(x, at), *known = map_get(&x->by_id, slice_of(name));
	if (known)
		refine_station(x, known, own);
	else if (x->stations < STATIONS_MOST)
		add_station(x, name, own);
	else
		conf_say(x->report, CONF_ERROR, &x->from->key_pos, NULL, "more than %d stations", STATIONS_MOST);
}

/* Ranges first, in their order, then plain keys, wherever they stand. */
static struct conf_node *expand_stations(struct arena *mem, const struct conf_node *root, const struct conf_node *stations, struct conf_report *report)
{
	struct expansion x = { .mem = mem, .report = report, .out = empty_like(mem, stations) };
	x.defaults = shared_defaults(mem, conf_child(root, "station_defaults"));
	for (int plain = 0; plain < 2; plain++)
		for (const struct conf_node *n = stations->first; n; n = n->next)
			if (conf_is_range(n->key) != plain) {
				x.from = n;
				if (!(conf_is_null(n) && !plain) && conf_range(report, n, on_member, &x) != 0)
					continue; /* said */
			}
	map_free(&x.by_id);
	return x.out;
}

static bool is_placed(const struct conf_node *placed, const struct conf_node *circuit)
{
	const struct conf_node *parent = conf_child(circuit, "parent");
	return !parent || parent->kind != CONF_SCALAR || conf_is_null(parent) || conf_child(placed, parent->text);
}

/* Parents before children. What is in a circle, or hangs on a circuit that does not exist, comes last and is reported by whoever sees it. */
static struct conf_node *sort_circuits(struct arena *mem, const struct conf_node *circuits)
{
	struct conf_node *placed = empty_like(mem, circuits);
	for (bool more = true; more;) {
		more = false;
		for (const struct conf_node *n = circuits->first; n; n = n->next) {
			if (conf_child(placed, n->key) || !is_placed(placed, n))
				continue;
			node_append(placed, node_copy(mem, n));
			more = true;
		}
	}
	for (const struct conf_node *n = circuits->first; n; n = n->next)
		if (!conf_child(placed, n->key))
			node_append(placed, node_copy(mem, n));
	return placed;
}

static struct conf_node *prepare(struct arena *mem, const struct conf_node *root, struct conf_report *report)
{
	struct conf_node *out = empty_like(mem, root);
	for (const struct conf_node *n = root->first; n; n = n->next) {
		if (n->kind == CONF_MAP && strcmp(n->key, "stations") == 0)
			node_append(out, expand_stations(mem, root, n, report));
		else if (n->kind == CONF_MAP && strcmp(n->key, "circuits") == 0)
			node_append(out, sort_circuits(mem, n));
		else
			node_append(out, node_copy(mem, n));
	}
	return out;
}

/* ---- loading ---- */

static int fill(struct settings *s, struct conf_report *report)
{
	struct settings_source *src = s->source;
	unsigned before = report->errors;
	src->fill = (struct conf_fill){ .mem = &src->mem, .report = report, .secret = settings_secret, .secret_arg = src };
	src->tree = prepare(&src->mem, src->tree, report);
	conf_fill(&src->fill, &settings_table, src->tree, s);
	conf_resolve(&src->fill);
	if (report->errors == before + src->missing)
		settings_link(s, report);
	src->fill.report = NULL; /* the report may go before the settings do */
	return report->errors == before ? 0 : report->errors == before + src->missing ? ERR_AUTH : ERR_INVALID;
}

int settings_load_partly(const struct settings_files *files, struct settings **out, struct conf_report *report)
{
	struct settings *s = NEW(struct settings);
	s->source = NEW(struct settings_source);
	s->source->credentials = files->credentials ? arena_text(&s->source->mem, slice_of(files->credentials)) : NULL;
	s->source->models = files->models ? arena_text(&s->source->mem, slice_of(files->models)) : NULL;
	int rc = read_layers(s->source, files, report);
	if (rc == 0)
		rc = fill(s, report);
	s->models = s->source->models;
	s->station_models = files->stations ? arena_text(&s->source->mem, slice_of(files->stations)) : NULL;
	if (rc != 0 && rc != ERR_AUTH)
		settings_free(&s);
	*out = s;
	return rc;
}

const struct conf_node *settings_tree(const struct settings_files *files, struct arena *mem)
{
	struct settings_source src = { .mem = *mem };
	struct conf_report said = { 0 };
	if (read_layers(&src, files, &said) == 0)
		src.tree = prepare(&src.mem, src.tree, &said);
	conf_report_free(&said);
	*mem = src.mem;
	return src.tree;
}

int settings_load_files(const struct settings_files *files, struct settings **out, struct conf_report *report)
{
	int rc = settings_load_partly(files, out, report);
	if (rc != 0)
		settings_free(out);
	return rc;
}

int settings_load(const char *main_file, const char *confd, struct settings **out, struct conf_report *report)
{
	return settings_load_files(&(struct settings_files){ .main_file = main_file, .confd = confd }, out, report);
}

void settings_free(struct settings **s)
{
	if (!*s)
		return;
	conf_fill_free(&(*s)->source->fill);
	arena_free(&(*s)->source->mem);
	mem_free((*s)->source);
	mem_free(*s);
	*s = NULL;
}

/* ---- looking up ---- */

static void *object(const struct settings *s, const char *section, struct slice id)
{
	char *text = mem_text(id);
	void *found = strlen(text) == id.n ? conf_object(&s->source->fill, section, text) : NULL;
	mem_free(text);
	return found;
}

const struct station_settings *settings_station(const struct settings *s, struct slice identity)
{
	return object(s, "stations", identity);
}

const struct evse_settings *settings_evse(const struct settings *s, struct slice id)
{
	return object(s, "evses", id);
}

double settings_wire_share(const struct settings *s, const struct station_settings *st)
{
	return st->dc ? st->efficiency * s->site.voltage_v / MESSAGE_VOLTS : 1;
}

int32_t settings_own_min_ma(const struct evse_settings *e)
{
	return e->pilot && e->current_ma > PILOT_LEAST_MA ? PILOT_LEAST_MA : e->current_ma;
}

const struct evse_settings *settings_own_station(const struct settings *s, struct slice identity, int *n_out)
{
	const struct evse_settings *first = NULL;
	*n_out = 0;
	for (size_t i = 0; i < s->n_evses; i++) {
		if (!slice_is(identity, s->evses[i].station))
			continue;
		first = first ? first : &s->evses[i];
		++*n_out;
	}
	return first;
}

const struct evse_settings *settings_own_evse(const struct settings *s, struct slice identity, int evse)
{
	for (size_t i = 0; i < s->n_evses; i++)
		if (s->evses[i].evse == evse && slice_is(identity, s->evses[i].station))
			return &s->evses[i];
	return NULL;
}

struct station_settings *settings_stranger(const struct settings *s, struct slice identity, struct arena *mem)
{
	struct station_settings *st = arena_new(mem, sizeof(*st));
	const struct conf_node *password = settings_node(s, "station_defaults", "password", NULL, NULL);
	*st = s->station_defaults;
	st->id = st->uplink_id = arena_text(mem, identity);
	st->circuit = s->onboarding.circuit;
	st->rotation = "RST";
	st->phases = st->circuit ? st->circuit->phases : PHASE_ALL;
	for (uint8_t i = 0; i < 3; i++)
		st->grid_phase[i] = i;
	if (st->password && password->text)
		st->password = settings_secret_text(s->source, mem, password->text, st->id);
	if (!st->password_relay && st->uplink && st->uplink->password)
		st->uplink_password = settings_secret_text(s->source, mem, st->uplink->password, st->id);
	return st;
}

/* ---- showing ---- */

void settings_diff(const struct settings *a, const struct settings *b, void (*each)(void *arg, const struct conf_change *c), void *arg)
{
	conf_diff(&settings_table, a->source->tree, b->source->tree, each, arg);
}

void settings_print(const struct settings *s, bool origin, struct buf *out)
{
	conf_print(&settings_table, s->source->tree, origin, out);
}

static const char doc_head[] =
	"# The configuration of ampgate\n\n"
	"This page is written from the tables that the program reads its configuration with; do not edit it.\n\n"
	"The main file is `ampgate.yaml`; files `conf.d/*.yaml` are laid over it in the order of their names, and `managed.yaml` in the state\n"
	"directory, which the program itself writes, over all of them. Maps merge key by key, lists and single values replace, and `null`\n"
	"takes a key away. `ampgated --check-config` says whether a configuration can be used, and `ampgated --print-config` what is in force.\n\n"
	"The daemon reads its configuration when it starts and on SIGHUP. The column \"in force\" says what a change of the key needs then; one that\n"
	"needs a restart keeps the other changes waiting with it.\n\n"
	"Durations are written `500ms`, `10s`, `15m`, `36h`, `90d`; sizes `64KiB`, `256MiB`, `2GiB`; currents are amperes per phase. Phases\n"
	"L1, L2 and L3 are always those of the grid. Anchors and aliases of YAML may be used; tags, merge keys and duplicate keys are refused.\n"
	"Ids have up to 40 of `a-z`, `0-9` and `-`; identities of stations up to 48 of letters, digits and `*-_=:+|@.`\n\n"
	"Secrets are written `cred:NAME`: the content of the file `NAME` in the credentials directory (`/etc/ampgate/credentials`, or what\n"
	"systemd hands over). `{id}` in it stands for the station's identity.\n\n";

void settings_write_doc(struct buf *out)
{
	buf_puts(out, doc_head);
	conf_write_doc(&settings_table, out);
}

void settings_write_man(struct buf *out)
{
	conf_write_man(&settings_table, out);
}

bool listener_is_for(const struct listener_settings *l, struct slice station)
{
	for (const char *const *id = l->only; id && *id; id++)
		if (slice_is(station, *id))
			return true;
	return !l->only;
}
