/* The plugin ABI (man ampgate-plugin(3)): what a meter, a relay or a telemetry sink offers to the program. C11, no other dependency.
 *
 * Structs start with their size and grow at the end, as sqlite3_io_methods does; a plugin checks `size` before it uses a later member.
 * Every function of a plugin with AG_F_THREAD is called on one worker thread of its own and may block there, but for create, bus, destroy and
 * publish: these run on the loop (create before the worker knows the object, destroy after it has forgotten it), and do not block. Without the
 * flag all are called on the loop and return within 5 ms. Functions of the host may be called from the plugin's worker unless they say otherwise.
 *
 * How long a call on a worker may last: it delays the other objects of its worker (see bus) and nothing else, but what it reads is as old as it
 * was slow. Keep connecting, looking up a name and reading together well below `poll` and far below `stale_after` (1 s and 5 s unless the
 * configuration says otherwise), each with a limit of its own: nobody interrupts a call, and the program's end waits for the one that is under
 * way, with no limit of its own.
 *
 * Whatever is negative is a failure: only its text (`err`, `fault`) is shown, the number is not read as an errno. */
#ifndef AMPGATE_PLUGIN_H
#define AMPGATE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#define AMPGATE_PLUGIN_ABI 1

enum { AG_METER = 1, AG_EVSE = 2, AG_BALANCER = 4, AG_GRID = 8, AG_AUTH = 16, AG_SINK = 32, AG_SCAN = 64 };
enum { AG_F_THREAD = 1 };

/* Bits of ag_meter_sample.valid. What is not valid is unknown, never 0. The struct may grow: a driver sets single members, and neither assigns
 * it whole nor clears it, which the host has done before each call.
 *
 * i_a, p_w and power_w are positive for import and negative for export. Many meters give currents without a sign: the driver gives them that of
 * the phase's power. A circuit is guarded by its currents, so a sample without AG_I counts as failed there; the host does not work them out of
 * AG_P and AG_U. Without AG_POWER the power of all is the sum of p_w over the phases that are there. */
enum { AG_I = 1, AG_U = 2, AG_P = 4, AG_IMPORT = 8, AG_EXPORT = 16, AG_POWER = 32 };
typedef struct {
	double i_a[3], u_v[3], p_w[3]; /* per phase; NaN for a phase the meter does not have, as L2 of a one-phase meter */
	double import_wh, export_wh;
	uint32_t valid;
	uint64_t mono_us;              /* when it was read; 0: the host stamps it */
	double power_w;                /* of all phases */
} ag_meter_sample;

enum { AG_FAULT_NONE, AG_FAULT_WELDED, AG_FAULT_NOT_CLOSING, AG_FAULT_IO, AG_FAULT_OTHER };
typedef struct {
	char pilot;                    /* 'A' to 'F'; 0: no pilot, see `plugged` */
	uint8_t plugged;               /* a car is there, as far as can be told */
	uint8_t closed;                /* the contactor is closed, by its feedback where there is one */
	uint8_t fault;                 /* AG_FAULT_... */
	double i_a[3];                 /* drawn; NaN: not known */
	double energy_wh;              /* register; NaN: not known */
} ag_evse_state;

/* The pins of an outlet whose charging logic runs in the program (see ag_plugin.evse_pins), as read, and as ordered.
 *
 * Who keeps which time. The program steps its logic on each reading and orders at once, so what it adds to the driver's own delay is some
 * milliseconds; a driver for outlets with a control pilot therefore reads at least every 20 ms, or waits in evse_pins for a change. What must
 * not depend on the program at all is the driver's or its board's: `opens_ms` and `watchdog_ms` say how far it promises that. */
enum {
	AG_PIN_PILOT = 1 << 0,         /* a control pilot is driven and measured */
	AG_PIN_PROXIMITY = 1 << 1,     /* a socket: its cable is coded */
	AG_PIN_PLUGGED = 1 << 2,       /* without a pilot: a contact says that a load is there */
	AG_PIN_CLOSED_1 = 1 << 3,      /* feedback of the first contactor (L1 and N, or all) */
	AG_PIN_CLOSED_2 = 1 << 4,      /* of the second */
	AG_PIN_SECOND = 1 << 5,        /* there is a second contactor (L2 and L3) */
	AG_PIN_RESIDUAL = 1 << 6,      /* a residual current device (6 mA DC) */
	AG_PIN_RESIDUAL_TEST = 1 << 7, /* that can be tested */
	AG_PIN_MAINS = 1 << 8,         /* supply is sensed */
	AG_PIN_EMERGENCY = 1 << 9,     /* an emergency stop */
	AG_PIN_LOCK = 1 << 10,         /* a lock motor with its place */
	AG_PIN_FAN = 1 << 11,          /* ventilation with its confirmation */
	AG_PIN_HEAT = 1 << 12,         /* a thermometer */
	AG_PIN_STATE_E = 1 << 13,      /* the pilot can be taken to 0 V */
	AG_PIN_LATE = 1 << 14,         /* in `on` only: read before the hardware obeyed the last order */
};
typedef struct {
	uint32_t has;                  /* AG_PIN_ bits of what is there */
	uint32_t on;                   /* PLUGGED, CLOSED_1, CLOSED_2, RESIDUAL (tripped), MAINS, EMERGENCY (pressed), LOCK (locked), FAN (runs), LATE */
	double high_v, low_v;          /* the pilot's plateaus; equal without PWM */
	double duty;                   /* of the pilot as measured, 0 to 1; NaN: not measured */
	double proximity_ohm;          /* INFINITY: open */
	double celsius;                /* NaN: not known */
	double i_a[3], u_v[3];         /* own phases; NaN: not known */
	double energy_wh;              /* register; NaN: not known */
	uint32_t opens_ms;             /* the board opens by itself within this time when the pilot leaves C and D; 0: it does not */
	uint32_t watchdog_ms;          /* and when it is not driven for this long; 0: it does not */
} ag_pins;
enum { AG_PILOT_STEADY, AG_PILOT_PWM, AG_PILOT_OFF, AG_PILOT_NEGATIVE };
typedef struct {
	uint8_t pilot;                 /* AG_PILOT_..: +12 V, square wave, 0 V, -12 V */
	uint8_t close_1, close_2, lock, fan, residual_test;
	double duty;                   /* 0 to 1, with AG_PILOT_PWM */
} ag_drive;

