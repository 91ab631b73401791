/* The files of the console, compressed, as web/embed.sh put them into web/files.c. */
#ifndef AMPGATE_WEB_FILES_H
#define AMPGATE_WEB_FILES_H

#include <stddef.h>

struct web_file {
	const char *path, *type, *etag; /* "/app.js"; etag with its quotes */
	const unsigned char *gzip;
	size_t n;
};

extern const struct web_file web_files[]; /* ends with a path of NULL; empty in a build without the console */

#endif
