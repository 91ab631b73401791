/* Any bytes as JSON text, with a path into it: the first line of an input. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "ocpp/scan.h"
#include "ocpp/splice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Only the window changes, and it is found again where it was. */
static void replace(struct slice json, const char *path, struct slice window)
{
	struct buf out = { 0 };
	size_t front = (size_t)(window.p - json.p), behind = json.n - front - window.n;
	splice_write(&out, json, window, SLICE("\"-7\""));
	assert(out.n == front + 4 + behind);
	assert(memcmp(out.p, json.p, front) == 0 && memcmp(out.p + front, "\"-7\"", 4) == 0);
	assert(memcmp(out.p + front + 4, window.p + window.n, behind) == 0);
	struct slice again = splice_find(buf_view(&out), path);
	assert(again.n == 4 && again.p == out.p + front);
	buf_free(&out);
}

static void insert(struct slice json)
{
	struct buf out = { 0 };
	splice_insert_member(&out, json, json, SLICE("\"offline\":true"));
	assert(out.n >= json.n);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[96];
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t n = end ? (size_t)(end - data) : 0;
	if (!end || n >= sizeof(path) || memchr(data, 0, n))
		return 0;
	memcpy(path, data, n);
	path[n] = 0;
	struct slice json = { (const char *)end + 1, size - n - 1 };
	struct slice window = splice_find(json, path);
	if (window.p) {
		assert(window.p >= json.p && window.n && window.p + window.n <= json.p + json.n);
		replace(json, path, window);
	}
	insert(json);
	return 0;
}
