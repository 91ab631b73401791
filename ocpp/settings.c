/* Four request shapes, told apart by the member that holds their list; the answer echoes components and variables as they were asked, since
 * a CSMS compares them (2.0.1 B05, B06). */
#include "ocpp/settings.h"

#include <string.h>

bool setting_read_name(const cJSON *item, struct arena *mem, struct setting *out)
{
	struct slice component = json_text(item, "component.name"), variable = json_text(item, "variable.name");
	struct slice whose = json_text(item, "component.instance"), instance = json_text(item, "variable.instance");
	if (!component.p || !variable.p)
		return false;
	const char *name = arena_printf(mem, "%.*s%s%.*s%s.%.*s%s%.*s%s", SLICE_ARG(component), whose.p ? "[" : "", SLICE_ARG(whose),
	                                whose.p ? "]" : "", SLICE_ARG(variable), instance.p ? "[" : "", SLICE_ARG(instance), instance.p ? "]" : "");
	out->name = slice_of(name);
	out->evse = (int)json_int(item, "component.evse.id", 0);
	out->connector = (int)json_int(item, "component.evse.connectorId", 0);
	out->asked = item;
	return true;
}

static int read_variables(const cJSON *list, struct arena *mem, struct setting *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const cJSON *item = cJSON_GetArrayItem(list, (int)i);
		struct slice attribute = json_text(item, "attributeType");
		if (!setting_read_name(item, mem, &out[i]))
			return ERR_INVALID;
		out[i].value = json_text(item, "attributeValue");
		if (attribute.p && !slice_is(attribute, "Actual"))
			out[i].result = SETTING_NO_ATTRIBUTE;
	}
	return 0;
}

static int read_keys(const cJSON *list, struct setting *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const cJSON *item = cJSON_GetArrayItem(list, (int)i);
		if (!cJSON_IsString(item))
			return ERR_INVALID;
		out[i].asked = item;
		out[i].name = slice_of(item->valuestring);
	}
	return 0;
}

int settings_read(struct frame *f, struct arena *mem, struct setting **out, size_t *n_out)
{
	const cJSON *tree = frame_tree(f), *keys = json_at(tree, "key");
	const cJSON *variables = json_at(tree, "getVariableData");
	if (!variables)
		variables = json_at(tree, "setVariableData");
	int n = cJSON_IsString(keys) ? 1 : cJSON_GetArraySize(variables ? variables : keys);
	*out = arena_new(mem, (size_t)(n + 1) * sizeof(**out));
	*n_out = (size_t)n;
	if (n > SETTINGS_MOST)
		return ERR_TOO_LARGE;
	if (variables)
		return n ? read_variables(variables, mem, *out, (size_t)n) : ERR_INVALID;
	if (!cJSON_IsString(keys))
		return read_keys(keys, *out, (size_t)n);
	**out = (struct setting){ .asked = keys, .name = slice_of(keys->valuestring), .value = json_text(tree, "value") };
	return (*out)->value.p ? 0 : ERR_INVALID;
}

static void write_known_keys(struct json_writer *w, const struct setting *s, size_t n)
{
	jw_array(w, "configurationKey");
	for (size_t i = 0; i < n; i++) {
		if (s[i].result != SETTING_OK)
			continue;
		jw_object(w, NULL);
		jw_text(w, "key", s[i].name);
		jw_bool(w, "readonly", s[i].kind->access == ACCESS_READ);
		if (s[i].kind->access != ACCESS_WRITE)
			jw_text(w, "value", s[i].value);
		jw_end(w, '}');
	}
	jw_end(w, ']');
}

static void write_unknown_keys(struct json_writer *w, const struct setting *s, size_t n)
{
	jw_array(w, "unknownKey");
	for (size_t i = 0; i < n; i++) {
		if (s[i].result != SETTING_OK)
			jw_text(w, NULL, s[i].name);
	}
	jw_end(w, ']');
}

static void write_get_16(struct json_writer *w, const struct setting *s, size_t n)
{
	write_known_keys(w, s, n);
	write_unknown_keys(w, s, n);
}

static void write_set_16(struct json_writer *w, const struct setting *s, size_t n)
{
	static const char *const words[] = {
		[SETTING_OK] = "Accepted", [SETTING_REFUSED] = "Rejected", [SETTING_UNKNOWN] = "NotSupported",
		[SETTING_NO_COMPONENT] = "NotSupported", [SETTING_NO_ATTRIBUTE] = "NotSupported", [SETTING_AT_REBOOT] = "RebootRequired",
	};
	(void)n;
	jw_string(w, "status", words[s->result]);
}

