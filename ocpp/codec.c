/* From an action to its meaning in the table of its version family, and what is the same for both families.
 *
 * A transaction id is text all the way: 1.6 numbers beyond 2^53 are seen in the field, and a double would change them. */
#include "ocpp/codec.h"

#include <string.h>

#include "base/json.h"
#include "ocpp/bind.h"
#include "ocpp/splice.h"

#define ROWS_MOST 256

static const struct codec *family(enum ocpp_version v)
{
	return v == OCPP16 ? &codec_16 : &codec_2x;
}

static void fill(const struct codec *c, enum ocpp_version v, const struct meaning **by_row)
{
	for (const struct meanings *const *part = c->parts; *part; part++)
		for (size_t i = 0; i < (*part)->count; i++) {
			const struct meaning *m = &(*part)->rows[i];
			by_row[catalogue_find(v, slice_of(m->action)) - catalogue_at(0)] = m;
		}
}

/* Tables by the catalogue's row, made when first asked; loop thread. */
static const struct meaning *meaning_of(enum ocpp_version v, const struct action *act)
{
	static const struct meaning *rows_16[ROWS_MOST], *rows_2x[ROWS_MOST];
	static bool filled;
	if (!filled) {
		fill(&codec_16, OCPP16, rows_16);
		fill(&codec_2x, OCPP21, rows_2x);
		filled = true;
	}
	return (v == OCPP16 ? rows_16 : rows_2x)[act - catalogue_at(0)];
}

const struct row *codec_call_rows(enum ocpp_version v, const struct action *act)
{
	const struct meaning *m = meaning_of(v, act);
	return m && m->call ? m->call : family(v)->other_call;
}

/* A payload that is an object, or null for an empty one. */
static int open_reading(struct reading *r, struct frame *f, struct arena *mem)
{
	const cJSON *tree = frame_tree(f);
	*r = (struct reading){ .payload = f->payload, .mem = mem, .version = f->version };
	if (!cJSON_IsObject(tree))
		return cJSON_IsNull(tree) ? 0 : ERR_INVALID;
	r->tree = tree;
	return 0;
}

int codec_read_call(struct frame *f, struct arena *mem, struct event *out)
{
	struct reading r;
	if ((f->kind != FRAME_CALL && f->kind != FRAME_SEND) || !f->act || f->act->event == EV_NONE)
		return ERR_UNSUPPORTED;
	int err = open_reading(&r, f, mem);
	if (err)
		return err;
	const struct meaning *m = meaning_of(f->version, f->act);
	event_init(out, f->act->event);
	bind_read(&r, m && m->call ? m->call : family(f->version)->other_call, out);
	if (m && m->read_call)
		m->read_call(&r, out);
	return 0;
}

static const struct row status_only[] = { { "status", REPLY_AT(status), AS_TEXT, 0, NULL }, { 0 } };

int codec_read_answer(const struct action *act, struct frame *answer, struct arena *mem, struct reply *out)
{
	struct reading r;
	reply_init(out);
	if (answer->kind == FRAME_ERROR) {
		out->error_code = answer->code;
		return 0;
	}
	if (answer->kind != FRAME_RESULT || !act)
		return ERR_UNSUPPORTED;
	int err = open_reading(&r, answer, mem);
	if (err)
		return err;
	const struct meaning *m = meaning_of(answer->version, act);
	bind_read(&r, m && m->answer ? m->answer : status_only, out);
	if (m && m->read_answer)
		m->read_answer(&r, out);
	out->reason = json_text(r.tree, "statusInfo.reasonCode");
	out->info = json_text(r.tree, "statusInfo.additionalInfo");
	return 0;
}

static void open_writing(struct writing *w, enum ocpp_version v, struct buf *payload)
{
	*w = (struct writing){ .version = v };
	jw_open(&w->w, payload);
	jw_object(&w->w, NULL);
}

