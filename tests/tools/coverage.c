/* coverage TESTS    docs/COVERAGE.md to standard output: what becomes of every message of every version, from the dictionary and the catalogue,
 * and which requirements of the standard are named by the tests below that folder. A tag is a comment that begins with OCPP, a version and the
 * number of a requirement or section: OCPP 2.0.1 K03.FR.05, OCPP 1.6 3.5. */
#include <ctype.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "ocpp/catalogue.h"
#include "ocpp/dictionary.h"

#define TAGS_MOST 2000

static const char *const versions[OCPP_VERSIONS] = { "1.6", "2.0.1", "2.1" };

/* ---- messages */

static const struct {
	const char *action, *event;
} meanings[] = {
#define ACTION_2(name, versions, from, offline, event, refusal_16, refusal_2x) { #name, #event },
#define ACTION(name, versions, from, offline, event, refusal) { #name, #event },
#define SENT(name, versions, from, offline, event) { #name, #event },
#include "ocpp/actions.def"
};

/* "EV_CHARGING_LIMIT" -> "charging limit", "" for what means nothing to us. */
static void print_meaning(const struct action *act)
{
	const char *event = "EV_NONE";
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (strcmp(meanings[i].action, act->name) == 0)
			event = meanings[i].event;
	if (strcmp(event, "EV_NONE") == 0)
		return;
	for (const char *p = strchr(event, '_') + 1; *p; p++)
		putchar(*p == '_' ? ' ' : tolower((unsigned char)*p));
}

static const char *offline_text(enum ocpp_version v, const struct action *act)
{
	if (!(act->from & STATION))
		return "";
	switch ((enum offline)act->offline) {
	case HOLD:
		return "answered, kept and delivered in order";
	case LATEST:
		return "answered, the newest delivered";
	case NOTICE:
		return "answered, delivered later";
	case ANSWER:
		return act->send ? "dropped" : "answered";
	case REFUSE:
		return catalogue_refusal(v, act) ? "refused in the message's own words" : "refused by an error";
	}
	return "";
}

static void print_fields(enum ocpp_version v, const struct action *act)
{
	const struct shape *call = dictionary_shape(v, act->name, false), *answer = dictionary_shape(v, act->name, true);
	if (!call)
		printf("no");
	else if (!answer)
		printf("%zu", dictionary_field_count(call));
	else
		printf("%zu, %zu", dictionary_field_count(call), dictionary_field_count(answer));
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct action *const *)a)->name, (*(const struct action *const *)b)->name);
}

static void print_version(enum ocpp_version v)
{
	static const char *const callers[] = { "", "station", "CSMS", "either" };
	const struct action *sorted[256];
	size_t n = 0, understood = 0, checked = 0;
	for (size_t i = 0; i < catalogue_count() && n < 256; i++)
		if (catalogue_at(i)->versions & 1 << v)
			sorted[n++] = catalogue_at(i);
	qsort(sorted, n, sizeof(sorted[0]), by_name);
	for (size_t i = 0; i < n; i++) {
		checked += dictionary_shape(v, sorted[i]->name, false) != NULL;
		understood += sorted[i]->event != EV_NONE;
	}
	printf("\n## OCPP %s\n\n%zu messages, all of them carried, %zu checked, %zu understood.\n\n", versions[v], n, checked, understood);
	puts("| Message | called by | fields checked | understood as | while no CSMS can be reached |\n| --- | --- | --- | --- | --- |");
	for (size_t i = 0; i < n; i++) {
		printf("| %s | %s | ", sorted[i]->name, callers[sorted[i]->from]);
		print_fields(v, sorted[i]);
		printf(" | ");
		print_meaning(sorted[i]);
		printf(" | %s |\n", offline_text(v, sorted[i]));
	}
}

/* ---- tags */

static struct tag {
	char *requirement, *file; /* "2.0.1 K03.FR.05", "unit/ocpp/codec.c" */
} tags[TAGS_MOST];
static size_t n_tags, root_length;

