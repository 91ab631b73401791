/* Endpoints and lanes.
 *
 *            lane_open                 up
 *   OFF ---------------> CONNECTING --------> UP
 *    ^                    |   ^  ^             |
 *    | lane_close    fail |   |  | next        | down
 *    |                    v   |  | endpoint    v
 *    +------------------ WAITING <-------------+
 *
 * A lane tries the endpoint that works for the others first, then each further one without waiting, and only when all have failed does it
 * wait. The wait starts at reconnect.min, doubles per round up to reconnect.max, and has a random part, so that a thousand lanes that fell
 * together do not come back together. The first lane that comes up after none was shows that the CSMS is back: the others then wait no longer
 * than it takes to let them in one after the other. Easy to get wrong: a refusal that is about this station (401, 404) says nothing about the endpoint. */
#include "gateway/session/uplink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "gateway/net/dial.h"
#include "gateway/net/mux.h"
#include "gateway/own/identity.h"
#include "gateway/pki/expiry.h"
#include "gateway/session/uplink-tls.h"
#include "ocpp/dialect.h"

#define CONNECT_TIMEOUT_US (10 * US_PER_S)
#define RETURN_EACH_US 2000            /* when the CSMS is back, lanes return at about this distance */
#define MOVE_SPREAD_US (3 * US_PER_S) /* lanes that change endpoint do so over this time */
#define TRIAL_AFTER_US US_PER_S /* the answer to the message that brought it leaves first */
#define TRIAL_WAIT_MOST_US (3600 * US_PER_S)
#define MESSAGE_MOST (1024 * 1024)
#define QUEUE_MOST (1024 * 1024)

struct uplink {
	const struct uplink_settings *conf;
	struct uplink_tls *tls;   /* NULL: plain */
	struct timer trial;       /* when a certificate on trial is tried again */
	int64_t trial_wait_us;
	struct list lanes;
	struct pace pace;
	struct mux **shared;      /* by endpoint; NULL: every lane has a socket of its own */
	size_t n_shared;
	enum uplink_sharing sharing;
	char separate_why[100];
	size_t n_lanes, n_up;
	int current;              /* the endpoint that lanes try first */
	int interface;            /* and the interface */
	struct timer failback;
	bool held;                /* nobody connects, see uplink_hold */
	enum uplink_state state;
	int64_t since_us;
	char fault[160];
	struct log log;
};

static void lane_connect(struct lane *l, int endpoint);

static void set_state(struct uplink *u, enum uplink_state state)
{
	static const char *const names[] = { "down", "connecting", "up", "refusing our credentials" };
	if (u->state == state)
		return;
	u->state = state;
	u->since_us = clock_mono_us();
	if (state == UPLINK_UP)
		expiry_look(); /* what the CSMS has shown */
	if (state == UPLINK_UP)
		log_info(&u->log, "uplink is up, endpoint %d %s", u->current + 1, u->conf->endpoints[u->current].url);
	else
		log_warn(&u->log, "uplink is %s%s%s", names[state], u->fault[0] ? ": " : "", u->fault);
}

static void on_found(void *arg, bool shared, const char *why)
{
	struct uplink *u = arg;
	enum uplink_sharing sharing = shared ? SHARING_SHARED : SHARING_SEPARATE;
	if (u->sharing == sharing)
		return;
	u->sharing = sharing;
	snprintf(u->separate_why, sizeof(u->separate_why), "%s", why ? why : "");
	if (shared)
		log_info(&u->log, "all lanes share one connection");
	else
		log_warn(&u->log, "every lane gets a connection of its own: %s", why);
}

static void open_shared(struct uplink *u)
{
	u->n_shared = u->conf->n_endpoints;
	u->shared = mem_new(u->n_shared * sizeof(*u->shared));
	for (size_t i = 0; i < u->n_shared; i++) {
		struct mux_config c = { .url = u->conf->endpoints[i].url, .tls = uplink_tls_client(u->tls), .timeout_us = CONNECT_TIMEOUT_US, .ping_us = u->conf->ping_us,
			.found = on_found, .arg = u };
		u->shared[i] = mux_open(&c);
	}
	u->sharing = SHARING_UNKNOWN;
}

