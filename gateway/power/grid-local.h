/* What the files grid-*.c of this room share: the grid operator's section at work, and each of its inputs. Loop thread. */
#ifndef AMPGATE_GATEWAY_GRID_LOCAL_H
#define AMPGATE_GATEWAY_GRID_LOCAL_H

#include <modbus/modbus.h>

#include "base/json.h"
#include "base/timer.h"
#include "energy/grid.h"
#include "gateway/gateway.h"
#include "gateway/power/grid-inputs.h"

#define BY_MOST 80

struct grid_source {
	struct grid_site *site;
	const struct grid_input_settings *conf;
	int index;              /* in the machine */
	int handle;             /* at the host; -1: none */
	struct modbus_server *server;
	modbus_mapping_t *tables;
	int64_t listen_us;      /* when it is tried again; 0: it listens, or need not */
	int64_t pause_us;       /* before that */
	int writes;             /* that wait for the disk */
	bool lost;              /* one of them is not there */
	int64_t kept_w;         /* the open limit that is kept for the next start; GRID_FREE_W: none is, INT64_MIN: not known */
	/* csms: what it has allowed. */
	bool told;
	int64_t limit_w;
	char by[BY_MOST];       /* the identity and its profile */
	int64_t until_us;       /* wall time; 0: open */
};

struct grid_site {
	struct gateway *gw;
	struct grid *grid;      /* NULL: no such section */
	struct grid_source **sources; /* in the machine's order */
	size_t n;
	int64_t others_w;       /* what the cap leaves to others than EVSEs */
	int node, cap;          /* the circuit, and what holds on it; cap 0: nothing */
	struct timer timer;
	bool running;
	int64_t ahead_us;       /* the wall clock of the monotonic one */
	int64_t looked_us;      /* when we last looked whether somebody is silent */
	bool doubted;           /* evidence was written by a clock that nobody vouches for */
	bool held_up;           /* then it was too late to tell */
	int64_t keep_again_us;  /* when words that could not be kept are tried again; 0: none */
};

/* grid-inputs.c: what the machine has decided goes to the balancer, if it is something else than before. */
void grid_site_step(struct grid_site *g);

/* grid-source.c: what an input says goes to the machine. */
struct grid_source *grid_source_new(struct grid_site *g, const struct grid_input_settings *in);
void grid_source_start(struct grid_source *s);           /* one that its driver refuses is silent, one that cannot listen is deaf, and no failure */
void grid_source_listen_again(struct grid_source *s);    /* if it is time to */
void grid_source_stop(struct grid_source *s);            /* listens no longer */
void grid_source_drop(struct grid_source *s);            /* stops, and frees */
/* Somebody has told it `watts` (GRID_FREE_W: anything) for so long; 0: until the next word. */
void grid_source_told(struct grid_source *s, int64_t watts, int64_t for_us);
void grid_source_recall(struct grid_source *s);          /* what it was told before a restart */
void grid_source_keep_again(struct grid_source *s);      /* the clock was set, or it could not be kept before */
void grid_source_hear_csms(struct grid_source *s);       /* kind csms: what it allows, or that its lane is down */
void grid_source_show(struct grid_source *s);            /* kind server: in its registers */

/* grid-power.c: watts. What charging below the circuit draws, by what stations have reported since that moment; of those that have not, what
 * they may draw. 0: whenever it was. And what the circuit draws, 0 while it feeds; -1: not known. */
int64_t grid_charging_w(const struct grid_site *g, int64_t since_us);
int64_t grid_circuit_w(const struct grid_site *g);
/* What controllable devices beside the EVSEs take: by their meters; of those without a living one, what they may. */
int64_t grid_others_w(const struct grid_site *g);

/* grid-evidence.c: a line of the journal; `arg` is the site. One that cannot be written is tried again until it is. */
void grid_evidence_write(void *arg, const struct grid_evidence *e);
void grid_evidence_clock(struct grid_site *g); /* the clock may be known now: ties those lines to it */
void grid_evidence_forget(void); /* no further attempt */

/* grid-durable.c: what the store was given in this room, words and evidence, and who waits until it is on disk. */
void grid_durable_given(void);                                /* one more; its callback is */
void grid_durable_done(void *arg, int err, int64_t value);    /* this one, or calls it */
bool grid_durable_waits(void);                                /* something is on its way */
/* When all that was given so far is on disk, or why some of it is not; perhaps before this returns. */
void grid_durable_then(const struct gateway *g, void (*done)(void *arg, int err), void *arg);
void grid_durable_forget(const void *arg);                    /* who waits with this argument does so no longer */

/* grid-view.c: members of an open object. What is allowed, who decides, and each input; of a CSMS's limit, whose it is and until when. */
void grid_site_view(const struct grid_site *g, struct json_writer *w);
void grid_site_brief(const struct grid_site *g, struct json_writer *w);
void grid_view_origin(struct json_writer *w, const struct grid_source *s);
void grid_view_limit(struct json_writer *w, int64_t limit_w);

#endif
