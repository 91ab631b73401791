/* Our verdict on a payload, for checks from outside: ocpp-check VERSION ACTION request|response [--lines] [--lenient] < payload.json
 *
 * Prints one line of JSON per payload: {"ok":true}, or where it is broken, by which rule, and the CALLERROR code for it. With --lines each
 * line of the input is a payload. Exit: 0 all fine, 1 some fault, 2 usage. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "ocpp/validate.h"

struct check {
	const struct shape *shape;
	enum ocpp_version version;
	struct validate_how how;
	bool lines;
};

static bool read_version(const char *text, enum ocpp_version *out)
{
	static const char *const names[OCPP_VERSIONS] = { "1.6", "2.0.1", "2.1" };
	for (int v = 0; v < OCPP_VERSIONS; v++) {
		if (strcmp(text, names[v]) == 0) {
			*out = (enum ocpp_version)v;
			return true;
		}
	}
	fprintf(stderr, "unknown version %s; known are 1.6, 2.0.1 and 2.1\n", text);
	return false;
}

static bool read_arguments(struct check *c, int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "usage: ocpp-check VERSION ACTION request|response [--lines] [--lenient] < payload.json\n");
		return false;
	}
	for (int i = 4; i < argc; i++) {
		bool lines = strcmp(argv[i], "--lines") == 0, lenient = strcmp(argv[i], "--lenient") == 0;
		if (!lines && !lenient) {
			fprintf(stderr, "unknown option %s\n", argv[i]);
			return false;
		}
		c->lines |= lines;
		c->how.lenient |= lenient;
	}
	bool response = strcmp(argv[3], "response") == 0;
	if (!read_version(argv[1], &c->version))
		return false;
	if (response || strcmp(argv[3], "request") == 0)
		c->shape = dictionary_shape(c->version, argv[2], response);
	if (!c->shape)
		fprintf(stderr, "OCPP %s has no %s %s\n", argv[1], argv[2], argv[3]);
	return c->shape;
}

static bool judge(const struct check *c, struct slice payload)
{
	struct verdict v;
	struct buf out = { 0 };
	struct json_writer w;
	validate_with(c->shape, payload, c->version, &c->how, &v);
	jw_open(&w, &out);
	jw_object(&w, NULL);
	jw_bool(&w, "ok", v.ok);
	if (!v.ok) {
		jw_string(&w, "path", v.path);
		jw_string(&w, "rule", rule_text(v.rule));
		jw_string(&w, "code", v.code);
	}
	jw_end(&w, '}');
	puts(out.p);
	buf_free(&out);
	return v.ok;
}

static void read_all(struct buf *in)
{
	size_t n;
	do {
		n = fread(buf_room(in, 65536), 1, 65536, stdin);
		in->n += n;
	} while (n);
}

int main(int argc, char **argv)
{
	struct check c = { 0 };
	struct buf in = { 0 };
	bool ok = true;
	if (!read_arguments(&c, argc, argv))
		return 2;
	read_all(&in);
	struct slice rest = { in.p ? in.p : "", in.n };
	do {
		const char *end = c.lines ? memchr(rest.p, '\n', rest.n) : NULL;
		size_t n = end ? (size_t)(end - rest.p) : rest.n;
		ok &= judge(&c, (struct slice){ rest.p, n });
		n += end != NULL;
		rest = (struct slice){ rest.p + n, rest.n - n };
	} while (rest.n);
	buf_free(&in);
	return ok ? 0 : 1;
}
