/* A YAML file as a tree of nodes that know where they stand. libyaml parses; this keeps what a configuration may use of YAML and refuses the
 * rest: maps with plain text keys, lists and scalars; anchors and aliases, but no tags, no duplicate keys, no merge keys, one document.
 *
 * Nodes, texts and file contents belong to the arena. Scalars are text: what `yes` or `010` means is decided by the row of a table that
 * the value is read for (base/conf.h). An alias is a node of its own that shares the anchor's children, so trees are read, never edited. */
#ifndef AMPGATE_BASE_CONF_YAML_H
#define AMPGATE_BASE_CONF_YAML_H

#include <stdbool.h>

#include "base/error.h"
#include "base/mem.h"

#define CONF_YAML_DEPTH 16
#define CONF_YAML_CHILDREN 4096             /* of one map or list */
#define CONF_YAML_NODES 200000              /* aliases count as what they repeat */
#define CONF_YAML_SIZE (4 * 1024 * 1024)    /* bytes of one file */

struct conf_report;

enum conf_kind { CONF_SCALAR, CONF_MAP, CONF_LIST };

struct conf_file {
	const char *name;  /* as it was opened */
	struct slice text; /* the whole file, for the line under a message */
};

/* Where something stands: lines and columns count from 1, `width` is in characters on that line. */
struct conf_pos {
	const struct conf_file *file; /* NULL: built in */
	unsigned line, col, width;
};

struct conf_node {
	enum conf_kind kind;
	bool quoted;              /* a scalar in quotes: '~' and 'null' in quotes are text */
	const char *text;         /* scalar; NULL otherwise */
	const char *key;          /* inside a map; NULL otherwise */
	struct conf_pos pos, key_pos;
	struct conf_node *first, *last; /* children of a map or list, in the file's order */
	struct conf_node *next;
};

/* Reads a file. An empty one is an empty map. ERR_SYNTAX, ERR_TOO_LARGE or what open() said, with the reason in the report. */
int conf_yaml_read(struct arena *mem, const char *path, struct conf_report *report, struct conf_node **out) MUST_CHECK;

/* The same for text in memory; `name` stands for the file in messages. */
int conf_yaml_parse(struct arena *mem, const char *name, struct slice text, struct conf_report *report, struct conf_node **out) MUST_CHECK;

bool conf_is_null(const struct conf_node *n); /* an empty, `null` or `~` scalar without quotes */
struct conf_node *conf_child(const struct conf_node *map, const char *key); /* NULL: no such key */
void conf_append(struct conf_node *parent, struct conf_node *child);
struct conf_node *conf_at(const struct conf_node *root, const char *const *path, size_t n); /* key by key; NULL: not there */

#endif
