/* What the CSMS has asked of the whole while some stations were away. Names in the kept store, owner: the group's identity:
 *   wish/availability/STATION/EVSE   "Operative" or "Inoperative": told once, then forgotten
 *   wish/config/NAME                 a setting that all stations took: told to each that comes, so that a new one is like the others
 *   wish/monitor/NUMBER              a monitor of a variable (group-monitors.c)
 *   wish/list                        the version of the local list; the entries are the box's own list */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "gateway/group/group-local.h"
#include "storage/kept.h"
#include "storage/tokens.h"

static char *full_name(const char *name)
{
	struct buf full = { 0 };
	buf_printf(&full, "wish/%s", name);
	return full.p;
}

void wish_put(struct group *g, const char *name, struct slice value)
{
	char *full = full_name(name);
	int err = kept_put(g->gw->store, g->face->id, full, value, NULL, NULL);
	if (err)
		log_error(&g->log, "%s could not be kept: %s", full, err_text(err));
	mem_free(full);
}

void wish_remove(struct group *g, const char *name)
{
	char *full = full_name(name);
	int err = kept_remove(g->gw->store, g->face->id, full, NULL, NULL);
	if (err)
		log_error(&g->log, "%s could not be removed: %s", full, err_text(err));
	mem_free(full);
}

static void command(struct member *m, const struct event *e)
{
	int err = session_command(m->session, e, NULL, NULL);
	if (err)
		log_warn(&m->session->log, "what it missed could not be put to it: %s", err_text(err));
}

static bool tell_availability(void *arg, const char *name, struct slice value)
{
	struct member *m = arg;
	struct event e;
	const char *station = name + strlen("wish/availability/"), *slash = strrchr(station, '/');
	if (!slash || strncmp(station, m->session->id, (size_t)(slash - station)) != 0 || strlen(m->session->id) != (size_t)(slash - station))
		return true;
	event_init(&e, CMD_AVAILABILITY);
	e.evse = atoi(slash + 1);
	e.word = value;
	command(m, &e);
	wish_remove(m->group, name + strlen("wish/"));
	return true;
}

static bool tell_setting(void *arg, const char *name, struct slice value)
{
	struct member *m = arg;
	struct event e;
	event_init(&e, CMD_SET_CONFIG);
	e.word = slice_of(group_config_name(name + strlen("wish/config/"), m->link->version));
	e.value = value;
	if (e.word.p)
		command(m, &e);
	return true;
}

/* --- the list --- */

struct listing {
	struct arena mem;
	struct token_rec *entries;
	size_t n, room;
};

static bool add_entry(void *arg, const struct token_rec *t)
{
	struct listing *l = arg;
	if (t->source != TOKEN_LIST)
		return true;
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 64;
		l->entries = mem_grow(l->entries, l->room * sizeof(*l->entries));
	}
	struct token_rec *e = &l->entries[l->n++];
	*e = *t;
	e->token = arena_slice(&l->mem, t->token);
	e->type = t->type.p ? arena_slice(&l->mem, t->type) : t->type;
	e->group = t->group.p ? arena_slice(&l->mem, t->group) : t->group;
	e->status = arena_text(&l->mem, slice_of(t->status));
	return true;
}

static bool entry_of(void *arg, size_t i, struct event *token, struct reply *info)
{
	const struct listing *l = arg;
	if (i >= l->n)
		return false;
	event_init(token, EV_AUTHORIZE);
	reply_init(info);
	token->token = l->entries[i].token;
	token->token_type = l->entries[i].type;
	info->token_status = slice_of(l->entries[i].status);
	info->expiry_us = l->entries[i].expiry_us;
	info->group = l->entries[i].group;
	return true;
}

static bool tell_list(void *arg, const char *name, struct slice value)
{
	struct member *m = arg;
	struct listing l = { 0 };
	struct buf payload = { 0 };
	const struct action *act;
	struct event e;
	(void)name;
	event_init(&e, CMD_SEND_LIST);
	e.list_full = true;
	if (int_parse(value, &e.list_version) != 0)
		return true;
	int err = token_each(m->group->gw->store, add_entry, &l);
	if (!err)
		err = codec_write_list_of(m->link->version, &e, entry_of, &l, &payload, &act);
	if (!err)
		err = session_call(m->session, slice_of(act->name), buf_view(&payload), NULL, NULL);
	if (err)
		log_warn(&m->session->log, "the local list could not be put to it: %s", err_text(err));
	buf_free(&payload);
	mem_free(l.entries);
	arena_free(&l.mem);
	return true;
}

void wishes_tell(struct member *m)
{
	struct store *s = m->group->gw->store;
	const char *owner = m->group->face->id;
	group_monitors_tell(m);
	if (kept_each(s, owner, "wish/availability/", tell_availability, m) != 0 || kept_each(s, owner, "wish/config/", tell_setting, m) != 0 ||
	    kept_each(s, owner, "wish/list", tell_list, m) != 0)
		log_error(&m->group->log, "what %s missed cannot be read", m->session->id);
}
