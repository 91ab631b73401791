/* A byte stream over a socket, plain or TLS.
 *
 * OpenSSL works on the descriptor itself; with SSL_MODE_RELEASE_BUFFERS an idle connection holds no record buffers, and partial writes with
 * a moving buffer let the caller keep its output in a buffer that grows between two tries. Easy to get wrong: the error queue is the
 * thread's, so it is cleared before each call, and a read may wait for writability (`wants`). */
#include "gateway/net/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"

/* Chargers are known that cannot bear WebSocket pings; a dead one is noticed all the same, after two minutes. */
#define KEEPALIVE_AFTER_S 60
#define KEEPALIVE_EVERY_S 20
#define KEEPALIVE_TRIES 3

void stream_open(struct stream *s, int fd, struct ssl_st *ssl)
{
	int on = 1;
	*s = (struct stream){ .fd = fd, .ssl = ssl };
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	/* These fail on a socketpair, where they mean nothing. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){ KEEPALIVE_AFTER_S }, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &(int){ KEEPALIVE_EVERY_S }, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &(int){ KEEPALIVE_TRIES }, sizeof(int));
	if (ssl)
		SSL_set_fd(ssl, fd);
}

void stream_close(struct stream *s)
{
	if (s->carried)
		s->carried->close(s->carried);
	s->carried = NULL;
	SSL_free(s->ssl);
	s->ssl = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* What an OpenSSL call that did not succeed means; `n` is what it returned. */
static int tls_result(struct stream *s, int n)
{
	int saved = errno;
	s->wants = 0;
	switch (SSL_get_error(s->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		s->wants = WATCH_READ;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		s->wants = WATCH_WRITE;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return saved ? -saved : 0;
	default:
		/* Peers that close without close_notify are common; framing above tells whether something is missing. */
		return ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING ? 0 : ERR_TLS;
	}
}

int stream_handshake(struct stream *s, const char **why_out)
{
	*why_out = NULL;
	if (!s->ssl)
		return 0;
	ERR_clear_error();
	errno = 0;
	int n = SSL_do_handshake(s->ssl);
	if (n == 1)
		return 0;
	int err = tls_result(s, n);
	if (err == -EAGAIN)
		return err;
	long verdict = SSL_get_verify_result(s->ssl);
	*why_out = verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : ERR_reason_error_string(ERR_peek_error());
	if (err == 0) {
		*why_out = "the peer closed the connection during the TLS handshake";
		return ERR_TLS;
	}
	if (!*why_out)
		*why_out = err_text(err);
	return err;
}

ssize_t stream_read(struct stream *s, void *to, size_t n)
{
	if (s->carried)
		return s->carried->read(s->carried, to, n);
	if (!s->ssl) {
		ssize_t got;
		do
			got = recv(s->fd, to, n, 0);
		while (got < 0 && errno == EINTR);
		return got < 0 ? -errno : got;
	}
	size_t got;
	ERR_clear_error();
	errno = 0;
	int ok = SSL_read_ex(s->ssl, to, n, &got);
	return ok ? (ssize_t)got : tls_result(s, ok);
}

bool stream_has_more(const struct stream *s)
{
	return s->ssl && SSL_pending(s->ssl) > 0;
}

void stream_watch(struct stream *s, struct watch *w, void (*ready)(void *arg, unsigned what), void *arg)
{
	watch_init(w, s->fd, ready, arg);
	if (!s->carried)
		return;
	s->carried->ready = ready;
	s->carried->arg = arg;
}

void stream_want(struct stream *s, struct watch *w, unsigned interest)
{
	if (s->carried)
		s->carried->want(s->carried, interest);
	else
		watch_want(w, interest);
}

ssize_t stream_write(struct stream *s, const void *bytes, size_t n)
{
	if (s->carried)
		return s->carried->write(s->carried, bytes, n);
	if (!s->ssl) {
		ssize_t done;
		do
			done = send(s->fd, bytes, n, MSG_NOSIGNAL);
		while (done < 0 && errno == EINTR);
		return done < 0 ? -errno : done;
	}
	size_t done;
	ERR_clear_error();
	errno = 0;
	int ok = SSL_write_ex(s->ssl, bytes, n, &done);
	if (ok)
		return (ssize_t)done;
	int err = tls_result(s, ok);
	return err ? err : -EPIPE;
}

void stream_finish(struct stream *s)
{
	if (s->carried)
		s->carried->finish(s->carried);
	if (s->fd < 0)
		return;
	if (s->ssl && SSL_is_init_finished(s->ssl)) {
		ERR_clear_error();
		SSL_shutdown(s->ssl);
	}
	shutdown(s->fd, SHUT_WR);
}

void stream_peer(const struct stream *s, char out[64])
{
	struct sockaddr_storage from;
	socklen_t n = sizeof(from);
	char host[INET6_ADDRSTRLEN] = "";
	out[0] = 0;
	if (s->carried)
		snprintf(out, 64, "%s", s->carried->peer);
	if (getpeername(s->fd, (struct sockaddr *)&from, &n) != 0)
		return;
	if (from.ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)&from;
		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
		snprintf(out, 64, "%s:%u", host, ntohs(v4->sin_port));
	} else if (from.ss_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&from;
		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
			snprintf(out, 64, "%s:%u", host + strlen("::ffff:"), ntohs(v6->sin6_port));
		else
			snprintf(out, 64, "[%s]:%u", host, ntohs(v6->sin6_port));
	}
}

bool stream_has_client(const struct stream *s)
{
	return s->ssl && SSL_get0_peer_certificate(s->ssl) && SSL_get_verify_result(s->ssl) == X509_V_OK;
}

struct x509_st *stream_certificate(const struct stream *s)
{
	return stream_has_client(s) ? SSL_get0_peer_certificate(s->ssl) : NULL;
}

struct slice stream_client(const struct stream *s, enum stream_subject part, char *out, size_t room)
{
	if (!stream_has_client(s))
		return (struct slice){ 0 };
	X509 *cert = SSL_get0_peer_certificate(s->ssl);
	X509_NAME *subject = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(subject, part == STREAM_CN ? NID_commonName : NID_organizationName, -1);
	unsigned char *text = NULL;
	int n = at < 0 ? -1 : ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	struct slice found = { 0 };
	if (n >= 0 && (size_t)n <= room) {
		memcpy(out, text, (size_t)n);
		found = (struct slice){ out, (size_t)n };
	}
	OPENSSL_free(text);
	return found;
}
