/* Shapes as JSON and as an indented list. A shape that holds itself is written to a bounded depth. */
#include "gateway/manage/call-help.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "ocpp/catalogue.h"
#include "ocpp/dictionary.h"

#define DEPTH_MOST 8

static void write_fields(const struct shape *s, const char *key, unsigned depth, struct json_writer *w);

static void write_words(const struct words *words, struct json_writer *w)
{
	const char *word;
	jw_array(w, "words");
	for (size_t i = 0; (word = dictionary_word(words, i)); i++)
		jw_string(w, NULL, word);
	jw_end(w, ']');
}

static void write_field(const struct field_info *f, unsigned depth, struct json_writer *w)
{
	jw_object(w, NULL);
	jw_string(w, "name", f->name);
	jw_string(w, "type", f->kind == FIELD_SHAPE ? dictionary_shape_name(f->shape) : f->kind == FIELD_WORD ? dictionary_words_name(f->words) : dictionary_kind_text(f->kind));
	jw_bool(w, "required", f->required);
	if (f->list) {
		jw_bool(w, "list", true);
		jw_int(w, "list_min", f->list_min);
		if (f->list_max)
			jw_int(w, "list_max", f->list_max);
	}
	if (f->text_max)
		jw_int(w, "length", f->text_max);
	if (f->has_min)
		jw_int(w, "min", f->min);
	if (f->has_max)
		jw_int(w, "max", f->max);
	if (f->tenths)
		jw_bool(w, "tenths", true);
	if (f->kind == FIELD_WORD)
		write_words(f->words, w);
	if (f->kind == FIELD_SHAPE && strcmp(f->name, "customData") != 0)
		write_fields(f->shape, "fields", depth + 1, w);
	jw_end(w, '}');
}

static void write_fields(const struct shape *s, const char *key, unsigned depth, struct json_writer *w)
{
	jw_array(w, key);
	for (size_t i = 0; depth < DEPTH_MOST && i < dictionary_field_count(s); i++) {
		struct field_info f;
		dictionary_field(s, i, &f);
		write_field(&f, depth, w);
	}
	jw_end(w, ']');
}

static bool can_be_asked(enum ocpp_version v, const char *action)
{
	const struct action *act = catalogue_find(v, slice_of(action));
	return act && (act->from & CSMS);
}

static void write_actions(enum ocpp_version v, struct json_writer *w)
{
	const char *action;
	jw_array(w, "actions");
	for (size_t i = 0; (action = dictionary_action(v, i)); i++)
		if (can_be_asked(v, action))
			jw_string(w, NULL, action);
	jw_end(w, ']');
}

int call_help_write(enum ocpp_version v, const char *action, struct json_writer *w)
{
	const struct shape *request = action ? dictionary_shape(v, action, false) : NULL, *response = action ? dictionary_shape(v, action, true) : NULL;
	if (action && !request)
		return ERR_NOT_FOUND;
	jw_object(w, NULL);
	jw_string(w, "version", version_subprotocol(v));
	if (action) {
		jw_string(w, "action", action);
		write_fields(request, "request", 0, w);
		if (response)
			write_fields(response, "response", 0, w);
	} else {
		write_actions(v, w);
	}
	jw_end(w, '}');
	return 0;
}

/* --- for people --- */

static const char *text_of(const cJSON *o, const char *name)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);
	return cJSON_IsString(v) ? v->valuestring : "";
}

static void print_bound(const cJSON *f, const char *name, const char *form)
{
	int64_t n = json_int(f, name, INT64_MIN);
	if (n != INT64_MIN)
		printf(form, (long long)n);
}

static void print_words(const cJSON *words)
{
	const cJSON *word;
	const char *between = ": ";
	cJSON_ArrayForEach(word, words) {
		printf("%s%s", between, word->valuestring);
		between = ", ";
	}
}

static void print_fields(const cJSON *fields, int indent)
{
	const cJSON *f;
	cJSON_ArrayForEach(f, fields) {
		int width = 32 - indent;
		printf("%*s%-*s %s %s%s", indent, "", width > 1 ? width : 1, text_of(f, "name"), json_bool(f, "required", false) ? "required" : "        ",
		       json_bool(f, "list", false) ? "list of " : "", text_of(f, "type"));
		print_bound(f, "length", ", up to %lld characters");
		print_bound(f, "min", ", from %lld");
		print_bound(f, "max", ", to %lld");
		print_bound(f, "list_max", ", at most %lld of them");
		if (json_bool(f, "tenths", false))
			printf(", in tenths");
		print_words(cJSON_GetObjectItem(f, "words"));
		puts("");
		print_fields(cJSON_GetObjectItem(f, "fields"), indent + 2);
	}
}

void call_help_print(const cJSON *help)
{
	const cJSON *action, *actions = cJSON_GetObjectItem(help, "actions"), *response = cJSON_GetObjectItem(help, "response");
	cJSON_ArrayForEach(action, actions)
		puts(action->valuestring);
	if (actions)
		return;
	printf("%s, %s\n", text_of(help, "action"), text_of(help, "version"));
	print_fields(cJSON_GetObjectItem(help, "request"), 2);
	puts(response ? "answer" : "not answered");
	print_fields(response, 2);
}
