/* Monitors of the device model: thresholds, changes and clocks, and the events they cause (2.x, block N). Loop thread. */
#ifndef AMPGATE_STATION_MONITORS_H
#define AMPGATE_STATION_MONITORS_H

#include "base/list.h"
#include "base/timer.h"
#include "ocpp/monitors.h"

#define MONITORS_MOST 64

struct monitors {
	struct list all;
	size_t count;
	int64_t next_id, next_event;
	int level;                /* events less severe (greater) are not sent; 9: all are */
	const char *base;         /* "All", "FactoryDefault", "HardWiredOnly" */
	struct timer look;
	struct list waiting;      /* events to be sent when there is a link */
	size_t n_waiting;
};

struct station;
void monitors_open(struct station *s);
void monitors_close(struct station *s);
void monitors_recall(struct station *s, const char *name, struct slice value);
void monitors_look(struct station *s);                     /* something may have changed */
void monitors_flow(struct station *s);                     /* there is a link again */

#endif
