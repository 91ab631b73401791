/* A file of lines into energy/replay. The last line may be half of one: the process that wrote it was killed. */
#include "gateway/power/balance-replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "energy/record.h"

static int read_lines(FILE *in, struct replay *r, const char *path)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int rc = 0;
	long long number = 0;
	while (!rc && (n = getline(&line, &room, in)) > 0) {
		number++;
		if (line[n - 1] != '\n')
			break;
		rc = replay_line(r, line, (size_t)n);
	}
	free(line);
	if (rc == ERR_UNSUPPORTED)
		fprintf(stderr, "ampgate: %s: line %lld: what was known then was written by another build of the program\n", path, number);
	else if (rc)
		fprintf(stderr, "ampgate: %s: line %lld: not a line of a decision log\n", path, number);
	return rc;
}

int balance_replay(const char *path)
{
	FILE *in = fopen(path, "re");
	if (!in) {
		fprintf(stderr, "ampgate: %s: %s\n", path, strerror(errno));
		return -errno;
	}
	struct replay *r = replay_open();
	struct replay_sum sum;
	int rc = read_lines(in, r, path);
	replay_end(r, &sum);
	replay_close(r);
	fclose(in);
	if (rc)
		return rc;
	printf("%lld inputs, %lld ticks, %lld decisions: %lld different\n", sum.inputs, sum.ticks, sum.orders, sum.different);
	if (sum.different)
		printf("first: %s\n", sum.first);
	return sum.different ? ERR_INVALID : 0;
}
