/* Generations of the configuration on disk. One is built under a name that nobody looks for and then renamed, so that what is found is
 * complete. */
#include "gateway/conf/generation.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

#define FILE_MOST (4 * 1024 * 1024)
#define META_MOST 4096

static const char *root_of(struct arena *mem, const char *state_dir)
{
	return arena_printf(mem, "%s/generations", state_dir);
}

/* ---- which there are ---- */

static int is_number(const struct dirent *d)
{
	int64_t n;
	return int_parse(slice_of(d->d_name), &n) == 0 && n > 0 && n < INT32_MAX;
}

static int newest_first(const struct dirent **a, const struct dirent **b)
{
	return atoi((*b)->d_name) - atoi((*a)->d_name);
}

/* Numbers, newest first, in `mem`; how many, or a negative error. */
static int numbers(struct arena *mem, const char *root, int **out)
{
	struct dirent **names;
	int n = scandir(root, &names, is_number, newest_first);
	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	*out = arena_new(mem, ((size_t)n + 1) * sizeof(int));
	for (int i = 0; i < n; i++) {
		(*out)[i] = atoi(names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return n;
}

static struct settings_files files_in(struct arena *mem, const char *root, int number)
{
	return (struct settings_files){ .main_file = arena_printf(mem, "%s/%d/ampgate.yaml", root, number),
		.confd = arena_printf(mem, "%s/%d/conf.d", root, number), .managed = arena_printf(mem, "%s/%d/managed.yaml", root, number) };
}

int generation_files(const char *state_dir, int number, struct arena *mem, struct settings_files *out)
{
	const char *root = root_of(mem, state_dir);
	int *all = NULL, n = numbers(mem, root, &all);
	for (int i = 0; i < n; i++) {
		if (number && all[i] != number)
			continue;
		*out = files_in(mem, root, all[i]);
		return 0;
	}
	return n < 0 ? n : ERR_NOT_FOUND;
}

/* ---- the same as the newest? ---- */

static int gather_file(void *arg, const char *path, const char *name)
{
	struct buf *all = arg, one = { 0 };
	int err = file_read(path, FILE_MOST, &one);
	buf_printf(all, "%s %zu\n", name, one.n);
	buf_slice(all, buf_view(&one));
	buf_free(&one);
	return err;
}

static bool same_files(const struct settings_files *a, const struct settings_files *b)
{
	struct buf one = { 0 }, two = { 0 };
	bool same = settings_each_file(a, gather_file, &one) == 0 && settings_each_file(b, gather_file, &two) == 0 && slice_eq(buf_view(&one), buf_view(&two));
	buf_free(&one);
	buf_free(&two);
	return same;
}

/* ---- keeping one ---- */

struct copying {
	struct arena *mem;
	const char *dir;
};

static int copy_file(void *arg, const char *path, const char *name)
{
	struct copying *c = arg;
	struct buf content = { 0 };
	int err = file_read(path, FILE_MOST, &content);
	if (!err)
		err = file_replace(arena_printf(c->mem, "%s/%s", c->dir, name), buf_view(&content), 0600);
	buf_free(&content);
	return err;
}

static int make_dir(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

static int write_meta(struct arena *mem, const char *dir, int number, const char *who, const char *why)
{
	struct buf text = { 0 };
	struct json_writer w;
	jw_open(&w, &text);
	jw_object(&w, NULL);
	jw_int(&w, "v", 1);
	jw_int(&w, "number", number);
	jw_time(&w, "at", clock_wall_us());
	jw_string(&w, "who", who);
	jw_string(&w, "why", why);
	jw_end(&w, '}');
	int err = file_replace(arena_printf(mem, "%s/meta.json", dir), buf_view(&text), 0600);
	buf_free(&text);
	return err;
}

static int keep_as(struct arena *mem, const char *root, int number, const struct settings_files *files, const char *who, const char *why)
{
	struct copying c = { mem, arena_printf(mem, "%s/.unfinished", root) };
	int err = file_remove_tree(c.dir);
	if (!err)
		err = make_dir(c.dir);
	if (!err)
		err = make_dir(arena_printf(mem, "%s/conf.d", c.dir));
	if (!err)
		err = settings_each_file(files, copy_file, &c);
	if (!err)
		err = write_meta(mem, c.dir, number, who, why);
	if (!err && rename(c.dir, arena_printf(mem, "%s/%d", root, number)) != 0)
		err = -errno;
	return err ? err : file_sync_dir(root);
}

static int keep(struct arena *mem, const char *root, const struct settings_files *files, const char *who, const char *why, int *number_out)
{
	int *all = NULL, n = numbers(mem, root, &all);
	if (n < 0)
		return n;
	*number_out = n ? all[0] : 0;
	if (n) {
		struct settings_files newest = files_in(mem, root, all[0]);
		if (same_files(files, &newest))
			return 0;
	}
	int err = keep_as(mem, root, *number_out + 1, files, who, why);
	if (err)
		return err;
	++*number_out;
	for (int i = GENERATIONS - 1; i < n && !err; i++)
		err = file_remove_tree(arena_printf(mem, "%s/%d", root, all[i]));
	return err;
}

int generation_keep(const char *state_dir, const struct settings_files *files, const char *who, const char *why, int *number_out)
{
	struct arena mem = { 0 };
	const char *root = root_of(&mem, state_dir);
	int err = make_dir(root);
	if (!err)
		err = keep(&mem, root, files, who, why, number_out);
	arena_free(&mem);
	return err;
}

/* ---- telling of them ---- */

static void tell(const char *root, int number, void (*each)(void *arg, const struct generation *g), void *arg)
{
	struct arena mem = { 0 };
	struct buf text = { 0 };
	struct generation g = { .number = number, .who = "", .why = "" };
	cJSON *meta = file_read(arena_printf(&mem, "%s/%d/meta.json", root, number), META_MOST, &text) == 0 ? json_parse(buf_view(&text)) : NULL;
	if (meta) {
		if (time_parse(json_text(meta, "at"), &g.at_us) != 0)
			g.at_us = 0;
		g.who = arena_text(&mem, json_text(meta, "who"));
		g.why = arena_text(&mem, json_text(meta, "why"));
	}
	each(arg, &g);
	cJSON_Delete(meta);
	buf_free(&text);
	arena_free(&mem);
}

int generation_each(const char *state_dir, void (*each)(void *arg, const struct generation *g), void *arg)
{
	struct arena mem = { 0 };
	const char *root = root_of(&mem, state_dir);
	int *all = NULL, n = numbers(&mem, root, &all);
	for (int i = 0; i < n; i++)
		tell(root, all[i], each, arg);
	arena_free(&mem);
	return n < 0 ? n : 0;
}
