/* Charging stations and a CSMS for measuring what stands between them.
 *
 * Every socket has a fixed buffer and at most one CALL under way, so a send always finds room and a frame always fits. The mix is what a quiet
 * site says: heartbeats, states, meter values without a transaction, and a DataTransfer of one kilobyte. Answers of the CSMS to a DataTransfer
 * carry a mark, since a relay may answer by itself. */
#include "tests/bench/peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "gateway/net/link-ws.h"

#define INPUT 4096
#define FRAME_MOST 2048
#define EVENTS 256
#define TRY_AGAIN_US 50000
#define PATIENCE_US (60 * INT64_C(1000000))

enum { OP_TEXT = 1, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };
enum state { GONE, CONNECTING, UPGRADING, OPEN };

struct peer {
	int fd;
	enum state state;
	bool client, waits, served;
	uint64_t number, calls; /* of the station; CALLs sent, which number the ids and choose from the mix */
	int64_t asked_us, again_us;
	size_t n;
	char in[INPUT];
};

int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

void die(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("bench: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

/* ---- frames */

static void put(struct peer *p, int opcode, const char *text, size_t n)
{
	static const unsigned char key[4] = { 0x37, 0xfa, 0x21, 0x3d };
	unsigned char frame[FRAME_MOST], *to = frame;
	*to++ = (unsigned char)(0x80 | opcode);
	*to++ = (unsigned char)((p->client ? 0x80 : 0) | (n < 126 ? n : 126));
	if (n >= 126) {
		*to++ = (unsigned char)(n >> 8);
		*to++ = (unsigned char)n;
	}
	if (p->client) {
		memcpy(to, key, 4);
		to += 4;
	}
	memcpy(to, text, n);
	for (size_t i = 0; p->client && i < n; i++)
		to[i] ^= key[i & 3];
	to += n;
	if (send(p->fd, frame, (size_t)(to - frame), MSG_NOSIGNAL) != to - frame && errno != EPIPE && errno != ECONNRESET)
		die("no room for a frame: %s", strerror(errno));
}

/* One whole frame at the front of the buffer, unmasked in place: its length with header; 0: more is needed. */
static size_t take(struct peer *p, int *opcode, struct slice *payload)
{
	unsigned char *in = (unsigned char *)p->in;
	size_t head = 2, n = p->n > 1 ? in[1] & 127 : 0;
	bool masked = p->n > 1 && in[1] & 128;
	if (n == 127)
		die("a frame larger than any in the mix");
	if (n == 126) {
		if (p->n < 4)
			return 0;
		head = 4;
		n = (size_t)in[2] << 8 | in[3];
	}
	unsigned char *key = in + head;
	head += masked ? 4 : 0;
	if (p->n < 2 || p->n < head + n)
		return 0;
	*opcode = in[0] & 15;
	for (size_t i = 0; masked && i < n; i++)
		in[head + i] ^= key[i & 3];
	*payload = (struct slice){ p->in + head, n };
	return head + n;
}

static void drop(struct peer *p)
{
	if (p->state != GONE)
		close(p->fd);
	p->state = GONE;
	p->waits = false;
	p->n = 0;
}

static void use(struct peer *p, size_t n)
{
	memmove(p->in, p->in + n, p->n - n);
	p->n -= n;
}

/* Length of an HTTP head in the buffer; 0: not whole. */
static size_t head_length(const struct peer *p)
{
	const char *end = memmem(p->in, p->n, "\r\n\r\n", 4);
	return end ? (size_t)(end - p->in) + 4 : 0;
}

static void on_frames(struct peer *p, void (*on_text)(struct peer *p, struct slice text))
{
	int opcode;
	struct slice payload;
	size_t n;
	while (p->state == OPEN && (n = take(p, &opcode, &payload))) {
		if (opcode == OP_TEXT)
			on_text(p, payload);
		else if (opcode == OP_PING)
			put(p, OP_PONG, payload.p, payload.n);
		if (opcode == OP_CLOSE)
			drop(p);
		else
			use(p, n);
	}
}

/* False: the connection is over. */
static bool fill(struct peer *p)
{
	ssize_t n = recv(p->fd, p->in + p->n, sizeof(p->in) - p->n, 0);
	if (n > 0)
		p->n += (size_t)n;
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int listen_on(int port)
{
	struct sockaddr_in at = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 4096) != 0)
		die("port %d: %s", port, strerror(errno));
	return fd;
}

int free_port(void)
{
	struct sockaddr_in at;
	socklen_t n = sizeof(at);
	int fd = listen_on(0);
	getsockname(fd, (struct sockaddr *)&at, &n);
	close(fd);
	return ntohs(at.sin_port);
}

void wait_for_port(int port)
{
	struct sockaddr_in at = loopback(port);
	for (int64_t end = now_us() + PATIENCE_US; now_us() < end; usleep(10000)) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int err = connect(fd, (struct sockaddr *)&at, sizeof(at));
		close(fd);
		if (!err)
			return;
	}
	die("nobody listens on port %d", port);
}

