/* ampgate hash: the hash of a station's password, for the configuration, so that the password itself stands nowhere. It comes by standard input, since
 * what is written as an argument can be read by everybody on the machine; at a terminal it is asked for, unseen. Needs no daemon. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "gateway/ctl/ctl.h"
#include "gateway/session/password-hash.h"

#define LINE_MOST 130

static bool read_line(const char *prompt, char out[LINE_MOST])
{
	struct termios before, unseen;
	bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
	if (terminal) {
		fputs(prompt, stderr);
		unseen = before;
		unseen.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen);
	}
	bool ok = fgets(out, LINE_MOST, stdin) != NULL;
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputs("\n", stderr);
	}
	if (ok)
		out[strcspn(out, "\r\n")] = 0;
	return ok && out[0];
}

int ctl_hash(const struct options *o, int argc, char **argv)
{
	char line[LINE_MOST], again[LINE_MOST], bytes[PASSWORD_BYTES], hash[PASSWORD_HASH_TEXT];
	(void)o, (void)argv;
	if (argc > 1)
		return ctl_usage("hash takes the password from standard input");
	bool ok = read_line("password of the station: ", line);
	if (ok && isatty(STDIN_FILENO) && (!read_line("once more: ", again) || strcmp(line, again) != 0)) {
		fputs("ampgate: these are not the same\n", stderr);
		return EXIT_FAILED;
	}
	int err = ok ? password_hash(password_plain(slice_of(line), bytes), PASSWORD_COST_STATIONS, hash) : ERR_INVALID;
	OPENSSL_cleanse(line, sizeof(line));
	OPENSSL_cleanse(bytes, sizeof(bytes));
	if (err) {
		fputs(ok ? "ampgate: no hash could be made\n" : "ampgate: no password was given\n", stderr);
		return EXIT_FAILED;
	}
	puts(hash);
	return EXIT_OK;
}
