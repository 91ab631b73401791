/* The certificate by which a group connects (profile 3): the key is the box's, the CSMS renews it as that of the one station that it sees. A request of
 * ours and those of members go the same way up; the certificate that comes back is recognised by its key. Roots of the CSMS are the box's as well. */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "gateway/group/group-local.h"
#include "gateway/own/own-certs.h"
#include "ocpp/certs.h"

#define CSMS_ROOT "CSMSRootCertificate"

bool group_has_key(const struct group *g)
{
	return g->conf->security_profile == 3;
}

static void on_asked(void *arg, const struct action *asked, struct frame *answer)
{
	const struct group *g = arg;
	(void)asked;
	if (!answer || !slice_is(json_text(frame_tree(answer), "status"), "Accepted"))
		log_warn(&g->log, "the CSMS does not sign our certificate");
}

int group_renew(struct group *g)
{
	struct buf csr = { 0 }, payload = { 0 };
	const struct action *act;
	if (!session_lane_is_up(g->face))
		return ERR_CLOSED;
	char *dir = own_certs_dir(g->gw->state_dir, g->conf->identity);
	int err = own_certs_request(dir, g->conf->identity, "", &csr);
	if (!err)
		err = certificate_write_request(g->version, "ChargingStationCertificate", buf_view(&csr), &payload, &act);
	if (!err)
		group_ask(g, act, buf_view(&payload), on_asked, g);
	mem_free(dir);
	buf_free(&csr);
	buf_free(&payload);
	return err;
}

bool group_take_signed(struct group *g, struct frame *f)
{
	struct uplink *u = gateway_uplink(g->gw, g->conf);
	struct certificate_ask ask;
	if (!group_has_key(g))
		return false;
	certificate_ask_read(f, &ask);
	char *dir = own_certs_dir(g->gw->state_dir, g->conf->identity);
	int err = own_certs_take_on_trial(dir, g->conf->ca, ask.pem);
	mem_free(dir);
	if (!err)
		uplink_certificates_changed(u);
	return !err;
}

/* --- roots --- */

static bool has_roots(const struct group *g)
{
	return g->conf->security_profile >= 2;
}

size_t group_roots(const struct group *g, struct arena *mem, struct certificate_id **out)
{
	struct certificate_id *all;
	size_t n = 0, found = 0;
	char *dir = own_certs_dir(g->gw->state_dir, g->conf->identity);
	if (has_roots(g))
		n = own_certs_list(dir, mem, &all);
	*out = arena_new(mem, (n + 1) * sizeof(**out));
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].type, CSMS_ROOT) == 0)
			(*out)[found++] = all[i];
	mem_free(dir);
	return found;
}

static int remove_root(const struct group *g, const char *dir, const struct certificate_ask *ask)
{
	struct arena mem = { 0 };
	struct certificate_id *ids;
	size_t n = group_roots(g, &mem, &ids);
	int err = ERR_NOT_FOUND;
	for (size_t i = 0; i < n && err == ERR_NOT_FOUND; i++)
		if (certificate_ask_is(ask, &ids[i]))
			err = own_certs_delete(dir, &ids[i]);
	arena_free(&mem);
	return err;
}

const char *group_root(struct group *g, struct frame *f)
{
	struct certificate_ask ask;
	bool install = strcmp(f->act->name, "InstallCertificate") == 0;
	certificate_ask_read(f, &ask);
	if (!has_roots(g) || (install && !slice_is(ask.type, CSMS_ROOT)) || (!install && strcmp(f->act->name, "DeleteCertificate") != 0))
		return NULL;
	char *dir = own_certs_dir(g->gw->state_dir, g->conf->identity);
	int err = install ? own_certs_install(dir, CSMS_ROOT, ask.pem) : remove_root(g, dir, &ask);
	mem_free(dir);
	if (!err)
		uplink_certificates_changed(gateway_uplink(g->gw, g->conf));
	return !err ? "Accepted" : err == ERR_NOT_FOUND ? NULL : err == ERR_STORAGE ? "Failed" : "Rejected";
}