/* ---- the CSMS */

static uint64_t *answered; /* shared with the process that plays it */

uint64_t csms_answered(void)
{
	return answered ? *answered : 0;
}

static void greet(struct peer *p, size_t length)
{
	char accept[WS_ACCEPT_TEXT], answer[512];
	p->in[length - 1] = 0;
	const char *key = strcasestr(p->in, "Sec-WebSocket-Key: ");
	if (!key)
		die("not an upgrade: %.200s", p->in);
	ws_accept_text((struct slice){ key + 19, strcspn(key + 19, "\r") }, accept);
	int n = snprintf(answer, sizeof(answer), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n", accept);
	use(p, length);
	p->state = OPEN;
	if (send(p->fd, answer, (size_t)n, MSG_NOSIGNAL) != n)
		drop(p);
}

static const char *payload_for(struct slice action, const char *now)
{
	static char text[128];
	if (slice_is(action, "BootNotification"))
		snprintf(text, sizeof(text), "{\"currentTime\":\"%s\",\"interval\":300,\"status\":\"Accepted\"}", now);
	else if (slice_is(action, "Heartbeat"))
		snprintf(text, sizeof(text), "{\"currentTime\":\"%s\"}", now);
	else if (slice_is(action, "StartTransaction"))
		snprintf(text, sizeof(text), "{\"idTagInfo\":{\"status\":\"Accepted\"},\"transactionId\":%llu}", (unsigned long long)*answered);
	else if (slice_is(action, "DataTransfer"))
		snprintf(text, sizeof(text), "{\"status\":\"Accepted\",\"data\":\"from the CSMS\"}");
	else
		snprintf(text, sizeof(text), "{}");
	return text;
}

static void on_call(struct peer *p, struct slice text)
{
	char answer[512], now[TIME_TEXT];
	const char *id = text.p + 4, *id_end = memchr(id, '"', text.n - 4);
	if (text.n < 10 || text.p[1] != '2' || !id_end)
		return; /* answers to nobody */
	const char *action = id_end + 3, *action_end = memchr(action, '"', text.n - (size_t)(action - text.p));
	time_text((int64_t)time(NULL) * 1000000, now);
	int n = snprintf(answer, sizeof(answer), "[3,\"%.*s\",%s]", (int)(id_end - id), id,
		payload_for((struct slice){ action, (size_t)(action_end - action) }, now));
	++*answered;
	put(p, OP_TEXT, answer, (size_t)n);
}

static void csms_ready(struct peer *p)
{
	if (!fill(p)) {
		drop(p);
		free(p);
		return;
	}
	size_t head = p->state == UPGRADING ? head_length(p) : 0;
	if (head)
		greet(p, head);
	on_frames(p, on_call);
}

static void csms_accept(int epoll, int listener)
{
	int fd;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct peer *p = calloc(1, sizeof(*p));
		*p = (struct peer){ .fd = fd, .state = UPGRADING };
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = p });
	}
}

