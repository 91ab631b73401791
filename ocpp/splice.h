/* Replacing one window of a text and leaving every other byte alone. */
#ifndef AMPGATE_OCPP_SPLICE_H
#define AMPGATE_OCPP_SPLICE_H

#include "base/buf.h"
#include "base/str.h"

/* The window of the value at a dotted path of member names ("csChargingProfiles.transactionId") in a JSON object: with its quotes where
 * it is a string. Numbers in the path index arrays. Absent if there is no such member, or two of the same name. Never allocates. */
struct slice splice_find(struct slice json, const char *path);

/* Appends `text` with `window` (which points into it) replaced. */
void splice_write(struct buf *out, struct slice text, struct slice window, struct slice replacement);

/* Appends the object with a member put at its front ("offline":true), other bytes unchanged. */
void splice_insert_member(struct buf *out, struct slice text, struct slice object, struct slice member);

#endif
