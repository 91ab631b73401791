/* The table of pages as --disable-console leaves it. Linked into an ampgated of the tests in place of the one with the pages. */
#include "web/files.h"

const struct web_file web_files[] = { { 0 } };
