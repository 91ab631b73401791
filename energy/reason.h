/* The words for why an EVSE has no more, as a table. */
#ifndef AMPGATE_ENERGY_REASON_H
#define AMPGATE_ENERGY_REASON_H

#include <stdbool.h>
#include <stddef.h>

extern const char *const reason_names[]; /* NULL ends it */

bool reason_known(const char *name);

#endif
