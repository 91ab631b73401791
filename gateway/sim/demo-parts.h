/* The processes of the demo beside its director. Each gets its end of a socket pair, over which the director sends commands as lines of words
 * and gets reports as lines of JSON; they end when the director does. Exit statuses.
 *
 *   world   connect | load A B C | jump A B C | meter silent | meter well | arrive ID | leave ID | swap ID | ledger
 *           {"grid":[..],"ev":[..],"peak":[..],"over_us":n,"p95_us":n,"jumps":n,"settled":b,"online":n,"charging":n,"relays":n,"served":n,
 *            "most_a":a,"starts":n,"stops":n}            five times a second
 *   csms    cut N | return N | ledger
 *           {"links":[n,n],"at_us":monotonic}            at each change
 *   both    the rows of sim-ledger.h, then {"ledger":n} after a `ledger` */
#ifndef AMPGATE_GATEWAY_DEMO_PARTS_H
#define AMPGATE_GATEWAY_DEMO_PARTS_H

#include "gateway/sim/demo-site.h"

int demo_world(const struct demo_site *site, int fd);
int demo_csms(const struct demo_site *site, int fd);
int demo_daemon(const struct demo_site *site, int ready_fd, int log_level);

/* Sends a whole line, newline included, or ends the process: without its director a part has no purpose. */
struct buf;
void demo_tell(int fd, struct buf *line);

#endif
