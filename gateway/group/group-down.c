/* What the CSMS asks of the group. A CALL that names a connector, an EVSE or a transaction goes to the member that has it, under the member's own
 * numbers and names; one that means the whole goes to all (group-fan.c), or is the group's own to do.
 *
 * Easy to get wrong: a station that is away is no reason for an error, as the group is here: it says no in the message's own word, or keeps
 * what it was told until the station is back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/group/group-local.h"
#include "gateway/power/csms-profiles.h"
#include "ocpp/convert.h"
#include "ocpp/profile-read.h"
#include "ocpp/splice.h"
#include "storage/kept.h"

static const struct slice none = { NULL, 0 };

/* A CALL of the CSMS at a member. */
struct routed {
	struct group *group;
	char *id;
	const struct action *act, *asked; /* the CSMS's, the member's */
	int number;
	enum event_kind kind;
	int64_t remote_start_id, reservation;
	struct schedule_ask schedule; /* CMD_GET_SCHEDULE, with the group's number */
};

static void routed_free(struct routed *r)
{
	mem_free(r->id);
	mem_free(r);
}

/* --- what the group remembers of an answer --- */

/* -1: it has none any more. */
static void note_reservation(struct routed *r, struct place *p, int64_t reservation)
{
	LIST_WALK(&r->group->places, struct place, in_group, other)
		if (other->reservation == r->reservation)
			place_reserve(other, -1);
	if (p && reservation >= 0)
		place_reserve(p, reservation);
}

static const struct place *reserved(const struct group *g, int64_t reservation)
{
	LIST_WALK(&g->places, struct place, in_group, p)
		if (p->reservation == reservation && reservation >= 0)
			return p;
	return NULL;
}

static void learn(struct routed *r, struct frame *answer)
{
	struct arena mem = { 0 };
	struct reply reply;
	struct place *p = place_at(r->group, r->number);
	bool yes = codec_read_answer(r->asked, answer, &mem, &reply) == 0 && slice_is(reply.status, "Accepted");
	if (yes && r->kind == CMD_REMOTE_START && p)
		p->remote_start_id = r->remote_start_id;
	else if (yes && r->kind == CMD_RESERVE)
		note_reservation(r, p, r->reservation);
	else if (yes && r->kind == CMD_CANCEL_RESERVATION)
		note_reservation(r, p, -1);
	arena_free(&mem);
}

/* --- to one member --- */

/* What the member calls a transaction in its answer, as the CSMS knows it; absent: it names none. */
static struct slice name_for_csms(struct routed *r, struct frame *answer, struct arena *mem)
{
	struct reply reply;
	const struct place *p = place_at(r->group, r->number);
	if (codec_read_answer(r->asked, answer, mem, &reply) != 0 || !reply.tx.n || !p)
		return none;
	const struct named *n = named_of(r->group, p->station, reply.tx);
	return n && n->up_tx ? slice_of(n->up_tx) : reply.tx;
}

/* A schedule names the EVSE, and stands elsewhere in each version. */
static bool pass_schedule(struct routed *r, struct frame *answer)
{
	struct buf payload = { 0 };
	bool passed = r->kind == CMD_GET_SCHEDULE && schedule_convert_answer(answer, &r->schedule, clock_wall_us(), r->group->version, &payload) == 0;
	if (passed)
		group_answer(r->group, slice_of(r->id), buf_view(&payload));
	buf_free(&payload);
	return passed;
}

static void pass_answer(struct routed *r, struct frame *answer)
{
	struct buf payload = { 0 };
	struct arena mem = { 0 };
	if (pass_schedule(r, answer))
		return;
	learn(r, answer);
	if (convert_answer(r->asked, answer, r->act, r->group->version, name_for_csms(r, answer, &mem), &payload) == 0)
		group_answer(r->group, slice_of(r->id), buf_view(&payload));
	else
		group_answer_status(r->group, slice_of(r->id), r->act, none);
	buf_free(&payload);
	arena_free(&mem);
}