int uplink_open(const struct uplink_settings *conf, const char *state_dir, struct uplink **out)
{
	struct uplink *u = NEW(struct uplink);
	u->conf = conf;
	u->log = (struct log){ NULL, "uplink", conf->id };
	list_init(&u->lanes);
	pace_open(&u->pace);
	u->since_us = clock_mono_us();
	char fault[TLS_WHY] = "";
	int err = uplink_tls_open(conf, state_dir, &u->tls, fault);
	if (err) {
		log_error(&u->log, "TLS cannot be set up: %s", fault);
		mem_free(u);
		return err;
	}
	if (uplink_tls_is_bare(u->tls))
		log_error(&u->log, "there is no client certificate yet: with security_profile 2 the CSMS can issue one to %s, or name one by 'cert'", uplink_tls_identity(conf));
	if (conf->mode == UPLINK_MULTIPLEX)
		open_shared(u);
	*out = u;
	return 0;
}

void uplink_close(struct uplink *u)
{
	if (!u)
		return;
	timer_cancel(&u->failback);
	for (size_t i = 0; i < u->n_shared; i++)
		mux_close(&u->shared[i]);
	mem_free(u->shared);
	timer_cancel(&u->trial);
	uplink_tls_close(&u->tls);
	mem_free(u);
}

void uplink_use(struct uplink *u, const struct uplink_settings *conf)
{
	u->conf = conf;
	uplink_tls_use(u->tls, conf);
}

const struct uplink_settings *uplink_conf(const struct uplink *u)
{
	return u->conf;
}

struct pace *uplink_pace(struct uplink *u)
{
	return &u->pace;
}

/* "wss://host/ocpp/{id}" with the identity percent-encoded. */
static char *url_for(const struct lane *l, const char *pattern)
{
	struct buf url = { 0 };
	size_t n = strlen(l->identity);
	char *encoded = mem_new(3 * n + 1);
	percent_encode(slice_of(l->identity), encoded);
	const char *at = strstr(pattern, "{id}");
	if (at) {
		buf_add(&url, pattern, (size_t)(at - pattern));
		buf_puts(&url, encoded);
		buf_puts(&url, at + 4);
	} else {
		buf_printf(&url, "%s%s%s", pattern, pattern[strlen(pattern) - 1] == '/' ? "" : "/", encoded);
	}
	mem_free(encoded);
	return url.p;
}

/* The Basic user: the identity, unless the configuration has another pattern. */
static char *user_for(const struct lane *l)
{
	const char *pattern = l->uplink->conf->user ? l->uplink->conf->user : "{id}";
	const char *at = strstr(pattern, "{id}");
	struct buf user = { 0 };
	if (!at)
		return mem_strdup(pattern);
	buf_add(&user, pattern, (size_t)(at - pattern));
	buf_puts(&user, l->identity);
	buf_puts(&user, at + 4);
	return user.p;
}

static void forget_better(struct lane *l)
{
	if (!l->better)
		return;
	link_release(l->better);
	l->better = NULL;
	l->better_on_trial = false;
}

static bool about_the_endpoint(const struct link_end *why)
{
	return why->err != ERR_AUTH && why->err != ERR_NOT_FOUND && why->err != ERR_PROTOCOL;
}

static int64_t backoff_us(const struct lane *l)
{
	const struct uplink_settings *c = l->uplink->conf;
	int64_t wait = c->reconnect.min_us;
	for (unsigned i = 1; i < l->rounds && wait < c->reconnect.max_us; i++)
		wait *= 2;
	if (wait > c->reconnect.max_us)
		wait = c->reconnect.max_us;
	int64_t spread = wait * c->reconnect.jitter_percent / 100;
	return wait + (spread ? random() % spread : 0);
}

static int count_interfaces(const struct uplink *u)
{
	int n = 0;
	while (u->conf->interfaces && u->conf->interfaces[n])
		n++;
	return n;
}

static void on_retry(void *arg)
{
	struct lane *l = arg;
	l->tried = l->tried_interfaces = 0;
	l->interface = l->uplink->interface;
	lane_connect(l, l->uplink->current);
}

static void wait_for_retry(struct lane *l)
{
	l->state = LANE_WAITING;
	l->rounds++;
	timer_set(&l->retry, backoff_us(l), on_retry, l);
}

/* The same endpoint by the next interface, if there is one that was not tried. */
static bool try_next_interface(struct lane *l)
{
	int n = count_interfaces(l->uplink);
	if (++l->tried_interfaces >= n) {
		l->tried_interfaces = 0;
		l->interface = l->uplink->interface;
		return false;
	}
	l->interface = (l->interface + 1) % n;
	lane_connect(l, l->endpoint);
	return true;
}

