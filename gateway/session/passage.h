/* Frames passing through a session; the functions that others call for it (session_answer, session_command ...) stand in session.h. Loop
 * thread. */
#ifndef AMPGATE_GATEWAY_PASSAGE_H
#define AMPGATE_GATEWAY_PASSAGE_H

#include "gateway/session/session.h"

/* A whole message came by the station's link, or by the lane; `owner` is the session, as link_events and lane_events have it. */
void passage_from_station(void *owner, struct link *l, struct slice text);
void passage_from_csms(void *owner, struct slice text);

#endif