static void on_routed(void *arg, struct call *c, int err, struct frame *answer)
{
	struct routed *r = arg;
	(void)c;
	if (answer && answer->kind == FRAME_RESULT) {
		pass_answer(r, answer);
	} else if (answer) {
		char *code = mem_text(answer->code), *why = mem_text(answer->description);
		group_refuse(r->group, slice_of(r->id), code, why ? why : "");
		mem_free(code);
		mem_free(why);
	} else {
		group_refuse(r->group, slice_of(r->id), "GenericError", err == ERR_TIMEOUT ? "the charging station did not answer" : "the charging station is not connected");
	}
	routed_free(r);
}

/* The reasons of the standard's list for a no of the group itself. */
static void refuse(struct group *g, const struct frame *f, const char *word, const char *reason, const char *info)
{
	group_answer_reason(g, f->id, f->act, slice_of(word), reason, info);
}

static void refuse_away(struct group *g, const struct frame *f, const char *word, const char *station)
{
	char info[128];
	snprintf(info, sizeof(info), "%s is not connected", station);
	refuse(g, f, word, "Unspecified", info);
}

/* `e` with the member's own numbers. NULL for the place: there is none, which is a no. */
static void to_place(struct group *g, struct frame *f, const struct event *e, const struct place *p)
{
	struct member *m = p ? group_member(g, p->station) : NULL;
	const char *no = e->kind == CMD_TRIGGER ? "Rejected" : NULL; /* it is the place that is not there, not the message */
	if (!p) {
		refuse(g, f, e->kind == CMD_UNLOCK ? "UnknownConnector" : no, "UnknownEvse", NULL);
		return;
	}
	if (!m || !member_is_here(m)) {
		refuse_away(g, f, no, p->station);
		return;
	}
	struct routed *r = NEW(struct routed);
	*r = (struct routed){ .group = g, .id = mem_text(f->id), .act = f->act, .number = p->number, .kind = e->kind, .remote_start_id = e->remote_start_id,
		.reservation = e->reservation };
	if (e->kind == CMD_GET_SCHEDULE && schedule_ask_read(f, &r->schedule) != 0)
		r->kind = EV_NONE;
	if (member_ask(m, f, e, &r->asked, on_routed, r) != 0) {
		refuse(g, f, NULL, "UnsupportedRequest", "the charging station has no such message");
		routed_free(r);
	}
}

static void to_number(struct group *g, struct frame *f, struct event *e)
{
	const struct place *p = place_at(g, e->evse);
	if (p)
		e->evse = p->evse;
	to_place(g, f, e, p);
}

/* --- transactions from afar --- */

/* A place where a car waits, else one that is free; NULL: none. */
static struct place *free_place(struct group *g)
{
	struct place *free = NULL;
	LIST_WALK(&g->places, struct place, in_group, p) {
		if (!place_is_free(p))
			continue;
		if (p->state != EVSE_AVAILABLE)
			return p;
		if (!free)
			free = p;
	}
	return free;
}

static void remote_start(struct group *g, struct frame *f, struct event *e)
{
	const struct place *p = e->evse > 0 ? place_at(g, e->evse) : free_place(g);
	if (!p && e->evse <= 0) {
		refuse(g, f, NULL, "Unspecified", "no connector is free");
		return;
	}
	if (p)
		e->evse = p->evse;
	if (e->remote_start_id < 0)
		e->remote_start_id = txs_next_id(g); /* for a member that wants one */
	to_place(g, f, e, p);
}

/* To the member whose transaction it is, under the member's name for it. */
static void to_tx(struct group *g, struct frame *f, struct event *e)
{
	const struct named *n = named_up(g, e->tx);
	const struct place *p = n ? place_at(g, n->number) : NULL;
	if (!p || n->over) {
		refuse(g, f, NULL, e->kind == CMD_SET_PROFILE ? "TxNotFound" : "UnknownTxId", NULL);
		return;
	}
	e->tx = slice_of(n->member_tx);
	if (e->evse > 0)
		e->evse = p->evse;
	to_place(g, f, e, p);
}

