/* The other side of an outlet, simulated: cable, car, contactors, lock, residual current device, fan and meter, each of which can fail. It
 * takes what the outlet orders and gives what its pins read. For tests, the sim driver and whoever builds a board. No time of its own, no
 * allocation, no pointers: a struct rig can be copied and compared. */
#ifndef AMPGATE_STATION_RIG_H
#define AMPGATE_STATION_RIG_H

#include "station/outlet.h"

/* What can be broken; one bit each. */
enum rig_fault {
	RIG_WELD_1 = 1 << 0,      /* the contact stays closed once it is */
	RIG_WELD_2 = 1 << 1,
	RIG_DEAD_1 = 1 << 2,      /* the contact never closes */
	RIG_DEAD_2 = 1 << 3,
	RIG_RESIDUAL = 1 << 4,    /* DC flows to earth while a contact is closed */
	RIG_RCD_DEAD = 1 << 5,    /* the device does not trip */
	RIG_RCD_STUCK = 1 << 6,   /* the device does not release */
	RIG_SHORT = 1 << 7,       /* pilot to earth */
	RIG_NO_DIODE = 1 << 8,
	RIG_WRONG_DUTY = 1 << 9,  /* the generator is off by 5 % */
	RIG_MAINS = 1 << 10,      /* no supply */
	RIG_EMERGENCY = 1 << 11,
	RIG_SILENT = 1 << 12,     /* nothing can be read */
	RIG_BAD_CABLE = 1 << 13,  /* no resistor in the cable */
	RIG_LOCK_STUCK = 1 << 14, /* the motor does not move */
	RIG_FAN_DEAD = 1 << 15,
	RIG_GREEDY = 1 << 16,     /* the car draws 5 A more than it is offered */
	RIG_HOT = 1 << 17,        /* 90 degrees */
	RIG_LEAK = 1 << 18,       /* current past the contactor */
	RIG_FAULTS_MOST = 19
};

struct rig {
	bool pilot, second;       /* as the outlet is made */
	/* as whoever plays wants it */
	bool plugged, wants, ventilation; /* a cable with a car; S2 closed; it asks for D instead of C */
	uint8_t car_phases;
	int32_t car_ma;           /* what its charger takes at most, per phase */
	int32_t cable_ohm;        /* proximity resistor */
	int32_t temperature_dc;
	uint32_t broken;          /* enum rig_fault */
	int32_t move_ms;          /* of a contact, from order to contact */
	/* as it is */
	bool contact[2], locked, fan, tripped;
	int32_t contact_ms[2], lock_ms, fan_ms; /* since an order disagrees with what is */
	int32_t i_ma[3];
	int32_t offered_ma;       /* as the car reads the pilot */
};

void rig_open(struct rig *r, const struct outlet_conf *conf);

/* dt_ms passes with these orders; `in` gets the pins (not offer, session and phases, which are the station's). The car's own current is
 * wants ? least(car_ma, offered) : 0; what the car model wants otherwise is set before through car_ma. */
void rig_step(struct rig *r, const struct outlet_out *out, int32_t dt_ms, struct outlet_in *in);

const char *rig_fault_text(enum rig_fault f); /* "weld_1" ... */

#endif
