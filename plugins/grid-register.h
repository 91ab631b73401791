/* What one register of a Modbus device says as a limit of the grid operator. No I/O; any thread. */
#ifndef AMPGATE_PLUGINS_GRID_REGISTER_H
#define AMPGATE_PLUGINS_GRID_REGISTER_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct grid_register {
	char type;              /* 's' u16, 'u' u32, 'i' s32, 'f' f32; high word first */
	enum { NO_LIMIT_NEVER, NO_LIMIT_NAN, NO_LIMIT_NEGATIVE, NO_LIMIT_NUMBER } free_when;
	double free_at;         /* NO_LIMIT_NUMBER: this one, before scale */
	double scale;           /* watts per unit */
};

/* Keys type, scale and no_limit ("nan", "negative" or a number; without it every value has to be a limit). */
int grid_register_configure(struct grid_register *r, const cJSON *config, char *err, size_t errlen) MUST_CHECK;
int grid_register_words(const struct grid_register *r); /* 1 or 2 */
/* 0 with watts, INFINITY: no limit; ERR_INVALID with the reason: what it holds is no limit, as a device says that has none to tell. */
int grid_register_read(const struct grid_register *r, const uint16_t *words, double *watts_out, char *fault, size_t room) MUST_CHECK;

#endif
