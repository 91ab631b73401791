/* usage: clock-witness FILE      ampgate-clock.service
 *
 * FILE is there as long as the kernel says that the clock is synchronised. The daemon's sandbox forbids the question: the call that answers it
 * sets clocks as well, and a filter of system calls cannot tell one from the other. This program may ask, and can do nothing else. The service
 * manager removes the file's folder when it ends, however it ends, so that nobody goes by an old answer. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/timex.h>
#include <unistd.h>

#define SLACK_NS 200000000ul /* the kernel may wake us together with others */

static bool synchronised(void)
{
	struct timex t = { 0 };
	int state = adjtimex(&t);
	return state >= 0 && state != TIME_ERROR;
}

static int testify(const char *path, bool known)
{
	if (!known)
		return unlink(path) == 0 || errno == ENOENT ? 0 : -errno;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : close(fd);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: clock-witness FILE\n");
		return 2;
	}
	prctl(PR_SET_TIMERSLACK, SLACK_NS);
	for (;; sleep(1)) {
		int err = testify(argv[1], synchronised());
		if (err) {
			fprintf(stderr, "clock-witness: %s: %s\n", argv[1], strerror(-err));
			return 1;
		}
	}
}
