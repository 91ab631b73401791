/* Inside the codec of 2.0.1 and 2.1. */
#ifndef AMPGATE_OCPP_CODEC_2X_H
#define AMPGATE_OCPP_CODEC_2X_H

#include "ocpp/bind.h"

#define NO_TOKEN "{\"idToken\":\"\",\"type\":\"NoAuthorization\"}"

extern const struct meanings codec_2x_station, codec_2x_tx, codec_2x_csms;
extern const struct row codec_2x_nothing[], codec_2x_token[], codec_2x_token_info[];

/* Component.Variable, either with its instance in brackets. */
struct slice codec_2x_variable_read(struct reading *r, const cJSON *item);
void codec_2x_variable_write(struct writing *w, struct slice key, int evse, int connector);
void codec_2x_named_write(struct writing *w, const char *key, struct slice name, int evse, int connector);
void codec_2x_cannot_write(struct writing *w, const struct event *e); /* what only a station can say */

#endif
