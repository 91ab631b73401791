/* Everything that can be wrong with an outlet: one row for each fault says how long it must last to count, what the outlet does about it
 * and how it comes back. The detectors are in outlet-watch.c. */
#ifndef AMPGATE_STATION_OUTLET_FAULT_H
#define AMPGATE_STATION_OUTLET_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/* In order of precedence: the first that stands is the one that is reported. */
enum outlet_fault {
	FAULT_EMERGENCY,     /* the emergency stop is pressed */
	FAULT_RESIDUAL,      /* 6 mA DC or 30 mA AC, as the residual current device says */
	FAULT_WELDED,        /* a contact is closed that was ordered open */
	FAULT_STRAY,         /* current flows though the contactor is open: welded, or wired past the contactor */
	FAULT_PINS,          /* nothing was read from the hardware for too long */
	FAULT_MAINS,         /* no supply */
	FAULT_NOT_CLOSING,   /* a contact is open that was ordered closed */
	FAULT_RESIDUAL_TEST, /* the residual current device did not trip, or did not release, when tested */
	FAULT_PILOT_SHORT,   /* 0 V or a negative level where we drive +12 V: shorted to earth, or the wire is broken off */
	FAULT_DIODE,         /* no negative half wave: no car, but a resistor or a body */
	FAULT_DUTY,          /* the pilot that was measured is not the one that was ordered */
	FAULT_CABLE,         /* the proximity contact codes no cable */
	FAULT_OVERCURRENT,   /* the car draws more than it is offered */
	FAULT_HOT,           /* too warm even for the derated current */
	FAULT_VENTILATION,   /* the car asks for ventilation, and there is none or it does not run */
	FAULT_LOCK,          /* the plug could not be locked, or came loose */
	FAULT_UNLOCK,        /* the plug could not be released */
	OUTLET_FAULTS
};

/* What a standing fault does. */
enum fault_act {
	ACT_OPEN,            /* the contactor opens at once */
	ACT_SOFT,            /* the car is asked first by taking the PWM away, and has six seconds */
	ACT_TELL,            /* nothing: charging goes on */
};

struct outlet_fault_row {
	const char *code;    /* ours, for logs and the event list */
	const char *ocpp;    /* the errorCode of 1.6 */
	uint16_t after_ms;   /* it counts when it has lasted this long */
	uint8_t act;         /* enum fault_act */
	bool pilot_f;        /* the car is told by -12 V (state F) for a moment, then by a steady level */
	bool until_unplug;   /* it stands until the car is gone, but for the retries */
	uint32_t gone_ms;    /* and has been absent for this long */
	uint32_t retry_ms;   /* until_unplug: absent for this long it is forgiven with the car still there ... */
	uint8_t retries;     /* ... this often for each car */
	bool of_order;       /* the pins disagree with an order: seen only in readings that are of it */
	const char *text;
};

extern const struct outlet_fault_row outlet_faults[OUTLET_FAULTS];

#endif
