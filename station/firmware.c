/* Firmware from the CSMS, signed or not. The host fetches, verifies and installs; here are the order of states and what stands in the way.
 *
 *   waiting (its time) -> fetching -> verifying -> waiting (its time, or transactions to end) -> installing -> restarting -> installed
 *
 * (1.6 UpdateFirmware and SignedUpdateFirmware, 2.0.1 L01, L02.) What happens is told in the words of the request: 1.6's plain states are
 * fewer and carry no number.
 *
 * Easy to get wrong: the end of an installation is told by the program that it brought, or by the old one that came back. The state is
 * therefore kept before the host is asked to install, and the next start reports what became of it (firmware_recall). While transactions
 * have to end first, EVSEs without one become unavailable unless new ones may still begin (L01.FR.07). */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ocpp/files.h"
#include "station/commands.h"
#include "station/inside.h"

#define RETRY_S 60 /* where the request does not say */

enum step { STEP_NONE, STEP_WAIT, STEP_FETCH, STEP_VERIFY, STEP_WAIT_INSTALL, STEP_INSTALL };

static const struct station_host *host_of(const struct station *s)
{
	return s->conf.host && s->conf.host->fetch_firmware && s->conf.host->install_firmware ? s->conf.host : NULL;
}

/* Telling */

static bool is_plain_word(const char *word)
{
	static const char *const words[] = { "Downloaded", "DownloadFailed", "Downloading", "Idle", "InstallationFailed", "Installing", "Installed" };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]) == 0)
			return true;
	}
	return false;
}

static void tell(struct station *s, const char *status)
{
	struct event ev;
	s->firmware.told = status;
	if (s->firmware.request_id < 0 && !is_plain_word(status))
		return;
	event_init(&ev, EV_FIRMWARE);
	ev.word = slice_of(status);
	ev.request_id = s->firmware.request_id;
	if (s->link)
		wire_tell(&s->wire, &ev);
}

void firmware_tell_state(struct station *s, bool of_extension)
{
	const struct firmware *f = &s->firmware;
	bool busy = f->step != STEP_NONE;
	struct event ev;
	event_init(&ev, EV_FIRMWARE);
	ev.word = busy && f->told ? slice_of(f->told) : SLICE("Idle");
	ev.request_id = busy ? f->request_id : of_extension ? 0 : -1;
	wire_tell(&s->wire, &ev);
}

/* EVSEs */

static void hold_back(struct station *s, bool hold)
{
	if (s->firmware.holding == hold)
		return;
	s->firmware.holding = hold;
	for (int i = 0; i < s->conf.n_evses; i++) {
		struct evse *e = &s->evses[i];
		if (hold && (e->tx || e->authorised))
			continue;
		connector_operative(&e->con, !hold && !s->inoperative && !e->unavailable);
		grant_try(e);
	}
}

/* Steps */

static void next(struct station *s);

static void finish(struct station *s, const char *status)
{
	struct firmware *f = &s->firmware;
	timer_cancel(&f->timer);
	f->step = STEP_NONE;
	hold_back(s, false);
	tell(s, status);
	arena_free(&f->mem);
}

static void on_timer(void *arg)
{
	next(arg);
}

static bool waits_for(struct station *s, int64_t wall_us)
{
	int64_t left_us = wall_us - clock_wall_us();
	if (!wall_us || left_us <= 0)
		return false;
	timer_set(&s->firmware.timer, left_us, on_timer, s);
	return true;
}

static void fetch(struct station *s)
{
	struct firmware *f = &s->firmware;
	f->step = STEP_FETCH;
	tell(s, "Downloading");
	if (host_of(s)->fetch_firmware(s->conf.host_arg, slice_of(f->url)) != 0)
		station_firmware_done(s, ERR_UNSUPPORTED);
}

static void verify(struct station *s)
{
	struct firmware *f = &s->firmware;
	f->step = STEP_VERIFY;
	if (host_of(s)->verify_firmware(s->conf.host_arg, slice_of(f->certificate), slice_of(f->signature)) != 0)
		station_firmware_done(s, ERR_INVALID);
}

static void install(struct station *s)
{
	struct firmware *f = &s->firmware;
	char kept[64];
	f->step = STEP_INSTALL;
	tell(s, "Installing");
	snprintf(kept, sizeof(kept), "%lld %s", (long long)f->request_id, s->conf.firmware ? s->conf.firmware : "");
	keep_text(s, "firmware", slice_of(kept));
	if (host_of(s)->install_firmware(s->conf.host_arg) != 0)
		station_firmware_done(s, ERR_REFUSED);
}

static void wait_to_install(struct station *s)
{
	struct firmware *f = &s->firmware;
	bool first = f->step != STEP_WAIT_INSTALL;
	f->step = STEP_WAIT_INSTALL;
	if (waits_for(s, f->install_us) || station_running(s)) {
		if (first)
			tell(s, "InstallScheduled");
		if (!keys_bool(&s->keys, KEY_SESSIONS_BEFORE_UPDATE) && station_running(s))
			hold_back(s, true);
		return;
	}
	install(s);
}

static void next(struct station *s)
{
	struct firmware *f = &s->firmware;
	switch (f->step) {
	case STEP_WAIT:
	case STEP_FETCH:
		fetch(s);
		break;
	case STEP_WAIT_INSTALL:
		wait_to_install(s);
		break;
	default:
		break;
	}
}

/* A transaction ended; not at once, since its end is just being told. */
void firmware_soon(struct station *s)
{
	if (s->firmware.step == STEP_WAIT_INSTALL)
		timer_set(&s->firmware.timer, 0, on_timer, s);
}

