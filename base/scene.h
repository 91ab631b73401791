/* What a simulated device is told: its configuration, and the JSON object of a file on top of it, read again at each look. A file that is
 * missing or no object changes nothing; {"fail":"text"} is a device that cannot be read. Used by one thread. */
#ifndef AMPGATE_BASE_SCENE_H
#define AMPGATE_BASE_SCENE_H

#include "base/json.h"

struct scene {
	cJSON *config;
	char *file;              /* NULL: none */
	cJSON *now;              /* as the file is; between scene_look and the next */
	char fault[128];
};

/* 0, or ERR_SYNTAX with a text in `err`. */
int scene_open(struct scene *s, const char *config_json, char *err, size_t errlen) MUST_CHECK;
void scene_close(struct scene *s);

bool scene_look(struct scene *s); /* false: told to fail, `fault` says why */

/* From the file, else from the configuration, else `otherwise`. Paths as in base/json.h. */
double scene_number(const struct scene *s, const char *path, double otherwise);
bool scene_bool(const struct scene *s, const char *path, bool otherwise);

#endif
