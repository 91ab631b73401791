/* One outlet: the machine between a car's cable and the contactor that feeds it (IEC 61851-1:2017, mode 3, basic signalling). From the pins
 * as read, the permission of the station and the time that passed it decides pilot, contactors, lock, fan and self-test.
 *
 * Pure: no I/O, no clock, no allocation, no pointers inside; a struct outlet can be copied, compared and moved to a microcontroller. Call
 * outlet_step every 10 to 20 ms where the program itself has to keep the times of the standard; the longest step it looks at is a second. */
#ifndef AMPGATE_STATION_OUTLET_H
#define AMPGATE_STATION_OUTLET_H

#include <stdbool.h>
#include <stdint.h>

#include "station/outlet-fault.h"

#define OUTLET_UNKNOWN INT32_MIN /* a value that nothing measures */

/* What the outlet is made of; what is not there is neither ordered nor looked at. */
struct outlet_conf {
	bool pilot;         /* false: a load that is on or off, without a control pilot */
	bool socket;        /* a cable can be unplugged here, so its proximity contact codes what it carries */
	bool lock;          /* a motor locks the plug and tells its place */
	bool feedback[2];   /* mirror contacts of the first and second contactor */
	bool second;        /* a second contactor carries L2 and L3: one or three phases */
	bool residual;      /* a residual current device reports */
	bool residual_test; /* and can be tested */
	bool mains, emergency, fan;
	bool wake_e;        /* a sleeping car is woken by 0 V (state E) where the board can, else by -12 V (F) */
	bool wake;
	int32_t max_ma;     /* rating of the outlet per phase */
	int32_t min_ma;     /* less is no offer: 6000; for a load without pilot max_ma */
	int32_t silent_ms;  /* without readings for this long it opens */
	int32_t derate_dc;  /* temperatures in tenths of a degree: from here on three quarters of the rating, */
	int32_t halve_dc;   /* here half of it, */
	int32_t hot_dc;     /* here nothing; each is left 3 degrees lower. OUTLET_UNKNOWN: no thermometer */
	int32_t switches_most; /* changes between one and three phases for each car; the last one is to one */
};

/* The pins, as read, and what the station wants. */
struct outlet_in {
	bool late;            /* read before the hardware had the orders of now: what disagrees with them says nothing yet */
	bool known;           /* the hardware answered; else nothing else here counts but offer_ma, session and phases */
	int32_t high_mv, low_mv; /* plateaus of the pilot; equal without PWM */
	int32_t duty;         /* as measured; OUTLET_UNKNOWN: it is not */
	int32_t proximity_ohm;
	bool plugged;         /* without a pilot: a load is there */
	bool closed[2];       /* feedback */
	bool residual;        /* the residual current device has tripped */
	bool mains, emergency, locked, fan_runs;
	int32_t temperature_dc;
	int32_t i_ma[3];      /* drawn, own phases; OUTLET_UNKNOWN */
	/* from the station */
	int32_t offer_ma;     /* 0: no permission */
	bool session;         /* a cable belongs to somebody: it stays locked */
	uint8_t phases;       /* 1 or 3, where there is a second contactor */
};

enum pilot_drive { PILOT_STEADY, PILOT_PWM, PILOT_OFF, PILOT_NEGATIVE }; /* +12 V, square wave, 0 V (state E), -12 V (state F) */

struct outlet_out {
	uint8_t pilot;        /* enum pilot_drive */
	uint16_t duty;        /* hundredths of a percent, with PILOT_PWM */
	bool close[2];
	bool lock, fan, residual_test;
};

enum outlet_state {
	OUTLET_START,         /* nothing is believed yet: steady pilot, all open */
	OUTLET_IDLE,          /* A: no car */
	OUTLET_CONNECTED,     /* B1, C1: a car, no permission */
	OUTLET_PREPARING,     /* permission: lock, test, the break before a new PWM */
	OUTLET_OFFERING,      /* B2: PWM; the car may ask */
	OUTLET_WAKING,        /* the car did not ask for half a minute: E or F, then a steady level, then PWM once more */
	OUTLET_CHARGING,      /* C2, D2: closed */
	OUTLET_STOPPING,      /* closed, PWM taken away: the car has six seconds to stop drawing */
	OUTLET_OPENING,       /* ordered open, not yet open for certain */
	OUTLET_SWITCHING,     /* between one and three phases */
	OUTLET_FAULTED,
};

enum { TEST_NONE, TEST_TRIPPING, TEST_RELEASING, TEST_PASSED, TEST_FAILED };

struct outlet {
	struct outlet_conf conf;
	struct outlet_in pins; /* as last known */
	struct outlet_out out;
	uint8_t state;        /* enum outlet_state */
	char letter;          /* pilot, debounced: 'A' to 'F'; without a pilot 'A' or 'C'; 0: not known yet */
	char raw;             /* pilot, as last read */
	bool plugged;         /* a car is there; kept while the pilot tells nothing */
	bool diode;           /* the car's diode was seen under this PWM */
	bool asked;           /* the car has asked under this permission */
	bool woken;           /* it was woken under this permission */
	bool open;            /* no contact is closed, as far as can be told */
	bool draws, still;    /* more than an ampere on some phase; less on every one. Neither where it is not measured */
	bool tells_f;         /* this time in FAULTED had its -12 V, or has it now */
	uint8_t phases;       /* switched now; 0: not chosen yet */
	uint8_t derated;      /* 0: all of the rating, 1: three quarters, 2: half, 3: nothing */
	uint8_t test;         /* of the residual current device */
	uint8_t lock_tries;
	uint8_t switches;
	uint32_t standing;    /* faults, one bit each */
	int32_t offer_ma;     /* what is offered or may be offered now; 0: nothing */
	int32_t cable_ma;     /* by the proximity contact, kept while a car is plugged; 0: none */
	/* Times in ms. Each stops at the longest that anybody asks for, so that equal situations are equal structs. */
	int32_t raw_ms;       /* since `raw` last changed */
	int32_t state_ms;     /* since the state changed */
	int32_t pwm_ms;       /* since the duty last changed */
	int32_t steady_ms;    /* since there is no PWM */
	int32_t order_ms[2];  /* since each contactor's order last changed */
	int32_t lock_ms, test_ms, ask_ms, fan_ms, silent_ms, diode_ms;
	int32_t held_ms[OUTLET_FAULTS], gone_ms[OUTLET_FAULTS]; /* seen without a break; absent while standing */
	uint8_t tries[OUTLET_FAULTS];                           /* times forgiven for this car */
};

void outlet_open(struct outlet *o, const struct outlet_conf *conf);
/* dt_ms: since the last call. The result is in o->out. */
void outlet_step(struct outlet *o, const struct outlet_in *in, int32_t dt_ms);

/* The fault to report, or OUTLET_FAULTS. */
enum outlet_fault outlet_first_fault(const struct outlet *o);
static inline bool outlet_has(const struct outlet *o, enum outlet_fault f)
{
	return o->standing & UINT32_C(1) << f;
}
const char *outlet_state_text(enum outlet_state s);

/* outlet-watch.c: from the pins to faults, offer and what is plugged. */
void outlet_watch(struct outlet *o, int32_t dt_ms);
bool outlet_blocked(const struct outlet *o, enum fault_act worst); /* a standing fault acts at least this hard (ACT_OPEN is hardest) */
#define OUTLET_STEP_MOST_MS 1000
static inline void outlet_pass(int32_t *ms, int32_t dt_ms, int32_t most_ms)
{
	*ms = *ms + dt_ms < most_ms ? *ms + dt_ms : most_ms;
}

#endif
