/* Subprotocol names and the choice among them. */
#include "ocpp/version.h"

#include <stdbool.h>

#include "base/error.h"

static const char *const names[OCPP_VERSIONS] = { "ocpp1.6", "ocpp2.0.1", "ocpp2.1" };

const char *version_subprotocol(enum ocpp_version v)
{
	return names[v];
}

int version_parse(struct slice subprotocol)
{
	for (int v = 0; v < OCPP_VERSIONS; v++)
		if (slice_is(subprotocol, names[v]))
			return v;
	return ERR_UNSUPPORTED;
}

/* Cuts the next entry off a comma-separated list, without the white space around it. */
static bool next_offer(struct slice *list, struct slice *one_out)
{
	size_t at = 0;
	if (!list->n)
		return false;
	while (at < list->n && list->p[at] != ',')
		at++;
	struct slice one = { list->p, at };
	size_t used = at + (at < list->n);
	*list = (struct slice){ list->p + used, list->n - used };
	for (; one.n && (one.p[0] == ' ' || one.p[0] == '\t'); one.n--)
		one.p++;
	while (one.n && (one.p[one.n - 1] == ' ' || one.p[one.n - 1] == '\t'))
		one.n--;
	*one_out = one;
	return true;
}

static bool offers(struct slice offered, enum ocpp_version v)
{
	struct slice one;
	while (next_offer(&offered, &one))
		if (slice_is(one, names[v]))
			return true;
	return false;
}

int version_choose(struct slice offered, const enum ocpp_version *ours, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (offers(offered, ours[i]))
			return (int)ours[i];
	return ERR_UNSUPPORTED;
}

bool version_has_result_error(enum ocpp_version v)
{
	return v >= OCPP21;
}

int version_token_most(enum ocpp_version v)
{
	return v == OCPP16 ? 20 : 36;
}

bool version_needs_token(enum ocpp_version v)
{
	return v == OCPP16;
}
