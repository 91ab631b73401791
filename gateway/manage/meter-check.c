/* A test collects what a meter says (meter-look.c judges it); a scan collects what the search of plugins/modbus-scan.c finds, and judges the best
 * reading of each address the same way. */
#include "gateway/manage/meter-check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/timer.h"
#include "gateway/manage/meter-look.h"
#include "gateway/plug/drivers.h"

#define LOOK_US (US_PER_S / 10)
#define SILENT_US US_PER_S /* a meter that is watched and silent for so long has failed once more */
#define TIMEOUT_SERIAL_MS 200
#define TIMEOUT_TCP_MS 500

/* --- where --- */

static const struct bus_settings *bus_of_device(const struct settings *c, const char *device)
{
	for (size_t i = 0; c && i < c->n_buses; i++)
		if (strcmp(c->buses[i].device, device) == 0)
			return &c->buses[i];
	return NULL;
}

static void take_bus(struct meter_place *out, const struct bus_settings *bus)
{
	*out = (struct meter_place){ .device = bus->device, .baud = bus->baud, .parity = bus->parity };
}

/* A card reader or a pilot board would take a question for a message of its own. */
static const char *other_use(const struct settings *c, const char *device)
{
	for (size_t i = 0; c && i < c->n_evses; i++) {
		const struct evse_settings *e = &c->evses[i];
		if (e->board && strcmp(e->board->device, device) == 0)
			return "a pilot board";
		if (e->reader && strcmp(e->reader->device, device) == 0)
			return "a card reader";
	}
	return NULL;
}

static int find_device(const struct settings *c, const char *device, struct meter_place *out, char *err, size_t errlen)
{
	const struct bus_settings *bus = bus_of_device(c, device);
	const char *other = other_use(c, device);
	if (other) {
		snprintf(err, errlen, "%s belongs to %s", device, other);
		return ERR_EXISTS;
	}
	if (bus)
		take_bus(out, bus);
	else
		out->device = device;
	return 0;
}

static int find_host(const char *target, struct meter_place *out, struct arena *mem, char *err, size_t errlen)
{
	const char *colon = strrchr(target, ':');
	int64_t port = 502;
	bool has_port = colon && !memchr(target, ':', (size_t)(colon - target));
	if (has_port && (int_parse(slice_of(colon + 1), &port) != 0 || port < 1 || port > 65535)) {
		snprintf(err, errlen, "'%s' is no port", colon + 1);
		return ERR_NOT_FOUND;
	}
	out->host = has_port ? arena_text(mem, (struct slice){ target, (size_t)(colon - target) }) : arena_text(mem, slice_of(target));
	out->port = (int)port;
	return 0;
}

int meter_place_find(const struct settings *c, const char *target, struct meter_place *out, struct arena *mem, char *err, size_t errlen)
{
	if (*target == '/')
		return find_device(c, target, out, err, errlen);
	for (size_t i = 0; c && i < c->n_buses; i++) {
		if (strcmp(c->buses[i].id, target) != 0)
			continue;
		take_bus(out, &c->buses[i]);
		return 0;
	}
	for (size_t i = 0; c && i < c->n_meters; i++) {
		const struct meter_settings *m = &c->meters[i];
		if (strcmp(m->id, target) != 0)
			continue;
		if (m->bus)
			take_bus(out, m->bus);
		else
			*out = (struct meter_place){ .host = m->host, .port = m->port };
		if (m->host || m->bus)
			return 0;
		snprintf(err, errlen, "meter '%s' is not on Modbus", target);
		return ERR_NOT_FOUND;
	}
	/* Neither an address nor a name with a dot, while there are ids it could have been: a slip of the finger. */
	if (c && (c->n_buses || c->n_meters) && conf_id_ok(target) && !strpbrk(target, ".:") && strcmp(target, "localhost") != 0) {
		snprintf(err, errlen, "no bus and no meter is called '%s'; a host is given by its address, as HOST:502", target);
		return ERR_NOT_FOUND;
	}
	return find_host(target, out, mem, err, errlen);
}

/* --- a test --- */

struct meter_test {
	struct host *host;       /* NULL: its readings come anyway */
	int handle;
	meter_test_sample *sample;
	char *meter;
	uint64_t seen_us;        /* stamp of the newest sample that was looked at */
	int64_t silent_since_us, begun_us, for_us;
	struct timer timer;
	struct meter_look look;
	meter_check_tell *tell;
	meter_check_end *end;
	void *arg;
};

void meter_test_stop(struct meter_test *t)
{
	timer_cancel(&t->timer);
	if (t->host)
		host_drop(t->host, t->handle);
	mem_free(t->meter);
	mem_free(t);
}

