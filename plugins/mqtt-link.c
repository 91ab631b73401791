/* One thread, one attempt after the other: dial, converse until the end, tell why, wait, again. The thread shares nothing with the loop but
 * the library's handle and what never changes after mqtt_link_open.
 *
 * Easy to get wrong: the library resends and reconnects by itself only in its own thread, so here nothing happens between two attempts, and
 * that is when a will can be changed. */
#include "plugins/mqtt-link.h"

#include <errno.h>
#include <mqtt_protocol.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"

#define KEEPALIVE_S 30
#define BACKOFF_MOST_US (60 * US_PER_S)
#define GOODBYE_TURNS 20 /* of 100 ms */

/* ---- the thread ---- */

static void on_connect(struct mosquitto *m, void *arg, int rc, int flags, const mosquitto_property *props)
{
	struct mqtt_link *l = arg;
	(void)flags, (void)props;
	if (rc != 0) {
		snprintf(l->refused, sizeof(l->refused), "refused: %s", l->v5 ? mosquitto_reason_string(rc) : mosquitto_connack_string(rc));
		return;
	}
	l->connected = true;
	l->wait_us = US_PER_S;
	l->events->connected(l->owner, m);
	l->events->state(l->owner, true, "connected");
}

static void on_published(struct mosquitto *m, void *arg, int mid, int reason, const mosquitto_property *props)
{
	struct mqtt_link *l = arg;
	(void)m, (void)reason, (void)props;
	if (l->events->published)
		l->events->published(l->owner, mid);
}

static void on_message(struct mosquitto *m, void *arg, const struct mosquitto_message *msg, const mosquitto_property *props)
{
	struct mqtt_link *l = arg;
	(void)m;
	l->events->message(l->owner, msg, props);
}

static int connect_once(struct mqtt_link *l, bool first)
{
	int rc = l->events->dialing ? l->events->dialing(l->owner, l->m) : MOSQ_ERR_SUCCESS;
	l->connected = false;
	l->refused[0] = 0;
	if (rc != MOSQ_ERR_SUCCESS)
		return rc;
	return first ? mosquitto_connect_async(l->m, l->server, l->port, KEEPALIVE_S) : mosquitto_reconnect_async(l->m);
}

/* Until the connection ends; when we are told to stop, until our goodbye is out, for a limited time. */
static int converse(struct mqtt_link *l)
{
	int rc = MOSQ_ERR_SUCCESS;
	while (rc == MOSQ_ERR_SUCCESS && !inbox_stopped(l->stop))
		rc = mosquitto_loop(l->m, 1000, 1);
	for (int i = 0; i < GOODBYE_TURNS && rc == MOSQ_ERR_SUCCESS; i++)
		rc = mosquitto_loop(l->m, 100, 1);
	return rc;
}

static void tell_end(struct mqtt_link *l, int rc)
{
	const char *why = l->refused[0] ? l->refused : rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc);
	if (l->connected || !l->told)
		l->events->state(l->owner, false, why);
	l->told = true;
}

/* Half of the time at least, and then at random: a broker that comes back is not met by all of its boxes at once. */
static int64_t some_of(int64_t wait_us)
{
	return wait_us / 2 + random() % (wait_us / 2 + 1);
}

static void *run(void *arg)
{
	struct mqtt_link *l = arg;
	for (bool first = true; !inbox_stopped(l->stop); first = false) {
		int rc = connect_once(l, first);
		if (rc == MOSQ_ERR_SUCCESS)
			rc = converse(l);
		if (inbox_stopped(l->stop))
			break;
		tell_end(l, rc);
		inbox_serve(l->stop, some_of(l->wait_us));
		l->wait_us = l->wait_us * 2 < BACKOFF_MOST_US ? l->wait_us * 2 : BACKOFF_MOST_US;
	}
	return NULL;
}

/* ---- the configuration ---- */

/* A text that lives as long as the configuration; NULL: none, or empty. */
const char *mqtt_link_setting(const cJSON *config, const char *key)
{
	struct slice t = json_text(config, key);
	return t.n ? t.p : NULL;
}

bool mqtt_link_allows(const cJSON *config, const char *verb)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, json_at(config, "commands"))
		if (cJSON_IsString(item) && strcmp(item->valuestring, verb) == 0)
			return true;
	return false;
}

