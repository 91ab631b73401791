/* Event and reply fields bound to places in a payload, by rows. A row is read leniently and written strictly: what has the wrong type
 * counts as absent, what is absent is left out or takes the row's `otherwise`. Inside ocpp/ only; codec-16.c and codec-2x.c are the
 * tables. */
#ifndef AMPGATE_OCPP_BIND_H
#define AMPGATE_OCPP_BIND_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "base/json.h"
#include "base/mem.h"
#include "ocpp/catalogue.h"
#include "ocpp/event.h"
#include "ocpp/version.h"

enum as {              /* the field's type; when it counts as absent */
	AS_TEXT,       /* slice; absent. Written cut to `most` bytes */
	AS_DIGITS,     /* slice with an integer's digits, never a double on the way; absent. Written without quotes */
	AS_INT,        /* int; negative */
	AS_COUNT,      /* int; zero and negative */
	AS_INT64,      /* int64_t; negative */
	AS_COUNT64,    /* int64_t; zero and negative */
	AS_TIME,       /* int64_t, wall microseconds; zero */
	AS_NOW,        /* the same, written as the present time when zero */
	AS_WH,         /* double; NaN. Written as an integer */
	AS_TRUE,       /* bool; false */
	AS_TOKEN,      /* 2.x IdToken object: two slices in a row, the token and its type; absent */
	AS_GROUP,      /* 2.x IdToken object: one slice; absent */
	AS_FIXED       /* no field: `otherwise` is written */
};

struct row {
	const char *path;      /* dotted; written with one dot at most. Rows of one inner object stand together. NULL ends the table */
	uint16_t at;           /* offset in the event or reply */
	uint8_t as;
	uint16_t most;         /* AS_TEXT: 0: unbounded */
	const char *otherwise; /* JSON text written when the field is absent; NULL: nothing is written */
};

#define EVENT_AT(field) offsetof(struct event, field)
#define REPLY_AT(field) offsetof(struct reply, field)

struct reading {
	const cJSON *tree; /* of the payload; NULL: empty */
	struct slice payload;
	struct arena *mem;
	enum ocpp_version version;
};

struct writing {
	struct json_writer w;
	enum ocpp_version version;
	int err; /* the first failure; the payload is then dropped */
};

/* What one action's payloads mean. Hooks read what rows cannot say, after them; a write hook writes all members itself. */
struct meaning {
	const char *action;
	const char *tx; /* path of the transaction id in the CALL; NULL: none */
	const struct row *call;
	void (*read_call)(struct reading *r, struct event *e);
	void (*write_call)(struct writing *w, const struct event *e);
	const struct row *answer;
	void (*read_answer)(struct reading *r, struct reply *out);
	void (*write_answer)(struct writing *w, const struct reply *r);
};

struct meanings {
	const struct meaning *rows;
	size_t count;
};

/* A version family. */
struct codec {
	const struct meanings *const *parts; /* ends with NULL */
	const struct row *other_call; /* read where an action has no meaning of its own in the table: where it happens, and ids */
	/* The action that says this; NULL: none does. */
	const char *(*action_for)(enum ocpp_version v, const struct event *e);
	/* One entry of SendLocalList. */
	void (*list_entry)(struct reading *r, struct event *token, struct reply *info);
	void (*list_entry_write)(struct writing *w, const struct event *token, const struct reply *info);
};
extern const struct codec codec_16, codec_2x;

void bind_read(struct reading *r, const struct row *rows, void *fields);
void bind_write(struct writing *w, const struct row *rows, const void *fields); /* members into the object that is open */

/* The rows by which a CALL is read. Ends with a row without a path. */
const struct row *codec_call_rows(enum ocpp_version v, const struct action *act);

/* Single values, for hooks. */
void bind_token(struct writing *w, const char *key, struct slice token, struct slice type);
int64_t bind_time(const cJSON *tree, const char *path); /* 0: absent or unreadable */
bool bind_word_in(struct slice word, const char *const *words); /* NULL-terminated */

#endif