static void count_connect(const struct lane *l, const char *result)
{
	char endpoint[12];
	snprintf(endpoint, sizeof(endpoint), "%d", l->endpoint + 1);
	stats_count("ampgate_uplink_connects_total", "uplink", l->uplink->conf->id, "endpoint", endpoint, "result", result, NULL);
}

const char *uplink_tls_event(const struct uplink *u)
{
	static const char *const types[] = { [TLS_FAULT_CERTIFICATE] = "InvalidCsmsCertificate", [TLS_FAULT_VERSION] = "InvalidTLSVersion",
		[TLS_FAULT_SUITE] = "InvalidTLSCipherSuite" };
	return u->tls ? types[tls_client_fault(uplink_tls_client(u->tls))] : NULL;
}

/* An attempt failed: the next interface, the next endpoint of this round at once, or wait. */
static void attempt_failed(struct lane *l, const struct link_end *why)
{
	struct uplink *u = l->uplink;
	count_connect(l, why->err == ERR_AUTH ? "auth_failed" : "failed");
	if (about_the_endpoint(why) && try_next_interface(l)) {
		log_debug(&l->log, "endpoint %d failed by one interface: %s", l->endpoint + 1, why->reason ? why->reason : err_text(why->err));
		l->events->failed(l->owner, why);
		return;
	}
	log_debug(&l->log, "endpoint %d failed: %s", l->endpoint + 1, why->reason ? why->reason : err_text(why->err));
	snprintf(u->fault, sizeof(u->fault), "%s", why->reason ? why->reason : err_text(why->err));
	int next = (l->endpoint + 1) % (int)u->conf->n_endpoints;
	if (about_the_endpoint(why) && u->current == l->endpoint && !u->n_up)
		u->current = next;
	if (!u->n_up)
		set_state(u, why->err == ERR_AUTH ? UPLINK_AUTH_FAILED : UPLINK_DOWN);
	if (about_the_endpoint(why) && ++l->tried < (int)u->conf->n_endpoints)
		lane_connect(l, next);
	else
		wait_for_retry(l);
	l->events->failed(l->owner, why);
}

static void on_failback(void *arg);

/* Those that wait out their pause, though the CSMS is there again. One that fails now goes on with its own pauses. */
static void call_back(struct uplink *u)
{
	int64_t now = clock_mono_us(), spread = (int64_t)u->n_lanes * RETURN_EACH_US;
	LIST_WALK(&u->lanes, struct lane, in_uplink, l) {
		int64_t wait = random() % spread;
		if (l->state == LANE_WAITING && l->retry.due_us - now > wait)
			timer_set(&l->retry, wait, on_retry, l);
	}
}

static void came_up(struct lane *l)
{
	struct uplink *u = l->uplink;
	l->state = LANE_UP;
	if (l->inside) {
		l->events->up(l->owner);
		return;
	}
	count_connect(l, "ok");
	l->tried = l->tried_interfaces = 0;
	l->rounds = 0;
	if (!u->n_up++) {
		u->current = l->endpoint;
		u->interface = l->interface;
		call_back(u);
	}
	set_state(u, UPLINK_UP);
	if (uplink_tls_root_settled(u->tls)) {
		log_info(&u->log, "the CSMS is known by its new root now, the one before does not count any more");
		uplink_certificates_changed(u);
	}
	if ((u->current || u->interface) && u->conf->failback_after_us > 0 && !timer_is_set(&u->failback))
		timer_set(&u->failback, u->conf->failback_after_us, on_failback, u);
	l->events->up(l->owner);
}

static void went_down(struct lane *l, const struct link_end *why)
{
	struct uplink *u = l->uplink;
	forget_better(l);
	l->state = LANE_WAITING;
	if (!--u->n_up) {
		snprintf(u->fault, sizeof(u->fault), "%s", why->reason ? why->reason : err_text(why->err));
		set_state(u, UPLINK_DOWN);
	}
	/* One quick try after a random moment: a broken connection is most often the only thing that broke. */
	timer_set(&l->retry, random() % US_PER_S, on_retry, l);
	l->events->down(l->owner, why);
}

/* ---- a certificate on trial ---- */

static bool is_own(const struct lane *l)
{
	const char *own = uplink_tls_identity(l->uplink->conf);
	return own && strcmp(own, l->identity) == 0;
}

