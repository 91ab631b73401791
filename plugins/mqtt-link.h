/* A connection to an MQTT broker that is made again whenever it ends, for the sinks that speak over it. The library runs in a thread of the
 * link's, which also resolves names and connects, since the library's own start-up would do that on the loop. */
#ifndef AMPGATE_PLUGINS_MQTT_LINK_H
#define AMPGATE_PLUGINS_MQTT_LINK_H

#include <mosquitto.h>
#include <pthread.h>

#include "base/json.h"
#include "base/mailbox.h"

/* What happens to a link, all in its thread. `owner` outlives mqtt_link_close. */
struct mqtt_link_events {
	int (*dialing)(void *owner, struct mosquitto *m);    /* before each attempt: the will. MOSQ_ERR_..; may be NULL */
	void (*connected)(void *owner, struct mosquitto *m); /* to subscribe */
	void (*published)(void *owner, int mid);             /* may be NULL */
	void (*message)(void *owner, const struct mosquitto_message *msg, const mosquitto_property *props);
	void (*state)(void *owner, bool up, const char *why);
};

struct mqtt_link {
	/* From mqtt_link_open on as they are: */
	struct mosquitto *m;
	char *server;
	int port;
	bool v5;
	const struct mqtt_link_events *events;
	void *owner;
	pthread_t thread;
	struct inbox *stop;
	/* The thread's: */
	int64_t wait_us;            /* before the next attempt */
	char refused[96];           /* what the broker said to CONNECT */
	bool connected, told;
};

/* A text of a sink's configuration, which lives as long as that does; NULL: none, or empty. */
const char *mqtt_link_setting(const cJSON *config, const char *key);
/* Whether its list `commands` has this verb. */
bool mqtt_link_allows(const cJSON *config, const char *verb);

/* Reads url, protocol, username, password, ca, cert and key of a sink's configuration. 0, or ERR_INVALID with a text; nothing is left then. */
int mqtt_link_open(struct mqtt_link *l, const cJSON *config, const char *client_id, const struct mqtt_link_events *events, void *owner, char *err,
                   size_t errlen);
/* The library's handle may be changed (a will, say) between the two. 0, or a negative errno. */
int mqtt_link_start(struct mqtt_link *l);
/* Says goodbye and waits for the thread, for two seconds at most; nothing happens any more afterwards. Fine for a link that never started. */
void mqtt_link_close(struct mqtt_link *l);

#endif