/* The group knows whether one runs; what waits for the CSMS its session adds. */
static void tx_status(struct group *g, struct frame *f, struct event *e)
{
	const struct named *n = e->tx.n ? named_up(g, e->tx) : NULL;
	struct buf payload = { 0 };
	if (!e->tx.n) {
		group_answer_status(g, f->id, f->act, none);
		return;
	}
	convert_tx_status(n && !n->over, &payload);
	group_answer(g, f->id, buf_view(&payload));
	buf_free(&payload);
}

/* --- reservations --- */

static void reserve(struct group *g, struct frame *f, struct event *e)
{
	const struct place *p = e->evse > 0 ? place_at(g, e->evse) : free_place(g);
	if (!p && e->evse <= 0) {
		refuse(g, f, NULL, "Unspecified", "no connector is free");
		return;
	}
	if (p)
		e->evse = p->evse;
	to_place(g, f, e, p);
}

static void cancel_reservation(struct group *g, struct frame *f, struct event *e)
{
	const struct place *p = reserved(g, e->reservation);
	if (p)
		to_place(g, f, e, p);
	else
		refuse(g, f, NULL, "NotFound", NULL);
}

/* Where a version counts connectors only, each is an EVSE with one. */
static void unlock(struct group *g, struct frame *f, struct event *e)
{
	const struct place *p = place_at(g, e->evse);
	const struct member *m = p ? group_member(g, p->station) : NULL;
	if (m && m->link && !dialect_of(m->link->version)->names_tx && e->connector > 1)
		refuse(g, f, "UnknownConnector", "UnknownConnectorId", NULL);
	else
		to_number(g, f, e);
}

/* --- availability --- */

static void wish_availability(struct group *g, const char *station, int evse, struct slice word)
{
	char name[96];
	snprintf(name, sizeof(name), "availability/%s/%d", station, evse);
	wish_put(g, name, word);
}

/* Of all. Who is away is told when it is back, which is what Scheduled says. */
static void availability_of_all(struct group *g, struct frame *f, struct event *e)
{
	const char *station = "", *ours = NULL;
	LIST_WALK(&g->places, struct place, in_group, p) {
		const struct member *m = group_member(g, p->station);
		if ((m && member_is_here(m)) || strcmp(station, p->station) == 0)
			continue;
		station = p->station;
		wish_availability(g, station, 0, e->word);
		ours = "Scheduled";
	}
	e->evse = 0;
	group_fan(g, f, e, FAN_ALL, ours);
}

static void availability(struct group *g, struct frame *f, struct event *e)
{
	const struct place *p = place_at(g, e->evse);
	const struct member *m = p ? group_member(g, p->station) : NULL;
	if (e->evse <= 0) {
		availability_of_all(g, f, e);
	} else if (p && !(m && member_is_here(m))) {
		wish_availability(g, p->station, p->evse, e->word);
		group_answer_status(g, f->id, f->act, SLICE("Scheduled"));
	} else {
		to_number(g, f, e);
	}
}

/* --- reset and triggers --- */

static void on_rebooted(void *arg)
{
	group_boot(arg, "RemoteReset");
}

#define REBOOT_US (2 * US_PER_S)

/* Stands for the station where it is meant as a whole. */
static const struct place *first_place(const struct group *g, const char *station)
{
	LIST_WALK(&g->places, struct place, in_group, p)
		if (strcmp(p->station, station) == 0)
			return p;
	return NULL;
}

static int places_of(const struct group *g, const char *station)
{
	int n = 0;
	LIST_WALK(&g->places, struct place, in_group, p)
		n += strcmp(p->station, station) == 0;
	return n;
}

/* One EVSE alone is reset where its station can, or has no other. The whole boots again when its stations were told. */
static void reset(struct group *g, struct frame *f, struct event *e)
{
	const struct place *p = place_at(g, e->evse);
	const struct member *m = p ? group_member(g, p->station) : NULL;
	if (e->evse <= 0) {
		group_fan(g, f, e, FAN_ALL, NULL);
		timer_set(&g->boot, REBOOT_US, on_rebooted, g);
	} else if (m && m->link && !dialect_of(m->link->version)->names_tx && places_of(g, p->station) > 1) {
		refuse(g, f, "Rejected", "UnsupportedParam", "the charging station can be reset as a whole only");
	} else {
		to_number(g, f, e);
	}
}

