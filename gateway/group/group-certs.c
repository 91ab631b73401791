/* Certificates of members. Each station has its own, so the CSMS's word about a key goes to the station whose key it is: the public key of a request
 * to sign is noted on its way up, and the certificate that comes back is recognised by it. Roots are for all. Names in the kept store, owner: the
 * group's identity:
 *   csr/STATION/TYPE   SHA-256 of the public key that the station has asked for last, TYPE: of the certificate, "-" where none is said
 *
 * Which certificates are installed is asked of every station, type by type where its version can only be asked so; a CSMS hears of each once. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/group/group-local.h"
#include "ocpp/certs.h"
#include "storage/kept.h"

#define PATIENCE_US (20 * US_PER_S)
#define MEMBER_US (65 * US_PER_S)
#define ENTRIES_MOST 200
#define PRINT_TEXT (2 * SHA256_DIGEST_LENGTH + 1)

/* --- whose key it is --- */

struct request {
	struct list in_group;
	char *name;                /* as kept */
	char print[PRINT_TEXT];
};

static struct request *request_of(struct group *g, const char *name)
{
	LIST_WALK(&g->requests, struct request, in_group, r)
		if (strcmp(r->name, name) == 0)
			return r;
	struct request *r = NEW(struct request);
	r->name = mem_strdup(name);
	list_append(&g->requests, &r->in_group);
	return r;
}

static bool see_kept(void *arg, const char *name, struct slice value)
{
	if (value.n == PRINT_TEXT - 1)
		memcpy(request_of(arg, name)->print, value.p, value.n);
	return true;
}

void group_certs_open(struct group *g)
{
	list_init(&g->requests);
	if (kept_each(g->gw->store, g->face->id, "csr/", see_kept, g) != 0)
		log_error(&g->log, "the requests to sign cannot be read");
}

void group_certs_close(struct group *g)
{
	LIST_WALK(&g->requests, struct request, in_group, r) {
		list_remove(&r->in_group);
		mem_free(r->name);
		mem_free(r);
	}
}

static bool print_key(EVP_PKEY *key, char out[PRINT_TEXT])
{
	unsigned char *der = NULL, sum[SHA256_DIGEST_LENGTH];
	int n = key ? i2d_PUBKEY(key, &der) : 0;
	if (n <= 0)
		return false;
	SHA256(der, (size_t)n, sum);
	OPENSSL_free(der);
	hex_text(sum, sizeof(sum), out);
	return true;
}

static bool print_request(struct slice pem, char out[PRINT_TEXT])
{
	BIO *text = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509_REQ *request = PEM_read_bio_X509_REQ(text, NULL, NULL, NULL);
	bool ok = request && print_key(X509_REQ_get0_pubkey(request), out);
	X509_REQ_free(request);
	BIO_free(text);
	ERR_clear_error();
	return ok;
}

/* The station's own stands first in the chain. */
static bool print_certificate(struct slice pem, char out[PRINT_TEXT])
{
	BIO *text = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *x = PEM_read_bio_X509(text, NULL, NULL, NULL);
	bool ok = x && print_key(X509_get0_pubkey(x), out);
	X509_free(x);
	BIO_free(text);
	ERR_clear_error();
	return ok;
}

bool group_note_request(struct member *m, struct frame *f)
{
	struct group *g = m->group;
	struct buf name = { 0 };
	char print[PRINT_TEXT];
	struct slice csr = json_text(frame_tree(f), "csr"), type = json_text(frame_tree(f), "certificateType");
	if (!csr.p || !print_request(csr, print))
		return false;
	buf_printf(&name, "csr/%s/%.*s", m->session->id, SLICE_ARG(type.p ? type : SLICE("-")));
	memcpy(request_of(g, name.p)->print, print, sizeof(print));
	int err = kept_put(g->gw->store, g->face->id, name.p, slice_of(print), NULL, NULL);
	if (err)
		log_error(&g->log, "whose request to sign it is could not be kept: %s", err_text(err));
	buf_free(&name);
	return true;
}

static struct member *member_named(const struct group *g, const char *name)
{
	const char *station = name + strlen("csr/"), *end = strrchr(station, '/');
	char *id = end ? mem_text((struct slice){ station, (size_t)(end - station) }) : NULL;
	struct member *m = id ? group_member(g, id) : NULL;
	mem_free(id);
	return m;
}