static void write_evse(struct json_writer *w, const cJSON *evse)
{
	if (!evse)
		return;
	jw_object(w, "evse");
	jw_int(w, "id", json_int(evse, "id", 0));
	if (json_at(evse, "connectorId"))
		jw_int(w, "connectorId", json_int(evse, "connectorId", 0));
	jw_end(w, '}');
}

/* A component or a variable as it was asked. */
static void write_asked(struct json_writer *w, const char *key, const cJSON *named)
{
	struct slice instance = json_text(named, "instance");
	if (!named)
		return;
	jw_object(w, key);
	jw_text(w, "name", json_text(named, "name"));
	if (instance.p)
		jw_text(w, "instance", instance);
	write_evse(w, json_at(named, "evse"));
	jw_end(w, '}');
}

void setting_write_asked(struct json_writer *w, const cJSON *asked)
{
	write_asked(w, "component", json_at(asked, "component"));
	write_asked(w, "variable", json_at(asked, "variable"));
}

static void write_variable_results(struct json_writer *w, const char *list, const struct setting *s, size_t n, bool with_value)
{
	static const char *const words[] = {
		[SETTING_OK] = "Accepted", [SETTING_REFUSED] = "Rejected", [SETTING_UNKNOWN] = "UnknownVariable",
		[SETTING_NO_COMPONENT] = "UnknownComponent", [SETTING_NO_ATTRIBUTE] = "NotSupportedAttributeType",
		[SETTING_AT_REBOOT] = "RebootRequired",
	};
	jw_array(w, list);
	for (size_t i = 0; i < n; i++) {
		struct slice attribute = json_text(s[i].asked, "attributeType");
		jw_object(w, NULL);
		jw_string(w, "attributeStatus", words[s[i].result]);
		if (attribute.p)
			jw_text(w, "attributeType", attribute);
		if (with_value && s[i].result == SETTING_OK)
			jw_text(w, "attributeValue", s[i].value);
		setting_write_asked(w, s[i].asked);
		jw_end(w, '}');
	}
	jw_end(w, ']');
}

void settings_write_answer(const struct frame *asked, const struct setting *s, size_t n, struct buf *payload)
{
	bool sets = asked->act->event == CMD_SET_CONFIG;
	struct json_writer w;
	jw_open(&w, payload);
	jw_object(&w, NULL);
	if (asked->version == OCPP16)
		(sets ? write_set_16 : write_get_16)(&w, s, n);
	else
		write_variable_results(&w, sets ? "setVariableResult" : "getVariableResult", s, n, !sets);
	jw_end(&w, '}');
}

/* Takes "Component.Variable[Instance]" apart. */
void setting_write_name(struct json_writer *w, const struct setting *s)
{
	struct slice name = s->name;
	const char *end = name.p + name.n, *dot = memchr(name.p, '.', name.n);
	const char *bracket = memchr(name.p, '[', name.n);
	const char *variable = dot + 1, *variable_end = bracket ? bracket : end;
	jw_object(w, "component");
	jw_text(w, "name", (struct slice){ name.p, (size_t)(dot - name.p) });
	if (s->evse > 0) {
		jw_object(w, "evse");
		jw_int(w, "id", s->evse);
		if (s->connector > 0)
			jw_int(w, "connectorId", s->connector);
		jw_end(w, '}');
	}
	jw_end(w, '}');
	jw_object(w, "variable");
	jw_text(w, "name", (struct slice){ variable, (size_t)(variable_end - variable) });
	if (bracket)
		jw_text(w, "instance", (struct slice){ bracket + 1, (size_t)(end - bracket) - 2 });
	jw_end(w, '}');
}

/* Criteria */

static unsigned words_read(const cJSON *list, const char *const *words)
{
	unsigned bits = 0;
	const cJSON *item;
	cJSON_ArrayForEach(item, list) {
		for (unsigned i = 0; words[i]; i++) {
			if (cJSON_IsString(item) && strcmp(item->valuestring, words[i]) == 0)
				bits |= 1u << i;
		}
	}
	return bits;
}

