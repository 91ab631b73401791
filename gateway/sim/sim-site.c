/* The site is the one of a configuration file, as the daemon would balance it; secrets and devices that it names need not be there. */
#include "gateway/sim/sim-site.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "energy/grid.h"
#include "gateway/conf/settings-tables.h"
#include "gateway/power/balance.h"
#include "gateway/power/below.h"
#include "gateway/power/grid-conf.h"
#include "gateway/sim/sim-day.h"
#include "gateway/sim/sim-rules.h"

#define HOUR_S 3600
#define EPISODE_MOST_S 10

static const char usage[] =
	"usage: ampgate sim site [-c FILE] [OPTION...]\n"
	"A site in simulated time, thousands of times faster than real, around the balancer of the daemon.\n"
	"  -c, --config FILE       the configuration of the site\n"
	"  --hours N               how long (24)\n"
	"  --seed N                another number, another day (1)\n"
	"  --sessions N            cars per EVSE and day (1.5)\n"
	"  --building PERCENT      of the grid connection, on average (25)\n"
	"  --dim HH-HH             hours of each day in which the grid operator dims, by section 14a EnWG\n"
	"  --grid INPUT=WHAT@HH-HH what an input of the grid operator says in these hours: closed (a contact), 60% (a ripple receiver), 4200 (watts),\n"
	"                          or lost. Else it says that anything is allowed. More than once for more of it\n"
	"  --record FILE           writes the decision log, for ampgate balance --replay\n"
	"Schedules and tariffs of the configuration hold as they would, from a Monday on. Prints a line per hour, for how long each rule held and what\n"
	"was charged meanwhile at most, once cars had followed, and what became of each circuit. Exit status 1 when one was above 1.05 of its limit\n"
	"for more than 10 s at a time, or its fuse could have opened.\n";

struct options {
	const char *config, *record;
	struct sim_day_conf day;
	struct sim_word words[SIM_WORDS];
	size_t n_words;
	int hours;
	bool wrong;
};

static double number(const char *text, double least, double most, bool *wrong)
{
	char *end;
	double v = strtod(text, &end);
	if (*end || end == text || !(v >= least && v <= most))
		*wrong = true;
	return v;
}

static void read_dim(const char *text, struct options *o)
{
	int from, to, used = 0;
	if (sscanf(text, "%d-%d%n", &from, &to, &used) != 2 || text[used] || from < 0 || to > 24 || from >= to) {
		o->wrong = true;
		return;
	}
	o->day.dim_from_s = from * HOUR_S;
	o->day.dim_to_s = to * HOUR_S;
}

static void read_word(const char *text, struct options *o)
{
	if (o->n_words == SIM_WORDS || !sim_word_read(text, &o->words[o->n_words++]))
		o->wrong = true;
}

/* -1: go on; else the exit status. */
static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' }, { "hours", required_argument, NULL, 'H' },
		{ "seed", required_argument, NULL, 's' }, { "sessions", required_argument, NULL, 'n' }, { "building", required_argument, NULL, 'b' },
		{ "dim", required_argument, NULL, 'd' }, { "grid", required_argument, NULL, 'g' }, { "record", required_argument, NULL, 'r' }, { "help", no_argument, NULL, 'h' }, { 0 } };
	int c;
	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (c) {
		case 'c': o->config = optarg; break;
		case 'H': o->hours = (int)number(optarg, 1, 10000, &o->wrong); break;
		case 's': o->day.seed = (uint64_t)number(optarg, 0, 1e15, &o->wrong); break;
		case 'n': o->day.sessions = number(optarg, 0, 100, &o->wrong); break;
		case 'b': o->day.building = number(optarg, 0, 100, &o->wrong) / 100; break;
		case 'd': read_dim(optarg, o); break;
		case 'g': read_word(optarg, o); break;
		case 'r': o->record = optarg; break;
		case 'h': fputs(usage, stdout); return 0;
		default: o->wrong = true;
		}
	}
	if (!o->wrong && optind == argc)
		return -1;
	fputs(usage, stderr);
	return 2;
}

/* NULL after the reasons were told. Missing secrets are no reason. */
static struct settings *load(const char *path)
{
	struct conf_report report = { 0 };
	struct settings *s = NULL;
	struct buf said = { 0 };
	int rc = settings_load_partly(&(struct settings_files){ .main_file = path }, &s, &report);
	if (rc && rc != ERR_AUTH) {
		conf_report_print(&report, &said);
		fwrite(said.p, 1, said.n, stderr);
	}
	buf_free(&said);
	conf_report_free(&report);
	return s;
}

static void print_hour(const struct sim_day *d, int hour, double before_wh)
{
	struct sim_day_sum s;
	sim_day_sum(d, &s);
	printf("%3d:00  %3d charging  %6.1f kW  %7.1f kWh in the hour   grid L1 %5.1f  L2 %5.1f  L3 %5.1f A\n", hour, s.charging, s.charging_w / 1000,
	       (s.got_wh - before_wh) / 1000, s.amps[0], s.amps[1], s.amps[2]);
}

