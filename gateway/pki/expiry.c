/* A look collects, then compares with what was told before.
 *
 * What was told is kept by fingerprint, so that a restart does not tell it again and a new certificate begins anew; it is forgotten a month after
 * the certificate's end. Easy to get wrong: with a clock that nobody vouches for every certificate has ended or none does, so nothing is told
 * then; and what a station showed is known after a restart too, before it comes again. */
#include "gateway/pki/expiry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/own/identity.h"
#include "gateway/own/own-certs.h"
#include "gateway/pki/authority.h"
#include "gateway/pki/signing.h"
#include "gateway/session/session.h"
#include "gateway/session/uplink-tls.h"
#include "storage/kept.h"

#define OWNER "certificates" /* of what was told */
#define SEEN "certificate"   /* of a station: what it showed */
#define DAY_US (24 * 3600 * US_PER_S)
#define LOOK_US (3600 * US_PER_S)
#define SOON_US US_PER_S
#define AGAIN_US (5 * US_PER_S)    /* while the time is not known, or a renewal waits for its connection */
#define FORGET_US (30 * DAY_US)
#define CERTIFICATES_MOST 4096

struct watched {
	char use[24], name[80];
	char *file;
	struct cert_facts facts;
};

static struct {
	struct gateway *g;
	struct watched *all;
	size_t n, room;
	struct map told;               /* fingerprint -> struct told */
	struct timer look;
} ex;

struct told {
	int level;
	int64_t ends_us;
	int64_t asked_us;              /* monotonic: when another one was asked for; 0: not yet */
};

enum expiry_level expiry_level(const struct cert_facts *f, int64_t now_us)
{
	static const int days[] = { [EXPIRY_90] = 90, [EXPIRY_30] = 30, [EXPIRY_7] = 7 };
	int64_t left = f->ends_us - now_us, whole = f->ends_us - f->starts_us;
	if (left <= 0)
		return EXPIRY_OVER;
	for (enum expiry_level l = EXPIRY_7; l > EXPIRY_FAR; l--)
		if (left <= days[l] * DAY_US && whole > days[l] * DAY_US)
			return l;
	return EXPIRY_FAR;
}

/* ---- collecting ---- */

static bool is_there(const char *use, const char *name, const struct cert_facts *f)
{
	for (size_t i = 0; i < ex.n; i++)
		if (strcmp(ex.all[i].facts.fingerprint, f->fingerprint) == 0 && strcmp(ex.all[i].use, use) == 0 && strcmp(ex.all[i].name, name) == 0)
			return true;
	return false;
}

static void add(const char *use, const char *name, const char *file, const struct cert_facts *f)
{
	if (ex.n == CERTIFICATES_MOST || is_there(use, name, f))
		return;
	if (ex.n == ex.room) {
		ex.room = ex.room ? 2 * ex.room : 16;
		ex.all = mem_grow(ex.all, ex.room * sizeof(*ex.all));
	}
	struct watched *w = &ex.all[ex.n++];
	*w = (struct watched){ .file = mem_strdup(file), .facts = *f };
	snprintf(w->use, sizeof(w->use), "%s", use);
	snprintf(w->name, sizeof(w->name), "%s", name);
}

struct place {
	const char *use, *name;
};

static void see_in_file(void *arg, const char *file, struct x509_st *x)
{
	const struct place *p = arg;
	struct cert_facts f;
	cert_facts(x, &f);
	add(p->use, p->name, file, &f);
}

static void add_file(const char *use, const char *name, const char *path)
{
	struct place p = { use, name };
	if (path && cert_each(path, see_in_file, &p) != 0)
		log_debug(NULL, "%s: no certificate can be read", path);
}

static void collect_listeners(void)
{
	const struct settings *conf = ex.g->conf;
	char path[OWN_CERTS_PATH];
	snprintf(path, sizeof(path), "%s/tls/console.crt", ex.g->state_dir);
	for (size_t i = 0; i < conf->n_tls; i++) {
		const struct tls_settings *t = &conf->tls[i];
		if (t->mode == TLS_SELF_SIGNED)
			add_file("console", t->id, path);
		add_file("server", t->id, t->cert);
		add_file("server", t->id, t->second_cert);
		add_file("client_root", t->id, t->client_ca);
	}
	add_file("broker_root", "mqtt", conf->mqtt.ca);
	authority_root(ex.g->state_dir, path);
	if (authority_is_there(ex.g->state_dir))
		add_file("authority", "local", path);
}

