/* The box itself: disk, files and their modes, devices, memory, clock, the program's own state. Easy to get wrong: the service runs in a sandbox in
 * which parts of /proc and /sys are not there; what cannot be read is no finding. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "config.h"
#include "gateway/conf/configuration.h"
#include "gateway/http/users.h"
#include "gateway/manage/doctor.h"
#include "gateway/own/relays.h"
#include "gateway/plug/host.h"
#include "storage/outbox.h"

#define SLOW_COMMIT_US (US_PER_S / 2)
#define OFFSET_MOST_US (5 * US_PER_S)
#define HOT_MC 80000

/* --- disk and books --- */

static void look_inodes(struct gateway *g, struct finding *f)
{
	struct statvfs disk;
	if (statvfs(g->state_dir, &disk) == 0 && disk.f_files && disk.f_favail * 20 < disk.f_files)
		finding_say(f, CHECK_WARNING, "%.0f %% of the disk's inodes are in use", 100.0 - 100.0 * (double)disk.f_favail / (double)disk.f_files);
}

static void look_writable(struct gateway *g, struct finding *f)
{
	struct statvfs disk;
	if (access(g->state_dir, W_OK) != 0 || (statvfs(g->state_dir, &disk) == 0 && (disk.f_flag & ST_RDONLY)))
		finding_say(f, CHECK_CRITICAL, "%s cannot be written to", g->state_dir);
}

static void look_commits(struct gateway *g, struct finding *f)
{
	struct store_stats s;
	store_get_stats(g->store, &s);
	if (s.errors)
		finding_say(f, CHECK_WARNING, "%llu changes could not be stored since the start", (unsigned long long)s.errors);
	if (s.last_commit_us > SLOW_COMMIT_US)
		finding_say(f, CHECK_WARNING, "the last commit took %.1f s", (double)s.last_commit_us / US_PER_S);
}

static void look_queue_size(struct gateway *g, struct finding *f)
{
	struct store_stats s;
	store_get_stats(g->store, &s);
	if (s.size_most && s.used_bytes > s.size_most / 5 * 4)
		finding_say(f, CHECK_WARNING, "%lld %% of offline.queue.max_size are in use", (long long)(s.used_bytes * 100 / s.size_most));
}

static void look_books(struct gateway *g, struct finding *f)
{
	if (g->storage_spare)
		finding_say(f, CHECK_CRITICAL, "books are kept in memory only");
}

/* --- files and devices --- */

static void look_mode(struct finding *f, const char *path, unsigned most)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return;
	if (st.st_mode & 0777 & ~most)
		finding_say(f, CHECK_WARNING, "%s has mode %03o", path, (unsigned)(st.st_mode & 0777));
	if (st.st_uid != geteuid() && st.st_uid != 0)
		finding_say(f, CHECK_WARNING, "%s belongs to somebody else", path);
}

static void look_state_files(struct gateway *g, struct finding *f)
{
	static const char *const names[] = { "", "/ampgate.db", "/managed.yaml", "/generations", "/tls" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[512];
		snprintf(path, sizeof(path), "%s%s", g->state_dir, names[i]);
		look_mode(f, path, i == 0 || i > 2 ? 0755 : 0600); /* where others may not look into a directory, its files are safe */
	}
}

static void look_credentials(struct gateway *g, struct finding *f)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	DIR *d = opendir(dir ? dir : SYSCONF_DIR "/credentials");
	struct dirent *e;
	(void)g;
	while (d && (e = readdir(d))) {
		char path[600];
		struct stat st;
		snprintf(path, sizeof(path), "%s/%s", dir ? dir : SYSCONF_DIR "/credentials", e->d_name);
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0007))
			finding_say(f, CHECK_WARNING, "%s can be read by everybody", path);
	}
	if (d)
		closedir(d);
}

static void look_device(struct finding *f, const char *device)
{
	if (device && access(device, R_OK | W_OK) != 0)
		finding_say(f, errno == ENOENT ? CHECK_WARNING : CHECK_CRITICAL, "%s: %s", device, errno == ENOENT ? "is not there" : strerror(errno));
}

static void look_serial(struct gateway *g, struct finding *f)
{
	for (size_t i = 0; i < g->conf->n_buses; i++)
		look_device(f, g->conf->buses[i].device);
	for (size_t i = 0; i < g->conf->n_evses; i++) {
		const struct evse_settings *e = &g->conf->evses[i];
		look_device(f, e->board ? e->board->device : NULL);
		if (e->reader && access(e->reader->device, R_OK) != 0)
			finding_say(f, CHECK_WARNING, "card reader %s: %s", e->reader->device, strerror(errno));
	}
}

