/* What keeps a box in service: ampgate top, doctor, support-bundle and backup. Easy to get wrong: a bundle leaves the house, so it takes only
 * what the daemon shows with its secrets masked; a backup does not, and holds them. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "config.h"
#include "gateway/ctl/archive.h"
#include "gateway/ctl/ctl-print.h"
#include "gateway/ctl/ctl.h"
#include "storage/store.h"

#define BACKUP_FILE_MOST (1024u * 1024 * 1024)

/* Freed with free(). */
static char *text_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *text_printf(const char *fmt, ...)
{
	char *out = NULL;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&out, fmt, ap) < 0)
		abort();
	va_end(ap);
	return out;
}

/* ---- top ---- */

int ctl_top(const struct options *o, int argc, char **argv)
{
	long rounds = argc == 3 && strcmp(argv[1], "-n") == 0 ? atol(argv[2]) : 0;
	if (argc != 1 && rounds < 1)
		return ctl_usage("top [-n ROUNDS]");
	for (long i = 0;; i++) {
		struct buf none = { 0 };
		if (isatty(STDOUT_FILENO))
			fputs("\033[H\033[J", stdout);
		int status = ctl_request(o, "status", &none, print_status);
		if (!status)
			status = ctl_request(o, "circuit.list", &none, print_circuits);
		if (!status)
			status = ctl_request(o, "station.list", &none, print_stations);
		fflush(stdout);
		if (status || i + 1 == rounds)
			return status;
		sleep(1);
	}
}

/* ---- support bundle ---- */

/* Verbs whose answers hold neither secrets nor tokens of people. */
static const struct {
	const char *file, *method, *args;
} parts[] = {
	{ "version.json", "version", NULL }, { "health.json", "health", NULL }, { "status.json", "status", NULL }, { "why.json", "why", NULL },
	{ "stations.json", "station.list", NULL }, { "circuits.json", "circuit.list", NULL }, { "meters.json", "meter.list", NULL },
	{ "uplinks.json", "uplink.list", NULL }, { "queue.json", "queue.list", NULL }, { "limits.json", "limit.list", NULL },
	{ "grid.json", "grid.show", NULL }, { "certificates.json", "pki.list", NULL }, { "jobs.json", "job.list", NULL }, { "events.json", "event.list", "{\"most\":500}" },
	{ "config.json", "config.show", "{\"origin\":true}" }, { "config-history.json", "config.history", NULL },
};

static void bundle_part(const struct options *o, struct archive *a, const char *file, const char *method, const char *args)
{
	struct buf text = { 0 };
	int status;
	if (args)
		buf_puts(&text, args);
	cJSON *answer = ctl_ask(o, method, &text, &status);
	char *shown = answer ? cJSON_Print(cJSON_GetObjectItem(answer, "result")) : NULL;
	if (shown) {
		printf("  %-22s %zu bytes\n", file, strlen(shown));
		archive_add(a, file, 0600, slice_of(shown));
	}
	cJSON_free(shown);
	cJSON_Delete(answer);
	buf_free(&text);
}

static void bundle_system(struct archive *a)
{
	struct buf text = { 0 };
	struct utsname u;
	static const char *const files[] = { "/etc/os-release", "/proc/loadavg", "/proc/meminfo", "/proc/uptime" };
	if (uname(&u) == 0)
		buf_printf(&text, "ampgate " PACKAGE_VERSION "\n%s %s %s\n", u.sysname, u.release, u.machine);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		buf_printf(&text, "== %s\n", files[i]);
		(void)!file_read(files[i], 65536, &text);
	}
	printf("  %-22s %zu bytes\n", "system.txt", text.n);
	archive_add(a, "system.txt", 0600, buf_view(&text));
	buf_free(&text);
}

int ctl_bundle(const struct options *o, int argc, char **argv)
{
	char file[80], args[80];
	const char *out = NULL, *since = NULL;
	time_t now = (time_t)(clock_wall_us() / US_PER_S);
	struct tm tm;
	int status;
	for (int i = 1; i < argc; i++) {
		const char **to = strcmp(argv[i], "-o") == 0 ? &out : strcmp(argv[i], "--with-traces") == 0 ? &since : NULL;
		if (!to || ++i == argc)
			return ctl_usage("support-bundle [--with-traces 24h] [-o FILE]");
		*to = argv[i];
	}
	if (since && strspn(since, "0123456789smhd") != strlen(since))
		return ctl_usage("--with-traces takes a time such as 24h");
	strftime(file, sizeof(file), "ampgate-support-%Y%m%dT%H%M%SZ.tar.gz", gmtime_r(&now, &tm));
	cJSON *alive = ctl_ask(o, "version", NULL, &status);
	if (!alive)
		return status;
	cJSON_Delete(alive);
	struct archive *a = archive_create(out ? out : file);
	if (!a) {
		fprintf(stderr, "ampgate: %s: %s\n", out ? out : file, strerror(errno));
		return EXIT_FAILED;
	}
	printf("%s, secrets and tokens masked:\n", out ? out : file);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		bundle_part(o, a, parts[i].file, parts[i].method, parts[i].args);
	snprintf(args, sizeof(args), "{\"since\":\"%.20s\"}", since ? since : "");
	if (since)
		bundle_part(o, a, "trace.json", "trace", args);
	bundle_system(a);
	return archive_close(a) == 0 ? EXIT_OK : EXIT_FAILED;
}