/* In the folder of an own station; `name`: the uplink that shows its certificate, or the station itself. */
struct own_place {
	const char *name;
	bool shown;
};

static void see_own(void *arg, const char *file, struct x509_st *x)
{
	const struct own_place *p = arg;
	const char *leaf = strrchr(file, '/') + 1;
	bool own = strncmp(leaf, "ChargingStationCertificate", 26) == 0 || strncmp(leaf, "trial", 5) == 0;
	struct cert_facts f;
	cert_facts(x, &f);
	add(!own ? "installed" : p->shown ? "client" : "own_station", p->name, file, &f);
}

static void collect_own(const char *station, const char *name, bool shown)
{
	struct own_place p = { name, shown };
	char *dir = own_certs_dir(ex.g->state_dir, station);
	if (cert_each(dir, see_own, &p) != 0)
		log_debug(NULL, "%s: no certificates", dir);
	mem_free(dir);
}

static void see_peer(void *arg, const char *host, const struct cert_facts *f)
{
	char name[80];
	snprintf(name, sizeof(name), "%s %s", (const char *)arg, host);
	add("csms", name, NULL, f);
}

static void collect_uplinks(void)
{
	const struct settings *conf = ex.g->conf;
	for (size_t i = 0; i < conf->n_uplinks; i++) {
		const struct uplink_settings *u = &conf->uplinks[i];
		char path[OWN_CERTS_PATH];
		const char *own = uplink_tls_identity(u);
		char *dir = own ? own_certs_dir(ex.g->state_dir, own) : NULL;
		bool renewed = dir && own_certs_pair(dir, OWN_PRESENT, path);
		mem_free(dir);
		add_file("csms_root", u->id, u->ca);
		if (!renewed)
			add_file("client", u->id, u->cert);
		if (own)
			collect_own(own, u->id, true);
		if (ex.g->uplinks && ex.g->uplinks[i])
			uplink_peers(ex.g->uplinks[i], see_peer, (void *)u->id);
	}
	for (size_t i = 0; i < conf->n_evses; i++)
		if (conf->evses[i].evse <= 1)
			collect_own(conf->evses[i].station, conf->evses[i].station, false);
}

static bool read_seen(struct session *s, struct cert_facts *f)
{
	struct arena mem = { 0 };
	struct slice text;
	cJSON *tree = kept_get(ex.g->store, s->id, SEEN, &mem, &text) == 0 ? json_parse(text) : NULL;
	*f = (struct cert_facts){ .starts_us = json_int(tree, "starts", 0) * US_PER_S, .ends_us = json_int(tree, "ends", 0) * US_PER_S };
	snprintf(f->subject, sizeof(f->subject), "%.*s", SLICE_ARG(json_text(tree, "subject")));
	snprintf(f->issuer, sizeof(f->issuer), "%.*s", SLICE_ARG(json_text(tree, "issuer")));
	snprintf(f->serial, sizeof(f->serial), "%.*s", SLICE_ARG(json_text(tree, "serial")));
	snprintf(f->fingerprint, sizeof(f->fingerprint), "%.*s", SLICE_ARG(json_text(tree, "fingerprint")));
	cJSON_Delete(tree);
	arena_free(&mem);
	return f->ends_us != 0;
}

static void collect_stations(void)
{
	size_t at = 0;
	struct session *s;
	struct cert_facts f;
	while ((s = map_next(&ex.g->sessions, &at, NULL)))
		if (!s->own && !s->group && read_seen(s, &f))
			add("station", s->id, NULL, &f);
}

static void drop_all(void)
{
	for (size_t i = 0; i < ex.n; i++)
		mem_free(ex.all[i].file);
	ex.n = 0;
}

/* ---- telling ---- */