static void fetched(struct station *s, int err)
{
	struct firmware *f = &s->firmware;
	if (err && f->retries-- > 0) {
		timer_set(&f->timer, f->retry_us, on_timer, s);
		return;
	}
	if (err) {
		finish(s, "DownloadFailed");
		return;
	}
	tell(s, "Downloaded");
	if (f->signature)
		verify(s);
	else
		wait_to_install(s);
}

static void verified(struct station *s, int err)
{
	if (err) {
		station_security_event(s, "InvalidFirmwareSignature", "");
		finish(s, "InvalidSignature");
		return;
	}
	tell(s, "SignatureVerified");
	wait_to_install(s);
}

static void installed(struct station *s, int err)
{
	keep_text(s, "firmware", (struct slice){ 0 });
	finish(s, err ? "InstallationFailed" : "Installed");
	if (!err)
		station_security_event(s, "FirmwareUpdated", "");
}

void station_firmware_done(struct station *s, int err)
{
	switch (s->firmware.step) {
	case STEP_FETCH:
		fetched(s, err);
		break;
	case STEP_VERIFY:
		verified(s, err);
		break;
	case STEP_INSTALL:
		installed(s, err);
		break;
	default:
		break;
	}
}

/* The request */

static void take(struct station *s, const struct file_ask *ask)
{
	struct firmware *f = &s->firmware;
	f->url = arena_text(&f->mem, ask->url);
	f->certificate = ask->certificate.p ? arena_text(&f->mem, ask->certificate) : NULL;
	f->signature = ask->signature.p ? arena_text(&f->mem, ask->signature) : NULL;
	f->request_id = ask->request_id;
	f->retries = ask->retries > 0 ? ask->retries : 0;
	f->retry_us = (ask->retry_s > 0 ? ask->retry_s : RETRY_S) * US_PER_S;
	f->fetch_us = ask->fetch_us;
	f->install_us = ask->install_us;
	f->step = STEP_WAIT;
	f->told = NULL;
}

static void after_update(struct station *s, struct request *q)
{
	(void)q;
	if (s->firmware.step != STEP_WAIT)
		return;
	if (waits_for(s, s->firmware.fetch_us))
		tell(s, "DownloadScheduled");
	else
		fetch(s);
}

static const char *signer_status(struct station *s, const struct file_ask *ask)
{
	const struct station_host *h = host_of(s);
	enum signer found = SIGNER_INVALID;
	if (!ask->certificate.p && !ask->signature.p)
		return NULL;
	if (ask->certificate.p && ask->signature.p && h->check_signer && h->verify_firmware)
		found = h->check_signer(s->conf.host_arg, ask->certificate);
	if (found != SIGNER_GOOD)
		station_security_event(s, "InvalidFirmwareSigningCertificate", "");
	return found == SIGNER_GOOD ? NULL : found == SIGNER_REVOKED ? "RevokedCertificate" : "InvalidCertificate";
}

static const char *status_of(struct station *s, const struct file_ask *ask)
{
	const struct firmware *f = &s->firmware;
	if (!host_of(s) || f->step == STEP_INSTALL || f->step == STEP_VERIFY)
		return "Rejected"; /* L01.FR.27: what is being installed cannot be called back */
	const char *signer = signer_status(s, ask);
	if (signer)
		return signer;
	return f->step == STEP_NONE ? "Accepted" : "AcceptedCanceled";
}

void firmware_update(struct station *s, struct request *q)
{
	struct file_ask ask;
	const char *status = file_ask_read(q->f, &ask) == 0 ? status_of(s, &ask) : "Rejected";
	bool plain = s->dialect->plain_update && strcmp(q->f->act->name, "UpdateFirmware") == 0;
	if (plain && !host_of(s)) {
		q->error = "NotSupported";
		return;
	}
	if (strcmp(status, "AcceptedCanceled") == 0) {
		host_of(s)->stop_firmware(s->conf.host_arg);
		timer_cancel(&s->firmware.timer);
		hold_back(s, false);
		arena_free(&s->firmware.mem);
	}
	if (strncmp(status, "Accepted", 8) == 0) {
		take(s, &ask);
		q->after = after_update;
	}
	if (plain)
		buf_puts(&q->payload, "{}"); /* which cannot say no: what goes wrong is told by the states */
	answer(q, status);
}

/* "NUMBER VERSION", as it was before an installation: a changed version is the one that was installed. */
void firmware_recall(struct station *s, struct slice value)
{
	const char *space = memchr(value.p, ' ', value.n);
	int64_t id;
	if (!space || int_parse((struct slice){ value.p, (size_t)(space - value.p) }, &id) != 0)
		return;
	s->firmware.request_id = id;
	s->firmware.came_back = slice_is((struct slice){ space + 1, value.n - (size_t)(space - value.p) - 1 }, s->conf.firmware) ? -1 : 1;
}

bool firmware_was_installed(const struct station *s)
{
	return s->firmware.came_back == 1;
}

/* The station was accepted: what became of an installation before this start. */
void firmware_tell_outcome(struct station *s)
{
	int came_back = s->firmware.came_back;
	if (!came_back)
		return;
	s->firmware.came_back = 0;
	keep_text(s, "firmware", (struct slice){ 0 });
	tell(s, came_back == 1 ? "Installed" : "InstallationFailed");
	if (came_back == 1)
		station_security_event(s, "FirmwareUpdated", "");
}

void firmware_close(struct station *s)
{
	timer_cancel(&s->firmware.timer);
	arena_free(&s->firmware.mem);
}
