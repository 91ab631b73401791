/* What a CSMS asks about charging profiles, answered here: the station itself knows only half of it, our limit with its short life on one side
 * and what the CSMS installed on the other. GetCompositeSchedule tells what the two come to, the site's limit as it is now; GetChargingProfiles
 * reports what the CSMS installed, and the site's limit as the external constraint it is (2.0.1 K11 to K13). Loop thread. */
#ifndef AMPGATE_GATEWAY_SCHEDULE_H
#define AMPGATE_GATEWAY_SCHEDULE_H

#include "gateway/session/session.h"
#include "ocpp/frame.h"

/* The payload of the answer. False: not a question of these, or not about a station whose limits we set; it goes on to the station. */
bool schedule_answer(struct session *s, struct frame *f, struct buf *payload);
/* What follows the answer: the reports. */
void schedule_report(struct session *s, struct frame *f);

/* The CSMS's ClearChargingProfile was carried out by the station, ours perhaps among what went. What it shall hear: "Accepted", "Unknown", or
 * NULL: the station's own word. Before it is learned (csms-profiles.h). */
const char *schedule_clear_word(struct session *s, struct frame *f);

#endif
