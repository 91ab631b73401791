/* Settings of meters and EVSEs as the plugins want them: JSON. */
#ifndef AMPGATE_GATEWAY_DRIVERS_H
#define AMPGATE_GATEWAY_DRIVERS_H

#include "gateway/conf/settings.h"
#include "gateway/plug/host.h"

/* A handle of the host, or a negative error that has been logged. `models`: struct settings' directory of register maps. */
int drivers_meter(struct host *h, const char *models, const struct meter_settings *m, host_on_sample *on_sample, void *arg) MUST_CHECK;
/* The same for one that is only tried: the reason in `err`, nothing in the log. */
int drivers_try_meter(struct host *h, const char *models, const struct meter_settings *m, host_on_sample *on_sample, void *arg, char *err, size_t errlen) MUST_CHECK;
const char *drivers_parity(char letter); /* 'E' -> "even" */
/* One of the two callbacks is used: drivers_have_pins says which. `models`: likewise, with the maps of controllers. */
int drivers_evse(struct host *h, const char *models, const struct evse_settings *e, host_on_state *on_state, host_on_pins *on_pins, void *arg) MUST_CHECK;
bool drivers_have_pins(struct host *h, const struct evse_settings *e);
int drivers_reader(struct host *h, const struct reader_settings *r, host_on_token *on_token, void *arg) MUST_CHECK;
/* contact, ripple and register only; the reason in `err`, nothing in the log */
int drivers_grid(struct host *h, const struct grid_input_settings *in, host_on_grid *on_grid, void *arg, char *err, size_t errlen) MUST_CHECK;

#endif