/* ---- backup ---- */

struct places {
	const char *config, *state; /* directories */
};

/* A database as of one moment, while others may write to it. */
static int read_database(const char *path, struct buf *out)
{
	char copy[] = "/tmp/ampgate-backup.XXXXXX", *quoted;
	sqlite3 *db = NULL;
	if (!mkdtemp(copy))
		return -errno;
	char *to = text_printf("%s/copy", copy);
	quoted = sqlite3_mprintf("VACUUM INTO %Q", to);
	bool ok = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK;
	sqlite3_busy_timeout(db, 10000);
	ok = ok && sqlite3_exec(db, quoted, NULL, NULL, NULL) == SQLITE_OK;
	if (!ok)
		fprintf(stderr, "ampgate: %s: %s\n", path, sqlite3_errmsg(db));
	sqlite3_close(db);
	sqlite3_free(quoted);
	int rc = ok ? file_read(to, BACKUP_FILE_MOST, out) : -EIO;
	unlink(to);
	rmdir(copy);
	free(to);
	return rc;
}

static bool ends(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);
	return n >= m && strcmp(name + n - m, end) == 0;
}

static int add_file(struct archive *a, const char *path, const char *name, unsigned mode)
{
	struct buf content = { 0 };
	int rc = ends(path, ".db") ? read_database(path, &content) : file_read(path, BACKUP_FILE_MOST, &content);
	if (rc == 0) {
		archive_add(a, name, mode, buf_view(&content));
		printf("  %-40s %zu bytes\n", name, content.n);
	} else {
		fprintf(stderr, "ampgate: %s cannot be read\n", path);
	}
	buf_free(&content);
	return rc;
}

/* Depth first; links and sockets are not files. */
static int add_tree(struct archive *a, const char *dir, const char *name)
{
	struct dirent **found;
	int n = scandir(dir, &found, NULL, alphasort), rc = n < 0 ? -errno : 0;
	if (rc)
		fprintf(stderr, "ampgate: %s: %s\n", dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *leaf = found[i]->d_name;
		struct stat st;
		char *path = text_printf("%s/%s", dir, leaf), *inner = text_printf("%s/%s", name, leaf);
		bool skip = strcmp(leaf, ".") == 0 || strcmp(leaf, "..") == 0 || ends(leaf, "-wal") || ends(leaf, "-shm") || lstat(path, &st) != 0;
		if (rc == 0 && !skip && S_ISDIR(st.st_mode))
			rc = add_tree(a, path, inner);
		else if (rc == 0 && !skip && S_ISREG(st.st_mode))
			rc = add_file(a, path, inner, st.st_mode & 0777);
		free(path);
		free(inner);
		free(found[i]);
	}
	if (n >= 0)
		free(found);
	return rc;
}

static int create(const struct places *p, const char *file)
{
	struct archive *a = archive_create(file);
	if (!a) {
		fprintf(stderr, "ampgate: %s: %s\n", file, strerror(errno));
		return EXIT_FAILED;
	}
	printf("%s, with secrets as they are:\n", file);
	int rc = add_tree(a, p->config, "config");
	rc = rc ? rc : add_tree(a, p->state, "state");
	if (archive_close(a) == 0 && rc == 0)
		return EXIT_OK;
	unlink(file);
	fprintf(stderr, "ampgate: no backup was made\n");
	return EXIT_FAILED;
}

struct restore {
	const struct places *places;
	bool really;
	int files;
};

/* Directories on the way, then the file, for whoever owns its directory. */
static int put_file(char *path, unsigned mode, struct slice content)
{
	struct stat st;
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		bool here = mkdir(path, 0700) == 0 || errno == EEXIST;
		int known = stat(path, &st);
		*slash = '/';
		if (!here || known != 0)
			return -errno;
	}
	int rc = file_replace(path, content, (mode_t)mode);
	return rc == 0 && geteuid() == 0 && chown(path, st.st_uid, st.st_gid) != 0 ? -errno : rc;
}