static void csms_run(int listener)
{
	struct epoll_event ready[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = NULL });
	for (;;) {
		int n = epoll_wait(epoll, ready, EVENTS, -1);
		for (int i = 0; i < n; i++)
			if (ready[i].data.ptr)
				csms_ready(ready[i].data.ptr);
			else
				csms_accept(epoll, listener);
	}
}

pid_t csms_start(int port)
{
	int listener = listen_on(port);
	if (!answered)
		answered = mmap(NULL, sizeof(*answered), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		csms_run(listener);
	}
	close(listener);
	return pid;
}

/* ---- the stations */

static struct {
	int epoll, port;
	unsigned n, served;
	bool asks_csms, again, transacts; /* what an answer leads to */
	unsigned calls_each;
	uint64_t answered;
	int64_t until_us;       /* of transactions */
	struct peer all[STATIONS_MOST];
	uint32_t *latency;      /* microseconds, of each answer */
	uint64_t latency_room;
} st;

static const char padding[] =
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.";

static void say(struct peer *p, const char *action, const char *payload)
{
	char text[FRAME_MOST - 16];
	int n = snprintf(text, sizeof(text), "[2,\"%08x-%04x-4000-8000-%012llx\",\"%s\",%s]", (unsigned)p->number, (unsigned)getpid() & 0xffff,
		(unsigned long long)p->calls++, action, payload);
	p->waits = true;
	p->asked_us = now_us();
	put(p, OP_TEXT, text, (size_t)n);
}

static void say_boot(struct peer *p)
{
	say(p, "BootNotification", "{\"chargePointVendor\":\"Bench\",\"chargePointModel\":\"Relay\",\"firmwareVersion\":\"1.0\"}");
}

static void say_data(struct peer *p)
{
	char text[1200];
	snprintf(text, sizeof(text), "{\"vendorId\":\"org.example\",\"messageId\":\"bench\",\"data\":\"%s%s%s%s%s%s%s%.20s\"}", padding, padding, padding,
		padding, padding, padding, padding, padding);
	say(p, "DataTransfer", text);
}

static void say_next(struct peer *p)
{
	switch ((p->calls + p->number) % 4) {
	case 0:
		say(p, "Heartbeat", "{}");
		break;
	case 1:
		say(p, "StatusNotification", "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Available\",\"timestamp\":\"2026-03-01T12:00:00.000Z\"}");
		break;
	case 2:
		say(p, "MeterValues", "{\"connectorId\":1,\"meterValue\":[{\"timestamp\":\"2026-03-01T12:00:00.000Z\",\"sampledValue\":["
			"{\"value\":\"1234567.10\",\"context\":\"Sample.Periodic\",\"measurand\":\"Energy.Active.Import.Register\",\"unit\":\"Wh\"},"
			"{\"value\":\"0.0\",\"measurand\":\"Current.Import\",\"phase\":\"L1\",\"unit\":\"A\"}]}]}");
		break;
	default:
		say_data(p);
	}
}

/* A stop names the transaction of the start's answer; the answer to a stop names none. */
static void say_next_tx(struct peer *p, struct slice answer)
{
	static const char key[] = "\"transactionId\":";
	char text[256];
	const char *id = answer.n ? memmem(answer.p, answer.n, key, sizeof(key) - 1) : NULL;
	if (now_us() > st.until_us)
		return;
	if (id) {
		snprintf(text, sizeof(text), "{\"transactionId\":%lld,\"idTag\":\"TAG1\",\"meterStop\":%llu,\"timestamp\":\"2026-03-01T12:00:00.000Z\"}",
			atoll(id + sizeof(key) - 1), (unsigned long long)p->calls);
		say(p, "StopTransaction", text);
	} else {
		snprintf(text, sizeof(text), "{\"connectorId\":1,\"idTag\":\"TAG1\",\"meterStart\":%llu,\"timestamp\":\"2026-03-01T12:00:00.000Z\"}",
			(unsigned long long)p->calls);
		say(p, "StartTransaction", text);
	}
}

