/* What a dictionary text says, between its reader (dictc-read.c) and the writer of the tables (dictc.c). Build time only; memory is never
 * freed. */
#ifndef AMPGATE_OCPP_DICTC_H
#define AMPGATE_OCPP_DICTC_H

#include <stdlib.h>
#include <string.h>

#include "ocpp/dictionary-tables.h"

struct spec { /* a field */
	char *name;
	bool required, list;
	int list_min, list_max;
	struct type type;  /* ref is set when it is written */
	char *refers_to;   /* FIELD_SHAPE or FIELD_WORD once resolved; NULL for the others */
	int line;
};

struct object {
	char *name;
	struct spec *fields;
	int count;
	bool open, ours, used; /* ours: written down in this file, not taken over from another version */
	int line;
};

struct enumeration {
	char *name, **words;
	int count;
	bool ours, used;
	int line;
};

struct call {
	char *name;
	struct object request, response;
	bool answered;
};

struct version {
	const char *file;
	char *label;
	struct call *calls;
	struct object *objects;
	struct enumeration *enums;
	int n_calls, n_objects, n_enums;
	struct spec everywhere; /* name NULL: no such field */
};

extern const char *dictc_file; /* where we are, for messages */
extern int dictc_line;
void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn)); /* names the place and ends the program */

void *grow(void *p, int count, size_t size); /* realloc that cannot fail */
#define APPEND(array, count) \
	((array) = grow((array), ++(count), sizeof(*(array))), memset(&(array)[(count) - 1], 0, sizeof(*(array))), &(array)[(count) - 1])

/* Reads a file into all[n]; it may be based on a version read before it. */
void read_file(struct version *all, int n, const char *path);
struct object *find_object(struct version *v, const char *name);    /* NULL: there is none */
struct enumeration *find_enum(struct version *v, const char *name);

#endif
