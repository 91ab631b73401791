/* The worst case of the silent. A station that lost its link keeps its last limit until its dead-man timer makes it fall back; when that
 * began we only know from our side, so both values count until the timer must have ended. */
#include "energy/guard.h"

/* Stale is a state to wait in for a moment. A meter whose samples keep coming and are always a little too old would stay there, and raise nobody
 * ever again. */
enum guard_meter guard_meter(enum guard_meter was, int64_t since_us, int64_t lost_for_us, int64_t lost_after_us, int64_t now_us)
{
	if (lost_for_us <= 0)
		return METER_FRESH;
	if (lost_for_us > lost_after_us || was == METER_LOST || (was == METER_STALE && now_us - since_us > lost_after_us))
		return METER_LOST;
	return METER_STALE;
}

int32_t guard_meter_cap(enum meter_lost rule, const struct evse_conf *e, int32_t amps_ma, bool past)
{
	switch (rule) {
	case LOST_STOP:
		return 0;
	case LOST_AMPS:
		return amps_ma;
	case LOST_HIGHEST:
		return past ? MA_NONE : e->fallback_ma;
	case LOST_FALLBACK:
		break;
	}
	return e->fallback_ma;
}

int32_t guard_offline_ma(const struct car *c, int64_t since_us, int64_t now_us)
{
	int32_t fallback = c->alone_ma;
	if (now_us - since_us >= c->conf->fallback_after_us)
		return fallback;
	int32_t last = c->force_ma > c->told_ma ? c->force_ma : c->told_ma;
	return last > fallback ? last : fallback;
}
