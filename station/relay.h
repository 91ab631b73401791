/* EVSEs of the box as one charging station: fed with what a driver (base/plugin.h) reads from the hardware, and telling what the driver shall
 * set. An EVSE whose driver gives pins has its charging logic here (outlet.h); one whose driver knows charging by itself (a wall box behind
 * Modbus, a bare relay) is fed with its state. Either opens when it is not sure: no reading for a while, a contact that does not do what it
 * was told, a fault of the driver. Loop thread. */
#ifndef AMPGATE_STATION_RELAY_H
#define AMPGATE_STATION_RELAY_H

#include "base/plugin.h"
#include "station/outlet.h"
#include "station/station.h"

struct relay_conf {
	struct station_conf station;
	bool on_off;              /* the load cannot be told how much: it runs at max_ma or not at all */
	bool wake;                /* a sleeping car is woken once after each pause */
	int64_t refresh_us;       /* the output is told again this often, as the driver's keep-alive; 0: a second */
	int64_t stale_us;         /* without a state for this long it opens; 0: five seconds */
	int64_t silent_us;        /* the same without pins; 0: two seconds */
	int derate_c, hot_c;      /* three quarters of the current from here, half three degrees on, nothing from hot_c; 0 and 0: 65 and 71 */
};

struct relay_events {
	/* What the driver's evse_set shall be called with: per phase of the EVSE, all 0 opens. Called on a change and every refresh_us. */
	void (*output)(void *arg, int evse, const double limit_a[3]);
	/* What its evse_drive shall be called with, on a change. May be NULL where no EVSE has pins. */
	void (*drive)(void *arg, int evse, const ag_drive *d);
	/* As struct station_events; may be NULL. */
	void (*tx)(void *arg, int evse, enum tx_phase phase, const char *tx, const char *token, int64_t wall_us, double wh, const char *reason);
	/* The link went (a reset, or the other end's doing): the station waits for another relay_connect. May be NULL. */
	void (*unlinked)(void *arg);
	/* A fault of an outlet came (code as in outlet-fault.c) or went. May be NULL. */
	void (*fault)(void *arg, int evse, const char *code, bool stands);
};

struct relay;
struct relay *relay_open(const struct relay_conf *conf, const struct relay_events *events, void *arg);
void relay_close(struct relay *r); /* opens the contacts, releases the link */

void relay_connect(struct relay *r, struct link *l); /* takes the link's station end, as from link_local_pair; once per link */
void relay_feed(struct relay *r, int evse, const ag_evse_state *state); /* the driver read this */
/* `of`: what had been driven when they were read, at `at_us` (monotonic): on a busy machine a reading of before comes behind an order. */
void relay_feed_pins(struct relay *r, int evse, const ag_pins *pins, const ag_drive *of, int64_t at_us);
void relay_feed_failed(struct relay *r, int evse);                      /* the driver could not read: unknown, not as before */
void relay_card(struct relay *r, int evse, const char *token);          /* a card was shown; evse 0: to a reader of the whole station */
struct station *relay_station(struct relay *r);                         /* for tokens, stops and views */
const struct outlet *relay_outlet(const struct relay *r, int evse);     /* NULL: no pins were read, so there is none */

#endif
