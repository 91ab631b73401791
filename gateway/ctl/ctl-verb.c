/* Any verb of the daemon as a command: `ampgate station accept G-23 --circuit row-b --like G-22`, or with KEY=VALUE. The table of verbs says which
 * arguments there are and in which order plain words fill them. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "gateway/ctl/ctl.h"

#define ARGUMENTS 16

struct arguments {
	char names[ARGUMENTS][40];
	bool given[ARGUMENTS];
	int n;
	struct json_writer w;
};

/* "circuit|station [evse] limit_a": each word by itself, whatever says that it may be left out. */
static void read_names(struct arguments *a, const char *row)
{
	for (const char *p = row; *p && a->n < ARGUMENTS;) {
		size_t n = strcspn(p, " []|");
		if (n)
			snprintf(a->names[a->n++], sizeof(a->names[0]), "%.*s", (int)n, p);
		p += n;
		p += strspn(p, " []|");
	}
}

static int index_of(const struct arguments *a, const char *name, size_t n)
{
	for (int i = 0; i < a->n; i++)
		if (strlen(a->names[i]) == n && strncmp(a->names[i], name, n) == 0)
			return i;
	return -1;
}

static void give(struct arguments *a, int i, const char *value)
{
	a->given[i] = true;
	if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)
		jw_bool(&a->w, a->names[i], *value == 't');
	else
		jw_string(&a->w, a->names[i], value);
}

/* --like G-22, --dry-run: an option without a value behind it is a yes. How many words it took; 0: there is no such argument. */
static int take_option(struct arguments *a, int argc, char **argv)
{
	char name[40];
	bool alone = argc < 2 || strncmp(argv[1], "--", 2) == 0;
	snprintf(name, sizeof(name), "%s", argv[0] + 2);
	for (char *c = name; *c; c++)
		*c = *c == '-' ? '_' : *c;
	int i = index_of(a, name, strlen(name));
	if (i < 0 || a->given[i])
		return 0;
	give(a, i, alone ? "true" : argv[1]);
	return alone ? 1 : 2;
}

/* KEY=VALUE, or the next argument that is open. False: there is none. */
static bool take_word(struct arguments *a, const char *word)
{
	const char *equals = strchr(word, '=');
	int i = equals ? index_of(a, word, (size_t)(equals - word)) : -1;
	if (i >= 0) {
		give(a, i, equals + 1);
		return true;
	}
	for (i = 0; i < a->n; i++) {
		if (a->given[i])
			continue;
		give(a, i, word);
		return true;
	}
	return false;
}

static bool take_all(struct arguments *a, int argc, char **argv)
{
	for (int i = 0; i < argc;) {
		int used = strncmp(argv[i], "--", 2) == 0 ? take_option(a, argc - i, argv + i) : take_word(a, argv[i]);
		if (!used)
			return false;
		i += used;
	}
	return true;
}

/* "station accept" or "refresh"; how many words it has, 0: there is no such verb. */
static int find_verb(int argc, char **argv, char name[80], const char **row)
{
	if (argc > 1) {
		snprintf(name, 80, "%s.%s", argv[0], argv[1]);
		if ((*row = ctl_verb_arguments(name)))
			return 2;
	}
	snprintf(name, 80, "%s", argv[0]);
	return (*row = ctl_verb_arguments(name)) ? 1 : 0;
}

int ctl_verb(const struct options *o, int argc, char **argv)
{
	char name[80], why[240];
	const char *row;
	struct arguments a = { .n = 0 };
	struct buf args = { 0 };
	int used = find_verb(argc, argv, name, &row);
	if (!used)
		return ctl_usage("no such command");
	read_names(&a, row);
	jw_open(&a.w, &args);
	jw_object(&a.w, NULL);
	bool taken = take_all(&a, argc - used, argv + used);
	jw_end(&a.w, '}');
	if (taken)
		return ctl_request(o, name, &args, NULL);
	buf_free(&args);
	snprintf(why, sizeof(why), "%s takes: %s", name, *row ? row : "no words");
	return ctl_usage(why);
}
