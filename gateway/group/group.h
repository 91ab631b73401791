/* A group: the stations of an uplink with mode aggregate, shown to the CSMS as one station with one identity, one connection and one version.
 *
 *   member stations                                                                                            the CSMS
 *   ---- session, its lane ---- in-process link --+
 *   ---- session, its lane ---- in-process link --+-- group -- in-process link -- session of the group -- lane ----
 *   ---- session, its lane ---- in-process link --+
 *
 * To its members the group is a CSMS that is always there; towards the CSMS it is a station whose session keeps, delivers and answers as for
 * any other. So a transaction message is durable in its member's queue until it is durable in the group's, and there until the CSMS has it.
 * EVSEs of members become connectors or EVSEs of the group, with numbers that are kept on disk. Loop thread. */
#ifndef AMPGATE_GATEWAY_GROUP_H
#define AMPGATE_GATEWAY_GROUP_H

#include "base/json.h"
#include "gateway/session/session.h"

/* All groups of the configuration; the sessions are there already, no lane is open yet. */
void groups_open(struct gateway *g);
void groups_close(struct gateway *g);
/* After gw->conf has changed, before the sessions follow: the groups themselves stay, with their mode, identity and version. */
void groups_take_settings(struct gateway *g);

/* The group that this session's lane leads to; NULL: its lane goes to a CSMS, as that of the group's own session does. */
struct group *group_of(const struct session *s);
void group_join(struct group *g, struct session *s);  /* opens the session's lane into the group */
void group_member_link(struct session *s);            /* a member station came or went; nothing for others */

void group_security_event(struct group *g, const char *type, const char *info); /* of the box, in the group's name; NULL: nothing */
struct group *group_find(const struct gateway *g, const char *uplink); /* NULL: that uplink is of another mode, or is not */
int group_renew(struct group *g) MUST_CHECK; /* asks for a new certificate to connect by; ERR_CLOSED: it is not connected */
void group_write_map(const struct group *g, struct json_writer *w); /* an array: number, station, evse, state */

#endif
