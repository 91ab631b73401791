/* The stations of a configuration as a file of their own, to be written by a spreadsheet or by hand: a table (CSV) or YAML with the one key `stations`.
 * Loop thread. */
#ifndef AMPGATE_GATEWAY_STATIONS_FILE_H
#define AMPGATE_GATEWAY_STATIONS_FILE_H

#include "gateway/conf/settings.h"

/* As a layer of the configuration, a map with the one member `stations`; secrets that are masked ("***") are left out, so that what is known stays.
 * ERR_SYNTAX, ERR_INVALID (it speaks of something else), ERR_TOO_LARGE with the reasons in the report. */
int stations_read(struct arena *mem, const char *name, struct slice text, bool csv, struct conf_report *report, struct conf_node **out) MUST_CHECK;

/* What each station of the configuration says beyond station_defaults; secrets masked, references to them not. */
void stations_write_csv(const struct settings *s, struct buf *out);
void stations_write_yaml(const struct settings *s, struct buf *out);

/* The layer that gives station `from` the identity `to`: the same keys under another name. `keep_uplink_id`: the CSMS goes on seeing the old one. */
void stations_rename(const struct settings *s, const char *from, const char *to, bool keep_uplink_id, struct buf *yaml_out);

#endif
