/* State to the outside by sinks (a broker, sinks.h): retained topics published on change with deadbands, at most once a second and at least
 * once a minute each, and events. Without a sink these calls do nothing. Loop thread. */
#ifndef AMPGATE_GATEWAY_TELEMETRY_H
#define AMPGATE_GATEWAY_TELEMETRY_H

#include "gateway/session/session.h"

int telemetry_open(struct gateway *g) MUST_CHECK;  /* opens the sinks that are configured */
void telemetry_close(void);
void telemetry_station(struct session *s);         /* its link or its description changed */
void telemetry_evse(struct session *s, int evse);  /* state, current or transaction changed */
void telemetry_refresh(void);                      /* publishes everything, ends with the event refresh_done */
/* An event: numbered, kept in the journal, published, logged by whoever raises it. `args`: a JSON object as text, NULL: none. */
void telemetry_event(struct gateway *g, const char *code, const char *severity, const char *object, const char *args);
/* The same; `done` when it is on disk, or why it is not. */
void telemetry_event_then(struct gateway *g, const char *code, const char *severity, const char *object, const char *args, store_done *done, void *arg);
bool telemetry_up(void);                           /* the broker is there */

/* From the host: a sink's connection, and a command that came by it. */
void telemetry_sink_state(const char *sink, bool up, const char *why);
void telemetry_sink_sent(const char *sink, uint64_t mark);
void telemetry_command(const char *sink, const char *verb, const char *json, void (*reply)(void *arg, const char *json), void *reply_arg);

#endif
