/* One request of the CSMS and those who serve it. Each handler fills in the answer and says what is to be done behind it: the answer is on
 * the link before the deed. Inside station/ only. */
#ifndef AMPGATE_STATION_COMMANDS_H
#define AMPGATE_STATION_COMMANDS_H

#include "base/buf.h"
#include "base/mem.h"
#include "ocpp/event.h"
#include "ocpp/frame.h"

struct station;
struct evse;

struct request {
	struct frame *f;
	struct event e;
	struct arena mem;
	struct reply r;
	const char *error;            /* CALLERROR code instead of an answer */
	struct buf payload;           /* the answer, where reply cannot say it */
	void (*after)(struct station *s, struct request *q);
	struct evse *evse;            /* for `after` */
	const void *what;
	int64_t number;
	bool waits;                   /* answered later: station_unlocked */
};

static inline void answer(struct request *q, const char *status)
{
	q->r.status = slice_of(status);
}

static inline void answer_if(struct request *q, bool good)
{
	answer(q, good ? "Accepted" : "Rejected");
}

typedef void handler(struct station *s, struct request *q);

handler model_get, model_set, model_report_base, model_report;            /* model.c */
handler schedule_set, schedule_clear, schedule_update, schedule_composite, schedule_list; /* schedule.c */
handler monitors_set, monitors_clear, monitors_base, monitors_level, monitors_report;     /* monitors.c */
handler display_set, display_get, display_clear, display_cost;            /* display.c */
handler logs_get;                                                         /* logs.c */
handler firmware_update;                                                  /* firmware.c */
handler security_install, security_delete, security_list, security_signed; /* security.c */
handler network_set;                                                      /* network.c */
handler customer_tell;                                                    /* customer.c */

#endif
