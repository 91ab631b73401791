/* A simulated charging station: the firmware of station/ over a WebSocket, at points of an imagined site. Its people are here too: they plug
 * their car in and show their card until it charges, and show it again before they leave. What really happened goes into a ledger.
 * Loop thread. */
#ifndef AMPGATE_GATEWAY_SIM_STATION_H
#define AMPGATE_GATEWAY_SIM_STATION_H

#include "gateway/sim/sim-ledger.h"
#include "gateway/sim/world.h"
#include "station/station.h"

struct sim_station_conf {
	struct station_conf station;    /* of as many EVSEs as there are points */
	const char *url;                /* the identity is added as its last segment */
	const char *password;           /* HTTP Basic, the identity is the user; NULL: none */
	int64_t retry_min_us, retry_max_us; /* back-off of its connection; 0: 1 s and 30 s */
	struct world *world;
	const int *points;              /* per EVSE; copied */
	struct sim_ledger *ledger;
};

struct sim_station;
struct sim_station *sim_station_open(const struct sim_station_conf *conf); /* borrows the texts of conf.station; connects at once */
void sim_station_close(struct sim_station *s);                             /* the ledger keeps what runs as not ended */

/* After each step of the world: the station reads its hardware, people do what they are about to. */
void sim_station_step(struct sim_station *s);

/* A car comes, and its driver shows this card until it charges. Not where one is. */
void sim_station_arrive(struct sim_station *s, int evse, const struct car_conf *car, const char *card);
/* The driver ends the session with the card and drives away. */
void sim_station_leave(struct sim_station *s, int evse);

enum sim_place { SIM_EMPTY, SIM_ARRIVING, SIM_CHARGING, SIM_LEAVING };
enum sim_place sim_station_place(const struct sim_station *s, int evse);
bool sim_station_online(const struct sim_station *s);    /* connected and accepted */
const struct station *sim_station_firmware(const struct sim_station *s);

/* `ampgate sim station ...`: exit status. */
int sim_station_main(int argc, char **argv);

#endif
