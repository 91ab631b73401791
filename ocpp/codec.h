/* Between payloads of a version and the neutral events. Two codecs, one for 1.6 and one for 2.x, mostly rows of (event field, JSON path,
 * conversion). Reading is lenient: a field of the wrong type counts as absent (2.x numbers in strings, 1.6 values as numbers, a
 * meterValue that is no list), since a relay forwards the bytes whatever we understood. */
#ifndef AMPGATE_OCPP_CODEC_H
#define AMPGATE_OCPP_CODEC_H

#include "base/buf.h"
#include "base/mem.h"
#include "ocpp/catalogue.h"
#include "ocpp/event.h"
#include "ocpp/frame.h"

/* A CALL's meaning. ERR_INVALID: its payload is not an object; ERR_UNSUPPORTED: the action means nothing to us (EV_NONE). Slices live
 * with the frame's tree and `mem`. */
int codec_read_call(struct frame *f, struct arena *mem, struct event *out) MUST_CHECK;

/* The meaning of an answer (RESULT or ERROR) to a call of `act`. */
int codec_read_answer(const struct action *act, struct frame *answer, struct arena *mem, struct reply *out) MUST_CHECK;

/* The payload for an event or command in this version, appended as JSON text; the action it belongs to in *act_out. Words of other versions
 * are translated where there is a near one ("Soft" and "OnIdle", stop reasons), texts are cut to the version's lengths, and a time not said
 * where one is required becomes now. SendLocalList is written without entries; firmware, log and certificate requests are not written.
 * ERR_UNSUPPORTED: this version has no such message. ERR_INVALID: what it cannot do without is missing (a profile without a limit, meter
 * values without samples); nothing is appended then. */
int codec_write_call(enum ocpp_version v, const struct event *e, struct buf *payload, const struct action **act_out) MUST_CHECK;

/* The payload of the answer to a call of `act`. For what the reply leaves absent the smallest valid answer is written; a status that nobody
 * said is the message's word for no ("Rejected", "Invalid"), so that silence grants nothing. ERR_UNSUPPORTED: not in this version. */
int codec_write_answer(enum ocpp_version v, const struct action *act, const struct reply *r, struct buf *payload) MUST_CHECK;

/* Where a transaction id stands in a CALL's payload: the window of its value into f->raw (the digits in 1.6, the text between the quotes
 * in 2.x), so that it can be spliced. Absent where the message has none. Paths: 1.6 transactionId in StopTransaction, MeterValues,
 * RemoteStopTransaction, csChargingProfiles.transactionId in SetChargingProfile (and chargingProfile of RemoteStartTransaction). */
struct slice codec_tx_window(const struct frame *f);
/* Whether a message of this action says `offline` of itself when it is delivered late (2.x TransactionEvent, E04.FR.03). */
bool codec_marks_late(const struct action *act);

/* Whether the CSMS has all that a bill needs without this message: a meter value of the interval inside a transaction, unsigned (2.x E11.FR.04). */
bool codec_may_be_left_out(const struct event *e, struct slice payload);

/* Whether the answer to this action names the transaction: only in 1.6, where the CSMS does. */
bool codec_answer_names_tx(const struct action *act);
/* The window of the id in such an answer; absent for others. */
struct slice codec_tx_window_answer(const struct action *act, const struct frame *answer);

/* The i-th entry of SendLocalList: 0, ERR_NOT_FOUND behind the last. An entry without token_status deletes. */
int codec_list_entry(struct frame *f, size_t i, struct arena *mem, struct event *token_out, struct reply *info_out) MUST_CHECK;

/* A SendLocalList with entries: `entry` fills the i-th, false behind the last; `e` has the rest. */
typedef bool codec_entry(void *arg, size_t i, struct event *token_out, struct reply *info_out);
int codec_write_list_of(enum ocpp_version v, const struct event *e, codec_entry *entry, void *arg, struct buf *payload,
                        const struct action **act_out) MUST_CHECK;
/* The same with the entries of a SendLocalList of another version. */
int codec_write_list(enum ocpp_version v, struct frame *from, struct buf *payload, const struct action **act_out) MUST_CHECK;

#endif