static void begin_connect(struct peer *p)
{
	struct sockaddr_in at = loopback(st.port);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	p->state = CONNECTING;
	p->n = 0;
	if (connect(p->fd, (struct sockaddr *)&at, sizeof(at)) != 0 && errno != EINPROGRESS)
		die("connect: %s", strerror(errno));
	epoll_ctl(st.epoll, EPOLL_CTL_ADD, p->fd, &(struct epoll_event){ .events = EPOLLOUT, .data.ptr = p });
}

static void station_lost(struct peer *p)
{
	drop(p);
	p->again_us = now_us() + TRY_AGAIN_US;
}

static void ask_upgrade(struct peer *p)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "GET /ocpp/S-%04u HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n",
		(unsigned)p->number, st.port);
	if (send(p->fd, text, (size_t)n, MSG_NOSIGNAL) != n) {
		station_lost(p);
		return;
	}
	p->state = UPGRADING;
	epoll_ctl(st.epoll, EPOLL_CTL_MOD, p->fd, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = p });
}

static void on_greeted(struct peer *p, size_t length)
{
	if (memcmp(p->in, "HTTP/1.1 101", 12) != 0) {
		station_lost(p);
		return;
	}
	use(p, length);
	p->state = OPEN;
	if (st.asks_csms)
		say_data(p);
	else
		say_boot(p);
}

static void note_latency(const struct peer *p)
{
	if (st.answered < st.latency_room)
		st.latency[st.answered] = (uint32_t)(now_us() - p->asked_us);
	st.answered++;
}

/* A relay that knows OCPP may ask the stations something of its own. */
static void accept_call(struct peer *p, struct slice text)
{
	char answer[128];
	bool asks_keys = memmem(text.p, text.n, "\"GetConfiguration\"", 18);
	int n = snprintf(answer, sizeof(answer), "[3,\"%.*s\",{%s}]", (int)strcspn(text.p + 4, "\""), text.p + 4, asks_keys ? "" : "\"status\":\"Accepted\"");
	put(p, OP_TEXT, answer, (size_t)n);
}

static void on_answer(struct peer *p, struct slice text)
{
	if (text.p[1] == '2') {
		accept_call(p, text);
		return;
	}
	p->waits = false;
	note_latency(p);
	if (st.transacts) {
		say_next_tx(p, text);
	} else if (st.again) {
		if (p->calls < st.calls_each)
			say_next(p);
	} else if (!p->served && (!st.asks_csms || memmem(text.p, text.n, "from the CSMS", 13))) {
		p->served = true;
		st.served++;
	} else if (!p->served) {
		p->again_us = now_us() + TRY_AGAIN_US;
	}
}

static void station_ready(struct peer *p, unsigned what)
{
	if (p->state == CONNECTING && !(what & (EPOLLERR | EPOLLHUP))) {
		ask_upgrade(p);
	} else if (p->state == CONNECTING || !fill(p)) {
		station_lost(p);
	} else {
		size_t head = p->state == UPGRADING ? head_length(p) : 0;
		if (head)
			on_greeted(p, head);
		on_frames(p, on_answer);
		if (p->state == GONE)
			station_lost(p);
	}
}

static void turn(int wait_ms)
{
	struct epoll_event ready[EVENTS];
	int n = epoll_wait(st.epoll, ready, EVENTS, wait_ms);
	for (int i = 0; i < n; i++)
		station_ready(ready[i].data.ptr, ready[i].events);
}

void stations_open(unsigned n, int port)
{
	if (st.epoll)
		close(st.epoll);
	memset(st.all, 0, sizeof(st.all));
	st.epoll = epoll_create1(EPOLL_CLOEXEC);
	st.n = n;
	st.port = port;
	for (unsigned i = 0; i < n; i++)
		st.all[i].client = true, st.all[i].number = i;
}

void stations_close(void)
{
	for (unsigned i = 0; i < st.n; i++)
		drop(&st.all[i]);
}

