/* The load balancer as a program: one JSON object per line in, one per line out, time in the messages. For what-if questions, for comparing
 * policies in simulated time, for replaying. The same input gives the same output. */
#ifndef AMPGATE_GATEWAY_BALANCE_STDIO_H
#define AMPGATE_GATEWAY_BALANCE_STDIO_H

#include <stdio.h>

#include "base/error.h"

/* Reads until "bye" or the end of `in`. Once there is a site, a line that cannot be read or is of no known type is told on `err` with its number
 * and left out. 0, or ERR_SYNTAX / ERR_INVALID / ERR_TOO_LARGE for a hello that cannot be used or what comes instead of one; `why` (may be NULL) says
 * which line, and what is wrong with it. `record` (may be NULL) gets a decision log, as the daemon writes it: for balance_replay. Who opened it
 * looks whether it could be written. */
int balance_stdio(FILE *in, FILE *out, FILE *err, FILE *record, char *why, size_t room);

#endif
