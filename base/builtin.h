/* The plugins that are built in. The table is filled in plugins/ and read by the host, which therefore names none of them: what lies above
 * the gateway is reached through this row alone. */
#ifndef AMPGATE_BASE_BUILTIN_H
#define AMPGATE_BASE_BUILTIN_H

#include "base/plugin.h"

struct builtin {
	const char *driver;                  /* as `driver:` names it */
	const ag_plugin *(*plugin)(void);
};
extern const struct builtin builtins[];  /* ends with a row without a driver; plugins/builtin.c */

#endif
