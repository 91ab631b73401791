/* The tables of all keys; inside gateway/conf/settings*.c and gateway/conf/check*.c only. */
#ifndef AMPGATE_GATEWAY_SETTINGS_TABLES_H
#define AMPGATE_GATEWAY_SETTINGS_TABLES_H

#include "gateway/conf/settings.h"

extern const struct conf_table settings_table;
extern const struct conf_table station_defaults_table;
/* settings-listen.c, -electric.c, -grid.c, -station.c, -evse.c, -uplink.c, -mqtt.c */
extern const struct conf_table listen_table, tls_table, console_table;
extern const struct conf_table circuit_table, meter_table, bus_table, balancing_table;
extern const struct conf_table fuse_table, load_table, grid_table, schedule_table, tariff_table;
extern const struct conf_table station_table, evse_table;
extern const struct conf_table uplink_table, offline_table, authorization_table;
extern const struct conf_table mqtt_table;

/* What stays behind a loaded struct settings. */
struct settings_source {
	struct arena mem;
	struct conf_fill fill;
	struct conf_node *tree; /* layers merged, ranges expanded, station_defaults merged into each station */
	const char *credentials, *models;
	unsigned missing; /* secrets: errors that do not keep anybody from looking at the rest */
};

/* While a station's phases wait for its circuit: a number of phases instead of their names. */
#define PHASES_COUNTED 0x10

/* The node at up to four keys, or the nearest one above it that exists: where a message points. */
const struct conf_node *settings_node(const struct settings *s, const char *a, const char *b, const char *c, const char *d);
/* The tree alone, in `mem`, also of a configuration that is not usable; NULL when there is nothing. */
const struct conf_node *settings_tree(const struct settings_files *files, struct arena *mem);
/* An error at the value of that node. */
void settings_wrong(struct conf_report *r, const struct conf_node *n, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* settings_load_files, but *out is also there when nothing but secrets is missing, for the check to go on. */
int settings_load_partly(const struct settings_files *files, struct settings **out, struct conf_report *report) MUST_CHECK;

/* settings-link.c: derives what no single row can say (order, phases, names) and checks that it fits together. */
void settings_link(struct settings *s, struct conf_report *report);

/* settings-secret.c: the reader of secrets for conf_fill; `arg` is the struct settings_source. */
const char *settings_secret(void *arg, struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, const char *id);
/* The secret that `text` stands for, in `mem`; NULL: it does not exist. `{id}` becomes `id`. */
const char *settings_secret_text(const struct settings_source *src, struct arena *mem, const char *text, const char *id);
/* Messages at a secret's node: it does not exist; it stands in the file for all to read. */
void settings_secret_missing(struct settings_source *src, struct conf_report *r, const struct conf_node *n, const char *id);
void settings_secret_literal(struct conf_report *r, const struct conf_node *n);
/* check-electric.c: the electrical part of check_settings. `proofs` may be NULL. */
void check_electric(const struct settings *s, struct conf_report *report, struct buf *proofs);
/* check-grid.c: contracts, fuses, loads, grid inputs, schedules and tariffs. */
void check_grid(const struct settings *s, struct conf_report *report, struct buf *proofs);
/* check-device.c: a plugin that an entry names is loaded and of that kind (AG_METER, AG_EVSE, AG_GRID), and takes its options (NULL: none). */
void check_plugin(const struct settings *s, struct conf_report *report, const struct conf_node *n, const char *plugin, const char *options, uint32_t kind);
/* check.c: an error for each of the keys (separated by spaces) that is there although `why` makes it useless. */
void check_refuse_keys(struct conf_report *report, const struct conf_node *map, const char *keys, const char *why);

/* Whether a circuit feeds all stations of the uplink, and no others. */
bool settings_feeds_only(const struct settings *s, const struct circuit_settings *c, const struct uplink_settings *u);

#endif
