/* Plays tests/vectors/quirks.txt, whose head says how to read it, and tests/vectors/session-16.txt against the check that frames pass on
 * their way. Environment: srcdir. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "ocpp/repair.h"

struct vector {
	char title[200], action[64], unreadable[64];
	int line;
	enum ocpp_version version;
	bool answer, ignored, has_out, has_why;
	struct buf in, out, told; /* told: one line per deviation */
};

static int played;

/* "{{10}}" becomes that byte. */
static void add_bytes(struct buf *to, const char *text)
{
	to->n = 0;
	for (; *text; text++) {
		unsigned byte;
		if (sscanf(text, "{{%2x}}", &byte) == 1) {
			char c = (char)byte;
			buf_add(to, &c, 1);
			text += 5;
		} else {
			buf_add(to, text, 1);
		}
	}
}

static void on_deviation(void *arg, const struct deviation *d)
{
	buf_printf(arg, "%s %s %s\n", d->fault->path, rule_text(d->fault->rule), d->repaired ? "repaired" : "passed");
	if (d->repaired && !d->quirk)
		fail_msg("a repair that says no reason: %s", d->fault->path);
}

/* As a frame is read on its way: control characters go where the envelope cannot be read with them. */
static int read_frame(const struct vector *v, struct frame *f, struct buf *mended, const char **code_out)
{
	struct frame_fault fault;
	int err = frame_parse(f, v->version, buf_view(&v->in), &fault);
	if (err == ERR_SYNTAX && repair_controls(buf_view(&v->in), mended))
		err = frame_parse(f, v->version, buf_view(mended), &fault);
	*code_out = fault.code;
	return err;
}

static void check_frame(const struct vector *v, struct frame *f)
{
	struct buf told = { 0 }, out = { 0 };
	struct frame again;
	struct frame_fault fault;
	const struct action *asked = v->answer ? catalogue_find(v->version, slice_of(v->action)) : NULL;
	struct frame_check c = { .repair = true, .asked = asked, .on_deviation = on_deviation, .arg = &told };
	if (v->answer && !asked)
		fail_msg("line %d, %s: no action %s", v->line, v->title, v->action);
	enum repair_result result = repair_frame(&c, f, &out);
	if (strcmp(told.n ? told.p : "", v->told.n ? v->told.p : "") != 0)
		fail_msg("line %d, %s: told\n%swanted\n%s", v->line, v->title, told.n ? told.p : "", v->told.n ? v->told.p : "");
	assert_int_equal(result, out.n ? REPAIR_DONE : told.n ? REPAIR_DEVIANT : REPAIR_CLEAN);
	const char *want = v->out.n ? v->out.p : "";
	if (strcmp(out.n ? out.p : "", want) != 0)
		fail_msg("line %d, %s: became\n%s\nwanted\n%s", v->line, v->title, out.n ? out.p : "", want);
	if (out.n)
		assert_int_equal(frame_parse(&again, v->version, buf_view(&out), &fault), 0);
	/* Where nothing may be repaired, the same is told and nothing changes. */
	struct buf only_told = { 0 }, nothing = { 0 };
	struct frame_check look = c;
	look.repair = false;
	look.arg = &only_told;
	assert_int_equal(repair_frame(&look, f, &nothing), told.n ? REPAIR_DEVIANT : REPAIR_CLEAN);
	assert_true(nothing.n == 0 && (only_told.n > 0) == (told.n > 0));
	buf_free(&only_told);
	buf_free(&told);
	buf_free(&out);
}

static void play(const struct vector *v)
{
	struct frame f;
	struct buf mended = { 0 };
	const char *code;
	if (!v->in.n)
		return;
	int err = read_frame(v, &f, &mended, &code);
	if (v->ignored || v->unreadable[0]) {
		if (err != (v->ignored ? FRAME_IGNORED : ERR_SYNTAX) || (!v->ignored && strcmp(code, v->unreadable) != 0))
			fail_msg("line %d, %s: %d, code %s", v->line, v->title, err, code);
	} else {
		if (err)
			fail_msg("line %d, %s: not read, %s", v->line, v->title, code);
		if (!v->has_why && (!v->told.n || strstr(v->told.p, "passed")))
			fail_msg("line %d, %s: passed on without a reason", v->line, v->title);
		check_frame(v, &f);
	}
	buf_free(&mended);
	played++;
}

