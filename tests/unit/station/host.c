#include "tests/unit/station/host.h"

#include <stdio.h>

#include "tests/unit/unit.h"

static void did(struct test_host *h, const char *what, struct slice more)
{
	size_t n = strlen(h->did);
	snprintf(h->did + n, sizeof(h->did) - n, "%s%s%.*s; ", what, more.n ? " " : "", (int)more.n, more.n ? more.p : "");
}

static void keep(void *arg, const char *name, struct slice value)
{
	struct test_host *h = arg;
	size_t at = 0;
	while (at < KEPT_MOST && h->kept[at].value && strcmp(h->kept[at].name, name) != 0)
		at++;
	assert_true(at < KEPT_MOST);
	free(h->kept[at].value);
	h->kept[at].value = value.p ? strndup(value.p, value.n) : NULL;
	snprintf(h->kept[at].name, sizeof(h->kept[at].name), "%s", name);
	if (value.p)
		return;
	for (; at + 1 < KEPT_MOST; at++)
		h->kept[at] = h->kept[at + 1];
	h->kept[KEPT_MOST - 1].value = NULL;
}

static void recall(void *arg, const char *prefix, void (*see)(void *to, const char *name, struct slice value), void *to)
{
	struct test_host *h = arg;
	for (size_t i = 0; i < KEPT_MOST && h->kept[i].value; i++) {
		if (strncmp(h->kept[i].name, prefix, strlen(prefix)) == 0)
			see(to, h->kept[i].name, slice_of(h->kept[i].value));
	}
}

static int send_log(void *arg, const struct log_ask *ask, char name[FILE_NAME_MOST])
{
	struct test_host *h = arg;
	did(h, ask->type, ask->url);
	snprintf(name, FILE_NAME_MOST, "T-01.log");
	return h->log_err;
}

static void stop_log(void *arg)
{
	did(arg, "stop log", (struct slice){ 0 });
}

static enum signer check_signer(void *arg, struct slice certificate)
{
	(void)certificate;
	return ((struct test_host *)arg)->signer;
}

static int fetch(void *arg, struct slice url)
{
	did(arg, "fetch", url);
	return 0;
}

static int verify(void *arg, struct slice certificate, struct slice signature)
{
	(void)certificate;
	did(arg, "verify", signature);
	return 0;
}

static int install(void *arg)
{
	did(arg, "install", (struct slice){ 0 });
	return 0;
}

static void stop_firmware(void *arg)
{
	did(arg, "stop firmware", (struct slice){ 0 });
}

static int install_certificate(void *arg, const char *type, struct slice pem)
{
	struct test_host *h = arg;
	(void)pem;
	if (h->certificate_err)
		return h->certificate_err;
	h->ids[h->n_ids] = (struct certificate_id){ .type = strdup(type), .algorithm = "SHA256" };
	snprintf(h->ids[h->n_ids].name_hash, sizeof(h->ids[0].name_hash), "aa%02zu", h->n_ids);
	snprintf(h->ids[h->n_ids].key_hash, sizeof(h->ids[0].key_hash), "bb");
	snprintf(h->ids[h->n_ids].serial, sizeof(h->ids[0].serial), "%zx", h->n_ids + 1);
	h->n_ids++;
	return 0;
}

static size_t certificates(void *arg, struct arena *mem, struct certificate_id **out)
{
	struct test_host *h = arg;
	*out = arena_new(mem, (h->n_ids + 1) * sizeof(**out));
	memcpy(*out, h->ids, h->n_ids * sizeof(**out));
	return h->n_ids;
}

static int delete_certificate(void *arg, const struct certificate_id *id)
{
	struct test_host *h = arg;
	for (size_t i = 0; i < h->n_ids; i++) {
		if (strcmp(h->ids[i].name_hash, id->name_hash) != 0)
			continue;
		free((char *)h->ids[i].type);
		h->n_ids--;
		memmove(&h->ids[i], &h->ids[i + 1], (h->n_ids - i) * sizeof(h->ids[0]));
		return 0;
	}
	return ERR_NOT_FOUND;
}

static int make_request(void *arg, const char *type, const char *organisation, struct buf *csr)
{
	struct test_host *h = arg;
	buf_printf(csr, "CSR %s %s", type, organisation);
	return h->request_err;
}

static int take_certificate(void *arg, const char *type, struct slice chain)
{
	struct test_host *h = arg;
	did(h, type, chain);
	return h->certificate_err;
}

static int set_password(void *arg, struct slice password)
{
	did(arg, "password", password);
	return 0;
}

static int check_network(void *arg, const struct network_profile *p)
{
	struct test_host *h = arg;
	(void)p;
	return h->network_err;
}

static void use_network(void *arg, int slot, struct slice profile)
{
	char text[16];
	snprintf(text, sizeof(text), "%d%s", slot, profile.p ? "" : " own");
	did(arg, "network", slice_of(text));
}

static void log_security(void *arg, int64_t wall_us, const char *type, struct slice info)
{
	struct test_host *h = arg;
	size_t n = strlen(h->security);
	(void)wall_us, (void)info;
	snprintf(h->security + n, sizeof(h->security) - n, "%s; ", type);
}

static void show(void *arg, int evse, const char *text)
{
	struct test_host *h = arg;
	if (evse == 1)
		snprintf(h->shown, sizeof(h->shown), "%s", text);
}

const struct station_host test_host_ops = {
	.keep = keep, .recall = recall, .file_protocols = "HTTP,HTTPS,FTP", .send_log = send_log, .stop_log = stop_log,
	.check_signer = check_signer, .fetch_firmware = fetch, .verify_firmware = verify, .install_firmware = install,
	.stop_firmware = stop_firmware, .install_certificate = install_certificate, .certificates = certificates,
	.delete_certificate = delete_certificate, .make_request = make_request, .take_certificate = take_certificate,
	.set_password = set_password, .check_network = check_network, .use_network = use_network, .log_security = log_security, .show = show,
};

void test_host_close(struct test_host *h)
{
	for (size_t i = 0; i < KEPT_MOST; i++)
		free(h->kept[i].value);
	for (size_t i = 0; i < h->n_ids; i++)
		free((char *)h->ids[i].type);
	memset(h, 0, sizeof(*h));
}
