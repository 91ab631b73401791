/* HTTP uploads are PUTs (2.0.1 N01.FR.18); a server that wants the file by FTP gets it so. Redirects are followed to the same protocols only.
 *
 * Easy to get wrong: the URL comes from a peer. file:, gopher: and whatever else libcurl knows are not for it, and a download is bounded. */
#include "gateway/own/transfer.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "config.h"

#ifdef HAVE_CURL
#include <curl/curl.h>

#define PROTOCOLS "http,https,ftp,ftps"
#define CONNECT_S 15L
#define SLOW_BYTES 1L /* less than this per second for SLOW_S is no transfer */
#define SLOW_S 60L

struct job {
	struct errand *errand;
	char *url, *file;
	bool sends;
	int64_t most, size;
	FILE *open;
	char error[CURL_ERROR_SIZE];
};

static void release(void *arg)
{
	struct job *j = arg;
	mem_free(j->url);
	mem_free(j->file);
	mem_free(j);
}

static int on_progress(void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
	struct job *j = arg;
	(void)down_all, (void)up_all, (void)up;
	return errand_is_over(j->errand) || (!j->sends && down > j->most);
}

static void prepare(CURL *c, struct job *j)
{
	curl_easy_setopt(c, CURLOPT_URL, j->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, PROTOCOLS);
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, PROTOCOLS);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, 5L);
	curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, SLOW_S);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, j->error);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, j);
	if (!j->sends) {
		curl_easy_setopt(c, CURLOPT_WRITEDATA, j->open);
		return;
	}
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c, CURLOPT_READDATA, j->open);
	curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)j->size);
	curl_easy_setopt(c, CURLOPT_FTP_CREATE_MISSING_DIRS, 1L);
}

static int end_of(CURL *c, CURLcode rc)
{
	long status = 0;
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	if (rc == CURLE_OK)
		return TRANSFER_DONE;
	if (rc == CURLE_UNSUPPORTED_PROTOCOL)
		return TRANSFER_NO_WAY;
	bool refused = rc == CURLE_LOGIN_DENIED || rc == CURLE_REMOTE_ACCESS_DENIED || status == 401 || status == 403;
	return refused ? TRANSFER_REFUSED : TRANSFER_FAILED;
}

static int run(struct errand *e, void *arg)
{
	struct job *j = arg;
	struct stat st = { 0 };
	int end = TRANSFER_FAILED;
	j->errand = e;
	j->open = fopen(j->file, j->sends ? "rbe" : "wbe");
	CURL *c = curl_easy_init();
	if (j->open && c && (!j->sends || fstat(fileno(j->open), &st) == 0)) {
		j->size = st.st_size;
		prepare(c, j);
		end = end_of(c, curl_easy_perform(c));
		if (end != TRANSFER_DONE)
			log_warn(NULL, "%s: %s", j->url, j->error);
	}
	if (c)
		curl_easy_cleanup(c);
	if (j->open && fclose(j->open) != 0)
		end = TRANSFER_FAILED;
	return end;
}

static int start(struct errand **out, struct job *j, void (*done)(void *owner, int result), void *owner)
{
	static bool ready;
	const struct errand_how how = { .run = run, .done = done, .release = release };
	if (!ready && curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
		release(j);
		return ERR_UNSUPPORTED;
	}
	ready = true;
	return errand_start(out, &how, j, owner);
}

static bool is_ours(struct slice url)
{
	static const char *const schemes[] = { "http://", "https://", "ftp://", "ftps://" };
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = strlen(schemes[i]);
		if (url.n > n && slice_eq_nocase((struct slice){ url.p, n }, slice_of(schemes[i])))
			return true;
	}
	return false;
}

const char *transfer_protocols(void)
{
	return "HTTP,HTTPS,FTP,FTPS";
}

int transfer_send(struct errand **out, const char *file, struct slice url, const char *name, void (*done)(void *owner, int result), void *owner)
{
	bool folder = url.n && url.p[url.n - 1] == '/';
	if (!is_ours(url))
		return ERR_UNSUPPORTED;
	struct job *j = NEW(struct job);
	size_t room = url.n + strlen(name) + 1;
	j->url = mem_new(room);
	snprintf(j->url, room, "%.*s%s", SLICE_ARG(url), folder ? name : "");
	j->file = mem_strdup(file);
	j->sends = true;
	return start(out, j, done, owner);
}

int transfer_fetch(struct errand **out, struct slice url, const char *file, int64_t most, void (*done)(void *owner, int result), void *owner)
{
	if (!is_ours(url))
		return ERR_UNSUPPORTED;
	struct job *j = NEW(struct job);
	j->url = mem_text(url);
	j->file = mem_strdup(file);
	j->most = most;
	return start(out, j, done, owner);
}

#else

const char *transfer_protocols(void)
{
	return "";
}

int transfer_send(struct errand **out, const char *file, struct slice url, const char *name, void (*done)(void *owner, int result), void *owner)
{
	(void)file, (void)url, (void)name, (void)done, (void)owner;
	*out = NULL;
	return ERR_UNSUPPORTED;
}

int transfer_fetch(struct errand **out, struct slice url, const char *file, int64_t most, void (*done)(void *owner, int result), void *owner)
{
	(void)url, (void)file, (void)most, (void)done, (void)owner;
	*out = NULL;
	return ERR_UNSUPPORTED;
}

#endif
