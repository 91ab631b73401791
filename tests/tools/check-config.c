/* check-config [--confd DIR] [--credentials DIR] [--models DIR] FILE     what ampgated --check-config says about a configuration
 * check-config --print | --origin ... FILE                              the effective configuration
 * check-config --doc                                                    docs/CONFIG.md
 * check-config --man                                                    the keys in ampgate.yaml(5)
 *
 * Exit status as the daemon's: 0, 2 for wrong use, 3 for a configuration that cannot be used. */
#include <getopt.h>
#include <stdio.h>

#include "gateway/conf/check.h"

enum mode { CHECK, PRINT, ORIGIN, DOC, MAN };

static int show(struct buf *out, int rc)
{
	fwrite(out->p ? out->p : "", 1, out->n, stdout);
	buf_free(out);
	return rc;
}

static int run(enum mode mode, const struct settings_files *files)
{
	struct buf out = { 0 };
	struct settings *s;
	int rc = check_config(files, &out, &s);
	if (rc == 0 && mode != CHECK) {
		buf_reset(&out);
		settings_print(s, mode == ORIGIN, &out);
	}
	settings_free(&s);
	return show(&out, rc);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "confd", required_argument, NULL, 'd' },
		{ "credentials", required_argument, NULL, 'c' },
		{ "models", required_argument, NULL, 'm' },
		{ "print", no_argument, NULL, 'p' },
		{ "origin", no_argument, NULL, 'o' },
		{ "doc", no_argument, NULL, 'D' },
		{ "man", no_argument, NULL, 'M' },
		{ 0 }
	};
	struct settings_files files = { 0 };
	enum mode mode = CHECK;
	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (o) {
		case 'd': files.confd = optarg; break;
		case 'c': files.credentials = optarg; break;
		case 'm': files.models = optarg; break;
		case 'p': mode = PRINT; break;
		case 'o': mode = ORIGIN; break;
		case 'D': mode = DOC; break;
		case 'M': mode = MAN; break;
		default: return 2;
		}
	}
	struct buf doc = { 0 };
	if (mode == DOC || mode == MAN) {
		(mode == DOC ? settings_write_doc : settings_write_man)(&doc);
		return show(&doc, 0);
	}
	if (optind + 1 != argc)
		return 2;
	files.main_file = argv[optind];
	return run(mode, &files);
}
