/* Which row of the data files a station gets, what is wrong in a file is told, and that a learnt form is there after a restart. The installed
 * files are read too, as they are in the source tree. */
#include "gateway/power/traits.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "tests/unit/unit.h"

static char dir[] = "/tmp/ampgate-traits-XXXXXX";

static void write_file(const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void remove_file(const char *name)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
}

static struct traits traits(const struct traits_book *b, const char *vendor, const char *model)
{
	return traits_of(b, slice_of(vendor), slice_of(model), SLICE("5.11.2"));
}

static void test_the_row_that_fits_best(void **state)
{
	struct conf_report report = { 0 };
	(void)state;
	write_file("acme.yaml", "vendor: Acme\nmodels:\n  - {unit: W}\n  - {model: Wall, purpose: TxDefaultProfile, max_stack_level: 3}\n"
		   "  - {model: Wall Two, whole_amps: true, relative_only: true, connector_zero: false}\n");
	struct traits_book *b = traits_open(dir, NULL, &report);
	assert_int_equal(report.errors, 0);
	assert_int_equal(traits(b, "ACME GmbH", "Post 1").unit, 1);
	struct traits t = traits(b, "acme", "wall 7");
	assert_int_equal(t.form, FORM_TX_DEFAULT);
	assert_int_equal(t.max_level, 3);
	assert_true(t.connector_zero);
	t = traits(b, "Acme", "Wall Two 22 kW");
	assert_true(t.whole_amps && t.relative_only && !t.connector_zero);
	assert_int_equal(t.max_level, -1);
	t = traits(b, "Acm", "Wall"); /* somebody else */
	assert_int_equal(t.form, FORM_TX);
	assert_true(t.connector_zero && !t.unit && !t.whole_amps);
	traits_close(b);
	remove_file("acme.yaml");
	conf_report_free(&report);
}

static void test_a_mistake_is_told_and_the_rest_is_read(void **state)
{
	struct conf_report report = { 0 };
	(void)state;
	write_file("bad.yaml", "vendor: Bad\nmodels:\n  - {purpose: Everything}\n");
	write_file("good.yaml", "vendor: Good\nmodels:\n  - {whole_amps: true}\n");
	struct traits_book *b = traits_open(dir, NULL, &report);
	assert_int_equal(report.errors, 1);
	assert_true(traits(b, "Good", "x").whole_amps);
	traits_close(b);
	remove_file("bad.yaml");
	remove_file("good.yaml");
	conf_report_free(&report);
}

static void test_the_files_we_bring(void **state)
{
	struct conf_report report = { 0 };
	char path[256];
	const char *top = getenv("srcdir");
	(void)state;
	snprintf(path, sizeof(path), "%s/etc/stations", top ? top : ".");
	struct traits_book *b = traits_open(path, "/nonexistent", &report);
	assert_int_equal(report.n, 0);
	assert_int_equal(traits(b, "HUAWEI", "AC 22").unit, 1);
	assert_true(traits(b, "Wallbox", "Pulsar").relative_only);
	assert_false(traits_of(b, SLICE("Wallbox"), SLICE("Pulsar"), SLICE("6.1")).relative_only);
	assert_int_equal(traits(b, "MENNEKES", "ACU").meter_interval_us, 60 * US_PER_S);
	traits_close(b);
	conf_report_free(&report);
}

static void test_a_learnt_form_stays(void **state)
{
	char path[128];
	struct store *s = NULL;
	struct traits t = { .form = FORM_TX };
	(void)state;
	snprintf(path, sizeof(path), "%s/t.db", dir);
	assert_int_equal(store_open(&(struct store_config){ .path = path }, &s, NULL, NULL), 0);
	traits_learnt(s, "Acme", "Wall", FORM_STATION_MAX);
	store_close(s);
	assert_int_equal(store_open(&(struct store_config){ .path = path }, &s, NULL, NULL), 0);
	traits_recall(s, "Acme", "Post", &t);
	assert_int_equal(t.form, FORM_TX);
	traits_recall(s, "Acme", "Wall", &t);
	assert_int_equal(t.form, FORM_STATION_MAX);
	store_close(s);
	remove_file("t.db");
	remove_file("t.db-wal");
	remove_file("t.db-shm");
	remove_file("t.db.lock");
}

static int begin(void **state)
{
	(void)state;
	return mkdtemp(dir) ? loop_open() : -1;
}

static int end(void **state)
{
	(void)state;
	loop_close();
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_row_that_fits_best),
		cmocka_unit_test(test_a_mistake_is_told_and_the_rest_is_read),
		cmocka_unit_test(test_the_files_we_bring),
		cmocka_unit_test(test_a_learnt_form_stays),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
