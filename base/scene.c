/* A file that somebody is writing is read half now and then: it is no object, and the configuration alone holds until the next look. */
#include "base/scene.h"

#include <stdio.h>

#include "base/file.h"
#include "base/mem.h"

#define FILE_MOST 16384

int scene_open(struct scene *s, const char *config_json, char *err, size_t errlen)
{
	*s = (struct scene){ .config = json_parse(slice_of(config_json)) };
	if (!cJSON_IsObject(s->config)) {
		cJSON_Delete(s->config);
		snprintf(err, errlen, "the configuration is not a JSON object");
		return ERR_SYNTAX;
	}
	struct slice file = json_text(s->config, "file");
	s->file = file.p ? mem_text(file) : NULL;
	return 0;
}

void scene_close(struct scene *s)
{
	cJSON_Delete(s->config);
	cJSON_Delete(s->now);
	mem_free(s->file);
}

static cJSON *read_file(const char *path)
{
	struct buf text = { 0 };
	cJSON *tree = path && file_read(path, FILE_MOST, &text) == 0 ? json_parse(buf_view(&text)) : NULL;
	buf_free(&text);
	return tree;
}

bool scene_look(struct scene *s)
{
	cJSON_Delete(s->now);
	s->now = read_file(s->file);
	struct slice why = json_text(s->now, "fail");
	snprintf(s->fault, sizeof(s->fault), "%.*s", SLICE_ARG(why));
	return !why.p;
}

double scene_number(const struct scene *s, const char *path, double otherwise)
{
	return json_number(s->now, path, json_number(s->config, path, otherwise));
}

bool scene_bool(const struct scene *s, const char *path, bool otherwise)
{
	return json_bool(s->now, path, json_bool(s->config, path, otherwise));
}
