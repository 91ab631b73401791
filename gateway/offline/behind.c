/* A short list of texts per session. It is emptied in a later turn, as the ledger lets go in the middle of its own work; texts that come in until
 * then go behind those that wait. */
#include "gateway/offline/behind.h"

#include <string.h>

#include "base/mem.h"
#include "gateway/session/passage.h"

#define MOST 64 /* OCPP lets a CSMS send one CALL at a time; SENDs and impatient ones are few */

struct waiting_text {
	struct list entry;
	size_t length;
	char text[];
};

bool behind_must_wait(const struct session *s)
{
	return !s->behind.letting_go && (s->behind.holds > 0 || s->behind.count > 0);
}

bool behind_put(struct session *s, struct slice text)
{
	if (s->behind.count >= MOST)
		return false;
	struct waiting_text *w = mem_new(sizeof(*w) + text.n + 1);
	w->length = text.n;
	if (text.n)
		memcpy(w->text, text.p, text.n);
	list_append(&s->behind.waiting, &w->entry);
	s->behind.count++;
	return true;
}

static struct waiting_text *take_first(struct session *s)
{
	struct waiting_text *w = LIST_TOP(&s->behind.waiting, struct waiting_text, entry);
	if (w) {
		list_remove(&w->entry);
		s->behind.count--;
	}
	return w;
}

static void go_on(void *arg)
{
	struct session *s = arg;
	struct waiting_text *w;
	while (!s->behind.holds && (w = take_first(s))) {
		s->behind.letting_go = true;
		passage_from_csms(s, (struct slice){ w->text, w->length });
		s->behind.letting_go = false;
		mem_free(w);
	}
}

void behind_hold(struct session *s)
{
	s->behind.holds++;
}

void behind_let_go(struct session *s)
{
	if (--s->behind.holds == 0 && s->behind.count)
		later_call(&s->behind.go_on, go_on, s);
}

void behind_forget(struct session *s)
{
	struct waiting_text *w;
	later_cancel(&s->behind.go_on);
	while ((w = take_first(s)))
		mem_free(w);
}