/* Nothing stays in the buffer of a payload that failed. */
static int close_writing(struct writing *w, size_t from)
{
	jw_end(&w->w, '}');
	if (w->err) {
		w->w.out->n = from;
		w->w.out->p[from] = 0;
	}
	return w->err;
}

int codec_write_call(enum ocpp_version v, const struct event *e, struct buf *payload, const struct action **act_out)
{
	struct writing w;
	size_t from = payload->n;
	const char *name = family(v)->action_for(v, e);
	const struct action *act = name ? catalogue_find(v, slice_of(name)) : NULL;
	const struct meaning *m = act ? meaning_of(v, act) : NULL;
	if (!m || (!m->call && !m->write_call))
		return ERR_UNSUPPORTED;
	*act_out = act;
	open_writing(&w, v, payload);
	if (m->write_call)
		m->write_call(&w, e);
	else
		bind_write(&w, m->call, e);
	return close_writing(&w, from);
}

/* The smallest valid answers that are neither {} nor a status: a schema wants these members. */
static const struct {
	const char *action, *text;
} bare[] = {
	{ "GetTransactionStatus", "{\"messagesInQueue\":false}" },
	{ "SetVariableMonitoring", "{\"setMonitoringResult\":[{\"status\":\"Rejected\",\"type\":\"Delta\",\"severity\":9,"
				   "\"component\":{\"name\":\"Unknown\"},\"variable\":{\"name\":\"Unknown\"}}]}" },
	{ "ClearVariableMonitoring", "{\"clearMonitoringResult\":[{\"status\":\"NotFound\",\"id\":0}]}" },
	{ "ClearTariffs", "{\"clearTariffsResult\":[{\"status\":\"NoTariff\"}]}" },
	{ "GetCertificateChainStatus", "{\"certificateStatus\":[{\"source\":\"OCSP\",\"status\":\"Failed\",\"nextUpdate\":\"1970-01-01T00:00:00.000Z\","
				       "\"certificateHashData\":{\"hashAlgorithm\":\"SHA256\",\"issuerNameHash\":\"\",\"issuerKeyHash\":\"\","
				       "\"serialNumber\":\"\"}}]}" },
};

static const char *bare_answer(const struct action *act)
{
	for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++)
		if (strcmp(bare[i].action, act->name) == 0)
			return bare[i].text;
	return "{}";
}

/* The message's own words of failure, with the status said in their place. */
static void write_status(struct buf *payload, const char *refusal, struct slice status)
{
	struct slice text = slice_of(refusal), window = splice_find(text, "status");
	struct buf quoted = { 0 };
	if (!status.p) {
		buf_slice(payload, text);
		return;
	}
	json_quote(&quoted, status);
	splice_write(payload, text, window, buf_view(&quoted));
	buf_free(&quoted);
}

int codec_write_answer(enum ocpp_version v, const struct action *act, const struct reply *r, struct buf *payload)
{
	const char *refusal = v == OCPP16 ? act->refusal_16 : act->refusal_2x;
	const struct meaning *m = meaning_of(v, act);
	struct writing w;
	size_t from = payload->n;
	if (!(act->versions & 1 << v))
		return ERR_UNSUPPORTED;
	if (!m || (!m->answer && !m->write_answer)) {
		if (refusal)
			write_status(payload, refusal, r->status);
		else
			buf_puts(payload, bare_answer(act));
		return 0;
	}
	open_writing(&w, v, payload);
	if (m->write_answer)
		m->write_answer(&w, r);
	else
		bind_write(&w, m->answer, r);
	return close_writing(&w, from);
}

/* The value without its quotes; in 1.6 only if it is an integer. */
static struct slice id_window(enum ocpp_version v, struct slice payload, const char *path)
{
	struct slice s = splice_find(payload, path), none = { NULL, 0 };
	bool quoted = s.n >= 2 && s.p[0] == '"';
	int64_t number;
	if (quoted)
		s = (struct slice){ s.p + 1, s.n - 2 };
	if (v != OCPP16)
		return quoted ? s : none;
	return int_parse(s, &number) == ERR_SYNTAX ? none : s;
}