struct member *group_signed_for(struct group *g, struct frame *f)
{
	struct certificate_ask ask;
	char print[PRINT_TEXT];
	certificate_ask_read(f, &ask);
	if (!ask.pem.p || !print_certificate(ask.pem, print))
		return NULL;
	LIST_WALK(&g->requests, struct request, in_group, r)
		if (strcmp(r->print, print) == 0)
			return member_named(g, r->name);
	return NULL;
}

/* --- what is installed --- */

struct account {
	struct group *group;
	char *id;
	struct buf list;
	size_t n;
	unsigned waiting;
	bool answered;
	struct timer patience;
};

struct put {
	struct account *account;
	const char *type;
};

static void answer(struct account *a)
{
	struct buf payload = { 0 };
	a->answered = true;
	timer_cancel(&a->patience);
	certificates_write_entries(a->group->version, buf_view(&a->list), a->n, &payload);
	group_answer(a->group, slice_of(a->id), buf_view(&payload));
	buf_free(&payload);
}

static void done_with_one(struct account *a)
{
	if (--a->waiting)
		return;
	if (!a->answered)
		answer(a);
	mem_free(a->id);
	buf_free(&a->list);
	mem_free(a);
}

static void on_patience_over(void *arg)
{
	struct account *a = arg;
	log_warn(&a->group->log, "%u stations have not said in time which certificates they have", a->waiting);
	answer(a);
}

static void add(struct account *a, const struct buf *entry)
{
	if (a->n >= ENTRIES_MOST || (a->n && memmem(a->list.p, a->list.n, entry->p, entry->n)))
		return;
	buf_puts(&a->list, a->n++ ? "," : "");
	buf_slice(&a->list, buf_view(entry));
}

static void on_put(void *arg, struct call *c, int err, struct frame *f)
{
	struct put *p = arg;
	struct account *a = p->account;
	(void)c;
	for (size_t i = 0; !err && f && f->kind == FRAME_RESULT && !a->answered; i++) {
		struct buf entry = { 0 };
		bool some = certificates_entry(f, i, p->type, a->group->version, &entry);
		if (some)
			add(a, &entry);
		buf_free(&entry);
		if (!some)
			break;
	}
	mem_free(p);
	done_with_one(a);
}

static void ask(struct account *a, struct member *m, const char *type)
{
	char id[UUID_TEXT];
	struct buf payload = { 0 }, text = { 0 };
	const struct action *act;
	if (certificates_write_query(m->link->version, type, &payload, &act) == 0) {
		struct put *p = NEW(struct put);
		*p = (struct put){ a, type };
		frame_write_call(&text, slice_of(uuid_text(id)), act->name, buf_view(&payload));
		struct ask ask = { .text = buf_view(&text), .id = slice_of(id), .act = act, .timeout_us = MEMBER_US, .done = on_put, .arg = p };
		a->waiting++;
		int err = calls_ask(&m->calls, &ask, NULL);
		if (err)
			on_put(p, NULL, err, NULL);
	}
	buf_free(&payload);
	buf_free(&text);
}

static void add_ours(struct account *a, struct frame *f)
{
	struct arena mem = { 0 };
	struct certificate_id *ids;
	size_t n = group_roots(a->group, &mem, &ids);
	for (size_t i = 0; i < n && certificates_wanted(f, ids[i].type); i++) {
		struct buf entry = { 0 };
		certificates_entry_of(&ids[i], a->group->version, &entry);
		add(a, &entry);
		buf_free(&entry);
	}
	arena_free(&mem);
}

void group_installed(struct group *g, struct frame *f)
{
	static const char *const types[] = { "CSMSRootCertificate", "ManufacturerRootCertificate", "V2GRootCertificate", "MORootCertificate", "OEMRootCertificate", "V2GCertificateChain" };
	struct account *a = NEW(struct account);
	struct member *m;
	size_t at = 0;
	*a = (struct account){ .group = g, .id = mem_text(f->id), .waiting = 1 };
	add_ours(a, f);
	while ((m = map_next(&g->members, &at, NULL)))
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && member_is_here(m); i++)
			if (certificates_wanted(f, types[i]))
				ask(a, m, types[i]);
	if (a->waiting > 1)
		timer_set(&a->patience, PATIENCE_US, on_patience_over, a);
	done_with_one(a);
}
