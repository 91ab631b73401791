/* What the section grid_operator of the configuration says to energy/grid: for the daemon's inputs and for a simulated day. */
#ifndef AMPGATE_GATEWAY_GRID_CONF_H
#define AMPGATE_GATEWAY_GRID_CONF_H

#include "energy/control.h"
#include "energy/grid.h"
#include "gateway/conf/settings.h"

/* `s` has such a section in all of these. */
int grid_conf_node(const struct settings *s);          /* of the circuit that it limits */
int grid_conf_devices(const struct settings *s);       /* controllable ones */
int64_t grid_conf_keeps_w(const struct settings *s);   /* what the devices keep while they are dimmed */
/* What others than EVSEs may take of a limit where nothing measures them; 0 where the limit is not for devices alone. */
int64_t grid_conf_others_w(const struct settings *s);
int64_t grid_conf_other_w(const struct grid_other_settings *o); /* one of them */
int64_t grid_conf_rated_w(const struct settings *s);   /* 100 % of a ripple receiver */
struct grid_input_conf grid_conf_input(const struct settings *s, const struct grid_input_settings *in);
/* What a closed contact asks for. */
int64_t grid_conf_contact_w(const struct settings *s, const struct grid_input_settings *in);
/* The cap of a limit that is in force; `now` has one. Its owner is the input. others_w: what others take of it. */
struct cap_conf grid_conf_cap(const struct settings *s, const struct grid_now *now, int64_t others_w);

#endif
