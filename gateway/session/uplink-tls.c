/* Two contexts: the one in use, and one for a certificate on trial.
 *
 *   CertificateSigned -> on trial -> a connection of the own identity stands: it is the one in use, the old one is gone
 *                                 \-> the CSMS turns it away: gone; the old one was in use all the time (2.x A02, A03)
 *
 * Easy to get wrong: a certificate that has ended turns connections away too, so then the one on trial is tried for everybody; and a session
 * that was made with one certificate must not be resumed after a change of it, so that sessions live in the context. */
#include "gateway/session/uplink-tls.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/own/own-certs.h"
#include "gateway/own/own-roots.h"

struct uplink_tls {
	const struct uplink_settings *conf;
	char *dir;                        /* of the own identity; NULL: it has none */
	struct tls_client *present, *trial;
	int64_t present_ends_us;          /* wall; 0: it has no certificate */
};

static bool has_tls(const struct uplink_settings *conf)
{
	for (size_t i = 0; i < conf->n_endpoints; i++)
		if (strncmp(conf->endpoints[i].url, "wss:", 4) == 0)
			return true;
	return false;
}

/* `own`: key and certificate in one file; NULL: those of the configuration. */
static int open_client(const struct uplink_settings *conf, const char *dir, const char *own, struct tls_client **out, char why[TLS_WHY])
{
	struct arena mem = { 0 };
	struct tls_client_config c = { .ca = conf->ca, .cert = own ? own : conf->cert, .key = own ? own : conf->key, .check_name = conf->check_name,
		.ocsp = (enum tls_ocsp)conf->ocsp, .more_ca = dir ? own_certs_roots(dir, "CSMSRootCertificate", &mem) : NULL };
	if (dir && conf->additional_root_check && own_roots_replace(dir))
		c.ca = *c.more_ca++;
	int err = tls_client_open(&c, out, why);
	arena_free(&mem);
	return err;
}

static int open_present(const struct uplink_settings *conf, const char *dir, struct tls_client **out, char why[TLS_WHY])
{
	char path[OWN_CERTS_PATH];
	bool own = dir && conf->security_profile == 3 && own_certs_pair(dir, OWN_PRESENT, path);
	return open_client(conf, dir, own ? path : NULL, out, why);
}

static int open_trial(const struct uplink_settings *conf, const char *dir, struct tls_client **out, char why[TLS_WHY])
{
	char path[OWN_CERTS_PATH];
	*out = NULL;
	return dir && conf->security_profile == 3 && own_certs_pair(dir, OWN_TRIAL, path) ? open_client(conf, dir, path, out, why) : 0;
}

static char *dir_of(const struct uplink_settings *conf, const char *state_dir)
{
	return uplink_tls_identity(conf) && state_dir ? own_certs_dir(state_dir, uplink_tls_identity(conf)) : NULL;
}

int uplink_tls_reread(struct uplink_tls *t, char why[TLS_WHY])
{
	struct tls_client *present = NULL, *trial = NULL;
	if (!t)
		return 0;
	int err = open_present(t->conf, t->dir, &present, why);
	if (!err)
		err = open_trial(t->conf, t->dir, &trial, why);
	if (err) {
		tls_client_free(&present);
		return err;
	}
	tls_client_free(&t->present);
	tls_client_free(&t->trial);
	t->present = present;
	t->trial = trial;
	t->present_ends_us = trial ? own_certs_end(t->dir, t->conf->cert) : 0;
	return 0;
}

bool uplink_tls_is_bare(const struct uplink_tls *t)
{
	char path[OWN_CERTS_PATH];
	if (!t || t->conf->security_profile < 3 || t->conf->cert)
		return false;
	return !t->dir || (!own_certs_pair(t->dir, OWN_PRESENT, path) && !own_certs_pair(t->dir, OWN_TRIAL, path));
}

int uplink_tls_open(const struct uplink_settings *conf, const char *state_dir, struct uplink_tls **out, char why[TLS_WHY])
{
	*out = NULL;
	if (!has_tls(conf))
		return 0;
	*out = NEW(struct uplink_tls);
	(*out)->conf = conf;
	(*out)->dir = dir_of(conf, state_dir);
	int err = uplink_tls_reread(*out, why);
	if (err)
		uplink_tls_close(out);
	return err;
}

void uplink_tls_use(struct uplink_tls *t, const struct uplink_settings *conf)
{
	if (t)
		t->conf = conf;
}

void uplink_tls_close(struct uplink_tls **t)
{
	if (!*t)
		return;
	tls_client_free(&(*t)->present);
	tls_client_free(&(*t)->trial);
	mem_free((*t)->dir);
	mem_free(*t);
	*t = NULL;
}

struct tls_client *uplink_tls_client(const struct uplink_tls *t)
{
	if (!t)
		return NULL;
	return t->trial && t->present_ends_us <= clock_wall_us() ? t->trial : t->present;
}

struct tls_client *uplink_tls_trial(const struct uplink_tls *t)
{
	return t ? t->trial : NULL;
}

void uplink_tls_settle(struct uplink_tls *t, bool good)
{
	if (!t || !t->trial)
		return;
	own_certs_settle(t->dir, good);
	if (good) {
		tls_client_free(&t->present);
		t->present = t->trial;
		t->trial = NULL;
	}
	tls_client_free(&t->trial);
}

static bool leads(void *arg, const char *fingerprint)
{
	return tls_client_led_to(arg, fingerprint);
}

bool uplink_tls_root_settled(struct uplink_tls *t)
{
	return t && t->dir && t->conf->additional_root_check && own_roots_settle(t->dir, leads, uplink_tls_client(t));
}

int uplink_tls_fresh(const struct uplink_settings *conf, const char *state_dir, struct tls_client **out, char why[TLS_WHY])
{
	char *dir = dir_of(conf, state_dir);
	int err = open_present(conf, dir, out, why);
	mem_free(dir);
	return err;
}
