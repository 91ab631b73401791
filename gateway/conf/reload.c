/* From one configuration to another while everything runs.
 *
 * Settings are never changed in place: the new ones replace the old ones in g->conf, and all that points into the old ones takes its place in
 * the new. The old ones stay in memory until the end, so that whoever kept a text of theirs is right to. The order matters: the balancer
 * first, so that sessions find their EVSEs; sessions leave uplinks that change before those are closed; lanes open when all uplinks stand.
 *
 * Sections that are not in `live` are read by their parts at the start and not again, so a change of theirs needs one. */
#include "gateway/conf/reload.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "gateway/group/group.h"
#include "gateway/http/console.h"
#include "gateway/power/balance.h"
#include "gateway/power/grid-inputs.h"
#include "gateway/power/times.h"
#include "gateway/pki/expiry.h"
#include "gateway/session/access.h"
#include "gateway/session/session.h"

#define CHANGES_MOST 4000

struct change {
	const char *path, *from, *to;
	enum conf_effect effect;
};

struct reload_plan {
	struct arena mem;
	struct change *changes;
	size_t n, room;
	bool restart;
};

/* ---- what has to happen ---- */

/* Read anew whenever they are needed, or told to their parts by reload_apply. */
static const char *const live[] = { "site.name", "site.voltage_v", "site.locked", "circuits", "balancing", "station_defaults", "stations",
	"onboarding", "uplinks", "loads", "schedules", "tariffs", "grid_operator", "offline.authorize", "mqtt.commands", "mqtt.telemetry_interval", "log", "listen", "tls", "console", NULL };

static bool is_below(const char *path, const char *top)
{
	size_t n = strlen(top);
	return strncmp(path, top, n) == 0 && (path[n] == '.' || !path[n]);
}

static bool is_live(const char *path)
{
	for (const char *const *top = live; *top; top++)
		if (is_below(path, *top))
			return true;
	return false;
}

/* One that comes or goes, not one that changes. */
static bool is_an_uplink(const char *path)
{
	return is_below(path, "uplinks") && path[strlen("uplinks")] && !strchr(path + strlen("uplinks") + 1, '.');
}

static void on_change(void *arg, const struct conf_change *c)
{
	struct reload_plan *p = arg;
	if (p->n == CHANGES_MOST)
		return;
	if (p->n == p->room) {
		p->room = p->room ? 2 * p->room : 16;
		p->changes = mem_grow(p->changes, p->room * sizeof(*p->changes));
	}
	struct change *to = &p->changes[p->n++];
	*to = (struct change){ .path = arena_text(&p->mem, slice_of(c->path)), .from = c->from ? arena_text(&p->mem, slice_of(c->from)) : NULL,
		.to = c->to ? arena_text(&p->mem, slice_of(c->to)) : NULL, .effect = is_live(c->path) && !is_an_uplink(c->path) ? c->effect : AT_RESTART };
	p->restart |= to->effect == AT_RESTART;
}

/* Circuits that went, or moved within the file, which the balancer cannot follow, or inputs that have to be told what was said before. */
static void mark(struct reload_plan *p, const char *top)
{
	for (size_t i = 0; i < p->n; i++)
		if (is_below(p->changes[i].path, top))
			p->changes[i].effect = AT_RESTART;
	p->restart = true;
}

struct reload_plan *reload_look(const struct settings *now, const struct settings *next)
{
	struct reload_plan *p = NEW(struct reload_plan);
	settings_diff(now, next, on_change, p);
	if (!balance_can_change(now, next))
		mark(p, "circuits");
	if (!grid_inputs_can_change(now, next))
		mark(p, "grid_operator.inputs");
	return p;
}

void reload_plan_free(struct reload_plan **p)
{
	if (!*p)
		return;
	mem_free((*p)->changes);
	arena_free(&(*p)->mem);
	mem_free(*p);
	*p = NULL;
}

bool reload_is_empty(const struct reload_plan *p)
{
	return p->n == 0 && !p->restart;
}

bool reload_needs_restart(const struct reload_plan *p)
{
	return p->restart;
}

void reload_each(const struct reload_plan *p, void (*each)(void *arg, const struct conf_change *c), void *arg)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct change *c = &p->changes[i];
		struct conf_change out = { c->path, c->from, c->to, c->effect };
		each(arg, &out);
	}
}

static bool touches(const struct reload_plan *p, const char *top, enum conf_effect least)
{
	for (size_t i = 0; p && i < p->n; i++)
		if (is_below(p->changes[i].path, top) && p->changes[i].effect >= least)
			return true;
	return false;
}

/* ---- uplinks ---- */

static size_t uplink_at(const struct settings *s, const char *id)
{
	size_t i = 0;
	while (i < s->n_uplinks && strcmp(s->uplinks[i].id, id) != 0)
		i++;
	return i;
}

static bool uplink_stays(const struct reload_plan *p, const char *id)
{
	char top[64];
	snprintf(top, sizeof(top), "uplinks.%s", id);
	return !touches(p, top, AT_RECONNECT);
}

static void close_uplinks(struct uplink **all, size_t n)
{
	for (size_t i = 0; all && i < n; i++)
		uplink_close(all[i]);
	mem_free(all);
}

