/* ampgate doctor and ampgate health: what the daemon found, for people and for monitoring. */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "gateway/ctl/ctl.h"

/* ---- doctor ---- */

static void print_findings(const cJSON *checks, bool all)
{
	const cJSON *c;
	int well = 0;
	cJSON_ArrayForEach(c, checks) {
		struct slice name = json_text(c, "check"), state = json_text(c, "state"), detail = json_text(c, "detail"), advice = json_text(c, "advice");
		bool ok = slice_is(state, "ok");
		well += ok;
		if (ok && !all && !detail.n)
			continue;
		printf("%-9.*s%.*s%s%.*s\n", SLICE_ARG(state), SLICE_ARG(name), detail.n ? ": " : "", SLICE_ARG(detail));
		if (advice.n)
			printf("         -> %.*s\n", SLICE_ARG(advice));
	}
	printf("%d of %d checks are ok\n", well, cJSON_GetArraySize(checks));
}

static void look_at_versions(const struct options *o)
{
	int status;
	cJSON *answer = ctl_ask(o, "version", NULL, &status);
	struct slice version = json_text(answer, "result.version");
	if (version.n && !slice_is(version, PACKAGE_VERSION))
		fprintf(stderr, "ampgate: the daemon is version %.*s, this is " PACKAGE_VERSION ": restart it after an upgrade\n", SLICE_ARG(version));
	cJSON_Delete(answer);
}

/* 1 when something is not as it should be, so that scripts can tell. */
int ctl_doctor(const struct options *o, int argc, char **argv)
{
	int status;
	bool well = true, all = argc == 2 && strcmp(argv[1], "--all") == 0;
	const cJSON *c;
	if (argc != 1 + all)
		return ctl_usage("doctor [--all]");
	cJSON *answer = ctl_ask(o, "doctor", NULL, &status);
	if (!answer)
		return status;
	cJSON *checks = cJSON_GetObjectItem(answer, "result");
	cJSON_ArrayForEach(c, checks)
		well = well && slice_is(json_text(c, "state"), "ok");
	if (o->json)
		ctl_print_json(checks);
	else
		print_findings(checks, all);
	look_at_versions(o);
	cJSON_Delete(answer);
	return well ? EXIT_OK : EXIT_FAILED;
}

/* ---- health ---- */

enum { HEALTH_OK, HEALTH_WARNING, HEALTH_CRITICAL, HEALTH_UNKNOWN };

static int worst_of(const cJSON *checks, struct buf *words)
{
	int worst = HEALTH_OK;
	const cJSON *c;
	cJSON_ArrayForEach(c, checks) {
		struct slice name = json_text(c, "check"), state = json_text(c, "state"), detail = json_text(c, "detail");
		int rank = slice_is(state, "critical") ? HEALTH_CRITICAL : slice_is(state, "warning") ? HEALTH_WARNING : HEALTH_OK;
		if (!rank)
			continue;
		worst = rank > worst ? rank : worst;
		buf_printf(words, "%s%.*s: %.*s", words->n ? "; " : "", SLICE_ARG(name), SLICE_ARG(detail));
	}
	return worst;
}

static int unknown(void)
{
	puts("AMPGATE UNKNOWN - the daemon does not answer");
	return HEALTH_UNKNOWN;
}

/* As monitoring plugins have it: one line, and the numbers behind a bar. Its exit status is theirs, and differs from that of all other commands. */
int ctl_health(const struct options *o, int argc, char **argv)
{
	static const char *const names[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };
	struct buf words = { 0 };
	int status;
	(void)argv;
	if (argc != 1)
		return ctl_usage("health takes no words");
	cJSON *health = ctl_ask(o, "health", NULL, &status), *site = health ? ctl_ask(o, "status", NULL, &status) : NULL;
	if (!health || !site) {
		cJSON_Delete(health);
		return unknown();
	}
	int worst = worst_of(cJSON_GetObjectItem(health, "result"), &words);
	if (o->json)
		ctl_print_json(cJSON_GetObjectItem(health, "result"));
	else
		printf("AMPGATE %s - %s | stations=%.0f;;;0;%.0f pending=%.0f queue=%.0f;;;0 uptime=%.0fs\n", names[worst], words.n ? words.p : "all checks pass",
			json_number(site, "result.stations.online", 0), json_number(site, "result.stations.configured", 0),
			json_number(site, "result.stations.pending", 0), json_number(site, "result.queue.messages", 0), json_number(site, "result.uptime_s", 0));
	buf_free(&words);
	cJSON_Delete(health);
	cJSON_Delete(site);
	return worst;
}