static void end_test(struct meter_test *t)
{
	struct buf json = { 0 };
	struct json_writer w;
	meter_check_end *end = t->end;
	void *arg = t->arg;
	jw_open(&w, &json);
	jw_object(&w, NULL);
	jw_string(&w, "meter", t->meter);
	bool ok = look_write(&t->look, &w);
	jw_end(&w, '}');
	meter_test_stop(t);
	end(arg, ok, buf_view(&json));
	buf_free(&json);
}

static void watch(struct meter_test *t, int64_t now)
{
	const char *fault = NULL;
	const ag_meter_sample *s = t->sample(t->arg, &fault);
	if (s && s->mono_us != t->seen_us) {
		t->seen_us = s->mono_us;
		t->silent_since_us = now;
		look_add(&t->look, s);
	} else if (!s && now - t->silent_since_us >= SILENT_US) {
		t->silent_since_us = now;
		look_failed(&t->look, fault);
	}
}

static void on_look(void *arg)
{
	struct meter_test *t = arg;
	int64_t now = clock_mono_us(), passed = now - t->begun_us;
	if (t->sample)
		watch(t, now);
	if (passed >= t->for_us) {
		end_test(t);
		return;
	}
	t->tell(t->arg, "reading", (double)passed / (double)t->for_us);
	timer_set(&t->timer, LOOK_US, on_look, t);
}

static void on_sample(void *arg, const ag_meter_sample *s, const char *fault)
{
	struct meter_test *t = arg;
	if (s)
		look_add(&t->look, s);
	else
		look_failed(&t->look, fault);
}

static struct meter_test *test_new(const char *meter, int64_t for_us, meter_check_tell *tell, meter_check_end *end, void *arg)
{
	struct meter_test *t = NEW(struct meter_test);
	*t = (struct meter_test){ .meter = mem_strdup(meter), .begun_us = clock_mono_us(), .silent_since_us = clock_mono_us(), .for_us = for_us, .tell = tell,
		.end = end, .arg = arg };
	timer_set(&t->timer, LOOK_US, on_look, t);
	return t;
}

struct meter_test *meter_test_start(struct host *h, const char *models, const struct meter_settings *m, int64_t for_us, meter_check_tell *tell,
                                    meter_check_end *end, void *arg, char *err, size_t errlen)
{
	struct meter_test *t = test_new(m->id, for_us, tell, end, arg);
	int handle = drivers_try_meter(h, models, m, on_sample, t, err, errlen);
	if (handle < 0) {
		meter_test_stop(t);
		return NULL;
	}
	t->host = h;
	t->handle = handle;
	return t;
}

struct meter_test *meter_test_watch(meter_test_sample *sample, const char *meter, int64_t for_us, meter_check_tell *tell, meter_check_end *end, void *arg)
{
	struct meter_test *t = test_new(meter, for_us, tell, end, arg);
	t->sample = sample;
	return t;
}

/* --- a scan --- */

struct meter_scan {
	struct host *host;
	int handle;
	struct timer timer;
	struct buf found;        /* what goes into the result, being written */
	struct json_writer w;
	int n_found;
	meter_check_tell *tell;
	meter_check_end *end;
	void *arg;
};

void meter_scan_stop(struct meter_scan *s)
{
	timer_cancel(&s->timer);
	host_drop(s->host, s->handle);
	buf_free(&s->found);
	mem_free(s);
}

static void end_scan(struct meter_scan *s, const char *fault)
{
	meter_check_end *end = s->end;
	void *arg = s->arg;
	jw_end(&s->w, ']');
	jw_string(&s->w, "fault", fault);
	jw_end(&s->w, '}');
	struct buf json = s->found;
	s->found = (struct buf){ 0 };
	meter_scan_stop(s);
	end(arg, !fault, buf_view(&json));
	buf_free(&json);
}

static void on_time_over(void *arg)
{
	end_scan(arg, "the search took too long and was ended");
}

static void read_phases(const cJSON *reading, const char *key, double out[3], uint32_t bit, uint32_t *valid)
{
	const cJSON *v, *all = cJSON_GetObjectItemCaseSensitive(reading, key);
	int i = 0;
	cJSON_ArrayForEach(v, all) {
		if (i == 3)
			break;
		out[i] = cJSON_IsNumber(v) ? v->valuedouble : NAN;
		*valid |= cJSON_IsNumber(v) ? bit : 0;
		i++;
	}
}

static void read_one(const cJSON *reading, const char *key, double *out, uint32_t bit, uint32_t *valid)
{
	*out = json_number(reading, key, NAN);
	*valid |= isnan(*out) ? 0 : bit;
}

