/* Texts of frames as they may be shown: what names a person or opens a door is replaced by a short hash, "sha256:1a2b3c4d", the same for
 * the same token, so that records can still be told apart. Reads whatever it is given, cut and broken texts too. Any thread. */
#ifndef AMPGATE_GATEWAY_REDACT_H
#define AMPGATE_GATEWAY_REDACT_H

#include "base/buf.h"

/* Appends the text with the values of idTag, parentIdTag, idToken and additionalIdToken replaced, and the values of settings that are keys. */
void redact_text(struct slice text, struct buf *out);

/* Whether the value at this path ("$.idTag", "$.idToken.idToken") is one of those. */
bool redact_wants(const char *path);
void redact_value(struct slice value, struct buf *out);

#endif
