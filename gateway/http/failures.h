/* Wrong passwords and codes of late: who has shown some, and how long they have to wait. After five, a second, two, four ... up to a quarter of
 * an hour. Kept in memory, in a table of a fixed size that forgets the oldest, since strangers fill it. Loop thread. */
#ifndef AMPGATE_GATEWAY_FAILURES_H
#define AMPGATE_GATEWAY_FAILURES_H

/* `kind` keeps an account and an address of the same name apart: "user", "peer", "setup". Names are told apart by their first 70 bytes. */
void failures_count(const char *kind, const char *name);
/* Seconds until another try is allowed; 0: now. */
int failures_wait(const char *kind, const char *name);
/* It was the right one at last. */
void failures_forget(const char *kind, const char *name);
void failures_clear(void);

#endif
