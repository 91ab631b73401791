/* Secrets: `cred:NAME` is the content of a file NAME, so that the configuration itself can be read by everybody. systemd's LoadCredential
 * shows the files of a directory as <unit's name for it>_NAME, hence the first of the three places. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/conf/settings-tables.h"
#include "gateway/session/password-hash.h"

#define SECRET_MOST 4096

/* A copy of text in which {id} is replaced. */
static char *with_id(struct arena *mem, const char *text, const char *id)
{
	struct buf b = { 0 };
	const char *hole;
	while (id && (hole = strstr(text, "{id}"))) {
		buf_add(&b, text, (size_t)(hole - text));
		buf_puts(&b, id);
		text = hole + 4;
	}
	buf_puts(&b, text);
	char *done = arena_text(mem, buf_view(&b));
	buf_free(&b);
	return done;
}

static const char *credentials_dir(const struct settings_source *src)
{
	return src->credentials ? src->credentials : SYSCONF_DIR "/credentials";
}

/* Where the file of that name is; NULL: in none of the places. */
static const char *credential_path(const struct settings_source *src, struct arena *mem, const char *name)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return NULL;
	const char *places[] = {
		dir ? arena_printf(mem, "%s/ampgate_%s", dir, name) : NULL,
		dir ? arena_printf(mem, "%s/%s", dir, name) : NULL,
		arena_printf(mem, "%s/%s", credentials_dir(src), name),
	};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (places[i] && access(places[i], R_OK) == 0)
			return places[i];
	return NULL;
}

/* The file without the line end that editors leave; NULL when it cannot be read, is empty, or is no text. */
static const char *credential_text(struct arena *mem, const char *path)
{
	char text[SECRET_MOST + 1];
	FILE *f = fopen(path, "re");
	if (!f)
		return NULL;
	size_t n = fread(text, 1, SECRET_MOST, f);
	fclose(f);
	while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	const char *copy = n && !memchr(text, 0, n) ? arena_text(mem, (struct slice){ text, n }) : NULL;
	explicit_bzero(text, sizeof(text));
	return copy;
}

static bool is_cred(const char *text)
{
	return strncmp(text, "cred:", 5) == 0;
}

const char *settings_secret_text(const struct settings_source *src, struct arena *mem, const char *text, const char *id)
{
	if (!is_cred(text))
		return text;
	const char *path = credential_path(src, mem, with_id(mem, text + 5, id));
	return path ? credential_text(mem, path) : NULL;
}

/* A range shares one node: one message for its 300 members is enough. */
static bool is_said(const struct conf_report *r, const struct conf_pos *pos)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->messages[i].line == pos->line && r->messages[i].col == pos->col && pos->file && strcmp(r->messages[i].file, pos->file->name) == 0 &&
			strncmp(r->messages[i].text, "credential ", 11) == 0)
			return true;
	return false;
}

void settings_secret_missing(struct settings_source *src, struct conf_report *r, const struct conf_node *n, const char *id)
{
	struct arena mem = { 0 };
	if (!is_said(r, &n->pos)) {
		const char *name = with_id(&mem, n->text + 5, id);
		/* A service manager copies them when it starts us, not later. */
		char *hint = arena_printf(&mem, "put it into %s/%s%s", credentials_dir(src), name, getenv("CREDENTIALS_DIRECTORY") ? " and restart" : "");
		conf_say(r, CONF_ERROR, &n->pos, hint, "credential '%s' is missing or empty", name);
		src->missing++;
	}
	arena_free(&mem);
}

const char *settings_secret(void *arg, struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, const char *id)
{
	struct settings_source *src = arg;
	bool is_path = row->type == CONF_SECRET_PATH;
	if (!is_cred(n->text)) {
		if (!*n->text)
			conf_say(f->report, CONF_ERROR, &n->pos, "write cred:NAME", "an empty secret");
		else if (!is_path && !password_hash_is(n->text))
			settings_secret_literal(f->report, n);
		return n->text;
	}
	if (!id && strstr(n->text, "{id}"))
		return n->text; /* station_defaults: there is no station yet */
	const char *found = is_path ? credential_path(src, f->mem, with_id(f->mem, n->text + 5, id)) : settings_secret_text(src, f->mem, n->text, id);
	if (found)
		return found;
	settings_secret_missing(src, f->report, n, id);
	return n->text; /* nobody will use these settings, but the rest of them can be checked */
}

/* Said without the line of the file: it may hold nothing but the secret. */
void settings_secret_literal(struct conf_report *r, const struct conf_node *n)
{
	struct conf_file unseen = { .name = n->pos.file->name };
	struct conf_pos pos = n->pos;
	pos.file = &unseen;
	conf_say(r, CONF_WARNING, &pos, "write cred:NAME and put it into the file NAME in the credentials directory", "a secret in the configuration itself");
}
