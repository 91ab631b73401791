/* The plugin ABI (man ampgate-plugin(3)): what a meter, a relay or a telemetry sink offers to the program. C11, no other dependency.
 *
 * Structs start with their size and grow at the end, as sqlite3_io_methods does; a plugin checks `size` before it uses a later member.
 * Every function of a plugin with AG_F_THREAD is called on one worker thread of its own and may block there, but for create, bus and destroy:
 * these run on the loop, before the worker knows the object and after it has forgotten it, and do not block. Without the flag all are called
 * on the loop and return within 5 ms. Functions of the host may be called from the plugin's worker unless they say otherwise. */
#ifndef AMPGATE_PLUGIN_H
#define AMPGATE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#define AMPGATE_PLUGIN_ABI 1

enum { AG_METER = 1, AG_EVSE = 2, AG_BALANCER = 4, AG_GRID = 8, AG_AUTH = 16, AG_SINK = 32 };
enum { AG_F_THREAD = 1 };

/* Bits of ag_meter_sample.valid. What is not valid is unknown, never 0. */
enum { AG_I = 1, AG_U = 2, AG_P = 4, AG_IMPORT = 8, AG_EXPORT = 16, AG_POWER = 32 };
typedef struct {
	double i_a[3], u_v[3], p_w[3]; /* per phase, import positive; NaN for a phase the meter does not have, as L2 of a one-phase meter */
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

/* One message for a sink. */
typedef struct {
	const char *topic;             /* below the sink's base; with a leading '/' the whole topic, without that '/' */
	const char *payload;
	size_t length;
	int qos;
	int retain;
	uint32_t expiry_s;             /* 0: none */
} ag_message;

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
	/* A sink's connection came up or went. Loop thread. */
	void (*sink_state)(const ag_host *h, int up, const char *why);
};

typedef struct {
	uint32_t size, abi, kinds, flags;
	const char *name, *version, *license;
	const char *config_schema;     /* JSON: {"key":"what it is", ...} */
	/* 0, or a negative error with a text in err. `config_json` lives during the call. */
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
} ag_plugin;

/* The plugins that are linked in, by driver name; ends with a NULL driver. Defined by whoever links them (plugins/builtin.c). */
struct ag_builtin {
	const char *driver;
	const ag_plugin *(*plugin)(void);
};
extern const struct ag_builtin ag_builtins[];

#endif