static void states_are_due(struct group *g, int number)
{
	g->whole_due |= number <= 0;
	LIST_WALK(&g->places, struct place, in_group, p)
		p->due |= number <= 0 || p->number == number;
	group_say_states(g);
}

/* What the group says of itself. False: that is for its members to say. */
static bool trigger_own(struct group *g, const struct frame *f, const struct event *e)
{
	bool log = slice_is(e->word, "LogStatusNotification") || slice_is(e->word, "DiagnosticsStatusNotification");
	bool firmware = slice_is(e->word, "FirmwareStatusNotification");
	bool sign = group_has_key(g) && e->evse <= 0 &&
	            (slice_is(e->word, "SignChargePointCertificate") || slice_is(e->word, "SignChargingStationCertificate"));
	bool boot = slice_is(e->word, "BootNotification"), heartbeat = slice_is(e->word, "Heartbeat"), status = slice_is(e->word, "StatusNotification");
	if (status && e->evse > 0 && !place_at(g, e->evse)) {
		refuse(g, f, "Rejected", "UnknownEvse", NULL);
		return true;
	}
	if (boot && g->accepted) { /* 2.0.1 F06.FR.17, 1.6 errata 3.35 */
		refuse(g, f, "Rejected", "InvalidMessageSeq", "it is accepted already");
		return true;
	}
	if (!log && !firmware && !boot && !heartbeat && !status && !sign)
		return false;
	group_answer_status(g, f->id, f->act, SLICE("Accepted"));
	if (sign && group_renew(g) != 0)
		log_warn(&g->log, "no certificate can be asked for");
	if (boot)
		group_boot(g, "Triggered");
	else if (heartbeat)
		group_heartbeat(g);
	else if (status)
		states_are_due(g, e->evse);
	else if (log || firmware)
		group_job_tell(g, log ? EV_LOG : EV_FIRMWARE);
	return true;
}

static void trigger(struct group *g, struct frame *f, struct event *e)
{
	if (trigger_own(g, f, e))
		return;
	bool passes = slice_is(e->word, "MeterValues") || slice_is(e->word, "TransactionEvent") || slice_is(e->word, "SignChargePointCertificate") ||
		      slice_is(e->word, "SignChargingStationCertificate") || slice_is(e->word, "SignV2GCertificate");
	if (!passes)
		group_answer_status(g, f->id, f->act, SLICE("NotImplemented"));
	else if (e->evse > 0)
		to_number(g, f, e);
	else
		group_fan(g, f, e, FAN_ANY, "Rejected");
}

/* --- charging profiles --- */

/* On the whole, the maximum is the group's to keep: its session has it, and the balancer gets it as a cap. A default is every station's own. */
static void set_profile(struct group *g, struct frame *f, struct event *e)
{
	if (e->tx.n)
		to_tx(g, f, e);
	else if (e->evse > 0)
		to_number(g, f, e);
	else if (e->purpose == PURPOSE_TX_DEFAULT)
		group_fan(g, f, e, FAN_ALL, NULL);
	else if (e->purpose != PURPOSE_STATION_MAX)
		refuse(g, f, "Rejected", "InvalidProfile", "for the whole there is a maximum and a default"); /* 2.0.1 K01.FR.22, K01.FR.16 */
	else if (!group_can_limit(g))
		refuse(g, f, "Rejected", "UnsupportedRequest", "no circuit feeds these charging stations alone");
	else
		group_answer_status(g, f->id, f->act, SLICE("Accepted"));
}

/* A maximum of the whole that the criteria meet. */
static bool has_maximum(const struct group *g, struct frame *f)
{
	struct profile_filter filter;
	profile_filter_read(f, &filter);
	bool meant = filter.purpose == PURPOSE_NONE || filter.purpose == PURPOSE_STATION_MAX;
	filter.purpose = PURPOSE_STATION_MAX;
	return meant && g->face->csms && csms_profiles_count(g->face, &filter);
}

