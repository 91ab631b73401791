/* Everything that can be known about a configuration without starting it, beyond what reading it shows: whether keys fit together, and
 * whether the files, models and addresses that it names are there. Here is the order of it, and what is of no part; check-device.c has what is
 * wired, check-listen.c the ways in, check-uplink.c the ways out, check-electric.c and check-grid.c the electrical part.
 *
 * A key that has no effect under the driver or profile beside it is an error: it would be accepted and ignored. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/conf/check-local.h"

void check_refuse_keys(struct conf_report *report, const struct conf_node *map, const char *keys, const char *why)
{
	for (const struct conf_node *n = map->kind == CONF_MAP ? map->first : NULL; n; n = n->next) {
		const char *at = strstr(keys, n->key);
		size_t len = strlen(n->key);
		if (at && (at == keys || at[-1] == ' ') && (at[len] == ' ' || !at[len]) && !conf_is_null(n))
			conf_say(report, CONF_ERROR, &n->key_pos, NULL, "'%s' has no effect %s", n->key, why);
	}
}

/* ---- files ---- */

static void check_paths(struct checking *c)
{
	const struct conf_fill *f = &c->s->source->fill;
	for (size_t i = 0; i < f->n_uses; i++) {
		const struct conf_use *use = &f->uses[i];
		if (use->row->type != CONF_PATH && use->row->type != CONF_SECRET_PATH)
			continue;
		const char *path = *(const char *const *)use->at;
		if (strncmp(path, "cred:", 5) == 0)
			continue; /* a credential that is missing, which is said */
		if (*path != '/')
			settings_wrong(c->report, use->node, "'%s' has to be a whole path, from /", path);
		else if (access(path, R_OK) != 0)
			settings_wrong(c->report, use->node, "'%s' cannot be read: %s", path, err_text(-errno));
	}
}

static void check_timezone(struct checking *c)
{
	const char *zone = c->s->site.timezone;
	struct buf path = { 0 };
	if (!zone || access("/usr/share/zoneinfo", R_OK) != 0)
		return;
	buf_printf(&path, "/usr/share/zoneinfo/%s", zone);
	if (*zone == '/' || strstr(zone, "..") || access(path.p, R_OK) != 0)
		settings_wrong(c->report, settings_node(c->s, "site", "timezone", NULL, NULL), "time zone '%s' is not known", zone);
	buf_free(&path);
}

/* ---- all of it ---- */

int check_settings(const struct settings *s, struct conf_report *report, struct buf *proofs)
{
	struct checking c = { s, report, proofs };
	unsigned before = report->errors;
	check_paths(&c);
	check_timezone(&c);
	check_listeners(&c);
	check_buses(&c);
	check_meters(&c);
	for (size_t i = 0; i < s->n_stations; i++) {
		check_way_in(&c, &s->stations[i]);
		check_member(&c, &s->stations[i]);
		check_password(&c, &s->stations[i]);
		check_shown(&c, s->stations[i].uplink, s->stations[i].password_relay);
	}
	for (size_t i = 0; i < s->n_evses; i++) {
		check_evse(&c, &s->evses[i]);
		check_shown(&c, s->evses[i].uplink, false);
	}
	for (size_t i = 0; i < s->n_uplinks; i++)
		check_uplink(&c, &s->uplinks[i]);
	check_identities(&c);
	check_mqtt(&c);
	for (size_t i = 0; i < s->n_sinks; i++)
		check_sink(&c, &s->sinks[i]);
	check_electric(s, report, proofs);
	check_grid(s, report, proofs);
	return report->errors > before ? ERR_INVALID : 0;
}

static void verdict(const struct conf_report *r, struct buf *out)
{
	buf_printf(out, "%u error%s, %u warning%s: configuration %s\n", r->errors, r->errors == 1 ? "" : "s", r->warnings, r->warnings == 1 ? "" : "s",
		r->errors ? "not usable (exit 3)" : "usable");
}

int check_files(const struct settings_files *files, struct conf_report *report, struct buf *proofs, struct settings **out)
{
	struct settings *s;
	int loaded = settings_load_partly(files, &s, report), rc = loaded;
	if (s)
		rc = check_settings(s, report, proofs);
	rc = loaded ? loaded : rc;
	if (rc)
		settings_free(&s);
	*out = s;
	return rc;
}

int check_config(const struct settings_files *files, struct buf *out, struct settings **out_settings)
{
	struct conf_report report = { 0 };
	struct buf proofs = { 0 };
	struct settings *s;
	int rc = check_files(files, &report, &proofs, &s);
	conf_report_print(&report, out);
	buf_slice(out, buf_view(&proofs));
	verdict(&report, out);
	if (out_settings)
		*out_settings = s;
	else
		settings_free(&s);
	buf_free(&proofs);
	conf_report_free(&report);
	return rc == 0 ? 0 : CHECK_EXIT_INVALID;
}
