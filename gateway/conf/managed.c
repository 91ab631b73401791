/* The managed layer on disk. A change that waits is written in this order: what was before, the mark, the change; and taken back or kept in the
 * other. Whatever of that a crash leaves behind is either no mark, or a mark with a whole file before it. */
#include "gateway/conf/managed.h"

#include <errno.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/file.h"
#include "base/json.h"

static const char *file_of(const char *state_dir, const char *name, struct arena *mem)
{
	return arena_printf(mem, "%s/managed.%s", state_dir, name);
}

const char *managed_path(const char *state_dir, struct arena *mem)
{
	return file_of(state_dir, "yaml", mem);
}

static int read_or_empty(const char *path, struct buf *out)
{
	int err = file_read(path, MANAGED_MOST, out);
	return err == -ENOENT ? 0 : err;
}

int managed_read(const char *state_dir, struct buf *out)
{
	struct arena mem = { 0 };
	int err = read_or_empty(managed_path(state_dir, &mem), out);
	arena_free(&mem);
	return err;
}

int managed_write(const char *state_dir, struct slice yaml)
{
	struct arena mem = { 0 };
	int err = file_replace(managed_path(state_dir, &mem), yaml, 0600);
	arena_free(&mem);
	return err;
}

static int write_mark(const char *path, const struct managed_pending *p)
{
	struct buf text = { 0 };
	struct json_writer w;
	jw_open(&w, &text);
	jw_object(&w, NULL);
	jw_time(&w, "until", p->until_us);
	jw_string(&w, "who", p->who);
	jw_bool(&w, "self", p->self);
	jw_end(&w, '}');
	int err = file_replace(path, buf_view(&text), 0600);
	buf_free(&text);
	return err;
}

int managed_try(const char *state_dir, struct slice yaml, const struct managed_pending *p)
{
	struct arena mem = { 0 };
	struct buf before = { 0 };
	int err = managed_read(state_dir, &before);
	if (!err)
		err = file_replace(file_of(state_dir, "before", &mem), buf_view(&before), 0600);
	if (!err)
		err = write_mark(file_of(state_dir, "pending", &mem), p);
	if (!err)
		err = managed_write(state_dir, yaml);
	buf_free(&before);
	arena_free(&mem);
	return err;
}

static int forget_mark(const char *state_dir, struct arena *mem)
{
	if (unlink(file_of(state_dir, "pending", mem)) != 0 && errno != ENOENT)
		return -errno;
	int err = file_sync_dir(state_dir);
	if (!err && unlink(file_of(state_dir, "before", mem)) != 0 && errno != ENOENT)
		err = -errno;
	return err;
}

int managed_keep(const char *state_dir)
{
	struct arena mem = { 0 };
	int err = forget_mark(state_dir, &mem);
	arena_free(&mem);
	return err;
}

int managed_back(const char *state_dir)
{
	struct arena mem = { 0 };
	struct buf before = { 0 };
	struct managed_pending p;
	int err = managed_waits(state_dir, &mem, &p) ? file_read(file_of(state_dir, "before", &mem), MANAGED_MOST, &before) : ERR_NOT_FOUND;
	if (!err)
		err = managed_write(state_dir, buf_view(&before));
	if (!err)
		err = forget_mark(state_dir, &mem);
	buf_free(&before);
	arena_free(&mem);
	return err;
}

bool managed_waits(const char *state_dir, struct arena *mem, struct managed_pending *out)
{
	struct buf text = { 0 };
	cJSON *mark = file_read(file_of(state_dir, "pending", mem), MANAGED_MOST, &text) == 0 ? json_parse(buf_view(&text)) : NULL;
	*out = (struct managed_pending){ 0 };
	bool waits = mark && time_parse(json_text(mark, "until"), &out->until_us) == 0;
	if (waits) {
		out->who = arena_text(mem, json_text(mark, "who"));
		out->self = json_bool(mark, "self", false);
	}
	cJSON_Delete(mark);
	buf_free(&text);
	return waits;
}

static void take_out(struct conf_node *map, struct conf_node *child)
{
	struct conf_node *before = NULL;
	for (struct conf_node *n = map->first; n && n != child; n = n->next)
		before = n;
	if (before)
		before->next = child->next;
	else
		map->first = child->next;
	if (map->last == child)
		map->last = before;
}

static void take_path(struct conf_node *map, const cJSON *step)
{
	struct conf_node *n = cJSON_IsString(step) ? conf_child(map, step->valuestring) : NULL;
	if (!n)
		return;
	if (step->next && n->kind == CONF_MAP)
		take_path(n, step->next);
	if (!step->next || (n->kind == CONF_MAP && !n->first))
		take_out(map, n);
}

int managed_without(struct slice base, const struct cJSON *paths, struct buf *out)
{
	struct arena mem = { 0 };
	struct conf_report report = { 0 };
	struct conf_node *tree;
	const cJSON *path;
	int err = conf_yaml_parse(&mem, "managed.yaml", base, &report, &tree);
	if (!err) {
		cJSON_ArrayForEach(path, paths)
			if (cJSON_IsArray(path) && path->child)
				take_path(tree, path->child);
		conf_write(tree, out);
	}
	conf_report_free(&report);
	arena_free(&mem);
	return err;
}

int managed_lay(struct slice base, const struct conf_node *over, struct buf *out)
{
	struct arena mem = { 0 };
	struct conf_report report = { 0 };
	struct conf_node *below;
	int err = conf_yaml_parse(&mem, "managed.yaml", base, &report, &below);
	if (!err)
		conf_write(conf_merge(&mem, below, over), out);
	conf_report_free(&report);
	arena_free(&mem);
	return err;
}

int managed_merge(struct slice base, struct slice over, struct buf *out)
{
	struct arena mem = { 0 };
	struct conf_report report = { 0 };
	struct conf_node *above;
	int err = conf_yaml_parse(&mem, "change", over, &report, &above);
	if (!err)
		err = managed_lay(base, above, out);
	conf_report_free(&report);
	arena_free(&mem);
	return err;
}