/* mqtt://host[:port] or mqtts://host[:port]; an IPv6 address in brackets. */
static int read_url(struct mqtt_link *l, struct slice url, bool *tls_out)
{
	char *text = mem_text(url), *host = text, *end;
	int rc = ERR_INVALID;
	*tls_out = strncmp(text, "mqtts://", 8) == 0;
	if (!*tls_out && strncmp(text, "mqtt://", 7) != 0)
		goto done;
	host += *tls_out ? 8 : 7;
	l->port = *tls_out ? 8883 : 1883;
	end = *host == '[' ? strchr(host++, ']') : host + strcspn(host, ":/");
	if (!end || end == host)
		goto done;
	l->server = mem_text((struct slice){ host, (size_t)(end - host) });
	end += *end == ']';
	if (*end == ':') {
		int64_t port;
		if (int_parse((struct slice){ end + 1, strcspn(end + 1, "/") }, &port) != 0 || port < 1 || port > 65535)
			goto done;
		l->port = (int)port;
	} else if (*end && *end != '/') {
		goto done;
	}
	rc = 0;
done:
	mem_free(text);
	return rc;
}

static int set_version(struct mqtt_link *l, const cJSON *config)
{
	struct slice text = json_text(config, "protocol");
	int64_t number = json_int(config, "protocol", slice_is(text, "3.1.1") ? 4 : text.p ? 0 : 5);
	l->v5 = number == 5;
	if (number != 5 && number != 4)
		return MOSQ_ERR_PROTOCOL;
	return mosquitto_int_option(l->m, MOSQ_OPT_PROTOCOL_VERSION, l->v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
}

static int set_up(struct mqtt_link *l, const cJSON *config, const char *client_id, bool tls)
{
	const char *ca = mqtt_link_setting(config, "ca");
	l->m = mosquitto_new(client_id, true, l);
	if (!l->m)
		return errno == ENOMEM ? MOSQ_ERR_NOMEM : MOSQ_ERR_INVAL;
	mosquitto_threaded_set(l->m, true);
	int rc = set_version(l, config);
	if (rc == MOSQ_ERR_SUCCESS && mqtt_link_setting(config, "username"))
		rc = mosquitto_username_pw_set(l->m, mqtt_link_setting(config, "username"), mqtt_link_setting(config, "password"));
	if (rc == MOSQ_ERR_SUCCESS && tls)
		rc = mosquitto_tls_set(l->m, ca, ca ? NULL : "/etc/ssl/certs", mqtt_link_setting(config, "cert"), mqtt_link_setting(config, "key"), NULL);
	mosquitto_connect_v5_callback_set(l->m, on_connect);
	mosquitto_publish_v5_callback_set(l->m, on_published);
	mosquitto_message_v5_callback_set(l->m, on_message);
	return rc;
}

static void clear(struct mqtt_link *l)
{
	mosquitto_destroy(l->m);
	mosquitto_lib_cleanup();
	mem_free(l->server);
	*l = (struct mqtt_link){ 0 };
}

int mqtt_link_open(struct mqtt_link *l, const cJSON *config, const char *client_id, const struct mqtt_link_events *events, void *owner, char *err,
                   size_t errlen)
{
	bool tls;
	int rc = MOSQ_ERR_SUCCESS;
	mosquitto_lib_init();
	*l = (struct mqtt_link){ .events = events, .owner = owner, .wait_us = US_PER_S };
	if (!mqtt_link_setting(config, "url") || read_url(l, json_text(config, "url"), &tls) != 0)
		snprintf(err, errlen, "url is mqtt://host[:port] or mqtts://host[:port]");
	else if ((rc = set_up(l, config, client_id, tls)) != MOSQ_ERR_SUCCESS)
		snprintf(err, errlen, "%s", rc == MOSQ_ERR_PROTOCOL ? "protocol is 5 or 3.1.1" : mosquitto_strerror(rc));
	else
		return 0;
	clear(l);
	return ERR_INVALID;
}

/* Signals are the loop's business. */
int mqtt_link_start(struct mqtt_link *l)
{
	sigset_t all, before;
	l->stop = inbox_open(l);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&l->thread, NULL, run, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		inbox_close(l->stop);
		l->stop = NULL;
	}
	return -rc;
}

void mqtt_link_close(struct mqtt_link *l)
{
	if (l->stop) {
		mosquitto_disconnect(l->m);
		inbox_stop(l->stop);
		pthread_join(l->thread, NULL);
		inbox_close(l->stop);
	}
	if (l->m)
		clear(l);
}
