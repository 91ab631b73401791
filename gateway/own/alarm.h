/* Security events of the box itself (2.x A04 and appendix, 1.6 security whitepaper): noted in the journal as security.event, where `ampgate log`, MQTT and
 * the console find them, and told to the CSMS: by the box's own identity, or in the name of a group where there is none. What is told waits on
 * disk while the CSMS is away. The same again within ten minutes counts as the same. docs/SECURITY.md says which of the list occur here. Loop thread. */
#ifndef AMPGATE_GATEWAY_ALARM_H
#define AMPGATE_GATEWAY_ALARM_H

#include "gateway/gateway.h"

struct uplink_settings;

int alarms_open(struct gateway *g) MUST_CHECK; /* the identities and groups are there: tells of the start */
void alarms_close(void);

/* `type` in the words of 2.x; `info` in English, without secrets. `uplink`: whose CSMS it is about; NULL: told to all. */
void alarm_raise(struct gateway *g, const char *type, const char *info, const struct uplink_settings *uplink);
/* The same for one that an own identity tells of by itself. */
void alarm_note(struct gateway *g, const char *type, const char *info, const struct uplink_settings *uplink);

#endif