static void begin(struct vector *v, const char *title, int line)
{
	play(v);
	buf_free(&v->in);
	buf_free(&v->out);
	buf_free(&v->told);
	*v = (struct vector){ .line = line };
	snprintf(v->title, sizeof(v->title), "%s", title);
}

/* "1.6 station answers GetConfiguration" */
static bool read_head(struct vector *v, const char *line)
{
	static const char *const versions[OCPP_VERSIONS] = { "1.6", "2.0.1", "2.1" };
	char version[8], who[16];
	int n = sscanf(line, "%7s %15s answers %63s", version, who, v->action);
	for (int i = 0; n >= 2 && i < OCPP_VERSIONS; i++)
		if (strcmp(version, versions[i]) == 0 && (strcmp(who, "station") == 0 || strcmp(who, "csms") == 0)) {
			v->version = (enum ocpp_version)i;
			v->answer = n == 3;
			return true;
		}
	return false;
}

static void read_line(struct vector *v, const char *line, int number)
{
	if (strncmp(line, "== ", 3) == 0)
		begin(v, line + 3, number);
	else if (strncmp(line, "in: ", 4) == 0)
		add_bytes(&v->in, line + 4);
	else if (strncmp(line, "out: ", 5) == 0)
		add_bytes(&v->out, line + 5);
	else if (strncmp(line, "why: ", 5) == 0)
		v->has_why = line[5] != 0;
	else if (strcmp(line, "ignored") == 0)
		v->ignored = true;
	else if (sscanf(line, "unreadable %63s", v->unreadable) != 1 && *line && *line != '#' && strcmp(line, "out:") != 0 && !read_head(v, line))
		buf_printf(&v->told, "%s\n", line);
}

static FILE *open_vectors(const char *name)
{
	char path[4096];
	const char *srcdir = getenv("srcdir");
	snprintf(path, sizeof(path), "%s/tests/vectors/%s", srcdir ? srcdir : ".", name);
	FILE *in = fopen(path, "r");
	if (!in)
		fail_msg("%s cannot be opened", path);
	return in;
}

static void quirks_are_repaired_or_passed_on_as_written(void **state)
{
	struct vector v = { 0 };
	char *line = NULL;
	size_t room = 0;
	int number = 0;
	FILE *in = open_vectors("quirks.txt");
	(void)state;
	while (getline(&line, &room, in) >= 0) {
		line[strcspn(line, "\n")] = 0;
		read_line(&v, line, ++number);
	}
	begin(&v, "", number);
	fclose(in);
	free(line);
	assert_true(played > 60);
}

static void ten_minutes_of_a_charger_raise_no_alarm(void **state)
{
	struct map asked = { 0 };
	char *line = NULL;
	size_t room = 0;
	int frames = 0;
	FILE *in = open_vectors("session-16.txt");
	(void)state;
	while (getline(&line, &room, in) >= 0) {
		struct frame f;
		struct frame_fault fault;
		struct buf told = { 0 }, out = { 0 };
		line[strcspn(line, "\n")] = 0;
		if (*line != '>' && *line != '<')
			continue;
		assert_int_equal(frame_parse(&f, OCPP16, slice_of(line + 2), &fault), 0);
		struct frame_check c = { .repair = true, .asked = map_get(&asked, f.id), .on_deviation = on_deviation, .arg = &told };
		assert_true(f.kind == FRAME_CALL ? f.act != NULL : c.asked != NULL);
		if (repair_frame(&c, &f, &out) != REPAIR_CLEAN)
			fail_msg("%s\n%s", line, told.p);
		if (f.kind == FRAME_CALL)
			map_put(&asked, f.id, (void *)f.act);
		frames++;
	}
	map_free(&asked);
	fclose(in);
	free(line);
	assert_true(frames >= 40);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(quirks_are_repaired_or_passed_on_as_written),
		cmocka_unit_test(ten_minutes_of_a_charger_raise_no_alarm),
	};
	return cmocka_run_group_tests_name("ocpp/vectors", tests, NULL, NULL);
}
