/* Small files as a whole. A rename is only durable once its directory is synced too. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static int read_all(int fd, size_t most, struct buf *out)
{
	char part[4096];
	size_t before = out->n;
	for (;;) {
		ssize_t n = read(fd, part, sizeof(part));
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		if (out->n - before + (size_t)n > most)
			return ERR_TOO_LARGE;
		buf_add(out, part, (size_t)n);
	}
}

int file_read(const char *path, size_t most, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int err = read_all(fd, most, out);
	close(fd);
	return err;
}

static int write_all(int fd, struct slice content)
{
	while (content.n) {
		ssize_t n = write(fd, content.p, content.n);
		if (n < 0)
			return -errno;
		content.p += n;
		content.n -= (size_t)n;
	}
	return 0;
}

static int write_new(const char *path, struct slice content, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	int err = fchmod(fd, mode) != 0 ? -errno : write_all(fd, content);
	if (!err && fsync(fd) != 0)
		err = -errno;
	if (close(fd) != 0 && !err)
		err = -errno;
	return err;
}

int file_sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	if (fd < 0)
		return -errno;
	if (fsync(fd) != 0)
		err = -errno;
	close(fd);
	return err;
}

static int sync_parent(struct arena *mem, const char *path)
{
	const char *slash = strrchr(path, '/');
	return file_sync_dir(slash ? arena_text(mem, (struct slice){ path, (size_t)(slash - path) + 1 }) : ".");
}

int file_replace(const char *path, struct slice content, mode_t mode)
{
	struct arena mem = { 0 };
	const char *beside = arena_printf(&mem, "%s.new", path);
	int err = write_new(beside, content, mode);
	if (!err && rename(beside, path) != 0)
		err = -errno;
	if (err)
		unlink(beside);
	else
		err = sync_parent(&mem, path);
	arena_free(&mem);
	return err;
}

static int remove_entry(struct arena *mem, const char *dir, const struct dirent *d)
{
	const char *path = arena_printf(mem, "%s/%s", dir, d->d_name);
	if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 || unlink(path) == 0)
		return 0;
	return errno == EISDIR || errno == EPERM ? file_remove_tree(path) : -errno;
}

int file_remove_tree(const char *dir)
{
	struct arena mem = { 0 };
	DIR *d = opendir(dir);
	int err = 0;
	if (!d)
		return errno == ENOENT ? 0 : -errno;
	for (const struct dirent *e; !err && (e = readdir(d));)
		err = remove_entry(&mem, dir, e);
	closedir(d);
	arena_free(&mem);
	if (!err && rmdir(dir) != 0)
		err = -errno;
	return err;
}