static void look_chip(struct finding *f, const struct io_point *p)
{
	char path[128];
	if (!p || !p->chip)
		return;
	snprintf(path, sizeof(path), "%s%s", p->chip[0] == '/' ? "" : "/dev/", p->chip);
	look_device(f, path);
}

static void look_gpio(struct gateway *g, struct finding *f)
{
	for (size_t i = 0; i < g->conf->n_evses; i++)
		look_chip(f, g->conf->evses[i].contactor);
}

static void see_lacking(void *arg, const char *id)
{
	finding_say(arg, CHECK_WARNING, "%s is to change phases over and has no second contactor for L2 and L3", id);
}

static void look_contactors(struct gateway *g, struct finding *f)
{
	(void)g;
	relays_lacking(see_lacking, f);
}

static void see_plugin(void *arg, const struct host_plugin *p)
{
	if (p->failing)
		finding_say(arg, CHECK_WARNING, "%u of %u of %s fail", p->failing, p->units, p->name);
}

static void look_plugins(struct gateway *g, struct finding *f)
{
	host_plugins(g->host, see_plugin, f);
}

/* --- the machine --- */

/* The number behind a name in a file of /proc; -1: it cannot be read. */
static long long proc_number(const char *file, const char *name)
{
	struct buf text = { 0 };
	long long n = -1;
	if (file_read(file, 65536, &text) == 0 && text.p) {
		const char *at = name ? strstr(text.p, name) : text.p;
		if (at)
			n = strtoll(at + (name ? strlen(name) : 0), NULL, 10);
	}
	buf_free(&text);
	return n;
}

static void look_memory(struct gateway *g, struct finding *f)
{
	long long total = proc_number("/proc/meminfo", "MemTotal:"), left = proc_number("/proc/meminfo", "MemAvailable:");
	(void)g;
	if (total > 0 && left >= 0 && left * 10 < total)
		finding_say(f, CHECK_WARNING, "%lld MiB of %lld MiB are left", left / 1024, total / 1024);
}

static void look_load(struct gateway *g, struct finding *f)
{
	double load[3];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	(void)g;
	if (cpus > 0 && getloadavg(load, 3) == 3 && load[1] > 2.0 * (double)cpus)
		finding_say(f, CHECK_WARNING, "a load of %.1f for five minutes on %ld processors", load[1], cpus);
}

static void look_heat(struct gateway *g, struct finding *f)
{
	(void)g;
	for (int i = 0; i < 16; i++) {
		char path[80];
		snprintf(path, sizeof(path), "/sys/class/thermal/thermal_zone%d/temp", i);
		long long mc = proc_number(path, NULL);
		if (mc > HOT_MC && mc < 200000)
			finding_say(f, CHECK_WARNING, "%.0f C in thermal zone %d", (double)mc / 1000, i);
	}
}

static void look_entropy(struct gateway *g, struct finding *f)
{
	long long bits = proc_number("/proc/sys/kernel/random/entropy_avail", NULL);
	(void)g;
	if (bits >= 0 && bits < 128)
		finding_say(f, CHECK_WARNING, "the kernel has %lld bits of randomness", bits);
}

static void look_descriptors(struct gateway *g, struct finding *f)
{
	struct rlimit most;
	size_t needs = 2 * (g->conf->n_stations + g->conf->n_evses) + 128;
	DIR *d = opendir("/proc/self/fd");
	unsigned long n = 0;
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	if (getrlimit(RLIMIT_NOFILE, &most) != 0)
		return;
	if (most.rlim_cur < needs)
		finding_say(f, CHECK_WARNING, "%llu descriptors are allowed, the configuration needs about %zu", (unsigned long long)most.rlim_cur, needs);
	if (n * 10 > most.rlim_cur * 8)
		finding_say(f, CHECK_CRITICAL, "%lu of %llu descriptors are in use", n, (unsigned long long)most.rlim_cur);
}

static void look_offset(struct gateway *g, struct finding *f)
{
	static const char *const who[] = { "the kernel's time service", "the CSMS" };
	(void)g;
	for (int i = 0; i < 2; i++) {
		int64_t us;
		if (clock_offset_us(i, &us) == 0 && (us > OFFSET_MOST_US || us < -OFFSET_MOST_US))
			finding_say(f, CHECK_WARNING, "the clock is %.0f s %s by %s", (double)(us < 0 ? -us : us) / US_PER_S, us < 0 ? "behind" : "ahead", who[i]);
	}
}

static void look_zone(struct gateway *g, struct finding *f)
{
	if (!g->zone && g->conf->site.timezone && strcmp(g->conf->site.timezone, "UTC") != 0)
		finding_say(f, CHECK_WARNING, "time zone %s is not known here: schedules go by UTC", g->conf->site.timezone);
}

