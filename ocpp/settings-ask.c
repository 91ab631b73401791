/* One member of the answer tells its kind: configurationKey and unknownKey, a bare status, or a list of variable results. */
#include "ocpp/settings-ask.h"

#include <string.h>

#include "base/json.h"

#define ANSWERS_MOST ((size_t)SETTINGS_MOST * 4)

const struct setting_kind setting_readonly = { .access = ACCESS_READ, .type = TYPE_TEXT };
const struct setting_kind setting_writable = { .access = ACCESS_BOTH, .type = TYPE_TEXT };

size_t settings_set_most(enum ocpp_version v)
{
	return v == OCPP16 ? 1 : 20; /* stations need not take more; they say how many in DeviceDataCtrlr.ItemsPerMessage */
}

/* --- asking --- */

static bool has_variable(const struct setting *s)
{
	const char *dot = s->name.p ? memchr(s->name.p, '.', s->name.n) : NULL;
	return dot && dot > s->name.p && dot + 1 < s->name.p + s->name.n;
}

static int write_variables(struct json_writer *w, const char *list, const struct setting *s, size_t n, bool sets)
{
	int err = n ? 0 : ERR_INVALID;
	jw_array(w, list);
	for (size_t i = 0; i < n && !err; i++) {
		jw_object(w, NULL);
		if (sets)
			jw_text(w, "attributeValue", s[i].value);
		if (has_variable(&s[i]))
			setting_write_name(w, &s[i]);
		else
			err = ERR_INVALID;
		jw_end(w, '}');
	}
	jw_end(w, ']');
	return err;
}

static void write_keys(struct json_writer *w, const struct setting *s, size_t n)
{
	if (!n)
		return;
	jw_array(w, "key");
	for (size_t i = 0; i < n; i++)
		jw_text(w, NULL, s[i].name);
	jw_end(w, ']');
}

int settings_write_get(enum ocpp_version v, const struct setting *s, size_t n, struct buf *payload, const struct action **act_out)
{
	struct json_writer w;
	int err = 0;
	*act_out = catalogue_for_event(v, CMD_GET_CONFIG);
	jw_open(&w, payload);
	jw_object(&w, NULL);
	if (v == OCPP16)
		write_keys(&w, s, n);
	else
		err = write_variables(&w, "getVariableData", s, n, false);
	jw_end(&w, '}');
	return err;
}

int settings_write_set(enum ocpp_version v, const struct setting *s, size_t n, struct buf *payload, const struct action **act_out)
{
	struct json_writer w;
	int err = 0;
	if (!n || n > settings_set_most(v))
		return ERR_INVALID;
	*act_out = catalogue_for_event(v, CMD_SET_CONFIG);
	jw_open(&w, payload);
	jw_object(&w, NULL);
	if (v == OCPP16) {
		jw_text(&w, "key", s->name);
		jw_text(&w, "value", s->value);
	} else {
		err = write_variables(&w, "setVariableData", s, n, true);
	}
	jw_end(&w, '}');
	return err;
}

/* --- what came back --- */

static enum setting_result result_of(struct slice word)
{
	static const struct {
		const char *word;
		enum setting_result result;
	} words[] = {
		{ "Accepted", SETTING_OK }, { "RebootRequired", SETTING_AT_REBOOT }, { "NotSupported", SETTING_UNKNOWN },
		{ "UnknownVariable", SETTING_UNKNOWN }, { "UnknownComponent", SETTING_NO_COMPONENT }, { "NotSupportedAttributeType", SETTING_NO_ATTRIBUTE },
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_is(word, words[i].word))
			return words[i].result;
	return SETTING_REFUSED;
}

static size_t read_keys(const cJSON *known, const cJSON *unknown, struct setting *out)
{
	size_t n = 0;
	const cJSON *item;
	cJSON_ArrayForEach(item, known)
		if (n < ANSWERS_MOST)
			out[n++] = (struct setting){ .name = json_text(item, "key"), .value = json_text(item, "value"),
				.kind = json_bool(item, "readonly", false) ? &setting_readonly : &setting_writable };
	cJSON_ArrayForEach(item, unknown)
		if (n < ANSWERS_MOST && cJSON_IsString(item))
			out[n++] = (struct setting){ .name = slice_of(item->valuestring), .result = SETTING_UNKNOWN };
	return n;
}

static size_t read_results(const cJSON *list, struct arena *mem, struct setting *out)
{
	size_t n = 0;
	const cJSON *item;
	cJSON_ArrayForEach(item, list)
	{
		struct setting s = { .value = json_text(item, "attributeValue"), .kind = &setting_writable,
			.result = result_of(json_text(item, "attributeStatus")) };
		if (n < ANSWERS_MOST && setting_read_name(item, mem, &s))
			out[n++] = s;
	}
	return n;
}

int settings_read_answer(struct frame *answer, struct arena *mem, struct setting **out, size_t *n_out)
{
	const cJSON *tree = answer->kind == FRAME_RESULT ? frame_tree(answer) : NULL;
	const cJSON *known = json_at(tree, "configurationKey"), *unknown = json_at(tree, "unknownKey");
	const cJSON *results = json_at(tree, "getVariableResult");
	struct slice status = json_text(tree, "status");
	*n_out = 0;
	if (!results)
		results = json_at(tree, "setVariableResult");
	if (!tree)
		return ERR_INVALID;
	size_t most = (size_t)(cJSON_GetArraySize(known) + cJSON_GetArraySize(unknown) + cJSON_GetArraySize(results)) + 1;
	*out = arena_new(mem, (most < ANSWERS_MOST ? most : ANSWERS_MOST) * sizeof(**out));
	if (results)
		*n_out = read_results(results, mem, *out);
	else if (status.p)
		(*out)[(*n_out)++] = (struct setting){ .result = result_of(status) };
	else
		*n_out = read_keys(known, unknown, *out);
	return 0;
}
