/* Discovery payloads in Home Assistant's device form, with full key names. Ids are made of letters, digits, "_" and "-" as its topics ask; other
 * characters of a station's identity become "_" followed by their code, so that two identities never meet. A template that finds nothing is an
 * error in its log with every message, and a number outside its range is not shown: what is announced has to fit what is published. */
#include "gateway/mqtt/homeassistant.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "config.h"
#include "gateway/mqtt/topic.h"

struct announcing {
	const struct session *s;
	struct json_writer w;
	const char *base, *site, *device; /* "ampgate", site id, "ampgate_<site>_<station>" */
	char level[TOPIC_LEVEL];          /* the station in topics */
	bool commands;                    /* the broker may send limit.set */
};

static void add_id(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (isalnum((unsigned char)*text) || *text == '-')
			buf_add(out, text, 1);
		else
			buf_printf(out, "_%02x", (unsigned char)*text);
	}
}

static void add_string(struct json_writer *w, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void add_string(struct json_writer *w, const char *key, const char *fmt, ...)
{
	struct buf text = { 0 };
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	jw_string(w, key, text.p ? text.p : "");
	buf_free(&text);
}

static void write_device(struct announcing *a)
{
	struct json_writer *w = &a->w;
	jw_object(w, "device");
	jw_array(w, "identifiers");
	jw_string(w, NULL, a->device);
	jw_end(w, ']');
	jw_string(w, "name", a->s->conf->name ? a->s->conf->name : a->s->id);
	if (a->s->vendor[0])
		jw_string(w, "manufacturer", a->s->vendor);
	if (a->s->model[0])
		jw_string(w, "model", a->s->model);
	if (a->s->firmware[0])
		jw_string(w, "sw_version", a->s->firmware);
	if (a->s->serial[0])
		jw_string(w, "serial_number", a->s->serial);
	jw_end(w, '}');
	jw_object(w, "origin");
	jw_string(w, "name", "ampgate");
	jw_string(w, "sw_version", PACKAGE_VERSION);
	jw_end(w, '}');
}

static void write_availability(struct announcing *a)
{
	jw_int(&a->w, "qos", 1);
	jw_array(&a->w, "availability");
	jw_object(&a->w, NULL);
	add_string(&a->w, "topic", "%s/%s/status", a->base, a->site);
	jw_end(&a->w, '}');
	jw_object(&a->w, NULL);
	add_string(&a->w, "topic", "%s/%s/station/%s/status", a->base, a->site, a->level);
	jw_end(&a->w, '}');
	jw_end(&a->w, ']');
	jw_string(&a->w, "availability_mode", "all");
}

/* Opens the object of an entity: what all of them have. */
static void begin_entity(struct announcing *a, int evse, const char *key, const char *platform, const char *name, const char *value)
{
	struct json_writer *w = &a->w;
	char id[64];
	bool several = a->s->conf->evses > 1;
	snprintf(id, sizeof(id), "%d_%s", evse, key);
	jw_object(w, id);
	jw_string(w, "platform", platform);
	add_string(w, "unique_id", "%s_%s", a->device, id);
	if (several)
		add_string(w, "name", "%d %s", evse, name);
	else
		jw_string(w, "name", name);
	add_string(w, "state_topic", "%s/%s/station/%s/evse/%d", a->base, a->site, a->level, evse);
	add_string(w, "value_template", "{{ value_json.%s }}", value);
}

static void write_measure(struct announcing *a, int evse, const char *key, const char *name, const char *value, const char *class, const char *unit,
                          const char *kind)
{
	begin_entity(a, evse, key, "sensor", name, value);
	jw_string(&a->w, "device_class", class);
	jw_string(&a->w, "unit_of_measurement", unit);
	jw_string(&a->w, "state_class", kind);
	jw_end(&a->w, '}');
}

static void write_cap(struct announcing *a, int evse)
{
	struct json_writer *w = &a->w;
	struct buf template = { 0 };
	begin_entity(a, evse, "cap", "number", "Current cap", "cap_a");
	jw_string(w, "device_class", "current");
	jw_int(w, "min", 0);
	jw_number(w, "max", a->s->conf->max_current_ma / 1000.0, 1); /* what is shown without a cap, which a lower maximum would refuse */
	jw_int(w, "step", 1);
	jw_string(w, "unit_of_measurement", "A");
	add_string(w, "command_topic", "%s/%s/cmd/limit.set", a->base, a->site);
	buf_puts(&template, "{\"station\":");
	json_quote(&template, slice_of(a->s->id));
	buf_printf(&template, ",\"evse\":%d,\"limit_a\":{{ value }},\"for\":\"12h\"}", evse);
	jw_string(w, "command_template", template.p);
	jw_end(w, '}');
	buf_free(&template);
}

/* With its words, so that automations offer them. */
static void write_state(struct announcing *a, int evse)
{
	begin_entity(a, evse, "state", "sensor", "State", "state");
	jw_string(&a->w, "device_class", "enum");
	jw_array(&a->w, "options");
	for (int i = 0; i < EVSE_STATES; i++)
		jw_string(&a->w, NULL, evse_state_text((enum evse_state)i));
	jw_end(&a->w, ']');
	jw_end(&a->w, '}');
}

static void write_evse(struct announcing *a, int evse)
{
	write_state(a, evse);
	write_measure(a, evse, "power", "Power", "p_w", "power", "W", "measurement");
	write_measure(a, evse, "energy", "Energy", "energy_wh", "energy", "Wh", "total_increasing");
	write_measure(a, evse, "offered", "Offered current", "offered_a", "current", "A", "measurement");
	begin_entity(a, evse, "reason", "sensor", "Limit reason", "limit.reason | default('none')");
	jw_end(&a->w, '}');
	if (a->commands)
		write_cap(a, evse);
}

static bool allows(const struct mqtt_settings *m, const char *verb)
{
	for (const char *const *c = m->commands; c && *c; c++)
		if (strcmp(*c, verb) == 0)
			return true;
	return false;
}

void homeassistant_write(const struct session *s, struct buf *topic, struct buf *payload)
{
	const struct settings *conf = s->gw->conf;
	struct announcing a = { .s = s, .base = conf->mqtt.base, .site = conf->site.id, .commands = allows(&conf->mqtt, "limit.set") };
	struct buf device = { 0 };
	buf_printf(&device, "ampgate_%s_", a.site);
	add_id(&device, s->id);
	a.device = device.p;
	topic_level(s->id, a.level, sizeof(a.level));
	buf_printf(topic, "/%s/device/%s/config", conf->mqtt.homeassistant.prefix, a.device);
	jw_open(&a.w, payload);
	jw_object(&a.w, NULL);
	write_device(&a);
	write_availability(&a);
	jw_object(&a.w, "components");
	for (int evse = 1; evse <= s->conf->evses; evse++)
		write_evse(&a, evse);
	jw_end(&a.w, '}');
	jw_end(&a.w, '}');
	buf_free(&device);
}
