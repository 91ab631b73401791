/* A sink that is a file: a line for each event, and one for several that come late, as a record that stays on the box. An example to start a
 * driver from; see ampgate-plugin(3).
 *
 * Easy to get wrong: a message with a mark is ours once we say so, and the program forgets it then; so it is on the disk before. publish runs on
 * the program's loop and has 5 ms, which a slow disk takes longer than: a thread of our own writes, and posts back to the loop. */
#define _POSIX_C_SOURCE 200809L
#include <ampgate/plugin.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATH_ROOM 256
#define WAITING_MOST 200

struct line {
	struct line *next;
	struct sink *s;
	uint64_t mark;
	int failed; /* errno */
	size_t length;
	char text[];
};

struct sink {
	const ag_host *host;
	char path[PATH_ROOM];
	pthread_t writer;
	pthread_mutex_t lock;
	pthread_cond_t news;
	struct line *first, **end;
	int waiting, leaving;
	int refs;            /* the loop's: lines that have yet to come back, and ourselves */
	int gone;            /* the loop's: unmade, and nobody wants to hear of it */
	char fault[PATH_ROOM + 64];
};

static void unref(struct sink *s)
{
	if (--s->refs == 0)
		free(s);
}

/* ---- the writer ---- */

static int write_line(struct sink *s, const struct line *l)
{
	FILE *f = fopen(s->path, "a");
	if (!f)
		return errno;
	int ok = fprintf(f, "%.*s\n", (int)l->length, l->text) > 0 && fflush(f) == 0 && fsync(fileno(f)) == 0;
	int failed = ok ? 0 : errno;
	return fclose(f) == 0 || failed ? failed : errno;
}

static void on_written(void *arg);

/* Waits a second; 0 when we are to leave. */
static int rest(struct sink *s)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	pthread_mutex_lock(&s->lock);
	while (!s->leaving && pthread_cond_timedwait(&s->news, &s->lock, &until) == 0)
		;
	int go_on = !s->leaving;
	pthread_mutex_unlock(&s->lock);
	return go_on;
}

/* Until it is written, as the next line may not come before it. */
static void insist(struct sink *s, struct line *l)
{
	char text[PATH_ROOM + 64];
	for (int told = 0; (l->failed = write_line(s, l)) != 0 && rest(s); told = 1) {
		snprintf(text, sizeof(text), "%s: %s", s->path, strerror(l->failed));
		if (!told)
			s->host->log(s->host, 1, text);
	}
}

static struct line *next_line(struct sink *s)
{
	pthread_mutex_lock(&s->lock);
	while (!s->first && !s->leaving)
		pthread_cond_wait(&s->news, &s->lock);
	struct line *l = s->first;
	if (l && !(s->first = l->next))
		s->end = &s->first;
	pthread_mutex_unlock(&s->lock);
	return l;
}

static void *write_lines(void *arg)
{
	struct sink *s = arg;
	for (struct line *l; (l = next_line(s)) != NULL;) {
		insist(s, l);
		s->host->post(s->host, on_written, l);
	}
	return NULL;
}

/* ---- the loop ---- */

/* What we never confirm is sent again after the next start. */
static void on_written(void *arg)
{
	struct line *l = arg;
	struct sink *s = l->s;
	s->waiting--;
	if (!s->gone && !l->failed)
		s->host->sink_sent(s->host, l->mark);
	free(l);
	unref(s);
}

/* Copies. State and telemetry, which have no mark, are not for this record. */
static int publish(void *self, const ag_message *m)
{
	struct sink *s = self;
	if (!m->mark)
		return 0;
	s->fault[0] = 0;
	if (s->waiting == WAITING_MOST) {
		snprintf(s->fault, sizeof(s->fault), "%s: the disk is too slow", s->path);
		return -1;
	}
	struct line *l = malloc(sizeof(*l) + m->length);
	if (!l)
		return -1;
	*l = (struct line){ .s = s, .mark = m->mark, .length = m->length };
	memcpy(l->text, m->payload, m->length);
	s->waiting++;
	s->refs++;
	pthread_mutex_lock(&s->lock);
	*s->end = l;
	s->end = &l->next;
	pthread_cond_signal(&s->news);
	pthread_mutex_unlock(&s->lock);
	return 0;
}

static int create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	struct sink *s = calloc(1, sizeof(*s));
	(void)id;
	if (!s || sscanf(config_json, " { \"path\" : \"%255[^\"]\"", s->path) != 1) {
		snprintf(err, errlen, "options need {\"path\": \"/a/file\"}");
		free(s);
		return -1;
	}
	s->host = h;
	s->refs = 1;
	s->end = &s->first;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->news, NULL);
	int rc = pthread_create(&s->writer, NULL, write_lines, s);
	if (rc != 0) {
		snprintf(err, errlen, "no thread: %s", strerror(rc));
		free(s);
		return -1;
	}
	h->sink_state(h, 1, "");
	*self = s;
	return 0;
}

/* The writer finishes what it has; what it posts comes after we are gone, and the last of it frees us. */
static void destroy(void *self)
{
	struct sink *s = self;
	pthread_mutex_lock(&s->lock);
	s->leaving = 1;
	pthread_cond_signal(&s->news);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->writer, NULL);
	pthread_cond_destroy(&s->news);
	pthread_mutex_destroy(&s->lock);
	s->gone = 1;
	unref(s);
}

static const char *fault(void *self)
{
	return ((struct sink *)self)->fault;
}

const ag_plugin *ampgate_plugin_v1(void)
{
	static const ag_plugin plugin = {
		.size = sizeof(plugin),
		.abi = AMPGATE_PLUGIN_ABI,
		.kinds = AG_SINK,
		.name = "example-sink",
		.version = "1",
		.license = "0BSD",
		.config_schema = "{\"path\": \"file that gets a line for each event\"}",
		.create = create,
		.destroy = destroy,
		.publish = publish,
		.fault = fault,
	};
	return &plugin;
}
