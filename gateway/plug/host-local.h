/* Inside the host: what host.c, unit.c, worker.c and host-api.c share. Fields say whose they are, the loop's or the worker's. */
#ifndef AMPGATE_GATEWAY_HOST_LOCAL_H
#define AMPGATE_GATEWAY_HOST_LOCAL_H

#include <pthread.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/timer.h"
#include "gateway/plug/host.h"

#define FAULT_TEXT 256
#define TOKEN_TEXT 256

struct driver {
	struct list entry;
	char name[48];
	const ag_plugin *plugin;
};

struct worker {
	struct list entry;
	char *bus;              /* NULL: of one unit */
	struct host *host;
	struct inbox *inbox;
	pthread_t thread;
	struct list units;      /* the worker's */
	int64_t beat_us;        /* the worker's: when the loop was last heard of */
	int64_t dead_us;        /* how long it may be silent; the worker's */
	size_t n_units;         /* the loop's */
};

struct unit {
	struct list in_host, in_worker;
	struct host *host;
	ag_host api;            /* what its plugin sees of us; ctx is the unit */
	const ag_plugin *plugin;
	void *self;
	uint32_t kind;          /* AG_METER, AG_EVSE, AG_GRID, AG_SINK, AG_AUTH, AG_SCAN */
	bool outlet;            /* AG_EVSE, by its pins */
	int handle;
	char *id;
	struct log log;
	struct worker *worker;  /* NULL: called on the loop */
	host_on_sample *on_sample;
	host_on_state *on_state;
	host_on_pins *on_pins;
	host_on_token *on_token;
	host_on_grid *on_grid;
	host_on_scan *on_scan;
	void *arg;
	bool failing;           /* the last word was a fault; the loop's */
	int64_t heard_us;       /* its last word, or that there was none; the loop's */
	int64_t missed_us;      /* when it was last told that there is none; the loop's */
	bool slow;              /* its plugin once took too long on the loop */
	/* Of whoever calls the plugin: */
	struct timer timer;
	int64_t poll_us, due_us, refresh_us;
	struct wish {           /* the order that is kept alive; all zero: open, pilot steady */
		double amps[3];
		ag_drive drive; /* of an outlet */
	} wish;
	ag_drive driven;        /* the last one that its driver took */
	bool reader_failed;     /* and was reported */
	bool within;            /* a sink's plugin is being called: what it says of itself waits for the next turn of the loop */
	bool scanned;           /* the search is over */
	bool dropped;           /* the loop's: nobody wants to hear of it any more */
};

struct host {
	struct host_events events;
	void *arg;
	struct mailbox *mailbox;
	struct list drivers, units, workers;
	struct timer beat;
	int64_t beaten_us;
	int n_units;
	bool closing;           /* results that arrive now are dropped */
};

/* From a unit's turn to the loop. */
struct report {
	struct mail mail;
	struct unit *unit;
	int rc;
	ag_meter_sample sample;
	ag_evse_state state;
	ag_pins pins;
	ag_drive of;            /* what was driven then */
	char token[TOKEN_TEXT];
	ag_grid_state grid;
	char *json;             /* of a search; NULL: nothing new */
	bool over;
	char fault[FAULT_TEXT];
};

/* unit.c: by whoever calls the unit's plugin, its worker or the loop. */
void unit_turn(struct unit *u);            /* what is due now */
int64_t unit_next(const struct unit *u);   /* when its next turn is */
void unit_order(struct unit *u, const struct wish *wish);
bool unit_is_on(const struct unit *u);     /* its last order closes a contactor, or lets a car draw */
void unit_on_timer(void *unit);            /* its turn on the loop, and the timer for the next one */

/* worker.c: of the loop. */
int worker_for(struct host *h, const char *bus, struct worker **out) MUST_CHECK; /* that of a bus; NULL: a new one */
/* Its unit is new (attach), or has another order. */
void worker_post(struct worker *w, struct unit *u, bool attach, const struct wish *wish);
void worker_post_detach(struct worker *w, struct unit *u);
void worker_detach(struct unit *u);        /* by whoever calls it: not any more, and host_on_gone on the loop */
void worker_end(struct worker *w);
void worker_end_all(struct host *h);
void worker_on_beat(void *host);           /* the loop lives; and who has not answered */

/* host-api.c */
ag_host host_api(struct unit *u);

/* host.c: what worker_detach posts. */
void host_on_gone(struct mail *mail, void *host);

#endif
