/* The real clocks, or a frozen pair for tests. Small boxes start without a battery behind their clock: until the kernel has heard of a time server,
 * a CSMS's word is the best there is, and it is kept as a distance to the monotonic clock, so that the kernel's later step is no step for us. */
#include "base/clock.h"

#include "base/error.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define CLOSE_US US_PER_S /* so near to what was told, our own clock is as good */

static struct {
	bool frozen, doubted;
	int64_t mono_us, wall_us;
} fixed;

static const char *witness; /* NULL: none */
static atomic_bool told;
static _Atomic int64_t told_offset; /* the system's clock less what was told, then */
static _Atomic int64_t told_from_mono; /* told wall time less monotonic time; 0: our own clock is as good */

static int64_t read_us(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
	return fixed.frozen ? fixed.mono_us : read_us(CLOCK_MONOTONIC);
}

int64_t clock_wall_us(void)
{
	int64_t from_mono = told_from_mono;
	if (from_mono)
		return clock_mono_us() + from_mono;
	return fixed.frozen ? fixed.wall_us : read_us(CLOCK_REALTIME);
}

static bool kernel_knows(void)
{
	struct timex t = { 0 };
	if (fixed.frozen)
		return !fixed.doubted;
	int kernel = adjtimex(&t);
	if (kernel < 0) /* a sandbox forbids the question, since the same call sets the clock */
		return witness && access(witness, F_OK) == 0;
	return kernel != TIME_ERROR;
}

void clock_witness(const char *path)
{
	witness = path;
}

bool clock_trusted(void)
{
	if (!kernel_knows())
		return told;
	told_from_mono = 0;
	return true;
}

int clock_offset_us(int source, int64_t *us_out)
{
	struct timex t = { 0 };
	if (source == 1) {
		*us_out = told_offset;
		return told ? 0 : ERR_NOT_FOUND;
	}
	int kernel = fixed.frozen ? TIME_ERROR : adjtimex(&t);
	*us_out = t.status & STA_NANO ? t.offset / 1000 : t.offset;
	return kernel >= 0 && kernel != TIME_ERROR ? 0 : ERR_NOT_FOUND;
}

void clock_told(int64_t wall_us)
{
	told = true;
	told_offset = (fixed.frozen ? fixed.wall_us : read_us(CLOCK_REALTIME)) - wall_us;
	told_from_mono = 0;
	int64_t difference = clock_wall_us() - wall_us;
	if (!kernel_knows() && (difference > CLOSE_US || difference < -CLOSE_US))
		told_from_mono = wall_us - clock_mono_us();
}

/* FNV-1a of what the kernel calls this boot. */
int64_t clock_boot(void)
{
	static int64_t boot;
	char id[40];
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	if (boot)
		return boot;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, id, sizeof(id)) : 0;
	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i < n; i++)
		sum = (sum ^ (unsigned char)id[i]) * UINT64_C(0x100000001b3);
	boot = (int64_t)(sum >> 1) | 1;
	return boot;
}

void clock_freeze(int64_t mono_us, int64_t wall_us)
{
	fixed.frozen = true;
	fixed.mono_us = mono_us;
	fixed.wall_us = wall_us;
	fixed.doubted = false;
	told = false;
	told_from_mono = 0;
}

void clock_advance(int64_t us)
{
	fixed.mono_us += us;
	fixed.wall_us += us;
}

void clock_doubt(void)
{
	fixed.doubted = true;
}
