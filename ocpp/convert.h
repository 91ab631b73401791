/* A message of one version in the words of another, with other numbers for EVSE, connector and transaction. Where the other version takes the
 * message as it stands, its bytes go on and only the numbers are spliced; else it goes by way of its meaning, which loses what the neutral
 * event does not hold (signed values, measurands without a meaning for us, the texts of vendors). Pure; loop thread, as the codecs. */
#ifndef AMPGATE_OCPP_CONVERT_H
#define AMPGATE_OCPP_CONVERT_H

#include "ocpp/codec.h"

/* The CALL `f` in version `to`. `e` is its meaning with the numbers it shall have; a number that the message does not carry is put in where
 * `e` has one. A kind that `to` tells by another message is said by that one (meter values of a transaction). ERR_UNSUPPORTED and ERR_INVALID
 * as codec_write_call: there is nothing to say in that version. */
int convert_call(struct frame *f, const struct event *e, enum ocpp_version to, struct buf *payload, const struct action **act_out) MUST_CHECK;

/* A CALL with a list whose entries each name an EVSE at `path`: `map` gives the number it shall have. ERR_UNSUPPORTED: version `to` does not take
 * the message. ERR_NOT_FOUND: `map` gave none (0). */
int convert_list(const struct frame *f, enum ocpp_version to, const char *list, const char *path, int (*map)(void *arg, int evse), void *arg,
                 struct buf *payload) MUST_CHECK;

/* The numbers at `path` in each entry of the list `list` replaced by what `map` gives for them. ERR_NOT_FOUND as above; numbers below 1 stay. */
int convert_numbers(struct buf *text, const char *list, const char *path, int (*map)(void *arg, int number), void *arg) MUST_CHECK;

/* The answer to what was asked as `asked` of one version, for who asked `act` of version `to`. `tx`: what the asker calls the transaction,
 * where its answer names one; absent: as in the answer. ERR_UNSUPPORTED: it was an error, which has no payload. */
int convert_answer(const struct action *asked, struct frame *answer, const struct action *act, enum ocpp_version to, struct slice tx,
                   struct buf *payload) MUST_CHECK;

/* The answer to GetTransactionStatus about a transaction whose station has no such message. */
void convert_tx_status(bool ongoing, struct buf *payload);

/* codec_write_answer, but a status that this version does not have for this action becomes the nearest that it has, and the reason is told
 * where there is room for one. */
int convert_reply(enum ocpp_version to, const struct action *act, struct reply *r, struct buf *payload) MUST_CHECK;

#endif