/* The uplinks of `next` that have to be opened, in their places; NULL where the present one stays. NULL when one cannot be, which is logged. */
static struct uplink **open_changed_uplinks(const struct gateway *g, const struct settings *next, const struct reload_plan *p)
{
	struct uplink **fresh = mem_new((next->n_uplinks + 1) * sizeof(struct uplink *));
	for (size_t i = 0; i < next->n_uplinks; i++) {
		if (uplink_stays(p, next->uplinks[i].id) || uplink_open(&next->uplinks[i], g->state_dir, &fresh[i]) == 0)
			continue;
		close_uplinks(fresh, i);
		return NULL;
	}
	return fresh;
}

/* What is left in `old` afterwards is to be closed when nobody is on it any more. */
static void use_uplinks(struct gateway *g, const struct settings *was, struct uplink **fresh, struct uplink **old)
{
	for (size_t i = 0; i < g->conf->n_uplinks; i++) {
		size_t at = uplink_at(was, g->conf->uplinks[i].id);
		if (fresh[i])
			continue;
		fresh[i] = old[at];
		uplink_use(fresh[i], &g->conf->uplinks[i]);
		old[at] = NULL;
	}
	g->uplinks = fresh;
}

int uplinks_open(struct gateway *g)
{
	int err = 0;
	g->uplinks = mem_new((g->conf->n_uplinks + 1) * sizeof(struct uplink *));
	for (size_t i = 0; i < g->conf->n_uplinks && !err; i++)
		err = uplink_open(&g->conf->uplinks[i], g->state_dir, &g->uplinks[i]);
	return err;
}

void uplinks_close(struct gateway *g)
{
	close_uplinks(g->uplinks, g->conf->n_uplinks);
	g->uplinks = NULL;
}

/* ---- listeners ---- */

static bool listener_stays(const struct reload_plan *p, const char *id)
{
	char top[80];
	snprintf(top, sizeof(top), "listen.ocpp.%s", id);
	return !touches(p, top, AT_RELISTEN);
}

static struct access *take_listener(struct access **old, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++) {
		struct access *a = old[i];
		if (!a || strcmp(access_id(a), id) != 0)
			continue;
		old[i] = NULL;
		return a;
	}
	return NULL;
}

static void open_listener(struct gateway *g, size_t i)
{
	if (access_open(g, &g->conf->listeners[i], &g->listeners[i]) != 0)
		g->listeners[i] = NULL; /* said */
}

/* The old sockets go before the new ones come: a listener may take the port of another. */
static void change_listeners(struct gateway *g, const struct settings *was, const struct reload_plan *p)
{
	struct access **old = g->listeners;
	g->listeners = mem_new((g->conf->n_listeners + 1) * sizeof(struct access *));
	for (size_t i = 0; i < g->conf->n_listeners; i++)
		if (listener_stays(p, g->conf->listeners[i].id))
			g->listeners[i] = take_listener(old, was->n_listeners, g->conf->listeners[i].id);
	for (size_t i = 0; i < was->n_listeners; i++)
		access_close(old[i]);
	mem_free(old);
	for (size_t i = 0; i < g->conf->n_listeners; i++)
		if (!g->listeners[i])
			open_listener(g, i);
}

void reload_certificates(struct gateway *g)
{
	for (size_t i = 0; i < g->conf->n_listeners; i++)
		if (g->listeners[i] && access_use(g->listeners[i], &g->conf->listeners[i]) != 0)
			log_warn(NULL, "listener %s goes on with the certificate it had", g->conf->listeners[i].id);
	expiry_look();
}

int listeners_open(struct gateway *g)
{
	int err = 0;
	g->listeners = mem_new((g->conf->n_listeners + 1) * sizeof(struct access *));
	for (size_t i = 0; i < g->conf->n_listeners && !err; i++)
		err = access_open(g, &g->conf->listeners[i], &g->listeners[i]);
	return err;
}

void listeners_close(struct gateway *g)
{
	for (size_t i = 0; g->listeners && i < g->conf->n_listeners; i++)
		access_close(g->listeners[i]);
	mem_free(g->listeners);
	g->listeners = NULL;
}

static void change_console(struct gateway *g, const struct reload_plan *p)
{
	bool listen = touches(p, "listen.console", AT_ONCE) || touches(p, "listen.metrics", AT_ONCE) || touches(p, "tls", AT_ONCE);
	if (!listen && !touches(p, "console", AT_ONCE))
		return;
	if (console_reload(g, listen) != 0)
		log_error(NULL, "the people of the console cannot be read again");
}

/* ---- the grid operator ---- */

static bool input_moved(void *arg, const char *input)
{
	char top[100];
	snprintf(top, sizeof(top), "grid_operator.inputs.%s", input);
	return touches(arg, top, AT_RECONNECT);
}

/* ---- all of it ---- */

int reload_apply(struct gateway *g, const struct settings *next, const struct reload_plan *p)
{
	const struct settings *was = g->conf;
	struct uplink **old = g->uplinks, **fresh = open_changed_uplinks(g, next, p);
	if (!fresh)
		return ERR_INVALID;
	g->conf = next;
	if (touches(p, "log", AT_ONCE))
		log_open((enum log_target)next->log.target, (enum log_level)next->log.level);
	if (balance_change(g) != 0)
		log_error(NULL, "there is no room for so many new EVSEs before a restart; they are not balanced");
	times_change(g);
	if (touches(p, "grid_operator", AT_ONCE))
		grid_inputs_change(g, input_moved, (void *)p);
	use_uplinks(g, was, fresh, old);
	groups_take_settings(g);
	sessions_take_settings(g);
	close_uplinks(old, was->n_uplinks);
	change_listeners(g, was, p);
	reload_certificates(g);
	change_console(g, p);
	sessions_review_lanes(g);
	balance_changed(g);
	return 0;
}