static int restore_file(void *arg, const char *name, unsigned mode, struct slice content)
{
	struct restore *r = arg;
	bool config = strncmp(name, "config/", 7) == 0;
	if (!config && strncmp(name, "state/", 6) != 0)
		return ERR_INVALID;
	char *path = text_printf("%s/%s", config ? r->places->config : r->places->state, strchr(name, '/') + 1);
	struct buf now = { 0 };
	bool there = file_read(path, BACKUP_FILE_MOST, &now) == 0;
	bool same = there && now.n == content.n && (!now.n || memcmp(now.p, content.p, now.n) == 0);
	printf("  %-9s %s\n", same ? "same" : there ? "replace" : "create", path);
	int rc = r->really && !same ? put_file(path, mode, content) : 0;
	/* What belongs to the database that was there would be played into the one that is there now. */
	const char *const beside[] = { "-wal", "-shm" };
	for (int i = 0; i < 2 && r->really && ends(path, ".db"); i++) {
		char *old = text_printf("%s%s", path, beside[i]);
		unlink(old);
		free(old);
	}
	if (rc)
		fprintf(stderr, "ampgate: %s: %s\n", path, strerror(-rc));
	r->files++;
	buf_free(&now);
	free(path);
	return rc;
}

/* What a backup takes in each place, and whether its books can be read here. */
struct tally {
	uint64_t config, state;
	int newer, known; /* schemas: of books that a newer program wrote, 0: of none; what this one knows */
};

static int count(void *arg, const char *name, unsigned mode, struct slice content)
{
	struct tally *t = arg;
	bool config = strncmp(name, "config/", 7) == 0;
	(void)mode;
	*(config ? &t->config : &t->state) += content.n;
	if (!t->newer)
		t->newer = store_newer(content, &t->known);
	return config || strncmp(name, "state/", 6) == 0 ? 0 : ERR_INVALID;
}

/* A disk that is full half-way would leave new settings beside old books. Each file is written beside the one that it replaces. */
static bool has_room(const char *dir, uint64_t bytes)
{
	struct statvfs disk;
	if (statvfs(dir, &disk) != 0 || (uint64_t)disk.f_bavail * disk.f_frsize >= bytes)
		return true; /* or the directory is still to be made */
	fprintf(stderr, "ampgate: %s: %" PRIu64 " KiB are needed, and there is less room\n", dir, bytes / 1024 + 1);
	return false;
}

static int restore(const struct options *o, const struct places *p, const char *file, bool really)
{
	struct restore r = { p, really, 0 };
	struct tally t = { 0 };
	if (really && ctl_is_up(o)) {
		fprintf(stderr, "ampgate: the daemon runs; stop it first: systemctl stop ampgate\n");
		return EXIT_REFUSED;
	}
	/* Read to its end before the first file is touched. */
	if (archive_read(file, count, &t) != 0) {
		fprintf(stderr, "ampgate: %s is no backup, or not a whole one\n", file);
		return EXIT_FAILED;
	}
	if (t.newer) {
		fprintf(stderr, "ampgate: the books in %s were written by a newer version (schema %d, this program knows %d); install that one first\n", file, t.newer,
		        t.known);
		return EXIT_FAILED;
	}
	if (really && (!has_room(p->config, t.config) || !has_room(p->state, t.state)))
		return EXIT_FAILED;
	if (archive_read(file, restore_file, &r) != 0)
		return EXIT_FAILED;
	printf(really ? "%d files are as they were\n" : "%d files; nothing was changed. With --yes they become as they were then\n", r.files);
	if (!really)
		puts("Messages that reached the CSMS since then wait in the older books and are sent again.");
	return EXIT_OK;
}

int ctl_backup(const struct options *o, int argc, char **argv)
{
	struct places p = { SYSCONF_DIR, STATE_DIR };
	const char *words[2] = { NULL };
	bool really = false;
	int n = 0;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--yes") == 0)
			really = true;
		else if (strcmp(argv[i], "--config-dir") == 0 && i + 1 < argc)
			p.config = argv[++i];
		else if (strcmp(argv[i], "--state-dir") == 0 && i + 1 < argc)
			p.state = argv[++i];
		else if (n < 2 && argv[i][0] != '-')
			words[n++] = argv[i];
		else
			n = 3;
	}
	if (n == 2 && strcmp(words[0], "create") == 0 && !really)
		return create(&p, words[1]);
	if (n == 2 && strcmp(words[0], "restore") == 0)
		return restore(o, &p, words[1], really);
	return ctl_usage("backup create FILE, or backup restore FILE [--yes]; [--config-dir DIR] [--state-dir DIR]");
}
