/* The site of the demo: what is built where, its places on this machine, and the configuration that the daemon gets. All of its processes
 * look at the same struct, filled before any of them starts. */
#ifndef AMPGATE_GATEWAY_DEMO_SITE_H
#define AMPGATE_GATEWAY_DEMO_SITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "ocpp/version.h"

#define DEMO_STATIONS 22
#define DEMO_RELAYS 2
#define DEMO_EVSES (DEMO_STATIONS + DEMO_RELAYS)
#define DEMO_LIMIT_A 250.0   /* of the grid connection, per phase */
#define DEMO_RESERVE_A 20.0  /* kept free for what a building does suddenly */
#define DEMO_GOAL_A (DEMO_LIMIT_A - DEMO_RESERVE_A)
#define DEMO_FALLBACK_A 6.0
#define DEMO_RELAY_A 16.0
#define DEMO_CONSOLE 8080

enum demo_port {
	PORT_STATIONS,
	PORT_CSMS,
	PORT_STANDBY,
	PORT_MAIN,
	PORT_EV,
	PORT_BOARD,
	PORT_RELAY_METERS,
	DEMO_PORTS = PORT_RELAY_METERS + DEMO_RELAYS
};

struct demo_site {
	char dir[64], config[96], models[96], state[96], socket[96], log[96];
	bool miswired;             /* as an installer may find it: see demo_station_lines_built and demo-world.c */
	int console;               /* its port: 8080, or any free one where that is taken */
	int ports[DEMO_PORTS];
	int held[DEMO_PORTS];      /* sockets bound to them that never listen: nobody else gets a port while its server is away */
};

/* Makes the directory, takes the ports, writes the files. Prints why it cannot. */
int demo_site_open(struct demo_site *s, bool miswired) MUST_CHECK;
void demo_site_close(struct demo_site *s); /* removes everything */

const char *demo_station_id(int n, char out[8]);           /* n from 0: "G-01" */
enum ocpp_version demo_station_version(int n);
int demo_station_phases(int n);                            /* 1 or 3 */
void demo_station_lines(int n, uint8_t lines[3]);          /* the grid phases its own are wired to, by the configuration */
/* As they were really built: three stations otherwise where the site is miswired. */
void demo_station_lines_built(const struct demo_site *s, int n, uint8_t lines[3]);
bool demo_station_is_miswired(int n);

#endif