static void keep_told(const char *fingerprint, const struct told *t)
{
	char value[48];
	snprintf(value, sizeof(value), "%d %lld", t->level, (long long)t->ends_us);
	if (kept_put(ex.g->store, OWNER, fingerprint, slice_of(value), NULL, NULL) != 0)
		log_warn(NULL, "that a certificate ends is told again after a restart: it could not be kept");
}

static void announce(const struct watched *w, enum expiry_level level, int64_t now)
{
	static const char *const severities[] = { NULL, "info", "warning", "critical", "critical" };
	struct buf args = { 0 };
	struct json_writer j;
	char when[TIME_TEXT], object[128];
	long long days = (w->facts.ends_us - now) / DAY_US;
	jw_open(&j, &args);
	jw_object(&j, NULL);
	jw_string(&j, "use", w->use);
	jw_string(&j, "name", w->name);
	jw_string(&j, "subject", w->facts.subject);
	jw_string(&j, "issuer", w->facts.issuer);
	jw_string(&j, "serial", w->facts.serial);
	jw_int(&j, "days", days);
	jw_time(&j, "ends", w->facts.ends_us);
	jw_string(&j, "file", w->file);
	jw_end(&j, '}');
	time_text(w->facts.ends_us, when);
	snprintf(object, sizeof(object), "certificate/%s/%s", w->use, w->name);
	if (level == EXPIRY_OVER)
		log_error(NULL, "the %s certificate of %s (%s) has ended at %s%s%s", w->use, w->name, w->facts.subject, when, w->file ? ": " : "", w->file ? w->file : "");
	else
		log_warn(NULL, "the %s certificate of %s (%s) ends in %lld days, at %s%s%s", w->use, w->name, w->facts.subject, days, when, w->file ? ": " : "",
			 w->file ? w->file : "");
	telemetry_event(ex.g, level == EXPIRY_OVER ? "certificate.expired" : "certificate.expires", severities[level], object, args.p);
	buf_free(&args);
}

static void judge(const struct watched *w, int64_t now)
{
	struct slice key = slice_of(w->facts.fingerprint);
	struct told *t = map_get(&ex.told, key);
	enum expiry_level level = expiry_level(&w->facts, now);
	if (level == EXPIRY_FAR || (t && t->level >= (int)level))
		return;
	if (!t) {
		t = NEW(struct told);
		map_put(&ex.told, key, t);
	}
	*t = (struct told){ (int)level, w->facts.ends_us, t->asked_us };
	announce(w, level, now);
	keep_told(w->facts.fingerprint, t);
}

static void forget_old(int64_t now)
{
	const char *name;
	size_t at = 0;
	struct told *t;
	while ((t = map_next(&ex.told, &at, &name))) {
		if (t->ends_us + FORGET_US > now)
			continue;
		if (kept_remove(ex.g->store, OWNER, name, NULL, NULL) != 0)
			continue;
		map_remove(&ex.told, slice_of(name));
		mem_free(t);
		at = 0; /* the table may have moved */
	}
}

/* ---- renewing what the box shows itself, and what its own authority issued ---- */

static void on_triggered(void *arg, struct call *c, int err, struct frame *answer)
{
	(void)arg, (void)c, (void)err, (void)answer; /* SignCertificate tells */
}

/* A station whose certificate is of the box's own authority. */
static int renew_station(const struct watched *w)
{
	struct session *s = session_find(ex.g, w->name);
	const struct uplink_settings *u = s ? s->conf->uplink : NULL;
	if (!s || !authority_is_there(ex.g->state_dir) || (u && u->pki != PKI_LOCAL) || !authority_issued(ex.g->state_dir, w->facts.serial))
		return ERR_NOT_FOUND;
	return s->link ? signing_trigger(s, on_triggered, NULL) : ERR_NOT_FOUND;
}

