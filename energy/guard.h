/* What is assumed when somebody is silent: meters that are lost, stations without a link. The assumption is always the worst that the silent
 * one may do by itself. Pure functions. */
#ifndef AMPGATE_ENERGY_GUARD_H
#define AMPGATE_ENERGY_GUARD_H

#include "energy/car.h"
#include "energy/control.h"

enum guard_meter { METER_FRESH, METER_STALE, METER_LOST };

/* `lost_for_us` as meter_lost_for says, `was` what it was at `since_us`. Stale: no raises below it. Lost: the configured fallback, until it is
 * fresh again. */
enum guard_meter guard_meter(enum guard_meter was, int64_t since_us, int64_t lost_for_us, int64_t lost_after_us, int64_t now_us);

/* What an EVSE below a lost meter may have at most. `past`: the base load there has been seen for long enough to plan with its highest. */
int32_t guard_meter_cap(enum meter_lost rule, const struct evse_conf *e, int32_t amps_ma, bool past);

/* What a station without a link may take per phase: until its own timer has surely run out the larger of its last limit and its fallback,
 * then the fallback. `since_us`: when it was last heard of. */
int32_t guard_offline_ma(const struct car *c, int64_t since_us, int64_t now_us);

#endif