static void clear_profile(struct group *g, struct frame *f, struct event *e)
{
	if (e->evse > 0)
		to_number(g, f, e);
	else
		group_fan(g, f, e, FAN_ANY, has_maximum(g, f) ? "Accepted" : "Unknown");
}

static void schedule(struct group *g, struct frame *f, struct event *e)
{
	if (e->evse > 0)
		to_number(g, f, e);
	else
		group_schedule(g, f);
}

/* --- the local list --- */

static void send_list(struct group *g, struct frame *f, struct event *e)
{
	char text[24];
	snprintf(text, sizeof(text), "%lld", (long long)e->list_version);
	g->list_version = e->list_version;
	wish_put(g, "list", slice_of(text)); /* for who is away now, and who comes new */
	group_fan(g, f, e, FAN_ALL, "Accepted");
}

static void list_version(struct group *g, struct frame *f, struct event *e)
{
	(void)e;
	struct buf payload = { 0 };
	struct arena mem = { 0 };
	struct slice value;
	struct reply r;
	reply_init(&r);
	r.list_version = g->list_version;
	if (r.list_version < 0 && (kept_get(g->gw->store, g->face->id, "wish/list", &mem, &value) != 0 || int_parse(value, &r.list_version) != 0))
		r.list_version = 0;
	if (codec_write_answer(g->version, f->act, &r, &payload) == 0)
		group_answer(g, f->id, buf_view(&payload));
	buf_free(&payload);
	arena_free(&mem);
}

/* --- display messages --- */

/* The CALL with one window of its payload replaced, put to the member that has the place. */
static void to_place_as(struct group *g, struct frame *f, const struct event *e, const struct place *p, struct slice window, const char *replacement)
{
	struct buf text = { 0 };
	struct frame changed;
	struct frame_fault fault;
	splice_write(&text, f->raw, window, slice_of(replacement));
	if (frame_parse(&changed, f->version, buf_view(&text), &fault) == 0) {
		to_place(g, &changed, e, p);
		frame_done(&changed);
	}
	buf_free(&text);
}

static void display_for_tx(struct group *g, struct frame *f, const struct event *e, struct slice window)
{
	const struct named *n = named_up(g, (struct slice){ window.p + 1, window.n - 2 });
	const struct place *p = n && !n->over ? place_at(g, n->number) : NULL;
	struct buf quoted = { 0 };
	if (!p) {
		group_answer_status(g, f->id, f->act, SLICE("UnknownTransaction"));
		return;
	}
	json_quote(&quoted, slice_of(n->member_tx));
	to_place_as(g, f, e, p, window, quoted.p);
	buf_free(&quoted);
}

/* On the display of one EVSE, during a transaction, or on all there are. */
static void set_display(struct group *g, struct frame *f, struct event *e)
{
	struct slice tx = splice_find(f->payload, "message.transactionId"), evse = splice_find(f->payload, "message.display.evse.id");
	int64_t number = 0;
	char digits[16];
	if (tx.n > 2) {
		display_for_tx(g, f, e, tx);
		return;
	}
	if (int_parse(evse, &number) != 0 || number < 1) {
		group_fan(g, f, e, FAN_ALL, NULL);
		return;
	}
	const struct place *p = place_at(g, (int)number);
	snprintf(digits, sizeof(digits), "%d", p ? p->evse : 0);
	to_place_as(g, f, e, p, evse, digits);
}

static void to_all(struct group *g, struct frame *f, struct event *e)
{
	group_fan(g, f, e, FAN_ALL, NULL);
}

static void to_any(struct group *g, struct frame *f, struct event *e)
{
	group_fan(g, f, e, FAN_ANY, NULL);
}

/* The cache is the group's own, too. */
static void clear_cache(struct group *g, struct frame *f, struct event *e)
{
	group_fan(g, f, e, FAN_ALL, "Accepted");
}

/* --- certificates --- */

