/* A process that stores and acknowledges is killed at a random moment, a few dozen times on one file. Every acknowledged record is there, and no
 * id is given twice. */
#include <signal.h>
#include <sys/wait.h>

#include "storage/txs.h"
#include "tests/unit/storage/lab.h"

#define ROUNDS 30
#define IDS_MOST 100000

struct receipt { /* what the child writes to the pipe when it may acknowledge */
	int64_t value;
	bool is_id; /* of a transaction; else a seq of the outbox */
};

static struct {
	struct lab lab;
	int pipe, round, n, open;
} child;

static void on_stored(void *arg, int err, int64_t value)
{
	struct receipt r = { value, arg != NULL };
	child.open--;
	if (err || write(child.pipe, &r, sizeof(r)) != sizeof(r))
		_exit(1);
}

static void store_one(void)
{
	char token[32];
	bool starts = child.n++ % 2;
	struct tx_rec tx = { .evse = 1, .token = token, .start_us = child.round };
	struct outbox_rec rec = { .station = "A", .kind = starts ? OUTBOX_TX_START : OUTBOX_TX_UPDATE, .action = "x", .message_id = "m",
				  .payload = SLICE("{}") };
	snprintf(token, sizeof(token), "%d", child.n);
	tx_fingerprint("A", 1, slice_of(token), child.round, 0, tx.fingerprint);
	child.open++;
	int err = starts ? tx_start(child.lab.s, &rec, &tx, true, NULL, on_stored, &child) : outbox_put(child.lab.s, &rec, on_stored, NULL);
	if (err)
		_exit(1);
}

static void child_main(const char *path, int fd, int round)
{
	child.pipe = fd;
	child.round = round;
	strcpy(child.lab.path, path);
	if (loop_open() != 0 || lab_try(&child.lab, NULL) != 0)
		_exit(1);
	for (;;) {
		while (child.open < 5)
			store_one();
		loop_turn(US_PER_S);
	}
}

struct ledger {
	int64_t ids[IDS_MOST];
	int count;
};

/* The round's receipts: ids to the ledger, the highest seq, and how many records. */
static int read_receipts(int fd, struct ledger *l, int64_t *seq_out)
{
	struct receipt r;
	int n = 0;
	while (read(fd, &r, sizeof(r)) == sizeof(r)) {
		n++;
		if (!r.is_id) {
			assert_true(r.value > *seq_out);
			*seq_out = r.value;
			continue;
		}
		assert_true(l->count < IDS_MOST && (!l->count || r.value > l->ids[l->count - 1])); /* ascending: none comes twice */
		l->ids[l->count++] = r.value;
	}
	return n;
}

static void check_file(struct lab *lab, const struct ledger *l, int from, int64_t seq, int64_t acknowledged)
{
	char id[32];
	lab_open(lab, NULL);
	assert_false(lab->salvaged);
	for (int i = from; i < l->count; i++) {
		struct arena mem = { 0 };
		struct tx_rec tx;
		snprintf(id, sizeof(id), "%lld", (long long)l->ids[i]);
		if (tx_by_station_id(lab->s, "A", id, &mem, &tx) != 0)
			fail_msg("id %s was acknowledged and is not there", id);
		arena_free(&mem);
	}
	assert_true(outbox_count(lab->s, NULL) >= acknowledged);
	assert_int_equal(outbox_count(lab->s, NULL), ask(lab->path, "SELECT count(*) FROM outbox"));
	assert_true(ask(lab->path, "SELECT max(seq) FROM outbox") >= seq);
	assert_int_equal(ask(lab->path, "SELECT count(*) FROM tx WHERE start_seq NOT IN (SELECT seq FROM outbox)"), 0);
	store_close(lab->s);
	lab->s = NULL;
}

static int64_t one_round(struct lab *lab, struct ledger *l, int round, unsigned *seed, int64_t *seq, int64_t before)
{
	int fds[2], status, from = l->count;
	assert_int_equal(pipe(fds), 0);
	loop_close(); /* the child has its own */
	pid_t pid = fork();
	if (pid == 0) {
		close(fds[0]);
		child_main(lab->path, fds[1], round);
	}
	close(fds[1]);
	usleep((useconds_t)(rand_r(seed) % 30000));
	kill(pid, SIGKILL);
	int64_t acknowledged = before + read_receipts(fds[0], l, seq);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	close(fds[0]);
	assert_int_equal(loop_open(), 0);
	check_file(lab, l, from, *seq, acknowledged);
	return acknowledged;
}

static void test_nothing_acknowledged_is_lost(void **state)
{
	struct lab *lab = lab_new();
	struct ledger *l = NEW(struct ledger);
	const char *given = getenv("SEED");
	unsigned seed = given ? (unsigned)atoi(given) : (unsigned)getpid();
	int64_t seq = 0, acknowledged = 0;
	(void)state;
	print_message("SEED=%u\n", seed);
	for (int round = 0; round < ROUNDS || acknowledged == 0; round++)
		acknowledged = one_round(lab, l, round, &seed, &seq, acknowledged);
	print_message("%lld acknowledged, %d ids\n", (long long)acknowledged, l->count);
	mem_free(l);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_nothing_acknowledged_is_lost) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
