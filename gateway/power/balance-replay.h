/* `ampgate balance --replay FILE`. */
#ifndef AMPGATE_GATEWAY_BALANCE_REPLAY_H
#define AMPGATE_GATEWAY_BALANCE_REPLAY_H

/* Decides a decision log again and prints the outcome; what went wrong goes to standard error. 0: all was the same. */
int balance_replay(const char *path);

#endif
