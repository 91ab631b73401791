/* The host of the plugins: it creates their objects, polls meters and EVSEs in worker threads (one per bus) or on the loop, and brings what
 * they say to the loop. It clamps nothing and decides nothing.
 *
 * Loop thread only. All callbacks run on the loop, none from inside a function of this header but host_close, which calls none at all.
 * Close a host before another one is opened for the same buses. */
#ifndef AMPGATE_GATEWAY_HOST_H
#define AMPGATE_GATEWAY_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/plugin.h"

struct host;

struct host_events {
	/* A command that came in by a sink. `reply` is called exactly once, at once or later, on the loop; see ag_host.command. */
	void (*command)(void *arg, const char *sink, const char *verb, const char *json, void (*reply)(void *reply_arg, const char *json), void *reply_arg);
	void (*sink_state)(void *arg, const char *sink, bool up, const char *why);
	void (*sink_sent)(void *arg, const char *sink, uint64_t mark); /* the other end has the message with this mark */
};

/* `events` is copied; may be NULL. */
int host_open(struct host **out, const struct host_events *events, void *arg) MUST_CHECK;

/* Opens every relay, ends the workers, frees everything. Takes as long as a read that is under way, at most a few seconds. What plugins
 * still owe (a reply to a command) is accepted until here and dropped afterwards. */
void host_close(struct host **host);

/* Makes a plugin known under a driver's name, beside those built in: modbus-tcp, modbus-rtu, modbus-relay, modbus-input, gpio-input, mqtt,
 * sim. */
void host_driver(struct host *h, const char *driver, const ag_plugin *plugin);

struct host_conf {
	const char *id;      /* of the meter, EVSE or sink: for the log */
	const char *driver;
	const char *config;  /* JSON */
	int64_t poll_us;     /* 0: 1 s for meters, 200 ms for EVSEs */
};

/* A sample, or NULL with the reason why there is none: the driver's, or that it has not answered for some seconds, which is said again and again. */
typedef void host_on_sample(void *arg, const ag_meter_sample *s, const char *fault);
/* The state, or NULL with the reason why it is not known. */
typedef void host_on_state(void *arg, const ag_evse_state *s, const char *fault);

/* The pins, or NULL likewise. */
/* `of`: the order that the driver had been given last when it read them, at `at_us` (monotonic). */
typedef void host_on_pins(void *arg, const ag_pins *p, const ag_drive *of, int64_t at_us, const char *fault);
/* A token, or NULL with the reason why the reader cannot be read (again when the reason changes). */
typedef void host_on_token(void *arg, const char *token, const char *fault);
/* What the inputs say, or NULL with the reason why it is not known. */
typedef void host_on_grid(void *arg, const ag_grid_state *s, const char *fault);

/* News of a search: an object in `json`, or NULL; `over`: it has ended, with `fault` when it could not go on. Nothing more comes then. */
typedef void host_on_scan(void *arg, const char *json, bool over, const char *fault);

/* These return a handle from 0, or a negative error with its text in `err`; the configuration is checked, nothing is connected yet. */
int host_meter(struct host *h, const struct host_conf *conf, host_on_sample *on_sample, void *arg, char *err, size_t errlen) MUST_CHECK;
int host_evse(struct host *h, const struct host_conf *conf, host_on_state *on_state, void *arg, char *err, size_t errlen) MUST_CHECK;
int host_grid(struct host *h, const struct host_conf *conf, host_on_grid *on_grid, void *arg, char *err, size_t errlen) MUST_CHECK;
int host_sink(struct host *h, const struct host_conf *conf, char *err, size_t errlen) MUST_CHECK;
/* Whether a driver gives pins (host_outlet) instead of a state (host_evse). */
bool host_driver_has_pins(struct host *h, const char *driver);
/* An EVSE whose driver gives pins: on_pins instead of on_state. Refused with ERR_UNSUPPORTED where the driver has none. */
int host_outlet(struct host *h, const struct host_conf *conf, host_on_pins *on_pins, void *arg, char *err, size_t errlen) MUST_CHECK;
/* A search for devices; host_drop ends it. */
int host_scan(struct host *h, const struct host_conf *conf, host_on_scan *on_scan, void *arg, char *err, size_t errlen) MUST_CHECK;
/* A card reader. */
int host_reader(struct host *h, const struct host_conf *conf, host_on_token *on_token, void *arg, char *err, size_t errlen) MUST_CHECK;

/* Each plugin that is in use, with what the last word of its meters, EVSEs, inputs, readers and sinks was. */
struct host_plugin {
	const char *name, *version;
	unsigned units, failing;
};
void host_plugins(const struct host *h, void (*see)(void *arg, const struct host_plugin *p), void *arg);

/* Ends a meter, a grid input or a search: no callback comes any more. The bus goes on for the others on it. Not for EVSEs. */
void host_drop(struct host *h, int handle);

/* What the EVSE may take per phase; 0 A opens its contactor. Kept alive by the host: it is repeated every second as long as the loop runs,
 * and opened by the worker when the loop has not run for HOST_DEAD_US. The first order is given by the host itself: open. */
#define HOST_DEAD_US (5 * INT64_C(1000000))
void host_evse_set(struct host *h, int evse, const double amps[3]);

/* The same for an outlet that is driven by its pins: everything in `d` at once. Repeated every HOST_DRIVE_US, and after HOST_PINS_DEAD_US
 * without the loop everything is opened and the pilot steady, as in the first order. */
#define HOST_DRIVE_US (250 * INT64_C(1000))
#define HOST_PINS_DEAD_US (2 * INT64_C(1000000))
void host_evse_drive(struct host *h, int evse, const ag_drive *d);

/* Copies. 0, ERR_FULL when the sink cannot take more now, or another error of the sink. */
int host_publish(struct host *h, int sink, const ag_message *m) MUST_CHECK;

#endif
