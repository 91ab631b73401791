/* Stations announce themselves to Home Assistant by its MQTT discovery: one retained message per station, a device with its entities. The entities
 * read the topics of telemetry.c and set caps by the command limit.set. Loop thread. */
#ifndef AMPGATE_GATEWAY_HOMEASSISTANT_H
#define AMPGATE_GATEWAY_HOMEASSISTANT_H

#include "gateway/session/session.h"

/* Topic (from the root of the broker) and payload of a station's announcement. */
void homeassistant_write(const struct session *s, struct buf *topic, struct buf *payload);

#endif
