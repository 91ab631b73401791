/* OCPP 2.0.1 and 2.1: what their payloads mean. 2.1 keeps the shapes of 2.0.1 and adds to them, so one table serves both; where a list of
 * words grew, the later list is marked. The rows are in codec-2x-station.c, codec-2x-tx.c and codec-2x-csms.c; here is what they share.
 *
 * Easy to get wrong: optional lists and objects are absent when empty, never {} or [] (Part 4 4.1.5). */
#include <string.h>

#include "ocpp/catalogue.h"
#include "ocpp/codec-2x.h"
#include "ocpp/scan.h"

const struct row codec_2x_nothing[] = { { 0 } };

const struct row codec_2x_token[] = { { "idToken", EVENT_AT(token), AS_TOKEN, 0, NO_TOKEN }, { 0 } };
const struct row codec_2x_token_info[] = {
	{ "idTokenInfo.status", REPLY_AT(token_status), AS_TEXT, 0, "\"Invalid\"" },
	{ "idTokenInfo.cacheExpiryDateTime", REPLY_AT(expiry_us), AS_TIME, 0, NULL },
	{ "idTokenInfo.groupIdToken", REPLY_AT(group), AS_GROUP, 0, NULL },
	{ "idTokenInfo.chargingPriority", REPLY_AT(priority), AS_COUNT, 0, NULL },
	{ 0 },
};

struct slice codec_2x_variable_read(struct reading *r, const cJSON *item)
{
	struct slice c = json_text(item, "component.name"), ci = json_text(item, "component.instance");
	struct slice v = json_text(item, "variable.name"), vi = json_text(item, "variable.instance");
	if (!c.p)
		return c;
	return slice_of(arena_printf(r->mem, "%.*s%s%.*s%s%s%.*s%s%.*s%s", SLICE_ARG(c), ci.n ? "[" : "", SLICE_ARG(ci), ci.n ? "]" : "",
	                             v.n ? "." : "", SLICE_ARG(v), vi.n ? "[" : "", SLICE_ARG(vi), vi.n ? "]" : ""));
}

void codec_2x_named_write(struct writing *w, const char *key, struct slice name, int evse, int connector)
{
	const char *bracket = name.n && name.p[name.n - 1] == ']' ? memchr(name.p, '[', name.n) : NULL;
	struct slice instance = { NULL, 0 };
	if (bracket) {
		instance = (struct slice){ bracket + 1, (size_t)(name.p + name.n - bracket) - 2 };
		name.n = (size_t)(bracket - name.p);
	}
	jw_object(&w->w, key);
	jw_text(&w->w, "name", scan_cut(name.p ? name : SLICE(""), 50));
	if (instance.n)
		jw_text(&w->w, "instance", scan_cut(instance, 50));
	if (evse > 0) {
		jw_object(&w->w, "evse");
		jw_int(&w->w, "id", evse);
		if (connector > 0)
			jw_int(&w->w, "connectorId", connector);
		jw_end(&w->w, '}');
	}
	jw_end(&w->w, '}');
}

void codec_2x_variable_write(struct writing *w, struct slice key, int evse, int connector)
{
	const char *dot = key.p ? memchr(key.p, '.', key.n) : NULL;
	size_t front = dot ? (size_t)(dot - key.p) : key.n;
	struct slice variable = dot ? (struct slice){ dot + 1, key.n - front - 1 } : SLICE("");
	codec_2x_named_write(w, "component", (struct slice){ key.p, front }, evse, connector);
	codec_2x_named_write(w, "variable", variable, 0, 0);
}

void codec_2x_cannot_write(struct writing *w, const struct event *e)
{
	(void)e;
	w->err = ERR_UNSUPPORTED;
}

static const struct row other[] = {
	{ "evseId", EVENT_AT(evse), AS_INT, 0, NULL },
	{ "requestId", EVENT_AT(request_id), AS_INT64, 0, NULL },
	{ "transactionId", EVENT_AT(tx), AS_TEXT, 0, NULL },
	{ 0 },
};

static const char *action_for(enum ocpp_version v, const struct event *e)
{
	if (e->kind == EV_LIMIT && slice_is(e->word, "Cleared"))
		return "ClearedChargingLimit";
	const struct action *act = catalogue_for_event(v, e->kind);
	return act ? act->name : NULL;
}

static void list_entry(struct reading *r, struct event *token, struct reply *info)
{
	bind_read(r, codec_2x_token, token);
	bind_read(r, codec_2x_token_info, info);
}

/* An entry without a status deletes, so nothing is said about the token. */
static void list_entry_write(struct writing *w, const struct event *token, const struct reply *info)
{
	bind_write(w, codec_2x_token, token);
	if (info->token_status.p)
		bind_write(w, codec_2x_token_info, info);
}

static const struct meanings *const parts[] = { &codec_2x_station, &codec_2x_tx, &codec_2x_csms, NULL };
const struct codec codec_2x = { parts, other, action_for, list_entry, list_entry_write };
