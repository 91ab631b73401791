/* Objects of plugins are units. A unit whose plugin may block belongs to the worker of its bus after it was created: only the worker
 * touches its schedule and calls it. Others are called by a timer of the loop. Either way one function does a unit's turn and its result
 * travels as mail, so both look alike to whoever asked.
 *
 *   loop                                            worker of a bus
 *   host_evse_set  --- order ---------------------> switch, remember
 *   beat, each 0.5 s --- beat ---------------------> the loop lives; without it for 5 s every relay is opened
 *   on_sample, on_state <--- report --------------- the unit that is due longest; orders repeated each second
 *
 * An EVSE's order exists from the start, and the first one is to open: whatever an earlier process left closed.
 * The keep-alive counts on the beat: a worker that repeated orders by itself would hold contactors closed for a loop that hangs. */
#include "gateway/plug/host.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/plug/host-local.h"
#include "gateway/plug/modules.h"

#define METER_POLL_US US_PER_S
#define EVSE_POLL_US (200 * US_PER_MS)
#define OUTLET_POLL_US (20 * US_PER_MS)

static const ag_plugin *find_plugin(struct host *h, const char *driver, uint32_t kind)
{
	LIST_WALK(&h->drivers, struct driver, entry, d)
		if (strcmp(d->name, driver) == 0 && (d->plugin->kinds & kind))
			return d->plugin;
	return NULL;
}

static void free_unit(struct unit *u)
{
	list_remove(&u->in_host);
	timer_cancel(&u->timer);
	if (u->self)
		u->plugin->destroy(u->self);
	mem_free(u->id);
	mem_free(u);
}

static struct unit *make_unit(struct host *h, uint32_t kind, const ag_plugin *plugin, const struct host_conf *conf)
{
	static const char *const keys[] = { [AG_METER] = "meter", [AG_EVSE] = "evse", [AG_GRID] = "grid", [AG_SINK] = "sink", [AG_AUTH] = "reader",
		[AG_SCAN] = "search" };
	struct unit *u = NEW(struct unit);
	u->host = h;
	u->plugin = plugin;
	u->kind = kind;
	u->handle = h->n_units;
	u->id = mem_strdup(conf->id);
	u->log = (struct log){ .key = keys[kind], .value = u->id };
	u->poll_us = conf->poll_us ? conf->poll_us : kind == AG_METER ? METER_POLL_US : EVSE_POLL_US;
	u->due_us = u->heard_us = clock_mono_us();
	u->api = host_api(u);
	list_append(&h->units, &u->in_host);
	return u;
}

/* Whatever it gave, a refusal is one of ours with a text. */
static int create_self(struct unit *u, const struct host_conf *conf, char *err, size_t errlen)
{
	u->within = true;
	int rc = u->plugin->create(&u->api, conf->id, conf->config, &u->self, err, errlen);
	u->within = false;
	if (rc == 0)
		return 0;
	u->self = NULL; /* nothing was made */
	if (!err[0])
		snprintf(err, errlen, "driver '%s' refuses it and does not say why", conf->driver);
	return ERR_INVALID;
}

/* The unit, created and not yet called; NULL with *rc_out and err. */
static struct unit *open_unit(struct host *h, uint32_t kind, const struct host_conf *conf, int *rc_out, char *err, size_t errlen)
{
	const ag_plugin *plugin = find_plugin(h, conf->driver, kind);
	if (!plugin) {
		snprintf(err, errlen, "no driver '%s' for this", conf->driver);
		*rc_out = ERR_NOT_FOUND;
		return NULL;
	}
	struct unit *u = make_unit(h, kind, plugin, conf);
	err[0] = 0;
	*rc_out = create_self(u, conf, err, errlen);
	/* A sink is not polled, and publishes on the loop. */
	if (*rc_out == 0 && (plugin->flags & AG_F_THREAD) && kind != AG_SINK)
		*rc_out = worker_for(h, plugin->bus ? plugin->bus(u->self) : NULL, &u->worker);
	if (*rc_out == 0)
		return u;
	free_unit(u);
	return NULL;
}

static int start_unit(struct unit *u)
{
	u->host->n_units++;
	if (u->worker)
		u->worker->n_units++;
	if (u->worker)
		worker_post(u->worker, u, true, NULL);
	else if (u->kind != AG_SINK)
		timer_set(&u->timer, 0, unit_on_timer, u);
	return u->handle;
}

