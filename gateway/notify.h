/* What the service manager is told (systemd's sd_notify, without its library): that all runs, that it stops, and that the work goes on.
 * Does nothing where nobody asked for it ($NOTIFY_SOCKET). Loop thread. */
#ifndef AMPGATE_GATEWAY_NOTIFY_H
#define AMPGATE_GATEWAY_NOTIFY_H

#include "gateway/gateway.h"

void notify_ready(void);
void notify_stopping(void);

/* A balancing cycle is complete. This alone feeds the watchdog ($WATCHDOG_USEC): a loop that turns but no longer balances gets no food. Sent
 * four times per watchdog period, with a line for `systemctl status`; without a watchdog the line goes out every 10 s. */
void notify_cycle(const struct gateway *g);

#endif
