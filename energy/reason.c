/* The words that a cap may have as its reason. The balancer writes them where it decides; the table is for those who show them, so that a word
 * without a sentence is found by a test and not by a driver. */
#include "energy/reason.h"

#include <string.h>

#define REASON(name) #name,
const char *const reason_names[] = {
#include "energy/reasons.def"
	NULL };
#undef REASON

bool reason_known(const char *name)
{
	for (const char *const *n = reason_names; *n; n++)
		if (strcmp(*n, name) == 0)
			return true;
	return false;
}