/* --- the configuration and who may change it --- */

static void look_drift(struct gateway *g, struct finding *f)
{
	struct buf keys = { 0 };
	struct config_view v;
	(void)g;
	config_view(&v);
	if (config_drift(&keys) != 0)
		finding_say(f, CHECK_WARNING, "the files as they are now cannot be used");
	int n = 0;
	for (const char *p = keys.p; p && *p; p += strcspn(p, "\n") + 1)
		if (++n <= 5)
			finding_say(f, CHECK_WARNING, "%.*s is in the files and not in force", (int)strcspn(p, "\n"), p);
	if (n > 5)
		finding_say(f, CHECK_WARNING, "%d more", n - 5);
	if (v.restart)
		finding_say(f, CHECK_WARNING, "%s waits for a restart", v.restart);
	buf_free(&keys);
}

static void look_pending(struct gateway *g, struct finding *f)
{
	struct config_view v;
	(void)g;
	config_view(&v);
	if (v.confirm_until_us)
		finding_say(f, CHECK_WARNING, "a change is taken back in %lld s unless confirmed", (long long)((v.confirm_until_us - clock_wall_us()) / US_PER_S));
}

static void look_people(struct gateway *g, struct finding *f)
{
	if (g->conf->console_listener && g->conf->console.login == LOGIN_REQUIRED && users_missing())
		finding_say(f, CHECK_WARNING, "nobody can log in at the console yet");
}

static bool is_loopback(const char *address)
{
	return address && (strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0);
}

static void look_listeners(struct gateway *g, struct finding *f)
{
	for (size_t i = 0; i < g->conf->n_listeners; i++) {
		const struct listener_settings *l = &g->conf->listeners[i];
		if (!is_loopback(l->address) && l->min_security_profile == 0)
			finding_say(f, CHECK_WARNING, "%s lets stations in without a password", l->id);
	}
}

static void see_level(void *arg, const char *part, enum log_level level, int64_t until_us)
{
	(void)until_us;
	finding_say(arg, CHECK_OK, "%s logs %s", part, log_level_text(level));
}

static void look_levels(struct gateway *g, struct finding *f)
{
	(void)g;
	log_parts(see_level, f);
}

const struct doctor_check doctor_box[] = {
	{ "disk.inodes", look_inodes, "many small files fill the disk: look at /var/log and /tmp" },
	{ "disk.writable", look_writable, "remount the disk, look at dmesg for its errors, and at who owns the state directory" },
	{ "disk.commits", look_commits, "a worn or slow card: smartctl, or dmesg; stations wait for commits" },
	{ "disk.books", look_books, "repair or replace the disk, then restart: systemctl restart ampgate" },
	{ "queue.size", look_queue_size, "let the CSMS take what waits, or raise offline.queue.max_size" },
	{ "files.state", look_state_files, "chown -R _ampgate: /var/lib/ampgate; chmod -R go= /var/lib/ampgate" },
	{ "files.credentials", look_credentials, "chmod o= the file: it holds a secret" },
	{ "devices.serial", look_serial, "plug it in; put the service's user into the group of the device (dialout)" },
	{ "devices.contactors", look_contactors, "take switch_phases_after out of evses.ID, or use a board with a second contactor" },
	{ "devices.gpio", look_gpio, "put the service's user into the group of the chip (gpio)" },
	{ "plugins", look_plugins, "ampgate meter list and ampgate log --level warning say what fails" },
	{ "memory", look_memory, "look for what else runs on the box" },
	{ "load", look_load, "look for what else runs on the box: top" },
	{ "heat", look_heat, "give it air: a processor that is too hot slows down" },
	{ "entropy", look_entropy, "start haveged or rngd: TLS waits for randomness" },
	{ "descriptors", look_descriptors, "raise LimitNOFILE of the service" },
	{ "clock.offset", look_offset, "look at the time service: chronyc tracking, timedatectl" },
	{ "clock.zone", look_zone, "install tzdata, or correct site.timezone" },
	{ "configuration.drift", look_drift, "systemctl reload ampgate puts the files in force; some keys need a restart" },
	{ "configuration.pending", look_pending, "ampgate config confirm keeps it, ampgate config rollback takes it back now" },
	{ "console.people", look_people, "ampgate setup-code shows the code for the first page of the console" },
	{ "listeners.security", look_listeners, "min_security_profile 1 and a password, or 2 with TLS, unless the network is closed" },
	{ "log.levels", look_levels, "ampgate log level COMPONENT default" },
	{ NULL, NULL, NULL },
};