static void use_certificates(struct uplink *u)
{
	for (size_t i = 0; i < u->n_shared; i++)
		mux_use_tls(u->shared[i], uplink_tls_client(u->tls));
}

static void trial_over(struct lane *l, bool good, const char *why)
{
	struct uplink *u = l->uplink;
	l->on_trial = l->better_on_trial = false;
	timer_cancel(&u->trial);
	uplink_tls_settle(u->tls, good);
	use_certificates(u);
	if (good)
		log_info(&u->log, "the CSMS takes the new certificate, it is used from now on");
	else
		log_error(&u->log, "the CSMS does not take the new certificate, back to the one before: %s", why);
	identity_certificate_settled(uplink_tls_identity(u->conf), good, why);
}

static void on_trial_due(void *arg);

/* Turned away with the certificate, while the endpoint is there: the certificate is why. Where nothing was there, it says nothing. */
static void trial_failed(struct lane *l, const struct link_end *why)
{
	struct uplink *u = l->uplink;
	bool refused = why->err == ERR_TLS || why->err == ERR_AUTH || why->err == ERR_CLOSED || why->err == -ECONNRESET || why->err == -EPIPE;
	if (refused) {
		trial_over(l, false, why->reason ? why->reason : err_text(why->err));
		return;
	}
	u->trial_wait_us = u->trial_wait_us ? 2 * u->trial_wait_us : u->conf->reconnect.min_us;
	if (u->trial_wait_us > TRIAL_WAIT_MOST_US)
		u->trial_wait_us = TRIAL_WAIT_MOST_US;
	timer_set(&u->trial, u->trial_wait_us, on_trial_due, u);
}

static struct link *dial_endpoint(struct lane *l, int endpoint, int interface, struct tls_client *tls);

/* Beside the connection that stands, to where that goes. A lane that is down tries it with its next attempt anyway. */
static void try_certificate(struct lane *l)
{
	if (l->state != LANE_UP || l->better)
		return;
	l->better_endpoint = l->endpoint;
	l->better_interface = l->interface;
	l->better_on_trial = true;
	l->better = dial_endpoint(l, l->endpoint, l->interface, uplink_tls_trial(l->uplink->tls));
}

static void on_trial_due(void *arg)
{
	struct uplink *u = arg;
	if (uplink_tls_trial(u->tls))
		LIST_WALK(&u->lanes, struct lane, in_uplink, l)
			if (is_own(l))
				try_certificate(l);
}

void uplink_certificates_changed(struct uplink *u)
{
	char why[TLS_WHY];
	if (uplink_tls_reread(u->tls, why) != 0) {
		log_error(&u->log, "certificates cannot be used, those from before are: %s", why);
		return;
	}
	use_certificates(u);
	u->trial_wait_us = 0;
	timer_set(&u->trial, TRIAL_AFTER_US, on_trial_due, u);
}

static void on_link_up(void *owner, struct link *link)
{
	struct lane *l = owner;
	if (link == l->better ? l->better_on_trial : l->on_trial)
		trial_over(l, true, NULL);
	if (link == l->better) {
		struct link *old = l->link;
		struct link_end why = { .code = 1000, .err = ERR_CLOSED, .by_us = true, .reason = "moved to a better endpoint" };
		l->better = NULL;
		l->uplink->n_up--;
		l->events->down(l->owner, &why);
		link_close(old, 1000, why.reason);
		link_release(old);
		l->link = link;
		l->endpoint = l->better_endpoint;
		l->interface = l->better_interface;
		l->uplink->current = l->endpoint;
		l->uplink->interface = l->interface;
	}
	came_up(l);
}

static void on_link_text(void *owner, struct link *link, struct slice text)
{
	struct lane *l = owner;
	if (link == l->link)
		l->events->text(l->owner, text);
}

static void on_link_room(void *owner, struct link *link)
{
	struct lane *l = owner;
	if (link == l->link)
		l->events->room(l->owner);
}

static void close_inside(struct lane *l)
{
	link_release(l->link);
	l->link = NULL;
	l->state = LANE_OFF;
}

/* Whoever is at the other end has gone; who needs a lane again opens one. */
static void inside_down(struct lane *l, const struct link_end *why)
{
	close_inside(l);
	l->events->down(l->owner, why);
}

