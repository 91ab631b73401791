/* Passwords as hashes: scrypt with a salt of its own each, as text "scrypt$LOG2N$R$P$SALT$KEY", salt and key in hex. Checking one takes tens of
 * milliseconds and megabytes, by design, so it is for a thread beside the loop. Any thread. */
#ifndef AMPGATE_GATEWAY_PASSWORD_HASH_H
#define AMPGATE_GATEWAY_PASSWORD_HASH_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

#define PASSWORD_HASH_TEXT 160
#define PASSWORD_COST_PEOPLE 15   /* log2 of scrypt's N: 32 MiB, for what people choose */
#define PASSWORD_COST_STATIONS 12 /* 4 MiB: stations have long random ones, and come back all at once */

int password_hash(struct slice password, int cost, char out[PASSWORD_HASH_TEXT]) MUST_CHECK;
bool password_hash_is(const char *text);       /* it begins like one */
bool password_hash_is_valid(const char *text); /* it can be checked, at a cost of at most 2^17 */
/* What is no hash costs as much as one of a person, and fits nothing. */
bool password_hash_fits(const char *hash, struct slice password);

/* A station's password as it is hashed: 1.6 writes the key into a station as 32 to 40 hex digits, and the station shows either these or the 16 to
 * 20 bytes that they stand for, so both become the bytes; anything else is as it is. `out` holds the result where it differs. */
#define PASSWORD_BYTES 20
struct slice password_plain(struct slice shown, char out[PASSWORD_BYTES]);

#endif