struct slice codec_tx_window(const struct frame *f)
{
	const struct meaning *m = f->kind == FRAME_CALL && f->act ? meaning_of(f->version, f->act) : NULL;
	return m && m->tx ? id_window(f->version, f->payload, m->tx) : (struct slice){ NULL, 0 };
}

bool codec_marks_late(const struct action *act)
{
	return act && strcmp(act->name, "TransactionEvent") == 0;
}

static bool holds(struct slice text, const char *word)
{
	return text.p && memmem(text.p, text.n, word, strlen(word)) != NULL;
}

bool codec_may_be_left_out(const struct event *e, struct slice payload)
{
	bool periodic = e->kind == EV_METER || (e->kind == EV_TX && e->phase == TX_UPDATE && !e->token.p && holds(e->reason, "MeterValue"));
	for (size_t i = 0; i < e->n_samples; i++)
		periodic = periodic && !e->samples[i].begin && !e->samples[i].end;
	return periodic && !holds(payload, "SignedData") && !holds(payload, "signedMeterValue");
}

bool codec_answer_names_tx(const struct action *act)
{
	return act && strcmp(act->name, "StartTransaction") == 0;
}

struct slice codec_tx_window_answer(const struct action *act, const struct frame *answer)
{
	bool start = codec_answer_names_tx(act) && answer->kind == FRAME_RESULT && answer->version == OCPP16;
	return start ? id_window(OCPP16, answer->payload, "transactionId") : (struct slice){ NULL, 0 };
}

int codec_list_entry(struct frame *f, size_t i, struct arena *mem, struct event *token_out, struct reply *info_out)
{
	struct reading r;
	int err = open_reading(&r, f, mem);
	if (err)
		return err;
	const cJSON *list = json_at(r.tree, "localAuthorizationList");
	const cJSON *entry = cJSON_IsArray(list) && i < INT32_MAX ? cJSON_GetArrayItem(list, (int)i) : NULL;
	if (!entry)
		return ERR_NOT_FOUND;
	r.tree = entry;
	event_init(token_out, EV_AUTHORIZE);
	reply_init(info_out);
	family(f->version)->list_entry(&r, token_out, info_out);
	return 0;
}

int codec_write_list_of(enum ocpp_version v, const struct event *e, codec_entry *entry, void *arg, struct buf *payload, const struct action **act_out)
{
	struct writing w;
	struct event token;
	struct reply info;
	size_t before = payload->n, n = 0;
	*act_out = catalogue_for_event(v, CMD_SEND_LIST);
	open_writing(&w, v, payload);
	meaning_of(v, *act_out)->write_call(&w, e);
	for (; entry(arg, n, &token, &info); n++) {
		if (n == 0)
			jw_array(&w.w, "localAuthorizationList");
		jw_object(&w.w, NULL);
		family(v)->list_entry_write(&w, &token, &info);
		jw_end(&w.w, '}');
	}
	if (n)
		jw_end(&w.w, ']');
	return close_writing(&w, before);
}

struct list_source {
	struct frame *from;
	struct arena mem;
};

static bool entry_of_frame(void *arg, size_t i, struct event *token, struct reply *info)
{
	struct list_source *s = arg;
	return codec_list_entry(s->from, i, &s->mem, token, info) == 0;
}

int codec_write_list(enum ocpp_version v, struct frame *from, struct buf *payload, const struct action **act_out)
{
	struct list_source s = { .from = from };
	struct event e;
	int err = codec_read_call(from, &s.mem, &e);
	if (!err)
		err = codec_write_list_of(v, &e, entry_of_frame, &s, payload, act_out);
	arena_free(&s.mem);
	return err;
}