static void on_link_down(void *owner, struct link *link, const struct link_end *why)
{
	struct lane *l = owner;
	if (l->inside) {
		inside_down(l, why);
		return;
	}
	if (link == l->better && l->better_on_trial) {
		forget_better(l);
		trial_failed(l, why);
		return;
	}
	if (link == l->better) {
		forget_better(l);
		if (!timer_is_set(&l->uplink->failback))
			timer_set(&l->uplink->failback, l->uplink->conf->failback_after_us, on_failback, l->uplink);
		return;
	}
	bool was_up = l->state == LANE_UP, on_trial = l->on_trial;
	l->link = NULL;
	l->on_trial = false;
	link_release(link);
	if (on_trial && !was_up)
		trial_failed(l, why);
	if (was_up)
		went_down(l, why);
	else
		attempt_failed(l, why);
}

static const struct link_events link_events = { on_link_up, on_link_text, on_link_room, on_link_down };

/* `tls` NULL: as every connection of the uplink. */
static struct link *dial_endpoint(struct lane *l, int endpoint, int interface, struct tls_client *tls)
{
	struct uplink *u = l->uplink;
	char *url = url_for(l, u->conf->endpoints[endpoint].url), *user = user_for(l);
	struct dial_config c = {
		.url = url,
		.interface = count_interfaces(u) ? u->conf->interfaces[interface] : NULL,
		.subprotocol = version_subprotocol(l->version),
		.user = user,
		.password = l->password,
		.tls = tls ? tls : uplink_tls_client(u->tls),
		.timeout_us = CONNECT_TIMEOUT_US,
		.ping_us = u->conf->ping_us,
		.pong_timeout_us = u->conf->ping_us,
		.message_most = MESSAGE_MOST,
		.queue_most = QUEUE_MOST,
		.deflate = u->conf->compress == COMPRESS_ALWAYS || (u->conf->compress == COMPRESS_AUTO && dialect_of(l->version)->compresses),
	};
	struct link *link = u->shared && !tls ? mux_dial(u->shared[endpoint], &c, &link_events, l) : dial(&c, &link_events, l);
	mem_free(url);
	mem_free(user);
	return link;
}

/* Its owner hears of an attempt that failed, as it would with a CSMS out of reach. */
static void on_held(void *arg)
{
	struct lane *l = arg;
	struct link_end why = { .err = -ENETUNREACH, .reason = "held for a test" };
	timer_set(&l->retry, US_PER_S, on_retry, l);
	l->events->failed(l->owner, &why);
}

static void lane_connect(struct lane *l, int endpoint)
{
	timer_cancel(&l->retry);
	if (l->uplink->held) {
		l->state = LANE_WAITING;
		timer_set(&l->retry, 0, on_held, l);
		return;
	}
	l->state = LANE_CONNECTING;
	l->endpoint = endpoint;
	if (l->uplink->state == UPLINK_DOWN && !l->rounds)
		l->uplink->state = UPLINK_CONNECTING;
	struct tls_client *trial = is_own(l) ? uplink_tls_trial(l->uplink->tls) : NULL;
	l->on_trial = trial != NULL;
	l->link = dial_endpoint(l, endpoint, l->interface, trial);
}

static bool goes_by(const struct lane *l, int endpoint, int interface)
{
	return l->endpoint == endpoint && l->interface == interface;
}

static void move_lane(struct lane *l, int endpoint, int interface)
{
	if (l->state != LANE_UP || goes_by(l, endpoint, interface) || l->better)
		return;
	l->better_endpoint = endpoint;
	l->better_interface = interface;
	l->better = dial_endpoint(l, endpoint, interface, NULL);
}

static void on_move(void *arg)
{
	struct lane *l = arg;
	move_lane(l, l->uplink->current, l->uplink->interface);
}

/* Every other lane follows, spread over a few seconds. */
static void follow(struct uplink *u)
{
	LIST_WALK(&u->lanes, struct lane, in_uplink, l)
		if (l->state == LANE_UP && !goes_by(l, u->current, u->interface))
			timer_set(&l->retry, random() % MOVE_SPREAD_US, on_move, l);
}

/* Tries the best endpoint with one lane; when that lane has moved, the next run of this timer takes the others along. */
static void on_failback(void *arg)
{
	struct uplink *u = arg;
	if (u->current == 0 && u->interface == 0) {
		follow(u);
		return;
	}
	LIST_WALK(&u->lanes, struct lane, in_uplink, l) {
		if (l->state != LANE_UP || goes_by(l, 0, 0))
			continue;
		move_lane(l, 0, 0);
		timer_set(&u->failback, CONNECT_TIMEOUT_US + US_PER_S, on_failback, u);
		return;
	}
}