/* Roots are for all; a certificate that was signed belongs to the station whose key it is. */
static void certificate(struct group *g, struct frame *f, struct event *e)
{
	if (strcmp(f->act->name, "GetInstalledCertificateIds") == 0) {
		group_installed(g, f);
	} else if (strcmp(f->act->name, "CertificateSigned") == 0) {
		const struct member *m = group_signed_for(g, f);
		if (!m && group_take_signed(g, f)) {
			group_answer_status(g, f->id, f->act, SLICE("Accepted"));
			return;
		}
		e->evse = -1;
		to_place(g, f, e, m ? first_place(g, m->session->id) : NULL);
	} else {
		group_fan(g, f, e, FAN_ALL, group_root(g, f));
	}
}

/* --- all of it --- */

/* Firmware is published by a local controller, and to the CSMS the group is a station. */
static void job(struct group *g, struct frame *f, struct event *e)
{
	if (strcmp(f->act->name, "PublishFirmware") == 0)
		refuse(g, f, NULL, "UnsupportedRequest", "not for a group of charging stations");
	else
		group_job(g, f, e);
}

typedef void handler(struct group *g, struct frame *f, struct event *e);

static handler *const by_meaning[EVENT_KINDS] = {
	[CMD_REMOTE_START] = remote_start,
	[CMD_REMOTE_STOP] = to_tx,
	[CMD_TX_STATUS] = tx_status,
	[CMD_UNLOCK] = unlock,
	[CMD_RESERVE] = reserve,
	[CMD_CANCEL_RESERVATION] = cancel_reservation,
	[CMD_AVAILABILITY] = availability,
	[CMD_RESET] = reset,
	[CMD_TRIGGER] = trigger,
	[CMD_SET_PROFILE] = set_profile,
	[CMD_CLEAR_PROFILE] = clear_profile,
	[CMD_GET_SCHEDULE] = schedule,
	[CMD_SEND_LIST] = send_list,
	[CMD_LIST_VERSION] = list_version,
	[CMD_CLEAR_CACHE] = clear_cache,
	[CMD_SET_CONFIG] = group_config,
	[CMD_GET_CONFIG] = group_config,
	[CMD_GET_REPORT] = group_config,
	[CMD_FIRMWARE] = job,
	[CMD_GET_LOG] = job,
	[EV_DATA] = to_any,
	[CMD_CERTIFICATE] = certificate,
};

/* Those that mean nothing to the rest of the program. */
static const struct {
	const char *action;
	handler *handle;
} by_name[] = {
	{ "GetChargingProfiles", group_profiles },
	{ "SetDisplayMessage", set_display },
	{ "ClearDisplayMessage", to_all },
	{ "GetDisplayMessages", group_question },
	{ "CustomerInformation", group_question },
	{ "GetMonitoringReport", group_question },
	{ "SetMonitoringBase", to_all },
	{ "SetMonitoringLevel", to_all },
	{ "SetVariableMonitoring", group_set_monitors },
	{ "ClearVariableMonitoring", group_clear_monitors },
};

/* What is left may be about a transaction (its cost, its tariff); else it is not for a group. */
static void carried(struct group *g, struct frame *f, struct event *e)
{
	const char *refusal = catalogue_refusal(g->version, f->act);
	e->tx = codec_tx_window(f);
	if (e->tx.n)
		to_tx(g, f, e);
	else if (refusal)
		group_answer(g, f->id, slice_of(refusal));
	else
		refuse(g, f, NULL, "UnsupportedRequest", "not for a group of charging stations");
}

static handler *handler_of(const struct action *act)
{
	for (size_t i = 0; i < sizeof(by_name) / sizeof(by_name[0]); i++)
		if (strcmp(by_name[i].action, act->name) == 0)
			return by_name[i].handle;
	return by_meaning[act->event] ? by_meaning[act->event] : carried;
}

void group_csms_call(struct group *g, struct frame *f)
{
	struct arena mem = { 0 };
	struct event e;
	if (!f->act || !(f->act->from & CSMS)) {
		group_refuse(g, f->id, "NotImplemented", "unknown here");
		return;
	}
	bool understood = codec_read_call(f, &mem, &e) == 0;
	if (!understood)
		event_init(&e, (enum event_kind)f->act->event);
	(understood || f->act->event == EV_NONE ? handler_of(f->act) : carried)(g, f, &e);
	arena_free(&mem);
}
