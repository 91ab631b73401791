/* Values with a form of their own that rows of several files have. */
#include <string.h>

#include "gateway/conf/settings-rows.h"
#include "gateway/conf/settings-tables.h"

int settings_refuse(struct conf_fill *f, const struct conf_node *n, const char *hint, const char *text)
{
	conf_say(f->report, CONF_ERROR, &n->pos, hint, "%s", text);
	return ERR_INVALID;
}

int settings_word(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, int *out)
{
	struct conf_row choice = *row;
	choice.type = CONF_CHOICE;
	return conf_read(f, &choice, n, out);
}

int settings_rotation(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	int i;
	if (settings_word(f, row, n, &i) != 0)
		return ERR_INVALID;
	*(const char **)at = row->words[i];
	return 0;
}

int settings_wired_phases(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	struct conf_row part = *row;
	int count;
	part.type = n->kind == CONF_SCALAR ? CONF_INT : CONF_PHASES;
	if (n->kind != CONF_SCALAR)
		return conf_read(f, &part, n, at);
	if (conf_read(f, &part, n, &count) != 0)
		return ERR_INVALID;
	*(uint8_t *)at = (uint8_t)(PHASES_COUNTED | count);
	return 0;
}

/* ---- addresses ---- */

int settings_url(const char *rest, struct settings_url *out)
{
	struct slice all = { rest, strcspn(rest, "/?#") };
	const char *bracket = *rest == '[' ? memchr(rest, ']', all.n) : NULL;
	const char *colon = memchr(bracket ? bracket : rest, ':', all.n - (size_t)((bracket ? bracket : rest) - rest));
	int64_t port = 0;
	out->host = bracket ? (struct slice){ rest + 1, (size_t)(bracket - rest - 1) } : (struct slice){ rest, colon ? (size_t)(colon - rest) : all.n };
	out->path = slice_of(rest + all.n);
	if (colon && (int_parse((struct slice){ colon + 1, (size_t)(rest + all.n - colon - 1) }, &port) != 0 || port < 1 || port > 65535))
		return ERR_SYNTAX;
	if (!out->host.n || memchr(out->host.p, '@', out->host.n) || strpbrk(rest, " \t\"<>"))
		return ERR_SYNTAX;
	out->port = (int)port;
	return 0;
}

const char *settings_scheme(const char *url, const char *plain, const char *secure, bool *is_secure)
{
	*is_secure = strncmp(url, secure, strlen(secure)) == 0;
	if (*is_secure)
		return url + strlen(secure);
	return strncmp(url, plain, strlen(plain)) == 0 ? url + strlen(plain) : NULL;
}
