/* Any bytes as the head of a WebSocket handshake: the first byte chooses whether a request or a response is read. */
#include <assert.h>
#include <string.h>

#include "gateway/net/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(struct slice part, struct slice whole)
{
	return !part.n || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void look_at_fields(const struct http_head *h, struct slice head)
{
	struct slice rest, word, user, password;
	char room[512];
	assert(h->n_fields <= HTTP_FIELDS_MOST);
	for (size_t i = 0; i < h->n_fields; i++) {
		assert(h->fields[i].name.n && h->fields[i].value.p);
		assert(inside(h->fields[i].name, head) && inside(h->fields[i].value, head));
	}
	for (rest = http_field(h, "Sec-WebSocket-Protocol"); rest.p && http_list_next(&rest, &word);)
		assert(inside(word, head) && inside(rest, head));
	http_list_has(h, "Connection", "upgrade");
	if (http_basic(h, room, sizeof(room), &user, &password) == 0)
		assert(inside(user, (struct slice){ room, sizeof(room) }) && inside(password, (struct slice){ room, sizeof(room) }));
}

/* Bytes that come one after the other end where they end when they come at once. */
static size_t head_length(struct slice arrived)
{
	size_t scanned = 0, slow = 0;
	int whole = http_head_length(arrived, HTTP_HEAD_MOST, &scanned), piecewise = 0;
	for (size_t n = 1; n <= arrived.n && piecewise == 0; n += 1 + n / 7)
		piecewise = http_head_length((struct slice){ arrived.p, n }, HTTP_HEAD_MOST, &slow);
	if (piecewise == 0)
		piecewise = http_head_length(arrived, HTTP_HEAD_MOST, &slow);
	assert(whole == piecewise && (whole <= 0 || (size_t)whole <= arrived.n));
	return whole > 0 ? (size_t)whole : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_head h;
	const char *why = NULL;
	if (!size)
		return 0;
	struct slice head = { (const char *)data + 1, size - 1 };
	head.n = head_length(head);
	if (!head.n)
		return 0;
	int err = data[0] & 1 ? http_read_response(head, &h, &why) : http_read_request(head, &h, &why);
	if (err) {
		assert(err == ERR_SYNTAX && why);
		return 0;
	}
	assert(inside(h.method, head) && inside(h.target, head) && inside(h.reason, head));
	look_at_fields(&h, head);
	return 0;
}
