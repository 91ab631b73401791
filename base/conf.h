/* Settings from tables. A row names a key, its type, range, default, when a change takes effect, where the value goes and what it is for;
 * the reader, --print-config, docs/CONFIG.md and every message come from the same row.
 *
 *   files -> conf_yaml_read -> conf_merge (layer over layer) -> conf_fill (by rows, into plain structs) -> conf_resolve (references)
 *
 * Nothing stops at the first mistake: functions put messages into a report, each with file, line and column, and the caller looks at
 * report->errors in the end. Loop thread only. */
#ifndef AMPGATE_BASE_CONF_H
#define AMPGATE_BASE_CONF_H

#include "base/buf.h"
#include "base/conf-yaml.h"
#include "base/map.h"

/* ---- messages ---- */

enum conf_severity { CONF_ERROR, CONF_WARNING };

struct conf_message {
	enum conf_severity severity;
	const char *file; /* as it was opened; "built-in" when no file said it */
	unsigned line, col, width;
	const char *text;
	const char *hint;   /* NULL: none */
	const char *source; /* the line of the file; NULL when there is none */
};

#define CONF_MESSAGES 200 /* more are counted, not kept */

/* Zero-initialise; outlives the settings it speaks about. */
struct conf_report {
	struct arena mem;
	struct conf_message *messages;
	size_t n, room;
	unsigned errors, warnings;
};

