/* Register maps of charge controllers: which register tells the state of the car, and what is written to permit, limit and keep alive. One
 * YAML file for each model, etc/controllers:
 *
 *   model: phoenix-ev-eth            # the name of the file
 *   name: Phoenix Contact EV-CC-AC1-M3-...-ETH
 *   state: {at: 100, function: 4, byte: low, a: [65], b: [66], c: [67], d: [68], e: [69], f: [70]}
 *   enable: {at: 400, function: 5, on: 1, off: 0}    # left out where a current of 0 stops
 *   current: {at: 528, function: 6, per_amp: 1}      # type: f32 takes two registers with function 16
 *   setup: [{at: 258, function: 16, value: 4}]       # written once after each connecting
 *   heartbeat: {at: 3328, function: 16, value: 21930} # written with every order, once a second
 *   pause_ms: 100                                    # rest between two requests
 *
 * Functions: 3 holding and 4 input registers are read, 5 is a coil, 6 one register, 16 several. Addresses are those on the wire, from 0. */
#ifndef AMPGATE_PLUGINS_EVSE_MAP_H
#define AMPGATE_PLUGINS_EVSE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"

struct evse_map_state {
	int at, function;
	int byte;                           /* 0 both, 1 high, 2 low */
	const char *const *letters[6];      /* values that mean A to F */
};

struct evse_map_switch {
	int at, function, on, off;
};

struct evse_map_current {
	int at, function;
	int type;                           /* 0 u16, 1 f32 */
	double per_amp;
};

struct evse_map_set {
	int at, function, value;
};

struct evse_map {
	struct arena mem;
	const char *model, *name;
	int pause_ms;
	struct evse_map_state state;
	const struct evse_map_switch *enable; /* NULL: a current of 0 stops */
	struct evse_map_current current;
	struct evse_map_set *setup;
	size_t n_setup;
	const struct evse_map_set *heartbeat; /* NULL: none */
};

/* `err` gets file, line, column and the reason. */
int evse_map_load(const char *path, struct evse_map *out, char *err, size_t errlen) MUST_CHECK;
int evse_map_parse(const char *name, struct slice text, struct evse_map *out, char *err, size_t errlen) MUST_CHECK;
/* Finds MODEL.yaml in `dir` (NULL: none), then among the installed controllers. */
int evse_map_find(const char *model, const char *dir, struct evse_map *out, char *err, size_t errlen) MUST_CHECK;
void evse_map_free(struct evse_map *m);

char evse_map_letter(const struct evse_map *m, uint16_t value); /* 0: the map does not know it */

#endif
