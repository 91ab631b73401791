/* Names to addresses.
 *
 * A question is asked once while its answer is awaited. Easy to get wrong: the thread may still be inside mailbox_post when its mail is read, so
 * it is joined (it has nothing left to do) before the mailbox can go. */
#include "gateway/net/lookup.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "base/loop.h"
#include "base/mailbox.h"
#include "base/mem.h"

struct question {
	struct list entry, waiting;
	char *host, *port;
};

struct answer {
	struct mail mail;
	char *host, *port; /* the thread's own copies */
	int err;
	struct addrinfo *found;
	struct mailbox *to;
	pthread_t thread;
};

static struct {
	struct list all;
	struct mailbox *mailbox; /* while any question is open */
	struct later tidy;
} questions;

static int resolve(const char *host, const char *port, int flags, struct addrinfo **out)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICSERV | flags, .ai_socktype = SOCK_STREAM };
	return getaddrinfo(host, port, &hints, out);
}

static struct question *find(const char *host, const char *port)
{
	if (!questions.all.next)
		list_init(&questions.all);
	LIST_WALK(&questions.all, struct question, entry, q)
		if (strcmp(q->host, host) == 0 && strcmp(q->port, port) == 0)
			return q;
	return NULL;
}

static void end(struct question *q, int err, const struct addrinfo *found)
{
	list_remove(&q->entry);
	while (!list_empty(&q->waiting)) {
		struct lookup *l = LIST_TOP(&q->waiting, struct lookup, entry);
		list_remove(&l->entry);
		l->done(l, err, found);
	}
	mem_free(q->host);
	mem_free(q->port);
	mem_free(q);
}

static void on_tidy(void *arg)
{
	(void)arg;
	if (!list_empty(&questions.all))
		return;
	mailbox_close(questions.mailbox);
	questions.mailbox = NULL;
}

static void answer_free(struct answer *a)
{
	if (a->found)
		freeaddrinfo(a->found);
	mem_free(a->host);
	mem_free(a->port);
	mem_free(a);
}

static void on_answer(struct mail *mail, void *arg)
{
	struct answer *a = (struct answer *)(void *)mail;
	(void)arg;
	pthread_join(a->thread, NULL);
	struct question *q = find(a->host, a->port);
	if (q)
		end(q, a->err, a->found);
	answer_free(a);
	later_call(&questions.tidy, on_tidy, NULL);
}

static void *ask(void *arg)
{
	struct answer *a = arg;
	a->err = resolve(a->host, a->port, AI_ADDRCONFIG, &a->found);
	if (a->err)
		a->found = NULL;
	mailbox_post(a->to, &a->mail);
	return NULL;
}

/* False: no thread could be started. */
static bool start_thread(const struct question *q)
{
	if (!questions.mailbox && mailbox_open(&questions.mailbox, NULL) != 0)
		return false;
	struct answer *a = NEW(struct answer);
	a->mail.deliver = on_answer;
	a->host = mem_strdup(q->host);
	a->port = mem_strdup(q->port);
	a->to = questions.mailbox;
	if (pthread_create(&a->thread, NULL, ask, a) == 0)
		return true;
	answer_free(a);
	return false;
}

void lookup_start(struct lookup *l, const char *host, const char *port)
{
	struct question *q = find(host, port);
	if (q) {
		list_append(&q->waiting, &l->entry);
		return;
	}
	q = NEW(struct question);
	q->host = mem_strdup(host);
	q->port = mem_strdup(port);
	list_init(&q->waiting);
	list_append(&questions.all, &q->entry);
	list_append(&q->waiting, &l->entry);
	if (!start_thread(q))
		end(q, EAI_AGAIN, NULL);
}

void lookup_cancel(struct lookup *l)
{
	list_remove(&l->entry);
}

int lookup_numeric(const char *host, const char *port, struct addrinfo **out)
{
	return resolve(host, port, AI_NUMERICHOST, out);
}