void report_ask_read(struct frame *f, struct report_ask *out)
{
	static const char *const criteria[] = { "Active", "Available", "Enabled", "Problem", NULL };
	static const char *const monitors[] = { "ThresholdMonitoring", "DeltaMonitoring", "PeriodicMonitoring", NULL };
	const cJSON *tree = frame_tree(f);
	*out = (struct report_ask){
		.request_id = json_int(tree, "requestId", 0),
		.criteria = words_read(json_at(tree, "componentCriteria"), criteria),
		.monitors = words_read(json_at(tree, "monitoringCriteria"), monitors),
		.list = json_at(tree, "componentVariable"),
	};
}

/* "Component" and "Variable[Instance]" against what was asked; an absent member fits everything. */
static bool fits_one(const cJSON *item, const struct setting *s)
{
	const char *dot = memchr(s->name.p, '.', s->name.n), *end = s->name.p + s->name.n;
	const char *bracket = memchr(s->name.p, '[', s->name.n), *stop = bracket ? bracket : end;
	struct slice component = json_text(item, "component.name"), whose = json_text(item, "component.instance");
	struct slice variable = json_text(item, "variable.name"), instance = json_text(item, "variable.instance");
	struct slice own_instance = bracket ? (struct slice){ bracket + 1, (size_t)(end - bracket) - 2 } : (struct slice){ 0 };
	int64_t evse = json_int(item, "component.evse.id", -1), connector = json_int(item, "component.evse.connectorId", -1);
	return slice_eq_nocase(component, (struct slice){ s->name.p, (size_t)(dot - s->name.p) }) && !whose.n &&
	       (!variable.p || slice_eq_nocase(variable, (struct slice){ dot + 1, (size_t)(stop - dot) - 1 })) &&
	       (!instance.p || slice_eq_nocase(instance, own_instance)) && (evse < 0 || evse == s->evse) &&
	       (connector < 0 || connector == s->connector);
}

bool report_ask_names(const struct report_ask *a, const struct setting *s)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, a->list) {
		if (fits_one(item, s))
			return true;
	}
	return !a->list;
}

/* Reports */

static void write_kind(struct json_writer *w, const struct setting_kind *k)
{
	static const char *const types[] = { [TYPE_TEXT] = "string", [TYPE_INT] = "integer", [TYPE_DECIMAL] = "decimal", [TYPE_BOOL] = "boolean",
		[TYPE_TIME] = "dateTime", [TYPE_OPTION] = "OptionList", [TYPE_MEMBERS] = "MemberList", [TYPE_SEQUENCE] = "SequenceList" };
	jw_object(w, "variableCharacteristics");
	if (k->unit)
		jw_string(w, "unit", k->unit);
	jw_string(w, "dataType", types[k->type]);
	if (k->min || k->max)
		jw_int(w, "minLimit", k->min);
	if (k->max)
		jw_int(w, "maxLimit", k->max);
	if (k->values)
		jw_string(w, "valuesList", k->values);
	jw_bool(w, "supportsMonitoring", k->access != ACCESS_WRITE);
	jw_end(w, '}');
}

static void write_reported(struct json_writer *w, const struct setting *s)
{
	static const char *const access[] = { [ACCESS_READ] = "ReadOnly", [ACCESS_WRITE] = "WriteOnly", [ACCESS_BOTH] = "ReadWrite" };
	jw_object(w, NULL);
	setting_write_name(w, s);
	jw_array(w, "variableAttribute");
	jw_object(w, NULL);
	jw_string(w, "type", "Actual");
	if (s->kind->access != ACCESS_WRITE)
		jw_text(w, "value", s->value);
	jw_string(w, "mutability", access[s->kind->access]);
	jw_bool(w, "persistent", s->kind->access != ACCESS_READ);
	jw_end(w, '}');
	jw_end(w, ']');
	write_kind(w, s->kind);
	jw_end(w, '}');
}

int settings_write_report(enum ocpp_version v, int64_t request_id, int64_t seq_no, bool more, int64_t wall_us, const struct setting *s,
                          size_t n, struct buf *payload, const struct action **act_out)
{
	struct json_writer w;
	*act_out = catalogue_find(v, SLICE("NotifyReport"));
	if (!*act_out)
		return ERR_UNSUPPORTED;
	jw_open(&w, payload);
	jw_object(&w, NULL);
	jw_int(&w, "requestId", request_id);
	jw_time(&w, "generatedAt", wall_us);
	jw_int(&w, "seqNo", seq_no);
	jw_bool(&w, "tbc", more);
	jw_array(&w, "reportData");
	for (size_t i = 0; i < n; i++)
		write_reported(&w, &s[i]);
	jw_end(&w, ']');
	jw_end(&w, '}');
	return 0;
}
