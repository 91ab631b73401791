/* See gateway/http/failures.h. */
#include "gateway/http/failures.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define FAILURES 128
#define FREE_OF_WAITING 5
#define WAIT_MOST_S 900

struct failure {
	char key[80]; /* "user/NAME" */
	unsigned count;
	int64_t last_us; /* monotonic */
};

static struct failure failures[FAILURES];

static void key_of(char out[80], const char *kind, const char *name)
{
	snprintf(out, 80, "%s/%.70s", kind, name);
}

static struct failure *failure_of(const char *kind, const char *name)
{
	char key[80];
	key_of(key, kind, name);
	for (size_t i = 0; i < FAILURES; i++)
		if (strcmp(failures[i].key, key) == 0)
			return &failures[i];
	return NULL;
}

static struct failure *oldest(void)
{
	struct failure *f = &failures[0];
	for (size_t i = 1; i < FAILURES; i++)
		if (failures[i].last_us < f->last_us)
			f = &failures[i];
	return f;
}

void failures_count(const char *kind, const char *name)
{
	struct failure *f = failure_of(kind, name);
	if (!f) {
		f = oldest();
		f->count = 0;
		key_of(f->key, kind, name);
	}
	f->count++;
	f->last_us = clock_mono_us();
}

int failures_wait(const char *kind, const char *name)
{
	const struct failure *f = failure_of(kind, name);
	if (!f || f->count < FREE_OF_WAITING)
		return 0;
	unsigned more = f->count - FREE_OF_WAITING;
	int64_t wait = more > 9 ? WAIT_MOST_S : INT64_C(1) << more; /* 512 s is the last power that fits */
	int64_t left = f->last_us + wait * US_PER_S - clock_mono_us();
	return (int)(left > 0 ? (left + US_PER_S - 1) / US_PER_S : 0);
}

void failures_forget(const char *kind, const char *name)
{
	struct failure *f = failure_of(kind, name);
	if (f)
		memset(f, 0, sizeof(*f));
}

void failures_clear(void)
{
	memset(failures, 0, sizeof(failures));
}