/* Those that have to connect or to ask again. */
static void tend(int64_t now)
{
	for (unsigned i = 0; i < st.n; i++) {
		struct peer *p = &st.all[i];
		if (p->served || now < p->again_us)
			continue;
		if (p->state == GONE)
			begin_connect(p);
		else if (p->state == OPEN && !p->waits && st.asks_csms)
			say_data(p);
	}
}

static int64_t serve_all(void)
{
	int64_t start = now_us();
	st.served = 0;
	st.again = false;
	for (unsigned i = 0; i < st.n; i++) {
		st.all[i].served = false;
		st.all[i].again_us = 0;
	}
	while (st.served < st.n) {
		tend(now_us());
		turn(10);
		if (now_us() - start > PATIENCE_US)
			die("only %u of %u stations were served", st.served, st.n);
	}
	return now_us() - start;
}

int64_t stations_serve(void)
{
	st.asks_csms = false;
	return serve_all();
}

int64_t stations_reach_csms(void)
{
	st.asks_csms = true;
	return serve_all();
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void begin_measure(uint64_t calls)
{
	st.latency = realloc(st.latency, calls * sizeof(*st.latency));
	st.latency_room = calls;
	st.answered = 0;
}

static void end_measure(int64_t start, struct latency *out)
{
	uint64_t n = st.answered < st.latency_room ? st.answered : st.latency_room;
	*out = (struct latency){ .calls = st.answered, .seconds = (double)(now_us() - start) / 1e6 };
	if (!n)
		return;
	qsort(st.latency, n, sizeof(*st.latency), by_size);
	out->p50_us = st.latency[n / 2];
	out->p99_us = st.latency[n * 99 / 100];
}

static void wait_answers(uint64_t calls, int64_t start)
{
	while (st.answered < calls) {
		turn(10);
		if (now_us() - start > PATIENCE_US)
			die("%llu of %llu answers came", (unsigned long long)st.answered, (unsigned long long)calls);
	}
}

void stations_saturate(unsigned calls_each, struct latency *out)
{
	uint64_t all = (uint64_t)calls_each * st.n;
	int64_t start = now_us();
	begin_measure(all);
	st.again = true;
	st.calls_each = calls_each;
	for (unsigned i = 0; i < st.n; i++) {
		st.all[i].calls = 0;
		say_next(&st.all[i]);
	}
	wait_answers(all, start);
	end_measure(start, out);
}

void stations_at_rate(unsigned calls_per_s, double seconds, struct latency *out)
{
	uint64_t all = (uint64_t)(calls_per_s * seconds), sent = 0;
	int64_t start = now_us();
	begin_measure(all);
	st.again = true;
	st.calls_each = 0;
	while (sent < all) {
		uint64_t due = (uint64_t)((double)(now_us() - start) * calls_per_s / 1e6);
		for (; sent < due && sent < all; sent++)
			if (!st.all[sent % st.n].waits)
				say_next(&st.all[sent % st.n]);
			else
				sent = all, die("a station was not answered within its interval");
		turn(1);
	}
	wait_answers(all, start);
	end_measure(start, out);
}

static unsigned waiting(void)
{
	unsigned n = 0;
	for (unsigned i = 0; i < st.n; i++)
		n += st.all[i].waits;
	return n;
}

void stations_transact(double seconds, struct latency *out)
{
	int64_t start = now_us();
	begin_measure((uint64_t)(seconds * 100000));
	st.transacts = true;
	st.until_us = start + (int64_t)(seconds * 1e6);
	for (unsigned i = 0; i < st.n; i++)
		say_next_tx(&st.all[i], (struct slice){ 0 });
	while (waiting()) {
		turn(10);
		if (now_us() - start > PATIENCE_US)
			die("%u stations got no answer", waiting());
	}
	st.transacts = false;
	end_measure(start, out);
}

void stations_idle(double seconds)
{
	int64_t end = now_us() + (int64_t)(seconds * 1e6);
	while (now_us() < end)
		turn(10);
}
