/* The other side of ocpp/settings.h: asking a station for its settings or changing them, and reading what it answers. Names as there. */
#ifndef AMPGATE_OCPP_SETTINGS_ASK_H
#define AMPGATE_OCPP_SETTINGS_ASK_H

#include "ocpp/settings.h"

/* How many settings one CALL can set: 1 in 1.6. */
size_t settings_set_most(enum ocpp_version v);

/* The payload that asks for these (1.6: none asks for all), or sets them. ERR_INVALID: a name that this version cannot say. */
int settings_write_get(enum ocpp_version v, const struct setting *s, size_t n, struct buf *payload, const struct action **act_out) MUST_CHECK;
int settings_write_set(enum ocpp_version v, const struct setting *s, size_t n, struct buf *payload, const struct action **act_out) MUST_CHECK;

/* Of settings that nobody knows more of. */
extern const struct setting_kind setting_readonly, setting_writable;

/* What came back: names (absent in the answer to ChangeConfiguration), values and results; lives with the frame's tree and `mem`. More than
 * SETTINGS_MOST times four are left out. ERR_INVALID: an error, or nothing usable. */
int settings_read_answer(struct frame *answer, struct arena *mem, struct setting **out, size_t *n_out) MUST_CHECK;

#endif