static struct unit *unit_of(struct host *h, int handle, uint32_t kind)
{
	LIST_WALK(&h->units, struct unit, in_host, u)
		if (u->handle == handle && u->kind == kind)
			return u;
	return NULL;
}

int host_open(struct host **out, const struct host_events *events, void *arg)
{
	struct host *h = NEW(struct host);
	int rc = mailbox_open(&h->mailbox, h);
	if (rc != 0) {
		mem_free(h);
		return rc;
	}
	if (events)
		h->events = *events;
	h->arg = arg;
	list_init(&h->drivers);
	list_init(&h->units);
	list_init(&h->workers);
	for (const struct ag_builtin *b = ag_builtins; b->driver; b++)
		host_driver(h, b->driver, b->plugin());
	h->beaten_us = clock_mono_us();
	worker_on_beat(h);
	*out = h;
	return 0;
}

static void open_loop_relays(struct host *h)
{
	static const struct wish none;
	LIST_WALK(&h->units, struct unit, in_host, u)
		if (u->kind == AG_EVSE && !u->worker)
			unit_order(u, &none);
}

/* A worker without units is idle, so its end is not waited for long. While the host closes, it frees everything itself. */
void host_on_gone(struct mail *mail, void *arg)
{
	struct report *r = (struct report *)(void *)mail;
	struct unit *u = r->unit;
	struct host *h = arg;
	mem_free(r);
	if (h->closing)
		return;
	struct worker *w = u->worker;
	free_unit(u);
	if (w && --w->n_units == 0)
		worker_end(w);
}

void host_close(struct host **host)
{
	struct host *h = *host;
	*host = NULL;
	if (!h)
		return;
	h->closing = true;
	timer_cancel(&h->beat);
	open_loop_relays(h);
	worker_end_all(h);
	/* What was posted refers to units and to objects of plugins: deliver it while they live, and once more what destroy left behind. */
	mailbox_drain(h->mailbox);
	LIST_WALK(&h->units, struct unit, in_host, u) {
		timer_cancel(&u->timer);
		u->plugin->destroy(u->self);
		u->self = NULL;
	}
	mailbox_drain(h->mailbox);
	LIST_WALK(&h->units, struct unit, in_host, f)
		free_unit(f);
	mailbox_close(h->mailbox);
	LIST_WALK(&h->drivers, struct driver, entry, d) {
		list_remove(&d->entry);
		mem_free(d);
	}
	mem_free(h);
}

void host_driver(struct host *h, const char *driver, const ag_plugin *plugin)
{
	struct driver *d = NEW(struct driver);
	snprintf(d->name, sizeof(d->name), "%s", driver);
	d->plugin = plugin;
	list_append(&h->drivers, &d->entry);
}

int host_meter(struct host *h, const struct host_conf *conf, host_on_sample *on_sample, void *arg, char *err, size_t errlen)
{
	int rc;
	struct unit *u = open_unit(h, AG_METER, conf, &rc, err, errlen);
	if (!u)
		return rc;
	u->on_sample = on_sample;
	u->arg = arg;
	return start_unit(u);
}

int host_evse(struct host *h, const struct host_conf *conf, host_on_state *on_state, void *arg, char *err, size_t errlen)
{
	int rc;
	struct unit *u = open_unit(h, AG_EVSE, conf, &rc, err, errlen);
	if (!u)
		return rc;
	u->on_state = on_state;
	u->arg = arg;
	return start_unit(u);
}

int host_grid(struct host *h, const struct host_conf *conf, host_on_grid *on_grid, void *arg, char *err, size_t errlen)
{
	int rc;
	struct unit *u = open_unit(h, AG_GRID, conf, &rc, err, errlen);
	if (!u)
		return rc;
	u->on_grid = on_grid;
	u->arg = arg;
	return start_unit(u);
}

int host_sink(struct host *h, const struct host_conf *conf, char *err, size_t errlen)
{
	int rc;
	struct unit *u = open_unit(h, AG_SINK, conf, &rc, err, errlen);
	return u ? start_unit(u) : rc;
}

bool host_driver_has_pins(struct host *h, const char *driver)
{
	LIST_WALK(&h->drivers, struct driver, entry, d)
		if (strcmp(d->name, driver) == 0)
			return PLUGIN_HAS(d->plugin, evse_pins) && PLUGIN_HAS(d->plugin, evse_drive);
	return false;
}

