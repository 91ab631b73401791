/* A counter and a line. Who has had its turn goes to the end of the line, so that all stations advance alike. */
#include "gateway/offline/pace.h"

#include <stddef.h>

void pace_open(struct pace *p)
{
	*p = (struct pace){ 0 };
	list_init(&p->waiting);
}

/* The first in line may ask. Whoever takes a turn lets the next one ask, so that turns that came free together are all taken. */
static void let_in(struct pace *p)
{
	struct pace_place *first = LIST_TOP(&p->waiting, struct pace_place, entry);
	if (first && p->busy < p->most)
		first->go(first->arg);
}

bool pace_take(struct pace *p, int most, struct pace_place *place, void (*go)(void *arg), void *arg)
{
	p->most = most;
	if (place->has_turn)
		return true;
	place->go = go;
	place->arg = arg;
	bool first = list_empty(&p->waiting) || p->waiting.next == &place->entry;
	if (p->busy < p->most && first) {
		list_remove(&place->entry);
		p->busy++;
		place->has_turn = true;
		let_in(p);
		return true;
	}
	if (list_empty(&place->entry))
		list_append(&p->waiting, &place->entry);
	return false;
}

void pace_give(struct pace *p, struct pace_place *place)
{
	bool was_first = !list_empty(&p->waiting) && p->waiting.next == &place->entry;
	list_remove(&place->entry);
	if (place->has_turn) {
		place->has_turn = false;
		p->busy--;
	} else if (!was_first) {
		return;
	}
	let_in(p);
}
