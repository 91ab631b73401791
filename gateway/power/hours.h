/* Times of day: "22:00-06:00", which may go past midnight. */
#ifndef AMPGATE_GATEWAY_HOURS_H
#define AMPGATE_GATEWAY_HOURS_H

#include <stdbool.h>
#include <stdint.h>

/* Minutes since midnight; false: no such text. The end is not part of it; from == to is the whole day. */
bool hours_read(const char *text, int *from_out, int *to_out);
/* Whether a local time is in one of them. */
bool hours_include(const char *const *hours, int64_t local_us);

#endif