/* `hint` may be NULL; it is copied. */
void conf_say(struct conf_report *r, enum conf_severity severity, const struct conf_pos *pos, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void conf_report_print(const struct conf_report *r, struct buf *out); /* sorted by nothing: in the order in which they were found */
void conf_report_free(struct conf_report *r);

/* ---- tables ---- */

enum conf_type {
	CONF_TEXT,     /* const char *; min and max are lengths in bytes, 255 when not said */
	CONF_ID,       /* const char *: [a-z0-9-]{1,40} */
	CONF_IDENTITY, /* const char *: an OCPP identity, up to 48 of its characters */
	CONF_INT,      /* int */
	CONF_NUMBER,   /* double; min and max in thousandths */
	CONF_BOOL,     /* bool: true or false */
	CONF_AMPS,     /* int32_t milliamperes, written in amperes */
	CONF_PHASE_AMPS, /* int32_t[3]: one number for all phases, or [L1, L2, L3] */
	CONF_PHASES,   /* uint8_t: PHASE_L1 | PHASE_L2 | PHASE_L3 */
	CONF_DURATION, /* int64_t microseconds: 500ms 10s 15m 36h 90d */
	CONF_SIZE,     /* int64_t bytes: 65536, 64KiB, 64MiB, 2GiB */
	CONF_PERCENT,  /* int: 50% */
	CONF_CHOICE,   /* int: index in .words */
	CONF_CHOICES,  /* unsigned: bit per word of .words, from a list */
	CONF_TEXTS,    /* const char *const *: NULL-terminated, never NULL; each one of .words where there are some */
	CONF_PATH,     /* const char *: a file that must be readable when the configuration is checked */
	CONF_SECRET,   /* const char *: cred:NAME, or a literal with a warning; {id} stands for the object's id */
	CONF_SECRET_PATH, /* const char *: the path of the file that cred:NAME stands for, or a path */
	CONF_REF,      /* pointer to an object of the section .refers (.table: its table), set by conf_resolve; NULL when absent */
	CONF_SECTION,  /* struct, in place: .table */
	CONF_MAYBE,    /* pointer to a struct, NULL when absent: .table */
	CONF_OBJECTS,  /* map by id: pointer to an array of structs, followed by its size_t count; the struct begins with const char *id */
	CONF_ITEMS,    /* list of maps: pointer to an array of structs, followed by its size_t count */
	CONF_SPECIAL   /* .read knows */
};

enum { PHASE_L1 = 1, PHASE_L2 = 2, PHASE_L3 = 4, PHASE_ALL = 7 };

/* What has to happen before a changed value is in force. */
enum conf_effect { AT_ONCE, AT_RELISTEN, AT_RECONNECT, AT_RESTART };

struct conf_fill;
struct conf_table;

struct conf_row {
	const char *name;
	enum conf_type type;
	int64_t min, max;        /* in the stored unit; both 0: no range */
	const char *preset;      /* as it would be written; NULL: zero, NULL, false */
	enum conf_effect takes_effect;
	size_t at;
	const char *help;        /* one sentence */
	bool required;           /* whenever the map around it is there */
	bool at_times;           /* has an effect only beside some other value: its preset is not printed */
	const char *const *words; /* NULL-terminated */
	const char *later;       /* words that are known and refused as not available yet, separated by spaces */
	const char *refers;      /* CONF_REF: section, "circuits" */
	const struct conf_table *table;
	int (*read)(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at); /* CONF_SPECIAL; CONF_SECRET that is used later */
	const char *shape;       /* CONF_SPECIAL: what the manual says about the form */
};

struct conf_table {
	const char *noun;  /* "circuit": for messages */
	size_t size;       /* of the struct */
	bool ids_are_identities; /* CONF_OBJECTS keys are OCPP identities, else CONF_ID */
	enum conf_effect takes_effect; /* no key in it takes effect with less than that, nor one that comes or goes as a whole */
	const struct conf_row *rows; /* ends with a row without a name */
};

/* A node that a later step has to look at again. */
struct conf_use {
	const struct conf_row *row;
	const struct conf_node *node;
	const char *id; /* of the object it stands in; NULL: none */
	void *at;
};

/* One filling: lives as long as the structs it filled. */
struct conf_fill {
	struct arena *mem;
	struct conf_report *report;
	struct map objects;     /* "circuits/row-a" -> struct */
	struct map sections;    /* "circuits" -> struct conf_names: what is defined, for "did you mean" */
	struct conf_use *uses;  /* references, paths, secrets: in the order of the file */
	size_t n_uses, uses_room;
	const char *id;         /* of the object being filled; NULL outside */
	/* Turns CONF_SECRET text into the secret (or the path of its file). NULL and a message when it cannot. */
	const char *(*secret)(void *arg, struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, const char *id);
	void *secret_arg;
};

/* `over` on top of `base`, deep: maps merge, everything else replaces, null stays as the mark that takes a key away. Either may be NULL.
 * Builds new nodes where both have something to say, shares the others. */
struct conf_node *conf_merge(struct arena *mem, const struct conf_node *base, const struct conf_node *over);

/* The values of `map` (NULL: none), presets for the others; says what is missing or unknown. `object` is zeroed memory of table->size. */
void conf_fill(struct conf_fill *f, const struct conf_table *table, const struct conf_node *map, void *object);

/* One value by its row; what CONF_SPECIAL readers call for their parts. 0 or ERR_INVALID with a message. */
int conf_read(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at);

void conf_resolve(struct conf_fill *f); /* every CONF_REF: sets the pointer or says what is not defined */
void conf_fill_free(struct conf_fill *f); /* maps and lists of the filling; not the arena, not the report */

/* "G-[01-11]" -> 11 names with the width of the first number. Calls `each` in order; 0, or ERR_SYNTAX / ERR_TOO_LARGE with a message at
 * the key. A key without brackets is called once with at 0. */
#define CONF_RANGE 1000
int conf_range(struct conf_report *r, const struct conf_node *keyed, void (*each)(void *arg, const char *name, size_t at), void *arg);
bool conf_is_range(const char *key);

/* For CONF_SPECIAL readers: remembers a node for a later step (references, paths). */
void conf_use_add(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at);

/* The object of a section ("circuits"), or NULL. */
void *conf_object(const struct conf_fill *f, const char *section, const char *id);

/* Readers of single texts, for whoever has no row: 0 or ERR_SYNTAX / ERR_TOO_LARGE. */
int conf_duration(const char *text, int64_t *us_out) MUST_CHECK;
int conf_size(const char *text, int64_t *bytes_out) MUST_CHECK;
int conf_milli(const char *text, int64_t *thousandths_out) MUST_CHECK; /* "6.5" -> 6500 */
#define CONF_VALUE_TEXT 32
char *conf_value_text(enum conf_type type, int64_t value, char out[CONF_VALUE_TEXT]); /* a stored number as it would be written */
bool conf_id_ok(const char *text);       /* [a-z0-9-]{1,40} */
bool conf_identity_ok(const char *text); /* OCPP identity: 1 to 48 of letters, digits and *-_=:+|@. */

/* The effective values as YAML, secrets as "***"; with `origin` each line says which file and line it comes from. */
void conf_print(const struct conf_table *table, const struct conf_node *map, bool origin, struct buf *out);
void conf_value_print(struct buf *out, const struct conf_node *n); /* one value in one line, as it could be written; secrets too */

enum conf_effect conf_effect(const struct conf_table *table, const struct conf_row *row); /* of a row in this table */
const char *conf_effect_text(enum conf_effect e); /* "at once", "listener opens again", "connects again", "at restart" */

void conf_value_show(struct buf *out, const struct conf_node *n);  /* the same for people: in a map, what is called a password, token or secret is "***" */
/* For forms: the rows of a table and of all below it; the values that were written, each as {path, value, file, line}, secrets "***"; and
 * "path" of what a message points at, null where it is nowhere in `root` (NULL: there is no tree). */
struct json_writer;
void conf_write_schema(const struct conf_table *table, const char *key, struct json_writer *w);
void conf_write_values(const struct conf_table *table, const struct conf_node *map, const char *key, struct json_writer *w);
void conf_write_place(const struct conf_node *root, const struct conf_message *m, struct json_writer *w);

/* A tree as a YAML file again, as it was read: no presets, nothing masked. */
void conf_write(const struct conf_node *map, struct buf *out);

/* One difference between two configurations. Texts live during the callback. */
struct conf_change {
	const char *path;         /* "stations.G-01.max_current_a" */
	const char *from, *to;    /* as they would be written, "present" for objects, secrets "***"; NULL: not there */
	enum conf_effect effect;
};
/* From `a` to `b`, in the order of the table. A preset written down is no difference. */
void conf_diff(const struct conf_table *table, const struct conf_node *a, const struct conf_node *b,
               void (*each)(void *arg, const struct conf_change *c), void *arg);
/* The manual's tables in Markdown, one per section. */
void conf_write_doc(const struct conf_table *table, struct buf *out);
/* The same in mdoc, as subsections, for a manual page. */
void conf_write_man(const struct conf_table *table, struct buf *out);

#endif