int host_outlet(struct host *h, const struct host_conf *conf, host_on_pins *on_pins, void *arg, char *err, size_t errlen)
{
	int rc;
	struct unit *u = open_unit(h, AG_EVSE, conf, &rc, err, errlen);
	if (!u)
		return rc;
	if (!PLUGIN_HAS(u->plugin, evse_pins) || !PLUGIN_HAS(u->plugin, evse_drive)) {
		snprintf(err, errlen, "driver '%s' gives no pins", conf->driver);
		free_unit(u);
		return ERR_UNSUPPORTED;
	}
	u->outlet = true;
	u->poll_us = conf->poll_us ? conf->poll_us : OUTLET_POLL_US;
	u->on_pins = on_pins;
	u->arg = arg;
	return start_unit(u);
}

int host_reader(struct host *h, const struct host_conf *conf, host_on_token *on_token, void *arg, char *err, size_t errlen)
{
	int rc;
	struct unit *u = open_unit(h, AG_AUTH, conf, &rc, err, errlen);
	if (!u)
		return rc;
	if (!PLUGIN_HAS(u->plugin, auth_poll) || !u->worker) {
		snprintf(err, errlen, "driver '%s' reads no cards", conf->driver);
		free_unit(u);
		return ERR_UNSUPPORTED;
	}
	u->on_token = on_token;
	u->arg = arg;
	return start_unit(u);
}

int host_scan(struct host *h, const struct host_conf *conf, host_on_scan *on_scan, void *arg, char *err, size_t errlen)
{
	int rc;
	struct unit *u = open_unit(h, AG_SCAN, conf, &rc, err, errlen);
	if (!u)
		return rc;
	if (!PLUGIN_HAS(u->plugin, scan) || !u->worker) {
		snprintf(err, errlen, "driver '%s' looks for nothing", conf->driver);
		free_unit(u);
		return ERR_UNSUPPORTED;
	}
	u->on_scan = on_scan;
	u->arg = arg;
	return start_unit(u);
}

static bool was_seen(const struct host *h, const struct unit *until)
{
	LIST_WALK(&h->units, struct unit, in_host, u) {
		if (u == until)
			return false;
		if (u->plugin == until->plugin)
			return true;
	}
	return false;
}

void host_plugins(const struct host *h, void (*see)(void *arg, const struct host_plugin *p), void *arg)
{
	LIST_WALK(&h->units, struct unit, in_host, first) {
		struct host_plugin p = { first->plugin->name, first->plugin->version, 0, 0 };
		if (was_seen(h, first))
			continue;
		LIST_WALK(&h->units, struct unit, in_host, u) {
			p.units += u->plugin == first->plugin;
			p.failing += u->plugin == first->plugin && u->failing;
		}
		see(arg, &p);
	}
}

/* What it has posted already is dropped when it arrives; the mail that it is gone comes behind that. */
void host_drop(struct host *h, int handle)
{
	LIST_WALK(&h->units, struct unit, in_host, u) {
		if (u->handle != handle || u->dropped || !(u->kind & (AG_METER | AG_SCAN | AG_GRID)))
			continue;
		u->dropped = true;
		timer_cancel(&u->timer);
		if (u->worker)
			worker_post_detach(u->worker, u);
		else
			worker_detach(u);
		return;
	}
}

static void wish_for(struct host *h, int evse, const struct wish *wish)
{
	struct unit *u = unit_of(h, evse, AG_EVSE);
	if (u && u->worker)
		worker_post(u->worker, u, false, wish);
	else if (u)
		unit_order(u, wish);
}

void host_evse_set(struct host *h, int evse, const double amps[3])
{
	struct wish wish = { .amps = { amps[0], amps[1], amps[2] } };
	wish_for(h, evse, &wish);
}

void host_evse_drive(struct host *h, int evse, const ag_drive *d)
{
	struct wish wish = { .drive = *d };
	wish_for(h, evse, &wish);
}

int host_publish(struct host *h, int sink, const ag_message *m)
{
	struct unit *u = unit_of(h, sink, AG_SINK);
	if (!u)
		return ERR_NOT_FOUND;
	bool was = u->within;
	u->within = true;
	int rc = u->plugin->publish(u->self, m);
	u->within = was;
	return rc;
}
