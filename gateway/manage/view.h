/* State as JSON, in the one form that the control socket, the command line and MQTT share (snake_case, amperes, unknown is null). */
#ifndef AMPGATE_GATEWAY_VIEW_H
#define AMPGATE_GATEWAY_VIEW_H

#include "base/json.h"
#include "gateway/session/session.h"

/* Members of an object that the caller has opened. */
void view_site(struct gateway *g, struct json_writer *w);
void view_mqtt(const struct gateway *g, struct json_writer *w); /* the member "mqtt" of an open object */
void view_node(struct gateway *g, int node, struct json_writer *w);
void view_meter(struct gateway *g, int meter, struct json_writer *w);
void view_meter_whole(struct gateway *g, int meter, struct json_writer *w); /* with voltages, powers of phases and export, where it has them */
void view_uplink(struct gateway *g, size_t uplink, struct json_writer *w);
void view_station(struct session *s, struct json_writer *w);
void view_evse(struct session *s, int evse, struct json_writer *w);
/* The chain of caps as an array member "chain". */
void view_chain(struct gateway *g, int evse, struct json_writer *w);

void view_amps(struct json_writer *w, const char *key, const int32_t ma[3]); /* three numbers; MA_NONE: null */
/* A token as it may be shown: "sha256:" and the first eight hex digits of its digest. */
#define TOKEN_SHOWN 16
char *view_token(const char *token, char out[TOKEN_SHOWN]);

#endif
