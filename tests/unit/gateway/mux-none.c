/* Made without HTTP/2, the program dials every lane by itself and says what it is. The file under test stands here, whatever configure found. */
#include "tests/unit/unit.h"

#include "base/loop.h"
#include "gateway/net/mux-none.c"

static int ended;

static void on_down(void *owner, struct link *l, const struct link_end *why)
{
	(void)owner, (void)l;
	assert_int_equal(why->err, ERR_INVALID);
	ended++;
}

static void every_lane_is_dialled_by_itself(void **state)
{
	static const struct link_events events = { .down = on_down };
	struct mux_config c = { .url = "wss://a" };
	struct dial_config d = { .url = "no url" };
	struct mux_view v;
	(void)state;
	assert_false(mux_is_built());
	struct mux *m = mux_open(&c);
	struct link *l = mux_dial(m, &d, &events, NULL);
	loop_run_later();
	assert_int_equal(ended, 1);
	link_release(l);
	loop_run_later();
	mux_view(m, &v);
	assert_true(v.separate);
	assert_int_equal(v.connections, 0);
	mux_close(&m);
	assert_null(m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(every_lane_is_dialled_by_itself) };
	return cmocka_run_group_tests_name("gateway/mux-none", tests, NULL, NULL);
}
