/* The parts of a running gateway, handed to those who need more than their own. One per process. Loop thread. */
#ifndef AMPGATE_GATEWAY_GATEWAY_H
#define AMPGATE_GATEWAY_GATEWAY_H

#include "base/map.h"
#include "energy/control.h"
#include "gateway/conf/settings.h"
#include "gateway/session/uplink.h"
#include "storage/store.h"

struct access;
struct session;
struct limits;
struct zone;
struct host;
struct group;

struct gateway {
	const struct settings *conf;
	struct store *store;
	struct host *host;
	struct control *control;
	struct limits *limits;
	struct zone *zone;            /* of the site; NULL: UTC */
	struct map sessions;          /* identity -> struct session, for the life of the process */
	struct uplink **uplinks;      /* in the order of the settings */
	struct access **listeners;    /* the same */
	struct group **groups;        /* of uplinks with mode aggregate, NULL behind the last */
	struct arena strangers;       /* settings of stations that the file does not name */
	char boot_id[9];              /* of this run, for event numbers */
	const char *state_dir;        /* where the box keeps what it must not lose */
	int64_t started_us;           /* monotonic */
	unsigned connections;         /* station links open now */
	bool storage_spare;           /* the disk cannot be used, and the store is one in memory (spare.h) */
	bool storage_failing;         /* the last start could not be stored */
};

/* The uplink behind its settings; NULL for NULL. */
struct uplink *gateway_uplink(const struct gateway *g, const struct uplink_settings *conf);

#endif