/* False: one waits for its connection. 2.0.1 A03.FR.02: a month before the end, by itself. */
static bool renew(int64_t now)
{
	bool all = true;
	for (size_t i = 0; i < ex.n; i++) {
		const struct watched *w = &ex.all[i];
		struct told *t = map_get(&ex.told, slice_of(w->facts.fingerprint));
		bool client = strcmp(w->use, "client") == 0, station = strcmp(w->use, "station") == 0;
		if ((!client && !station) || w->facts.authority || expiry_level(&w->facts, now) < EXPIRY_30 || !t)
			continue;
		if (t->asked_us && clock_mono_us() - t->asked_us < DAY_US)
			continue;
		int err = client ? identity_renew(ex.g, w->name) : renew_station(w);
		all &= err != ERR_CLOSED;
		if (err)
			continue;
		t->asked_us = clock_mono_us();
		log_info(NULL, "%s %s: a new certificate is asked for", client ? "uplink" : "station", w->name);
	}
	return all;
}

/* ---- looking ---- */

static void on_look(void *arg)
{
	int64_t now = clock_wall_us();
	bool quiet = true;
	(void)arg;
	drop_all();
	collect_listeners();
	collect_uplinks();
	collect_stations();
	for (size_t i = 0; i < ex.n && clock_trusted(); i++)
		judge(&ex.all[i], now);
	if (clock_trusted()) {
		forget_old(now);
		quiet = renew(now);
	}
	timer_set(&ex.look, clock_trusted() && quiet ? LOOK_US : AGAIN_US, on_look, NULL);
}

void expiry_look(void)
{
	if (ex.g)
		timer_set(&ex.look, SOON_US, on_look, NULL);
}

static void on_seen_kept(void *arg, int err, int64_t value)
{
	(void)arg, (void)value;
	if (!err)
		expiry_look();
}

void expiry_station(struct session *s, struct x509_st *shown)
{
	struct cert_facts f, before;
	struct buf text = { 0 };
	struct json_writer j;
	if (!ex.g)
		return;
	cert_facts(shown, &f);
	if (read_seen(s, &before) && strcmp(before.fingerprint, f.fingerprint) == 0)
		return;
	jw_open(&j, &text);
	jw_object(&j, NULL);
	jw_string(&j, "subject", f.subject);
	jw_string(&j, "issuer", f.issuer);
	jw_string(&j, "serial", f.serial);
	jw_string(&j, "fingerprint", f.fingerprint);
	jw_int(&j, "starts", f.starts_us / US_PER_S);
	jw_int(&j, "ends", f.ends_us / US_PER_S);
	jw_end(&j, '}');
	if (kept_put(s->gw->store, s->id, SEEN, buf_view(&text), on_seen_kept, NULL) != 0)
		log_warn(&s->log, "its certificate is not remembered");
	buf_free(&text);
}

bool expiry_station_shows(struct session *s, const char *serial)
{
	struct cert_facts f;
	return ex.g && read_seen(s, &f) && strcasecmp(f.serial, serial) == 0;
}

void expiry_each(void (*see)(void *arg, const struct expiry_view *v), void *arg)
{
	for (size_t i = 0; i < ex.n; i++) {
		const struct watched *w = &ex.all[i];
		struct expiry_view v = { w->use, w->name, w->file, w->facts };
		see(arg, &v);
	}
}

/* ---- life ---- */

static bool see_told(void *arg, const char *name, struct slice value)
{
	struct told *t = NEW(struct told);
	char *text = mem_text(value);
	long long ends = 0;
	(void)arg;
	if (sscanf(text, "%d %lld", &t->level, &ends) == 2) {
		t->ends_us = ends;
		map_put(&ex.told, slice_of(name), t);
	} else {
		mem_free(t);
	}
	mem_free(text);
	return true;
}

int expiry_open(struct gateway *g)
{
	ex.g = g;
	if (kept_each(g->store, OWNER, "", see_told, NULL) != 0)
		log_warn(NULL, "what was told of certificates cannot be read");
	expiry_look();
	return 0;
}

void expiry_close(void)
{
	struct told *t;
	size_t at = 0;
	timer_cancel(&ex.look);
	drop_all();
	mem_free(ex.all);
	while ((t = map_next(&ex.told, &at, NULL)))
		mem_free(t);
	map_free(&ex.told);
	memset(&ex, 0, sizeof(ex));
}
