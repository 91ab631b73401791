/* Plugins from files: base/plugin.h behind dlopen. A module stays loaded until the process ends, as its threads and its mail may outlive
 * what asked for it. A plugin runs with all rights of the process, so a file that others than root and the process's own user can write is
 * refused. Loop thread only. */
#ifndef AMPGATE_GATEWAY_MODULES_H
#define AMPGATE_GATEWAY_MODULES_H

#include "base/error.h"
#include "base/plugin.h"

/* Whether a table, which may be of an older plugin, has a function. */
#define PLUGIN_HAS(plugin, member) ((plugin)->size >= offsetof(ag_plugin, member) + sizeof((plugin)->member) && (plugin)->member)

/* Whether it takes these options: an object is made and unmade, with a host that does nothing. 0, or ERR_INVALID with its text in `err`. */
int module_try(const ag_plugin *p, const char *id, const char *config, char *err, size_t errlen) MUST_CHECK;

struct host;
struct plugins_settings;

/* The table of one file; NULL with a text in `err`. Opening the same file again gives the same table. */
const ag_plugin *module_open(const char *path, char *err, size_t errlen);

/* The same by its name in a directory: DIR/NAME.so. */
const ag_plugin *module_find(const char *dir, const char *name, char *err, size_t errlen);

/* Makes all that the configuration names known to the host, each under its file's name. 0, or an error that has been logged. */
int modules_load(const struct plugins_settings *conf, struct host *h) MUST_CHECK;

#endif
