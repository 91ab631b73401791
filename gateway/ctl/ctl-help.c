/* ampgate help and ampgate completion: what the tables say, without a daemon. */
#include <stdio.h>
#include <string.h>

#include "gateway/ctl/completion-text.h"
#include "gateway/ctl/ctl.h"

static const struct {
	const char *name, *role, *args, *help;
} verbs[] = {
#define VERB(verb_name, verb_role, handler, arguments, text) { verb_name, #verb_role, arguments, text },
#include "gateway/manage/commands.def"
#undef VERB
};

const char *ctl_verb_arguments(const char *verb)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, verb) == 0)
			return verbs[i].args;
	return NULL;
}

/* "ROLE_VIEWER" -> "viewer" */
static void print_role(const char *role)
{
	for (role += strlen("ROLE_"); *role; role++)
		putchar(*role | 0x20);
}

/* Those of a noun, or all. Words of a verb are parted by a dot in the table and by a blank on the command line. */
static int print_verbs(const char *noun, const char *word)
{
	int n = 0;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		size_t length = strlen(noun);
		bool fits = strncmp(verbs[i].name, noun, length) == 0 && (verbs[i].name[length] == '.' || !verbs[i].name[length]);
		if (!fits || (word && strcmp(verbs[i].name + length + (verbs[i].name[length] == '.'), word) != 0))
			continue;
		printf("%s%s%s\n    %s. Role: ", verbs[i].name, *verbs[i].args ? " " : "", verbs[i].args, verbs[i].help);
		print_role(verbs[i].role);
		puts("");
		n++;
	}
	return n;
}

int ctl_usage_lines(FILE *to, const char *noun)
{
	char start[80];
	int n = 0;
	snprintf(start, sizeof(start), "  %s", noun);
	for (const char *line = ctl_usage_text(); *line; line += strcspn(line, "\n") + 1) {
		size_t length = strcspn(line, "\n"), m = strlen(start);
		if (strncmp(line, start, m) == 0 && (line[m] == ' ' || line[m] == '\n')) {
			fprintf(to, "%.*s\n", (int)length, line);
			n++;
		}
		if (!line[length])
			break;
	}
	return n;
}

int ctl_help(const struct options *o, int argc, char **argv)
{
	(void)o;
	if (argc == 1) {
		fputs(ctl_usage_text(), stdout);
		return EXIT_OK;
	}
	if (argc > 3)
		return ctl_usage("help [VERB]");
	char *dot = strchr(argv[1], '.');
	if (dot)
		*dot = 0;
	int n = ctl_usage_lines(stdout, argv[1]);
	n += print_verbs(argv[1], argc == 3 ? argv[2] : dot ? dot + 1 : NULL);
	if (n)
		return EXIT_OK;
	fprintf(stderr, "ampgate: no command '%s'\n", argv[1]);
	return EXIT_NOT_FOUND;
}

int ctl_completion(const struct options *o, int argc, char **argv)
{
	(void)o;
	if (argc != 2 || (strcmp(argv[1], "bash") != 0 && strcmp(argv[1], "zsh") != 0))
		return ctl_usage("completion bash|zsh");
	fputs(strcmp(argv[1], "bash") == 0 ? completion_bash : completion_zsh, stdout);
	return EXIT_OK;
}
