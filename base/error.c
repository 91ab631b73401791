/* The texts of error codes, in one table. */
#include "base/error.h"

#include <string.h>

static const char *const texts[] = {
	[ERR_SYNTAX - ERR_FIRST] = "syntax error",
	[ERR_INVALID - ERR_FIRST] = "invalid value",
	[ERR_NOT_FOUND - ERR_FIRST] = "not found",
	[ERR_EXISTS - ERR_FIRST] = "exists already",
	[ERR_CLOSED - ERR_FIRST] = "connection closed",
	[ERR_FULL - ERR_FIRST] = "there is no room for more",
	[ERR_TOO_LARGE - ERR_FIRST] = "too large",
	[ERR_TIMEOUT - ERR_FIRST] = "timed out",
	[ERR_REFUSED - ERR_FIRST] = "refused",
	[ERR_AUTH - ERR_FIRST] = "credentials missing or wrong",
	[ERR_TLS - ERR_FIRST] = "TLS failed",
	[ERR_PROTOCOL - ERR_FIRST] = "protocol violated",
	[ERR_STORAGE - ERR_FIRST] = "storage failed",
	[ERR_CORRUPT - ERR_FIRST] = "stored data is damaged",
	[ERR_UNSUPPORTED - ERR_FIRST] = "not supported",
};

const char *err_text(int code)
{
	if (code >= ERR_FIRST && code <= ERR_LAST)
		return texts[code - ERR_FIRST];
	return code ? strerror(code < 0 ? -code : code) : "success";
}
