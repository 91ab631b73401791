/* What /proc and the clocks of processes tell. */
#include "tests/bench/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/peers.h"

static char folder[] = "/tmp/ampgate-bench-XXXXXX";

void bench_open(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(folder))
		die("no temporary folder");
}

const char *bench_path(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

void bench_write(const char *name, const char *text)
{
	FILE *f = fopen(bench_path(name), "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		die("%s: %s", name, strerror(errno));
}

void bench_clean(const char *name)
{
	char command[160];
	snprintf(command, sizeof(command), "rm -rf %s", bench_path(name));
	if (system(command) != 0)
		die("%s", command);
}

pid_t process_start(const char *log, const char *const argv[])
{
	const char *path = bench_path(log);
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	execv(argv[0], (char **)(uintptr_t)argv);
	_exit(127);
}

pid_t daemon_start(void)
{
	return process_start("ampgate.log", (const char *[]){ "./ampgated", "-c", bench_path("ampgate.yaml"), "--state-dir", bench_path("state"),
		"--socket", bench_path("control"), NULL });
}

void process_stop(pid_t *pid, int signal)
{
	if (*pid) {
		kill(*pid, signal);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

double process_cpu_ms(pid_t pid)
{
	clockid_t clock;
	struct timespec t;
	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
		die("a program has ended");
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The sum of the lines of a file in /proc that begin with one of two names. */
static double sum_kib(pid_t pid, const char *file, const char *first, const char *second)
{
	char path[64], line[256];
	double sum = 0;
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, first, strlen(first)) == 0 || strncmp(line, second, strlen(second)) == 0)
			sum += atof(strchr(line, ':') + 1);
	if (!f)
		die("%s: %s", path, strerror(errno));
	fclose(f);
	return sum;
}

double process_private_kib(pid_t pid)
{
	return sum_kib(pid, "smaps_rollup", "Private_Clean:", "Private_Dirty:");
}

double process_peak_kib(pid_t pid)
{
	return sum_kib(pid, "status", "VmHWM:", "VmHWM:");
}
