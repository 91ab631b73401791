/* ampgate pki issue: makes the key here, has the daemon's authority sign the request, and writes both as files. The key goes nowhere else. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "gateway/ctl/ctl-print.h"
#include "gateway/ctl/ctl.h"
#include "gateway/pki/request.h"

#define CSR_MOST 16384
#define PATH_MOST 600

struct words {
	const char *kind, *name, *csr, *out, *days, *names;
};

static bool read_words(struct words *w, int argc, char **argv)
{
	const struct {
		const char *option, **to;
	} valued[] = { { "--csr", &w->csr }, { "--out", &w->out }, { "--days", &w->days }, { "--names", &w->names } };
	const char **const plain[] = { &w->kind, &w->name };
	size_t n = 0;
	for (int i = 2; i < argc; i++) {
		size_t k = 0;
		while (k < 4 && strcmp(argv[i], valued[k].option) != 0)
			k++;
		if (k < 4 && i + 1 < argc)
			*valued[k].to = argv[++i];
		else if (k < 4 || argv[i][0] == '-' || n == 2)
			return false;
		else
			*plain[n++] = argv[i];
	}
	return n == 2 && (strcmp(w->kind, "station") == 0 || strcmp(w->kind, "server") == 0);
}

static bool path_of(const struct words *w, const char *end, char out[PATH_MOST])
{
	char leaf[3 * 64 + 1];
	if (strlen(w->name) > 64)
		return false;
	percent_encode(slice_of(w->name), leaf);
	return snprintf(out, PATH_MOST, "%s/%s.%s", w->out ? w->out : ".", leaf, end) < PATH_MOST;
}

static int save(const struct words *w, const char *end, struct slice content, mode_t mode)
{
	char path[PATH_MOST];
	int err = path_of(w, end, path) ? file_replace(path, content, mode) : ERR_TOO_LARGE;
	if (err)
		fprintf(stderr, "ampgate: %s: %s\n", path, err_text(err));
	else
		printf("%s\n", path);
	return err;
}

/* A request from the file, or a new one with its key. */
static int make_request(const struct words *w, struct buf *key, struct buf *csr)
{
	char path[PATH_MOST];
	int err = w->csr ? file_read(w->csr, CSR_MOST, csr) : request_make(w->name, "", key, csr);
	if (err) {
		fprintf(stderr, "ampgate: %s: %s\n", w->csr ? w->csr : w->name, err_text(err));
		return err;
	}
	if (w->csr || !path_of(w, "key", path) || access(path, F_OK) != 0)
		return 0;
	fprintf(stderr, "ampgate: %s is there already\n", path);
	return ERR_EXISTS;
}

int ctl_pki_issue(const struct options *o, int argc, char **argv)
{
	struct words w = { 0 };
	struct buf key = { 0 }, csr = { 0 };
	int status = EXIT_FAILED;
	if (!read_words(&w, argc, argv))
		return ctl_usage("pki issue station|server NAME [--csr FILE] [--out DIRECTORY] [--days N] [--names NAME,ADDRESS...]");
	if (make_request(&w, &key, &csr) == 0) {
		struct buf args = ctl_object((const char *const[][2]){ { "kind", w.kind }, { "name", w.name }, { "csr", csr.p }, { "days", w.days }, { "names", w.names } }, 5);
		cJSON *answer = ctl_ask(o, "pki.issue", &args, &status);
		const cJSON *result = cJSON_GetObjectItem(answer, "result");
		bool saved = answer && (!key.n || save(&w, "key", buf_view(&key), 0600) == 0) && save(&w, "crt", json_text(result, "certificate"), 0644) == 0;
		status = answer && !saved ? EXIT_FAILED : status;
		cJSON_Delete(answer);
		buf_free(&args);
	}
	request_wipe(&key);
	buf_free(&csr);
	return status;
}
