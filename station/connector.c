/* The states are those of 1.6 (specification 4.9). The standard draws them as a table of allowed changes; here each state is a
 * consequence of facts, and `judge` is the only place that derives it, so no order of events can leave a connector in a state that its
 * facts do not support. In descending order of precedence:
 *
 *   fault ------------------------------------------------> FAULTED
 *   transaction, not permitted min_ma, or halted ---------> SUSPENDED_EVSE      wins when both sides suspend (1.6 errata 3.55)
 *   transaction, car wants nothing -----------------------> SUSPENDED_EV
 *   transaction ------------------------------------------> CHARGING
 *   inoperative ------------------------------------------> UNAVAILABLE         after a running transaction, never across it
 *   plugged, had its transaction -------------------------> FINISHING
 *   plugged, or a token waits ----------------------------> PREPARING
 *   reserved ---------------------------------------------> RESERVED
 *   otherwise --------------------------------------------> AVAILABLE
 *
 *   AVAILABLE --plug/token--> PREPARING --tx--> CHARGING <--> SUSPENDED_EV, SUSPENDED_EVSE --tx ends--> FINISHING --unplug--> AVAILABLE
 *                                                                        \-- unplugged: straight to AVAILABLE
 *
 * The output follows from the same facts: closed only in CHARGING, that is with a transaction, a permission of at least min_ma and a car
 * that asks (IEC 61851-1: the contactor closes in states C and D). A pilot offers the current as soon as it is permitted, since a car asks
 * only when offered something; the relay without a pilot has a car that asks whenever it is there. */
#include "station/connector.h"

#include <string.h>

static enum evse_state judge(const struct connector *c)
{
	if (c->in.fault)
		return EVSE_FAULTED;
	if (c->running && (c->halted || c->permit_ma < c->min_ma || c->permit_ma <= 0))
		return EVSE_SUSPENDED_EVSE;
	if (c->running)
		return c->in.wants_energy ? EVSE_CHARGING : EVSE_SUSPENDED_EV;
	if (c->inoperative)
		return EVSE_UNAVAILABLE;
	if (c->in.plugged)
		return c->used ? EVSE_FINISHING : EVSE_PREPARING;
	if (c->claimed)
		return EVSE_PREPARING;
	return c->reserved ? EVSE_RESERVED : EVSE_AVAILABLE;
}

static void set_output(struct connector *c, bool close, int32_t offered_ma)
{
	if (close == c->close && offered_ma == c->offered_ma)
		return;
	c->close = close;
	c->offered_ma = offered_ma;
	c->events->output(c->arg, c);
}

static void change_state(struct connector *c, enum evse_state state)
{
	enum evse_state old = c->state;
	bool offers = state == EVSE_CHARGING || state == EVSE_SUSPENDED_EV;
	c->state = state;
	set_output(c, state == EVSE_CHARGING, offers ? c->permit_ma : 0);
	if (state != old)
		c->events->state(c->arg, c, old);
}

static void settle(struct connector *c)
{
	change_state(c, judge(c));
}

void connector_open(struct connector *c, int evse, int32_t min_ma, const struct connector_events *events, void *arg)
{
	memset(c, 0, sizeof(*c));
	c->evse = evse;
	c->min_ma = min_ma;
	c->events = events;
	c->arg = arg;
	c->state = EVSE_AVAILABLE;
}

void connector_feed(struct connector *c, const struct evse_input *in)
{
	c->in = *in;
	c->in.fault = NULL;
	if (in->fault) {
		memset(c->fault, 0, sizeof(c->fault));
		strncpy(c->fault, in->fault, sizeof(c->fault) - 1);
		c->in.fault = c->fault;
	}
	if (!in->plugged)
		c->used = false;
	settle(c);
}

void connector_leave(struct connector *c, const struct evse_input *in)
{
	c->running = c->halted = false;
	connector_feed(c, in);
}

void connector_permit(struct connector *c, int32_t ma)
{
	c->permit_ma = ma;
	settle(c);
}

void connector_run(struct connector *c, bool running)
{
	c->running = running;
	c->halted = false;
	c->claimed = false;
	if (running)
		c->reserved = false;
	else
		c->used = c->in.plugged;
	settle(c);
}

void connector_halt(struct connector *c, bool halted)
{
	c->halted = halted;
	settle(c);
}

void connector_claim(struct connector *c, bool claimed)
{
	c->claimed = claimed;
	settle(c);
}

void connector_reserve(struct connector *c, bool reserved)
{
	c->reserved = reserved;
	settle(c);
}

void connector_operative(struct connector *c, bool operative)
{
	c->inoperative = !operative;
	settle(c);
}

void connector_forget_use(struct connector *c)
{
	c->used = false;
	settle(c);
}

bool connector_ready(const struct connector *c)
{
	return !c->running && !c->in.fault && !c->inoperative && c->in.plugged;
}
