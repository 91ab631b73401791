/* Who may charge, as far as this box has a say: in which order the site's lists and the CSMS are asked, what counts while the CSMS is away, and
 * what the CSMS's answers teach us. Loop thread. */
#ifndef AMPGATE_GATEWAY_AUTHORIZE_H
#define AMPGATE_GATEWAY_AUTHORIZE_H

#include "gateway/session/session.h"

/* A station asks while the CSMS is near: whether the answer is ours by the order of asking. */
bool authorize_is_ours(struct session *s, const struct event *e);
/* It was answered here, and the order wants the CSMS to be heard as well: sends the question on; a refusal stops what runs. */
void authorize_ask_too(struct session *s, struct frame *f, const struct event *e);

/* Our word about the token of an Authorize or a transaction message: status, group and expiry. Texts live in `mem` or are static. */
void authorize_alone(struct session *s, const struct event *e, struct arena *mem, struct reply *r);

/* The CSMS's word about a token: into the cache. */
void authorize_learn(struct session *s, struct slice token, struct slice type, const struct reply *r);
/* The station took a remote start of the CSMS: that vouches for its token for a while. */
void authorize_learn_start(struct session *s, const struct event *e);
/* The station took a local list: ours of that station follows, since we answer when the CSMS cannot. */
void authorize_learn_list(struct session *s, struct frame *f, const struct event *e);

#endif
