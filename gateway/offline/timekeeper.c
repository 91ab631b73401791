/* A box without a battery behind its clock starts in the past. What it records then carries the monotonic clock as well, and as long as the machine
 * is not started anew that clock tells when it was, once the right time is known: from the kernel, or from a CSMS's word.
 *
 * Once, and from one look at both clocks: the same records get the same times, however often this is asked. Records of an earlier run of the
 * machine stay as they are, and say that their time is not to be trusted. */
#include "gateway/offline/timekeeper.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/timer.h"
#include "gateway/mqtt/telemetry.h"
#include "storage/outbox.h"

#define LOOK_US (2 * US_PER_S)

static struct {
	struct gateway *g;
	struct timer look;
	bool doubted; /* it was not known when we started */
} t;

static void on_corrected(void *arg, int err, int64_t count)
{
	(void)arg;
	if (err)
		log_error(NULL, "times of records could not be put right: %s", err_text(err));
	else if (count)
		log_info(NULL, "the times of %lld records from before were put right", (long long)count);
}

static void correct(void)
{
	int err = outbox_correct(t.g->store, clock_boot(), clock_wall_us() - clock_mono_us(), on_corrected, NULL);
	if (err)
		on_corrected(NULL, err, 0);
}

static void on_look(void *arg)
{
	(void)arg;
	if (!clock_trusted()) {
		if (!t.doubted)
			log_warn(NULL, "nobody vouches for the clock yet; stations are not told the time by it");
		t.doubted = true;
		timer_set(&t.look, LOOK_US, on_look, NULL);
		return;
	}
	if (t.doubted) {
		log_info(NULL, "the time is known now");
		telemetry_event(t.g, "clock.known", "info", "clock", NULL);
	}
	correct();
}

int timekeeper_open(struct gateway *g)
{
	t.g = g;
	t.doubted = false;
	on_look(NULL);
	return 0;
}

void timekeeper_close(void)
{
	timer_cancel(&t.look);
}