/* 0: all circuits were kept. */
static int print_nodes(const struct sim_day *d, const struct control_conf *site)
{
	int status = 0;
	for (size_t n = 0; n < site->n_nodes; n++) {
		const struct sim_day_node *v = sim_day_node(d, (int)n);
		const int32_t *limit = site->nodes[n].limit.l;
		bool kept = v->longest_s <= EPISODE_MOST_S && v->most_heat < 1;
		printf("%-16s limit %g/%g/%g A   peak %.1f/%.1f/%.1f A   above %.0f A s, %d s at most above 1.05", site->nodes[n].id, limit[0] / 1000.0,
		       limit[1] / 1000.0, limit[2] / 1000.0, v->peak_a[0], v->peak_a[1], v->peak_a[2], v->over_as, v->longest_s);
		if (v->most_heat > 0)
			printf("   fuse at %.0f %%", v->most_heat * 100);
		printf("   %s\n", kept ? "kept" : "NOT KEPT");
		status |= !kept;
	}
	return status;
}

static void print_rule(void *arg, const char *rule, int64_t held_s, double most_w)
{
	(void)arg;
	printf("%-32s held %.1f h, at most %.1f kW charged\n", rule, (double)held_s / HOUR_S, most_w / 1000);
}

static void on_second(void *arg, int64_t now_s)
{
	sim_rules_second(arg, now_s);
}

static void seconds(struct sim_day *d, struct sim_rules *rules, int n)
{
	struct sim_day_sum s;
	while (n-- > 0) {
		sim_day_second(d);
		sim_day_sum(d, &s);
		sim_rules_note(rules, s.charging_w);
	}
}

static int run(const struct options *o, const struct control_conf *site, struct sim_rules *rules)
{
	struct sim_day *d = sim_day_open(&o->day);
	struct sim_day_sum s = { 0 };
	clock_t began = clock(); /* of the processor: the program's own clock is the simulated one */
	sim_rules_begin(rules, sim_day_control(d));
	for (int hour = 0; hour < o->hours; hour++) {
		double before = s.got_wh;
		seconds(d, rules, HOUR_S);
		sim_day_sum(d, &s);
		print_hour(d, hour + 1, before);
	}
	double took = (double)(clock() - began) / CLOCKS_PER_SEC;
	sim_rules_each(rules, print_rule, NULL);
	int status = print_nodes(d, site);
	printf("%lld sessions, %lld left full, %.1f of %.1f kWh (%.0f %%), %lld set-points, %lld pauses\n", s.sessions, s.full, s.got_wh / 1000,
	       s.wanted_wh / 1000, s.wanted_wh > 0 ? 100 * s.got_wh / s.wanted_wh : 100, s.orders, s.pauses);
	printf("%.2f set-points per EVSE and hour, %.1f per hour with a car; %lld times the same one again, before it ran out\n",
	       (double)s.orders / (double)site->n_evses / o->hours, s.served_s ? (double)s.orders * HOUR_S / (double)s.served_s : 0, s.renewals);
	printf("%d h in %.2f s, %.0f times as fast as real\n", o->hours, took, o->hours * 3600.0 / (took > 0.001 ? took : 0.001));
	sim_day_close(d);
	return status;
}

/* What the grid operator leaves when it dims, and where. */
static void describe_dimming(struct sim_day_conf *day, const struct settings *s)
{
	day->dim_node = s->grid ? grid_conf_node(s) : 0;
	day->dim_w = s->grid ? grid_conf_keeps_w(s) - grid_conf_others_w(s) : grid_dimmed_w(below_look(s, &s->circuits[0]).evses, 4200, 0);
	day->dim_w = day->dim_w > 0 ? day->dim_w : 0;
}

static int simulate(struct options *o, const struct settings *s, struct sim_rules *rules)
{
	struct arena mem = { 0 };
	struct control_conf site = balance_describe(s, &mem);
	const struct fuse_settings **fuses = arena_new(&mem, (s->n_circuits + 1) * sizeof(*fuses));
	int status = 1;
	for (size_t i = 0; i < s->n_circuits; i++)
		fuses[i] = s->circuits[i].fuse;
	o->day.site = &site;
	o->day.fuses = fuses;
	o->day.wall_us = sim_rules_midnight_us(rules);
	o->day.second = on_second;
	o->day.arg = rules;
	describe_dimming(&o->day, s);
	o->day.record = o->record ? fopen(o->record, "we") : NULL;
	if (o->record && !o->day.record)
		fprintf(stderr, "ampgate: %s cannot be written\n", o->record);
	else
		status = run(o, &site, rules);
	if (o->day.record && fclose(o->day.record) != 0)
		status = 1;
	arena_free(&mem);
	return status;
}

int sim_site_main(int argc, char **argv)
{
	struct options o = { .config = SYSCONF_DIR "/ampgate.yaml", .hours = 24, .day = { .seed = 1, .sessions = 1.5, .building = 0.25 } };
	int status = read_options(argc, argv, &o);
	if (status >= 0)
		return status;
	log_open(LOG_TO_STDERR, LVL_WARN);
	struct settings *s = load(o.config);
	if (!s)
		return 3;
	char why[200];
	struct sim_rules *rules = sim_rules_open(s, o.words, o.n_words, why, sizeof(why));
	if (!rules)
		fprintf(stderr, "ampgate: %s\n", why);
	status = rules ? simulate(&o, s, rules) : 2;
	sim_rules_close(rules);
	settings_free(&s);
	return status;
}