static void add_tag(const char *version, const char *number, const char *file)
{
	struct buf text = { 0 };
	buf_printf(&text, "%s %s", version, number);
	if (n_tags < TAGS_MOST)
		tags[n_tags++] = (struct tag){ mem_strdup(text.p), mem_strdup(file) };
	buf_free(&text);
}

static bool is_version(const char *word)
{
	for (int v = 0; v < OCPP_VERSIONS; v++)
		if (strcmp(word, versions[v]) == 0)
			return true;
	return false;
}

static void look_at_line(const char *line, const char *file)
{
	static const char *const openings[] = { "/* OCPP ", "// OCPP " };
	for (size_t i = 0; i < 2; i++) {
		const char *at = line;
		while ((at = strstr(at, openings[i]))) {
			char version[8], number[32];
			at += strlen(openings[i]);
			if (sscanf(at, "%7[0-9.] %31[A-Za-z0-9.]", version, number) != 2 || !is_version(version) || !strchr(number, '.'))
				continue;
			if (number[strlen(number) - 1] == '.')
				number[strlen(number) - 1] = 0;
			add_tag(version, number, file);
		}
	}
}

static bool is_source(const char *name)
{
	static const char *const endings[] = { ".c", ".h", ".js", ".py", ".sh" };
	size_t n = strlen(name);
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (n > strlen(endings[i]) && strcmp(name + n - strlen(endings[i]), endings[i]) == 0)
			return true;
	return false;
}

static int on_file(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	const char *name = path + where->base;
	if (type == FTW_D && (strcmp(name, "node_modules") == 0 || (name[0] == '.' && where->level > 0)))
		return FTW_SKIP_SUBTREE;
	FILE *in = type == FTW_F && is_source(name) ? fopen(path, "r") : NULL;
	char *line = NULL;
	size_t room = 0;
	while (in && getline(&line, &room, in) >= 0)
		look_at_line(line, path + root_length + 1);
	free(line);
	if (in)
		fclose(in);
	return FTW_CONTINUE;
}

static int by_requirement(const void *a, const void *b)
{
	const struct tag *x = a, *y = b;
	int order = strcmp(x->requirement, y->requirement);
	return order ? order : strcmp(x->file, y->file);
}

static void print_tags(void)
{
	puts("\n## Requirements that tests name\n\n| Requirement | checked in |\n| --- | --- |");
	qsort(tags, n_tags, sizeof(tags[0]), by_requirement);
	for (size_t i = 0; i < n_tags; i++) {
		bool again = i && strcmp(tags[i].requirement, tags[i - 1].requirement) == 0;
		if (again && strcmp(tags[i].file, tags[i - 1].file) == 0)
			continue;
		if (again)
			printf(", %s", tags[i].file);
		else
			printf("%s| OCPP %s | %s", i ? " |\n" : "", tags[i].requirement, tags[i].file);
	}
	if (n_tags)
		puts(" |");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: coverage TESTS\n", stderr);
		return 2;
	}
	root_length = strlen(argv[1]);
	if (nftw(argv[1], on_file, 16, FTW_PHYS | FTW_ACTIONRETVAL) != 0) {
		perror(argv[1]);
		return 1;
	}
	puts("# What becomes of each message\n\n"
	     "Made by `make coverage-doc`; a test sees that it is up to date.\n\n"
	     "Every message of every version, and any that the standard does not have, is carried: on both sides the same version, the same bytes.\n"
	     "Checked: the fields of the call and of its answer, their types, lengths, bounds and words, by the station's policy (`validation`).\n"
	     "Understood: its meaning reaches the balancer, the pages, the ledger or the caches. The last column is for what stations call.");
	for (int v = 0; v < OCPP_VERSIONS; v++)
		print_version((enum ocpp_version)v);
	print_tags();
	return 0;
}
