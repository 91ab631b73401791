/* What every unit test includes: cmocka with the headers it wants before itself. A test links its own folder's library and those below. */
#ifndef AMPGATE_TESTS_UNIT_H
#define AMPGATE_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* Compares a slice with text; the message shows both. */
static inline void assert_slice(struct slice got, const char *want)
{
	if (!slice_is(got, want))
		fail_msg("got \"%.*s\", want \"%s\"", SLICE_ARG(got), want);
}

#endif
