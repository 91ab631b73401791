/* The balancer's side of a recording: each function writes one line where somebody records, and costs a comparison where nobody does. */
#ifndef AMPGATE_ENERGY_RECORD_LOCAL_H
#define AMPGATE_ENERGY_RECORD_LOCAL_H

#include "base/buf.h"
#include "energy/record.h"

void record_meter(struct control *c, int meter, const struct meter_sample *s);
void record_meter_failed(struct control *c, int meter, const char *why);
void record_link(struct control *c, int evse, bool online, int64_t now_us);
void record_state(struct control *c, int evse, enum evse_state state, int64_t now_us);
void record_tx(struct control *c, int evse, bool running, int64_t now_us);
void record_draw(struct control *c, int evse, const int32_t own_ma[3], double energy_wh, int64_t now_us);
void record_need(struct control *c, int evse, double need_wh, int64_t depart_us);
void record_woken(struct control *c, int evse, int64_t now_us);
void record_answered(struct control *c, int evse, int32_t ma, bool accepted, int64_t now_us);
void record_cap(struct control *c, int id, const struct cap_conf *cap);
void record_cap_clear(struct control *c, int id);
void record_profile(struct control *c, int evse, int32_t ma, const char *ref, int64_t until_us);
void record_favour(struct control *c, int evse, int32_t more);
void record_least(struct control *c, int evse, int32_t ma);
void record_alone(struct control *c, int evse, int32_t ma);
void record_before(struct control *c, int evse, int32_t ma);
void record_proved(struct control *c, int evse, bool proved);
void record_single(struct control *c, int evse, enum single can);
void record_conduct(struct control *c, int evse, const char *conduct);
void record_wall(struct control *c, int64_t offset_us, bool trusted);
void record_change(struct control *c, const struct control_conf *conf);
void record_tick(struct control *c, int64_t now_us);
void record_order(struct control *c, int evse, const struct grant *g);

/* All that is known between two ticks, as bytes without a pointer in them; and the other way round, into a balancer that was opened with the
 * same configuration. control-change.c. */
void control_known(const struct control *c, struct buf *out);
int control_knows(struct control *c, const void *bytes, size_t n) MUST_CHECK; /* ERR_UNSUPPORTED: of another build */

#endif
