/* --check-config: everything that can be known about a configuration without starting it. */
#ifndef AMPGATE_GATEWAY_CHECK_H
#define AMPGATE_GATEWAY_CHECK_H

#include "gateway/conf/settings.h"

#define CHECK_EXIT_INVALID 3 /* exit status of a configuration that cannot be used */

/* What settings_load leaves open: files and models readable, ports free of each other, secrets and profiles that fit, and the electrical
 * proofs. Mistakes go to the report; `proofs` (may be NULL) gets one line per circuit that was looked at. 0, or ERR_INVALID when there
 * was an error. */
int check_settings(const struct settings *s, struct conf_report *report, struct buf *proofs) MUST_CHECK;

/* Loads and checks; the messages stay in `report`. 0 with *out; else *out is NULL and the code is that of settings_load or check_settings. */
int check_files(const struct settings_files *files, struct conf_report *report, struct buf *proofs, struct settings **out) MUST_CHECK;

/* The same; writes messages, proofs and the verdict as the user reads them. 0, or CHECK_EXIT_INVALID. With `out_settings` (may be
 * NULL) a usable configuration is handed over. */
int check_config(const struct settings_files *files, struct buf *out, struct settings **out_settings) MUST_CHECK;

#endif