/* As the search wrote it. */
static void look_at(struct meter_look *l, const cJSON *reading)
{
	ag_meter_sample s = { .valid = 0 };
	read_phases(reading, "i_a", s.i_a, AG_I, &s.valid);
	read_phases(reading, "u_v", s.u_v, AG_U, &s.valid);
	read_phases(reading, "p_w", s.p_w, AG_P, &s.valid);
	read_one(reading, "power_w", &s.power_w, AG_POWER, &s.valid);
	read_one(reading, "import_wh", &s.import_wh, AG_IMPORT, &s.valid);
	read_one(reading, "export_wh", &s.export_wh, AG_EXPORT, &s.valid);
	look_add(l, &s);
}

static void write_models(const cJSON *models, struct json_writer *w)
{
	const cJSON *m;
	jw_array(w, "models");
	cJSON_ArrayForEach(m, models) {
		jw_object(w, NULL);
		jw_text(w, "model", json_text(m, "model"));
		jw_text(w, "name", json_text(m, "name"));
		jw_int(w, "points", json_int(m, "points", 0));
		jw_end(w, '}');
	}
	jw_end(w, ']');
}

/* An address that answers: what it calls itself, the maps that fit, and the reading by the best of them. */
static void add_found(struct meter_scan *s, const cJSON *news)
{
	const cJSON *models = cJSON_GetObjectItemCaseSensitive(news, "models"), *best = cJSON_GetArrayItem(models, 0);
	struct meter_look look = { 0 };
	jw_object(&s->w, NULL);
	jw_int(&s->w, "unit", json_int(news, "unit", 0));
	jw_text(&s->w, "device", json_text(news, "device"));
	write_models(models, &s->w);
	if (best) {
		look_at(&look, cJSON_GetObjectItemCaseSensitive(best, "reading"));
		look_write(&look, &s->w);
	}
	jw_end(&s->w, '}');
	s->n_found++;
}

static void on_scan(void *arg, const char *json, bool over, const char *fault)
{
	struct meter_scan *s = arg;
	cJSON *news = json ? json_parse(slice_of(json)) : NULL;
	if (news && cJSON_HasObjectItem(news, "models"))
		add_found(s, news);
	if (news) {
		char step[60];
		snprintf(step, sizeof(step), "address %lld, %d found", (long long)json_int(news, "unit", 0), s->n_found);
		s->tell(s->arg, step, json_number(news, "part", 0));
	}
	cJSON_Delete(news);
	if (over)
		end_scan(s, fault);
}

static void write_place(struct json_writer *w, const struct meter_place *p)
{
	if (p->host) {
		jw_string(w, "host", p->host);
		jw_int(w, "port", p->port);
		return;
	}
	jw_string(w, "device", p->device);
	jw_int(w, "baud", p->baud);
	jw_string(w, "parity", drivers_parity(p->parity));
	jw_int(w, "stop_bits", p->parity == 'N' ? 2 : 1);
}

static int open_search(struct meter_scan *s, const struct meter_scan_conf *conf, char *err, size_t errlen)
{
	struct buf config = { 0 };
	struct json_writer w;
	jw_open(&w, &config);
	jw_object(&w, NULL);
	write_place(&w, &conf->place);
	jw_string(&w, "units", conf->units ? conf->units : "1-32");
	jw_int(&w, "timeout_ms", conf->timeout_ms ? conf->timeout_ms : conf->place.host ? TIMEOUT_TCP_MS : TIMEOUT_SERIAL_MS);
	if (conf->models)
		jw_string(&w, "models_dir", conf->models);
	jw_end(&w, '}');
	s->handle = host_scan(s->host, &(struct host_conf){ .id = conf->target, .driver = "modbus-scan", .config = config.p }, on_scan, s, err, errlen);
	buf_free(&config);
	return s->handle < 0 ? s->handle : 0;
}

struct meter_scan *meter_scan_start(struct host *h, const struct meter_scan_conf *conf, meter_check_tell *tell, meter_check_end *end, void *arg,
                                    char *err, size_t errlen)
{
	struct meter_scan *s = NEW(struct meter_scan);
	*s = (struct meter_scan){ .host = h, .tell = tell, .end = end, .arg = arg };
	if (open_search(s, conf, err, errlen) != 0) {
		mem_free(s);
		return NULL;
	}
	jw_open(&s->w, &s->found);
	jw_object(&s->w, NULL);
	jw_string(&s->w, "target", conf->target);
	jw_string(&s->w, "units", conf->units ? conf->units : "1-32");
	jw_array(&s->w, "found");
	timer_set(&s->timer, conf->most_us, on_time_over, s);
	return s;
}
