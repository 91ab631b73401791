/* That an installed root has taken the place of those in the configuration is a file, `roots-replaced`, beside it. Easy to get wrong: the new root is
 * often the old one's cross-signature, so that a chain goes through it to the old one: it leads to each certificate in it, not to its end alone. */
#include "gateway/own/own-roots.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "gateway/own/own-certs.h"
#include "gateway/pki/cert.h"

#define TYPE "CSMSRootCertificate"

static void mark_path(const char *dir, char out[OWN_CERTS_PATH])
{
	snprintf(out, OWN_CERTS_PATH, "%s/roots-replaced", dir);
}

bool own_roots_replace(const char *dir)
{
	char path[OWN_CERTS_PATH];
	struct arena mem = { 0 };
	mark_path(dir, path);
	bool some = own_certs_roots(dir, TYPE, &mem)[0] != NULL;
	arena_free(&mem);
	return some && access(path, F_OK) == 0;
}

struct signing {
	X509 *fresh;
	bool found;
};

static void see_root(void *arg, const char *file, X509 *root)
{
	struct signing *s = arg;
	EVP_PKEY *key = X509_get0_pubkey(root);
	(void)file;
	s->found |= key && X509_NAME_cmp(X509_get_subject_name(root), X509_get_issuer_name(s->fresh)) == 0 && X509_verify(s->fresh, key) == 1;
}

int own_roots_may_follow(const char *dir, const char *ca, struct slice pem)
{
	struct arena mem = { 0 };
	struct signing s = { cert_read(pem), false };
	const char *const *roots = own_certs_roots(dir, TYPE, &mem);
	bool replaced = own_roots_replace(dir);
	int n = 0;
	for (; s.fresh && roots[n]; n++)
		(void)!cert_each(roots[n], see_root, &s);
	if (s.fresh && ca && !replaced)
		(void)!cert_each(ca, see_root, &s);
	X509_free(s.fresh);
	arena_free(&mem);
	return !s.found ? ERR_INVALID : n > replaced ? ERR_FULL : 0;
}

static const char *newest_of(const char *const *roots)
{
	const char *newest = NULL;
	struct timespec when = { 0 };
	struct stat st;
	for (; *roots; roots++) {
		bool later = stat(*roots, &st) == 0 && (st.st_mtim.tv_sec > when.tv_sec || (st.st_mtim.tv_sec == when.tv_sec && st.st_mtim.tv_nsec > when.tv_nsec));
		if (!later)
			continue;
		newest = *roots;
		when = st.st_mtim;
	}
	return newest;
}

static bool is_led_to(const char *file, bool (*leads)(void *arg, const char *fingerprint), void *arg)
{
	struct cert_facts f = { .ends_us = 0 };
	X509 *x = cert_read_file(file);
	if (x)
		cert_facts(x, &f);
	X509_free(x);
	return x && leads(arg, f.fingerprint);
}

bool own_roots_settle(const char *dir, bool (*leads)(void *arg, const char *fingerprint), void *arg)
{
	char path[OWN_CERTS_PATH];
	struct arena mem = { 0 };
	const char *const *roots = own_certs_roots(dir, TYPE, &mem), *newest = newest_of(roots);
	bool waits = newest && (roots[1] || !own_roots_replace(dir)), done = waits && is_led_to(newest, leads, arg);
	mark_path(dir, path);
	done = done && file_replace(path, SLICE("an installed root counts in place of those in the configuration\n"), 0600) == 0;
	for (size_t i = 0; done && roots[i]; i++)
		if (roots[i] != newest)
			unlink(roots[i]);
	arena_free(&mem);
	return done;
}