/* What inputs of the grid operator say. */
typedef struct {
	uint32_t closed;               /* bit per contact, in the order of the configuration */
	uint32_t known;                /* of these, the ones that were read */
	double value;                  /* of a register, in watts; INFINITY: no limit; NaN: not known, a fault of the input */
} ag_grid_state;

/* One message for a sink. */
typedef struct {
	const char *topic;             /* below the sink's base; with a leading '/' the whole topic, without that '/' */
	const char *payload;
	size_t length;
	int qos;
	int retain;
	uint32_t expiry_s;             /* 0: none */
	uint64_t mark;                 /* qos 1: not 0 asks for ag_host.sink_sent when the other end has it */
} ag_message;

/* GOES_ON: nothing new; NEWS: something in `json`; LAST: that was all; OVER: nothing new, and that was all. */
enum { AG_SCAN_GOES_ON, AG_SCAN_NEWS, AG_SCAN_LAST, AG_SCAN_OVER };

typedef struct ag_host ag_host;
struct ag_host {
	uint32_t size;
	void *ctx;
	void (*log)(const ag_host *h, int level, const char *text);            /* 0 error .. 3 debug */
	/* Runs fn(arg) on the loop. Any thread. */
	void (*post)(const ag_host *h, void (*fn)(void *arg), void *arg);
	uint64_t (*now_us)(const ag_host *h);                                  /* monotonic */
	/* A command from a sink (verb and JSON arguments). Loop thread: get there with post. `reply` is called later or at once, on the loop,
	 * with a JSON object {"ok":true,"result":..} or {"ok":false,"error":{"code":..,"detail":..}}. */
	void (*command)(const ag_host *h, const char *verb, const char *json, void (*reply)(void *arg, const char *json), void *arg);
	/* A sink's connection came up or went. Loop thread, in create already: a sink without a connection says there that it is up. While it is up it
	 * is told everything, and all of it again when it comes up. */
	void (*sink_state)(const ag_host *h, int up, const char *why);
	/* The other end has acknowledged a message with this mark. Loop thread, in publish already. What has not been acknowledged when the
	 * connection goes, or the program, is published again. */
	void (*sink_sent)(const ag_host *h, uint64_t mark);
};

typedef struct {
	uint32_t size, abi, kinds, flags;
	const char *name, *version, *license;
	const char *config_schema;     /* JSON: {"key":"what it is", ...} */
	/* 0, or anything negative with a text in err; destroy is not called then. `config_json` is an object, {} without options, and lives during the
	 * call; `h` lives until destroy has returned. */
	int (*create)(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen);
	void (*destroy)(void *self);
	int (*meter_poll)(void *self, ag_meter_sample *out);                   /* 0, or negative: nothing was learnt */
	int (*evse_set)(void *self, int evse, const double limit_a[3]);        /* 0 A: open the contactor; idempotent; also the keep-alive */
	int (*evse_state)(void *self, int evse, ag_evse_state *out);
	int (*publish)(void *self, const ag_message *m);                       /* loop thread; copies */
	/* Why the last call of the object failed, until its next call and on the same thread; "" when it did not. May be NULL. */
	const char *(*fault)(void *self);
	/* AG_F_THREAD: objects with the same text share one worker, as they share a wire. NULL: a worker for each object. */
	const char *(*bus)(void *self);
	/* AG_EVSE, instead of evse_set and evse_state: the driver gives the pins and takes the orders, the program has the charging logic. Both are
	 * called from create on with everything open until told otherwise. evse_drive is idempotent and the keep-alive: it is repeated several
	 * times a second as long as the program lives. */
	int (*evse_pins)(void *self, int evse, ag_pins *out);
	int (*evse_drive)(void *self, int evse, const ag_drive *d);
	/* AG_AUTH: a card reader. Waits up to half a second for a token: 1 and its text, 0: none came, negative: the reader is gone. Its plugin has
	 * AG_F_THREAD. */
	int (*auth_poll)(void *self, char *token, size_t room);
	int (*grid_poll)(void *self, ag_grid_state *out);                      /* AG_GRID: 0, or negative: nothing was learnt */
	/* AG_SCAN: a search for devices, in short steps: one exchange each, since it shares its bus with what is in use. What it found goes to
	 * `json`, an object. AG_SCAN_..., or negative: it cannot go on. Its plugin has AG_F_THREAD. */
	int (*scan)(void *self, char *json, size_t room);
} ag_plugin;

/* What a loadable plugin exports: its table, which lives as long as the process. */
const ag_plugin *ampgate_plugin_v1(void);

/* The plugins that are linked in, by driver name; ends with a NULL driver. Defined by whoever links them (plugins/builtin.c). */
struct ag_builtin {
	const char *driver;
	const ag_plugin *(*plugin)(void);
};
extern const struct ag_builtin ag_builtins[];

#endif
