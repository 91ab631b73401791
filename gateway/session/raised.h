/* Security profiles that were raised through the box: what a CSMS told a station to use from now on, and the station took (1.6 A05: SecurityProfile; 2.x
 * A05: a slot by SetNetworkProfile that NetworkConfigurationPriority puts first).
 *
 *   nothing -- the station accepts a higher one --> PENDING: both come in -- it comes with the higher one --> the lower one is refused
 *
 * Until the station has come with the higher profile it may fall back to the one before, as the standard has it (A05.FR.05, 06); from then on no
 * CSMS can lower it. Kept in the state directory, together with the configured least profile: whoever writes another one into the configuration
 * means it, and what was raised before is forgotten. Loop thread. */
#ifndef AMPGATE_GATEWAY_RAISED_H
#define AMPGATE_GATEWAY_RAISED_H

#include "gateway/session/session.h"
#include "storage/store.h"

struct raised; /* of a session; NULL: nothing was raised */

void raised_load(struct session *s);
void raised_free(struct session *s);

int raised_least(const struct session *s);   /* below this profile it is refused; 0: nothing was raised */
int raised_pending(const struct session *s); /* it has accepted this one and has not come with it yet; -1: none */
void raised_seen(struct session *s, int profile); /* it has come in with this one */

/* Why a CALL of the CSMS is not put to the station, as text for the log; NULL: it is. */
const char *raised_refuses(const struct session *s, struct frame *call);
/* The station has answered a CALL of its CSMS. True: `done` follows when what follows from it is on disk; false: nothing does. */
bool raised_look(struct session *s, struct frame *call, struct frame *answer, store_done *done, void *arg);

#endif
