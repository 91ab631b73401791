/* A relay of the box as a charging station: one station with one EVSE, fed with what a driver (base/plugin.h) reads from the hardware, and
 * telling what the driver shall set. It opens when it is not sure: no reading for a while, a contact that does not do what it was told, a
 * fault of the driver. Loop thread. */
#ifndef AMPGATE_STATION_RELAY_H
#define AMPGATE_STATION_RELAY_H

#include "base/plugin.h"
#include "station/station.h"

struct relay_conf {
	struct station_conf station; /* n_evses is 1 */
	bool on_off;              /* the load cannot be told how much: it runs at max_ma or not at all */
	int64_t refresh_us;       /* the output is told again this often, as the driver's keep-alive; 0: a second */
	int64_t stale_us;         /* without a reading for this long it opens; 0: five seconds */
};

struct relay_events {
	/* What the driver's evse_set shall be called with: per phase of the EVSE, all 0 opens. Called on a change and every refresh_us. */
	void (*output)(void *arg, const double limit_a[3]);
	/* As struct station_events; may be NULL. */
	void (*tx)(void *arg, int evse, enum tx_phase phase, const char *tx, const char *token, int64_t wall_us, double wh, const char *reason);
	/* The link went (a reset, or the other end's doing): the station waits for another relay_connect. May be NULL. */
	void (*unlinked)(void *arg);
};

struct relay;
struct relay *relay_open(const struct relay_conf *conf, const struct relay_events *events, void *arg);
void relay_close(struct relay *r); /* opens the contact, releases the link */

void relay_connect(struct relay *r, struct link *l); /* takes the link's station end, as from link_local_pair; once per link */
void relay_feed(struct relay *r, const ag_evse_state *state); /* the driver read this */
void relay_feed_failed(struct relay *r);                      /* the driver could not read: unknown, not as before */
struct station *relay_station(struct relay *r);               /* for tokens, stops and views */

#endif
