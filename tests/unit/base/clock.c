/* Who vouches for the clock: the kernel, and where a sandbox forbids to ask it, a witness's file. The sandbox is a real filter of system calls. */
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define REFUSED(number) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

/* From now on, as the unit's ProtectClock= does it. */
static int forbid_the_question(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef SYS_adjtimex
		REFUSED(SYS_adjtimex),
#endif
		REFUSED(SYS_clock_adjtime),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(rules) / sizeof(rules[0]), rules };
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void a_witness_answers_where_the_kernel_may_not_be_asked(void **state)
{
	char path[] = "/tmp/ampgate-clock-XXXXXX";
	struct timex t = { 0 };
	(void)state;
	bool kernel = adjtimex(&t) >= 0 && t.status >= 0 && !(t.status & STA_UNSYNC);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	clock_witness(path);
	assert_int_equal(clock_trusted(), kernel); /* who may ask the kernel goes by it alone */
	if (forbid_the_question() != 0)
		skip();
	assert_true(adjtimex(&t) < 0 && errno == EPERM);
	assert_true(clock_trusted());
	unlink(path);
	assert_false(clock_trusted());
	clock_told(clock_wall_us());
	assert_true(clock_trusted()); /* a CSMS's word does as well */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_witness_answers_where_the_kernel_may_not_be_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
