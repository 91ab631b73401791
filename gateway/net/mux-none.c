/* In place of mux.c where the program is made without libnghttp2: every lane has a socket of its own. The configuration says so before. */
#include "base/mem.h"
#include "gateway/net/mux.h"

struct mux {
	bool none;
};

bool mux_is_built(void)
{
	return false;
}

struct mux *mux_open(const struct mux_config *c)
{
	(void)c;
	return NEW(struct mux);
}

void mux_close(struct mux **m)
{
	mem_free(*m);
	*m = NULL;
}

struct link *mux_dial(struct mux *m, const struct dial_config *c, const struct link_events *events, void *owner)
{
	(void)m;
	return dial(c, events, owner);
}

void mux_use_tls(struct mux *m, struct tls_client *tls)
{
	(void)m, (void)tls; /* who dials says with what */
}

void mux_view(const struct mux *m, struct mux_view *out)
{
	(void)m;
	*out = (struct mux_view){ .separate = true };
}