void lane_open(struct lane *l, struct uplink *u, const struct log *owner_log)
{
	if (l->state != LANE_OFF)
		return;
	l->uplink = u;
	l->log = (struct log){ owner_log, "lane", u->conf->id };
	l->rounds = 0;
	l->tried = l->tried_interfaces = 0;
	l->interface = u->interface;
	list_append(&u->lanes, &l->in_uplink);
	u->n_lanes++;
	lane_connect(l, u->current);
}

void lane_attach(struct lane *l, struct uplink *u, const struct log *owner_log, struct link *link)
{
	l->uplink = u;
	l->inside = true;
	l->log = (struct log){ owner_log, "lane", u->conf->id };
	l->state = LANE_CONNECTING;
	l->link = link;
	link->events = &link_events;
	link->owner = l;
}

void lane_close(struct lane *l, int code, const char *reason)
{
	if (l->state == LANE_OFF)
		return;
	if (l->inside) {
		close_inside(l);
		return;
	}
	timer_cancel(&l->retry);
	forget_better(l);
	if (l->state == LANE_UP)
		l->uplink->n_up--;
	if (l->link) {
		if (l->state == LANE_UP)
			link_close(l->link, code, reason);
		link_release(l->link);
		l->link = NULL;
	}
	l->uplink->n_lanes--;
	list_remove(&l->in_uplink);
	l->state = LANE_OFF;
}

int lane_send(struct lane *l, struct slice text)
{
	return l->state == LANE_UP ? link_send(l->link, text) : ERR_CLOSED;
}

void uplink_view(const struct uplink *u, struct uplink_view *out)
{
	*out = (struct uplink_view){
		.id = u->conf->id,
		.state = u->state,
		.lanes = u->n_lanes,
		.lanes_up = u->n_up,
		.endpoint = u->current + 1,
		.url = u->conf->endpoints[u->current].url,
		.interface = count_interfaces(u) ? u->conf->interfaces[u->interface] : NULL,
		.since_us = u->since_us,
		.fault = u->fault,
		.sharing = u->sharing,
		.separate_why = u->separate_why,
	};
	LIST_WALK(&u->lanes, struct lane, in_uplink, l) {
		int64_t rtt = l->state == LANE_UP && l->link ? l->link->rtt_us : 0;
		if (rtt && (!out->rtt_us || rtt < out->rtt_us))
			out->rtt_us = rtt;
	}
	for (size_t i = 0; i < u->n_shared; i++) {
		struct mux_view v;
		mux_view(u->shared[i], &v);
		out->connections += v.connections;
		out->handshakes += v.handshakes;
	}
	if (u->tls)
		tls_client_view(uplink_tls_client(u->tls), &out->tls);
}

void uplink_peers(const struct uplink *u, void (*see)(void *arg, const char *host, const struct cert_facts *f), void *arg)
{
	if (u->tls)
		tls_client_peers(uplink_tls_client(u->tls), see, arg);
}

int uplink_switch(struct uplink *u, int endpoint)
{
	if (endpoint < 0 || endpoint >= (int)u->conf->n_endpoints)
		return ERR_NOT_FOUND;
	u->current = endpoint;
	follow(u);
	return 0;
}

static void cut(struct lane *l)
{
	struct link_end why = { .code = 1001, .err = ERR_CLOSED, .by_us = true, .reason = "held for a test" };
	bool was_up = l->state == LANE_UP;
	if (was_up)
		link_close(l->link, why.code, why.reason);
	if (l->link)
		link_release(l->link);
	l->link = NULL;
	if (was_up)
		went_down(l, &why);
	else if (l->state == LANE_CONNECTING)
		lane_connect(l, l->endpoint);
}

void uplink_hold(struct uplink *u, bool held)
{
	if (u->held == held)
		return;
	u->held = held;
	LIST_WALK(&u->lanes, struct lane, in_uplink, l) {
		if (held)
			cut(l);
		else if (l->state == LANE_WAITING)
			timer_set(&l->retry, random() % ((int64_t)u->n_lanes * RETURN_EACH_US), on_retry, l);
	}
}
