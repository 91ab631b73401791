/* Register maps: where a meter keeps its values, as data, and the two steps every meter needs: which registers to read, and what they mean
 * as a sample. No I/O: whoever talks to the meter reads the blocks of a map in their order and hands all registers to regmap_decode.
 *
 * Addresses are those on the wire, from 0. A map is a plain struct without pointers; copy it freely. Any thread. */
#ifndef AMPGATE_PLUGINS_REGMAP_H
#define AMPGATE_PLUGINS_REGMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/plugin.h"
#include "base/str.h"

#define REGMAP_FIELDS 32
#define REGMAP_BLOCKS 24
#define REGMAP_REGS 512  /* registers of one sample at most */
#define REGMAP_MISSING 4
#define REGMAP_MOST 125  /* registers in one read, by the protocol */

enum regmap_type { REG_I16, REG_U16, REG_I32, REG_U32, REG_I64, REG_U64, REG_F32, REG_F64 };

/* What a value is. In a sample's units: V, A, W, Wh. Phases follow each other. */
enum regmap_quantity {
	RQ_U, RQ_I = RQ_U + 3, RQ_P = RQ_I + 3,
	RQ_POWER = RQ_P + 3,     /* of all phases */
	RQ_POWER_OUT,            /* where a meter keeps exported power apart: taken off RQ_POWER */
	RQ_IMPORT, RQ_EXPORT,
	RQ_COUNT
};

struct regmap_field {
	uint8_t what;            /* enum regmap_quantity; of two fields for one quantity the first that is available counts */
	uint8_t type;            /* enum regmap_type */
	uint8_t function;        /* 3 holding, 4 input registers */
	bool low_first;          /* the low word of a longer value comes first */
	uint16_t at;
	int32_t exponent_at;     /* an i16 power of ten in the same read, as in SunSpec; -1: none */
	double scale;            /* raw value to V, A, W, Wh; negative turns the sign */
	uint64_t missing[REGMAP_MISSING]; /* raw values that mean "not available", beside those of the type */
	uint8_t n_missing;
	uint64_t overflow;       /* this raw value and all above, up to the highest positive one, mean "out of range"; 0: none */
	uint16_t place, exponent_place; /* in the registers of a sample; set by regmap_plan */
};

struct regmap_block {
	uint8_t function;
	uint16_t at, n;
};

struct regmap {
	char model[48], name[80];
	struct regmap_field fields[REGMAP_FIELDS];
	size_t n_fields;
	unsigned most;           /* registers the meter gives in one read */
	unsigned bridge;         /* unused registers that may be read along to save a read; 0 where a meter refuses undefined addresses */
	unsigned pause_ms;       /* rest the meter wants between two requests */
	bool own_sign;           /* currents carry their sign; else it is taken from the power of the phase */
	struct regmap_block blocks[REGMAP_BLOCKS];
	size_t n_blocks, n_regs; /* set by regmap_plan */
};

/* Computes the blocks. ERR_INVALID: a value longer than a read, an exponent that cannot come in one read with its value, no value at all;
 * ERR_TOO_LARGE: more blocks or registers than there is room for. */
int regmap_plan(struct regmap *m) MUST_CHECK;

/* All registers of a sample, block after block, to values. What is not available stays out of `valid`; where only some of the phases a
 * meter has are known, the whole group is unknown. A phase the meter does not have is NaN. ERR_NOT_FOUND: nothing at all is available. */
int regmap_decode(const struct regmap *m, const uint16_t regs[], ag_meter_sample *out) MUST_CHECK;

/* What the installation adds: transformer ratio (currents, powers and energies times `ct_ratio`), a meter mounted the other way round. */
void regmap_adjust(ag_meter_sample *s, double ct_ratio, bool invert);

/* Why this cannot be a reading of a low-voltage installation (wrong model, wrong word order), or NULL. Static text. */
const char *regmap_implausible(const ag_meter_sample *s);

unsigned regmap_words(enum regmap_type type); /* registers a value of this type takes */

/* Reads a model file. `err` gets file, line, column and the reason. */
int regmap_load(const char *path, struct regmap *out, char *err, size_t errlen) MUST_CHECK;
/* The same for text in memory; `name` stands for the file. */
int regmap_parse(const char *name, struct slice text, struct regmap *out, char *err, size_t errlen) MUST_CHECK;
/* The names of all models in `dir` (NULL: none) and among the installed ones, in the order of the alphabet, each once. */
void regmap_each(const char *dir, void (*see)(void *arg, const char *model), void *arg);
/* Finds MODEL.yaml in `dir` (NULL: none), then among the installed models. */
int regmap_find(const char *model, const char *dir, struct regmap *out, char *err, size_t errlen) MUST_CHECK;

#endif
