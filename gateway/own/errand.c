/* A thread posts one mail when it has finished; the mail is the errand itself, and the loop joins the thread and frees it. An errand that
 * nobody wants any more runs on until it notices, so stopping never waits. */
#include "gateway/own/errand.h"

#include <pthread.h>

#include "base/list.h"
#include "base/mailbox.h"
#include "base/mem.h"

struct errand {
	struct mail mail;         /* first: posted by the thread */
	struct list entry;        /* of all that run */
	struct errand_how how;
	struct errand **slot;     /* where the owner keeps it; NULL: nobody waits */
	void *arg, *owner;
	pthread_t thread;
	bool joined;
	atomic_bool over;
	int result;
};

static struct mailbox *mailbox;
static struct list all = { &all, &all };

static void *run(void *arg)
{
	struct errand *e = arg;
	e->result = e->how.run(e, e->arg);
	mailbox_post(mailbox, &e->mail);
	return NULL;
}

static void deliver(struct mail *m, void *arg)
{
	struct errand *e = (struct errand *)m;
	(void)arg;
	if (!e->joined)
		pthread_join(e->thread, NULL);
	list_remove(&e->entry);
	if (e->slot)
		*e->slot = NULL;
	if (e->slot)
		e->how.done(e->owner, e->result);
	e->how.release(e->arg);
	mem_free(e);
}

int errand_start(struct errand **out, const struct errand_how *how, void *arg, void *owner)
{
	int err = mailbox ? 0 : mailbox_open(&mailbox, NULL);
	struct errand *e = NEW(struct errand);
	*e = (struct errand){ .mail = { .deliver = deliver }, .how = *how, .slot = out, .arg = arg, .owner = owner };
	*out = NULL;
	if (!err && pthread_create(&e->thread, NULL, run, e) != 0)
		err = ERR_REFUSED;
	if (err) {
		how->release(arg);
		mem_free(e);
		return err;
	}
	list_append(&all, &e->entry);
	*out = e;
	return 0;
}

void errand_stop(struct errand **e)
{
	if (!*e)
		return;
	(*e)->slot = NULL;
	atomic_store(&(*e)->over, true);
	*e = NULL;
}

bool errand_is_over(const struct errand *e)
{
	return atomic_load(&e->over);
}

void errands_close(void)
{
	LIST_WALK(&all, struct errand, entry, e) {
		atomic_store(&e->over, true);
		e->slot = NULL;
	}
	LIST_WALK(&all, struct errand, entry, e) {
		pthread_join(e->thread, NULL);
		e->joined = true;
	}
	if (mailbox)
		mailbox_close(mailbox); /* delivers their mail first */
	mailbox = NULL;
}
