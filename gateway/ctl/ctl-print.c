/* Pages and tables. A table is a row of columns, each a path into the objects of a list; what is unknown is a dash. */
#include "gateway/ctl/ctl-print.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "gateway/ctl/ctl-say.h"

struct column {
	const char *title, *path;
	int width;
};

/* A value as a word: text as it is, numbers short, three currents with spaces. */
static void word(const cJSON *v, char *out, size_t room)
{
	if (!v || cJSON_IsNull(v)) {
		snprintf(out, room, "-");
	} else if (cJSON_IsString(v)) {
		snprintf(out, room, "%s", v->valuestring);
	} else if (cJSON_IsNumber(v)) {
		snprintf(out, room, "%.10g", v->valuedouble);
	} else if (cJSON_IsBool(v)) {
		snprintf(out, room, "%s", cJSON_IsTrue(v) ? "yes" : "no");
	} else if (cJSON_IsArray(v)) {
		size_t n = 0;
		const cJSON *item;
		out[0] = 0;
		cJSON_ArrayForEach(item, v) {
			char one[64];
			word(item, one, sizeof(one));
			n += (size_t)snprintf(out + n, room - n, "%s%5s", n ? " " : "", one);
			if (n >= room)
				break;
		}
	} else {
		out[0] = 0;
	}
}

static void table(const cJSON *list, const struct column *columns)
{
	const cJSON *item;
	for (const struct column *c = columns; c->title; c++)
		printf("%-*s ", c->width, c->title);
	puts("");
	cJSON_ArrayForEach(item, list) {
		for (const struct column *c = columns; c->title; c++) {
			char text[200];
			word(json_at(item, c->path), text, sizeof(text));
			printf("%-*s ", c->width, text);
		}
		puts("");
	}
}

static const char *text_of(const cJSON *r, const char *path)
{
	const cJSON *v = json_at(r, path);
	return cJSON_IsString(v) ? v->valuestring : "-";
}

static double number(const cJSON *r, const char *path)
{
	return json_number(r, path, NAN);
}

static void print_age(double s)
{
	if (s >= 86400)
		printf("%dd %dh", (int)(s / 86400), (int)(s / 3600) % 24);
	else if (s >= 3600)
		printf("%dh %dmin", (int)(s / 3600), (int)(s / 60) % 60);
	else
		printf("%dmin %ds", (int)(s / 60), (int)s % 60);
}

static void print_grid(const cJSON *r)
{
	static const char *const at[3] = { "i_a.0", "i_a.1", "i_a.2" }, *const limit[3] = { "limit_a.0", "limit_a.1", "limit_a.2" };
	printf("GRID    ");
	for (int i = 0; i < 3; i++) {
		if (isnan(number(r, at[i])))
			printf(" L%d ?/%g A ", i + 1, number(r, limit[i]));
		else
			printf(" L%d %.0f/%g A ", i + 1, number(r, at[i]), number(r, limit[i]));
	}
	if (!isnan(number(r, "p_w")))
		printf("  %.1f kW", number(r, "p_w") / 1000);
	if (!isnan(number(r, "window.mean_w")))
		printf(" (%.0f min %.0f of %.0f)", number(r, "window.s") / 60, number(r, "window.mean_w") / 1000, number(r, "window.limit_w") / 1000);
	else if (!isnan(number(r, "window.limit_w")))
		printf(" of %.0f", number(r, "window.limit_w") / 1000);
	const cJSON *m;
	cJSON_ArrayForEach(m, json_at(r, "meters")) {
		printf("  meter %s %s", text_of(m, "id"), text_of(m, "state"));
		if (!isnan(number(m, "age_s")))
			printf(" %.1f s", number(m, "age_s"));
	}
	puts("");
}

static void print_uplink_line(const cJSON *r)
{
	const cJSON *u;
	printf("UPLINK  ");
	cJSON_ArrayForEach(u, json_at(r, "uplink"))
		printf(" %s %s, endpoint %.0f, %.0f of %.0f lanes up ", u->string, text_of(u, "state"), number(u, "endpoint"), number(u, "lanes_up"), number(u, "lanes"));
	printf("  queue %.0f", number(r, "queue.messages"));
	if (number(r, "queue.messages") > 0)
		printf(" (oldest %.0f s)", number(r, "queue.oldest_s"));
	if (number(r, "queue.parked") > 0)
		printf(", %.0f set aside -> ampgate queue list", number(r, "queue.parked"));
	printf("   MQTT %s   clock %s\n", !cJSON_IsBool(json_at(r, "mqtt")) ? "off" : json_bool(r, "mqtt", false) ? "up" : "down", json_bool(r, "clock_trusted", false) ? "trusted" : "not trusted");
}

static void print_config_fault(const cJSON *r)
{
	const char *state = text_of(r, "config.state");
	if (strcmp(state, "safe_mode") == 0)
		puts("SAFE MODE  the configuration is not usable and there is no earlier one: no station is served");
	else if (strcmp(state, "last_good") == 0)
		printf("CONFIG   not usable, generation %.0f runs\n", number(r, "config.generation"));
	else if (strcmp(state, "files_unusable") == 0)
		puts("CONFIG   the changed files are not usable; what ran before goes on");
	if (cJSON_IsString(json_at(r, "config.restart")))
		printf("CONFIG   waits for a restart: %s\n", text_of(r, "config.restart"));
	if (cJSON_IsString(json_at(r, "config.fault")))
		fputs(text_of(r, "config.fault"), stdout);
}

void print_status(const cJSON *r)
{
	printf("%s  ampgate %s  up ", text_of(r, "site"), text_of(r, "version"));
	print_age(number(r, "uptime_s"));
	if (!isnan(number(r, "config.generation")))
		printf("  config #%.0f", number(r, "config.generation"));
	puts("");
	print_config_fault(r);
	if (json_at(r, "limit_a"))
		print_grid(r);
	if (!isnan(number(r, "grid_operator.limit_w")))
		printf("LIMIT    %.1f kW by the grid operator's input %s (%s)   -> ampgate grid show\n", number(r, "grid_operator.limit_w") / 1000,
			text_of(r, "grid_operator.decided_by"), text_of(r, "grid_operator.state"));
	print_uplink_line(r);
	printf("STATIONS %.0f/%.0f online", number(r, "stations.online"), number(r, "stations.configured"));
	if (!isnan(number(r, "charging")))
		printf("   charging %.0f   waiting %.0f", number(r, "charging"), number(r, "waiting"));
	if (number(r, "stations.pending") > 0)
		printf("   pending %.0f -> ampgate station list --pending", number(r, "stations.pending"));
	puts("");
	const cJSON *b;
	cJSON_ArrayForEach(b, json_at(r, "binding"))
		printf("BINDING  %s %s (%.0f EVSEs)   -> ampgate why %s\n", text_of(b, "circuit"), text_of(b, "phase"), number(b, "evses"), text_of(b, "circuit"));
}

/* The time of day in the site's zone; the daemon speaks UTC. */
static void print_moment(const char *title, const cJSON *at)
{
	int64_t us;
	char text[16];
	if (!cJSON_IsString(at) || time_parse(slice_of(at->valuestring), &us) != 0)
		return;
	time_t t = (time_t)(us / 1000000);
	struct tm tm;
	strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&t, &tm));
	printf("   %s %s", title, text);
}

static void use_zone(const cJSON *r)
{
	const cJSON *zone = json_at(r, "timezone");
	setenv("TZ", cJSON_IsString(zone) ? zone->valuestring : "UTC", 1);
	tzset();
}

static void print_cap(const cJSON *cap, const char *title)
{
	char what[160];
	bool ref = cJSON_IsString(json_at(cap, "ref")), phase = cJSON_IsString(json_at(cap, "phase"));
	snprintf(what, sizeof(what), "%s%s%s%s%s", text_of(cap, "reason"), ref ? " " : "", ref ? text_of(cap, "ref") : "", phase ? " " : "",
	         phase ? text_of(cap, "phase") : "");
	printf(" %-9s %-30s ", title, what);
	if (isnan(number(cap, "value_a")))
		printf("      -");
	else
		printf("%5.1f A", number(cap, "value_a"));
	print_moment("since", json_at(cap, "since"));
	print_moment("until", json_at(cap, "until"));
	puts("");
	if (cJSON_IsString(json_at(cap, "detail")))
		printf("           %s: %s\n", text_of(cap, "ref"), text_of(cap, "detail"));
}

/* "9 EVSEs share row-a L2 (fair), 7 on three phases, on one: G-02 G-05; G-03 has most, 16 A; left L1 20 A, L3 20 A" */
static void print_sharing(const cJSON *s)
{
	static const char *const left[3] = { "left_a.0", "left_a.1", "left_a.2" };
	const cJSON *one;
	bool phase = cJSON_IsString(json_at(s, "phase"));
	if (!cJSON_IsObject(s))
		return;
	printf(" note: %.0f EVSE%s %s%s%s, policy %s", number(s, "evses"), number(s, "evses") == 1 ? " has" : "s share", text_of(s, "circuit"), phase ? " " : "",
	       phase ? text_of(s, "phase") : "", text_of(s, "policy"));
	if (number(s, "waiting") > 0)
		printf(", %.0f of them wait", number(s, "waiting"));
	printf("; %.0f on three phases", number(s, "three_phase"));
	if (cJSON_GetArraySize(json_at(s, "single_phase")))
		printf(", on one:");
	cJSON_ArrayForEach(one, json_at(s, "single_phase"))
		printf(" %s", one->valuestring);
	if (cJSON_IsString(json_at(s, "competitor")))
		printf("; %s has most, %.1f A", text_of(s, "competitor"), number(s, "competitor_a"));
	for (int l = 0; l < 3; l++)
		if (number(s, left[l]) >= 1)
			printf("; L%d has %.0f A left", l + 1, number(s, left[l]));
	puts("");
}

static void print_sentence(const cJSON *evse)
{
	struct buf text = { 0 };
	say_why(evse, say_german(), &text);
	if (text.n)
		printf(" %s\n", text.p);
	buf_free(&text);
}

static void print_outlet(const cJSON *o)
{
	bool alone = number(o, "phases") == 1;
	printf(" outlet: %s%s%s%s\n", text_of(o, "state"), alone ? ", " : "", alone ? text_of(o, "phase") : "", alone ? " alone" : "");
}

static void print_why_evse(const cJSON *r)
{
	static const char *const titles[] = { "binding", "next", "then" };
	char drawn[64];
	int i = 0;
	const cJSON *cap;
	printf("%s evse %.0f   %s", text_of(r, "station"), number(r, "evse"), text_of(r, "state"));
	if (!isnan(number(r, "offered_a")))
		printf("   offered %.1f A%s", number(r, "offered_a"), number(r, "limit.phases") == 1 ? " on one phase" : "");
	if (number(r, "limit.phase_to_use") > 0)
		printf(", its L%.0f", number(r, "limit.phase_to_use"));
	word(json_at(r, "i_a"), drawn, sizeof(drawn));
	printf("   drawn L1 L2 L3 %s A\n", drawn);
	print_sentence(r);
	if (cJSON_IsObject(json_at(r, "outlet")))
		print_outlet(json_at(r, "outlet"));
	cJSON_ArrayForEach(cap, json_at(r, "chain")) {
		print_cap(cap, i < 3 ? titles[i] : "");
		i++;
	}
	print_sharing(json_at(r, "sharing"));
}

void print_why(const cJSON *r)
{
	const cJSON *e;
	use_zone(r);
	if (!json_at(r, "limit_a")) {
		print_why_evse(r);
		return;
	}
	char measured[64], limit[64], planned[64];
	word(json_at(r, "i_a"), measured, sizeof(measured));
	word(json_at(r, "limit_a"), limit, sizeof(limit));
	word(json_at(r, "planned_a"), planned, sizeof(planned));
	printf("circuit %s\n limit    %s A\n measured %s A\n planned  %s A\n", text_of(r, "id"), limit, measured, planned);
	if (number(r, "binding_evses") > 0)
		printf(" binds %.0f EVSEs on %s\n", number(r, "binding_evses"), text_of(r, "binding_phase"));
	cJSON_ArrayForEach(e, json_at(r, "evses")) {
		print_why_evse(e);
	}
}

void print_stations(const cJSON *r)
{
	static const struct column columns[] = {
		{ "ID", "id", 14 }, { "LINK", "state", 8 }, { "LANE", "lane", 5 }, { "VERSION", "subprotocol", 10 }, { "EVSE 1", "evses.0.state", 14 },
		{ "L1    L2    L3 (A)", "evses.0.i_a", 18 }, { "OFFER", "evses.0.offered_a", 6 }, { "WHY", "evses.0.chain.0.reason", 12 },
		{ "", "evses.0.chain.0.ref", 12 }, { "QUEUED", "queued", 6 }, { "MODEL", "model", 12 }, { 0 },
	};
	table(r, columns);
}

void print_circuits(const cJSON *r)
{
	static const struct column columns[] = { { "CIRCUIT", "id", 14 }, { "MEASURED (A)", "i_a", 20 }, { "PLANNED (A)", "planned_a", 20 },
		{ "LIMIT (A)", "limit_a", 20 }, { "METER", "metered", 6 }, { "STALE", "stale", 6 }, { "BINDS", "binding_evses", 5 }, { "ON", "binding_phase", 3 }, { 0 } };
	table(r, columns);
}

void print_meters(const cJSON *r)
{
	static const struct column columns[] = { { "METER", "id", 14 }, { "STATE", "state", 8 }, { "L1    L2    L3 (A)", "i_a", 20 }, { "W", "p_w", 9 },
		{ "AGE s", "age_s", 6 }, { "FAULT", "fault", 30 }, { 0 } };
	table(r, columns);
}

void print_uplinks(const cJSON *r)
{
	static const struct column columns[] = { { "UPLINK", "id", 12 }, { "STATE", "state", 11 }, { "ENDPOINT", "endpoint", 8 }, { "URL", "url", 44 },
		{ "LANES", "lanes", 6 }, { "UP", "lanes_up", 5 }, { "SHARING", "sharing", 9 }, { "FAULT", "fault", 30 }, { 0 } };
	table(r, columns);
}

void print_certificates(const cJSON *r)
{
	static const struct column columns[] = { { "USE", "use", 13 }, { "NAME", "name", 26 }, { "SUBJECT", "subject", 24 }, { "DAYS", "days", 6 }, { "STATE", "state", 9 },
		{ "SERIAL", "serial", 32 }, { "FILE", "file", 40 }, { 0 } };
	table(r, columns);
}

void print_text(const cJSON *r)
{
	fputs(cJSON_IsString(r) ? r->valuestring : "", stdout);
}

void print_map(const cJSON *r)
{
	static const struct column columns[] = { { "NUMBER", "number", 6 }, { "STATION", "station", 20 }, { "EVSE", "evse", 4 }, { "STATE", "state", 14 },
		{ "CONNECTED", "connected", 9 }, { "CONFIGURED", "configured", 10 }, { 0 } };
	table(r, columns);
}

void print_queue(const cJSON *r)
{
	static const struct column columns[] = { { "SEQ", "seq", 8 }, { "STATION", "station", 14 }, { "ACTION", "action", 18 }, { "STATE", "state", 16 },
		{ "TX", "tx", 12 }, { "AT", "at", 24 }, { "TRIES", "attempts", 5 }, { "WHY", "why", 20 }, { 0 } };
	table(r, columns);
}

void print_txs(const cJSON *r)
{
	static const struct column columns[] = { { "STATION", "station", 14 }, { "EVSE", "evse", 4 }, { "TX", "tx", 12 }, { "CSMS TX", "csms_tx", 12 },
		{ "TOKEN", "token", 16 }, { "START", "start", 24 }, { "STOP", "stop", 24 }, { "FROM Wh", "start_wh", 9 }, { "TO Wh", "stop_wh", 9 },
		{ "REASON", "reason", 12 }, { "OFFLINE", "offline", 7 }, { 0 } };
	table(r, columns);
}

void print_deviations(const cJSON *r)
{
	static const struct column columns[] = { { "FROM", "from", 7 }, { "ACTION", "action", 20 }, { "WHERE", "path", 36 }, { "RULE", "rule", 13 },
		{ "COUNT", "count", 6 }, { "REPAIRED", "repaired", 8 }, { "SINCE", "first", 24 }, { "LAST", "last", 24 }, { "EXAMPLE", "example", 24 },
		{ "NOTE", "note", 10 }, { 0 } };
	table(r, columns);
}

static void print_forms(const cJSON *forms)
{
	static const struct column columns[] = { { "PURPOSE", "purpose", 22 }, { "CONNECTOR", "connector", 9 }, { "LEVEL", "level", 5 }, { "UNIT", "unit", 4 },
		{ "KIND", "kind", 8 }, { "PHASES", "phases", 6 }, { "LIMIT", "limit_a", 5 }, { "ANSWER", "answer", 9 }, { "CURRENT", "current", 12 },
		{ "AFTER", "response_s", 5 }, { "NOTE", "note", 10 }, { 0 } };
	table(forms, columns);
}

void print_probe(const cJSON *r)
{
	print_forms(json_at(r, "result.forms"));
	if (strcmp(text_of(r, "state"), "done") == 0)
		printf("limits go out as %s\n", text_of(r, "result.form"));
	else
		printf("%s: %s\n", text_of(r, "state"), text_of(r, "result.failure"));
}

void print_probed(const cJSON *r)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, r) {
		printf("EVSE %d, %s: limits go out as %s\n", (int)json_int(one, "evse", 1), text_of(one, "at"), text_of(one, "form"));
		print_forms(json_at(one, "forms"));
	}
	if (cJSON_GetArraySize(r) == 0)
		puts("nothing was tried there yet");
}

/* --- meters that are tried --- */

static void print_phase_row(const cJSON *phases, const char *title, const char *key)
{
	const cJSON *p;
	printf("  %-8s", title);
	cJSON_ArrayForEach(p, phases) {
		char text[40];
		word(json_at(p, key), text, sizeof(text));
		printf(" %12s", text);
	}
	puts("");
}

static void print_reading(const cJSON *r)
{
	static const char *const rows[][2] = { { "", "phase" }, { "U  V", "u_v" }, { "I  A", "i_a" }, { "P  W", "p_w" }, { "cos phi", "cos" }, { "", "verdict" } };
	const cJSON *phases = json_at(r, "phases"), *hint;
	for (size_t i = 0; phases && i < sizeof(rows) / sizeof(rows[0]); i++)
		print_phase_row(phases, rows[i][0], rows[i][1]);
	if (phases && !isnan(number(r, "power_w")))
		printf("  power %.0f W", number(r, "power_w"));
	if (phases && !isnan(number(r, "import_wh")))
		printf("  import %.1f kWh", number(r, "import_wh") / 1000);
	if (phases && !isnan(number(r, "export_wh")))
		printf("  export %.1f kWh", number(r, "export_wh") / 1000);
	puts("");
	cJSON_ArrayForEach(hint, json_at(r, "hints"))
		printf("  -> %s\n", hint->valuestring);
}

void print_meter_test(const cJSON *r)
{
	printf("%s: %.0f readings, %.0f failed\n", text_of(r, "meter"), number(r, "samples"), number(r, "failed"));
	print_reading(r);
}

void print_meter_scan(const cJSON *r)
{
	const cJSON *one, *m, *found = json_at(r, "found");
	cJSON_ArrayForEach(one, found) {
		bool first = true;
		printf("address %.0f", number(one, "unit"));
		if (json_text(one, "device").n)
			printf("  %s", text_of(one, "device"));
		cJSON_ArrayForEach(m, json_at(one, "models")) {
			printf("%s%s (%.0f)", first ? "  " : ", ", text_of(m, "model"), number(m, "points"));
			first = false;
		}
		puts(first ? "  answers, but no known model fits" : "");
		if (!first)
			print_reading(one);
	}
	printf("%d found at addresses %s of %s\n", cJSON_GetArraySize(found), text_of(r, "units"), text_of(r, "target"));
	if (json_text(r, "fault").n)
		printf("%s\n", text_of(r, "fault"));
}

static const char *const tx_columns[] = { "seq", "station", "evse", "tx", "csms_tx", "token", "start", "stop", "start_wh", "stop_wh", "energy_wh", "reason",
	"offline", "confirmed" };

/* RFC 4180. A field that a spreadsheet would take for a formula gets an apostrophe in front. */
static void print_csv_text(const char *text)
{
	if (!strpbrk(text, ",\"\r\n") && !strchr("=+-@", text[0])) {
		fputs(text, stdout);
		return;
	}
	putchar('"');
	if (text[0] && strchr("=+-@", text[0]))
		putchar('\'');
	for (; *text; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	putchar('"');
}

void print_tx_csv_head(void)
{
	for (size_t i = 0; i < sizeof(tx_columns) / sizeof(tx_columns[0]); i++)
		printf("%s%s", i ? "," : "", tx_columns[i]);
	fputs("\r\n", stdout);
}

static void print_csv_value(const cJSON *row, const char *column)
{
	const cJSON *from = cJSON_GetObjectItem(row, "start_wh"), *to = cJSON_GetObjectItem(row, "stop_wh");
	const cJSON *item = cJSON_GetObjectItem(row, column);
	if (strcmp(column, "energy_wh") == 0 && cJSON_IsNumber(from) && cJSON_IsNumber(to))
		printf("%.15g", to->valuedouble - from->valuedouble);
	else if (cJSON_IsString(item))
		print_csv_text(item->valuestring);
	else if (cJSON_IsNumber(item))
		printf("%.15g", item->valuedouble);
	else if (cJSON_IsBool(item))
		fputs(cJSON_IsTrue(item) ? "true" : "false", stdout);
}

void print_tx_csv(const cJSON *row)
{
	for (size_t i = 0; i < sizeof(tx_columns) / sizeof(tx_columns[0]); i++) {
		if (i)
			putchar(',');
		print_csv_value(row, tx_columns[i]);
	}
	fputs("\r\n", stdout);
}

void print_plan(const cJSON *r)
{
	static const struct column evses[] = { { "STATION", "station", 14 }, { "EVSE", "evse", 4 }, { "NOW A", "now_a", 7 }, { "THEN A", "then_a", 7 },
		{ "WHY", "reason", 14 }, { "", "ref", 20 }, { "PHASE", "phase", 5 }, { 0 } };
	static const struct column circuits[] = { { "CIRCUIT", "id", 14 }, { "LIMIT A", "limit_a", 20 }, { "NOW A", "now_a", 20 }, { "THEN A", "then_a", 20 }, { 0 } };
	const cJSON *remark;
	printf("after %.0f s\n", number(r, "after_s"));
	cJSON_ArrayForEach(remark, json_at(r, "remarks")) {
		printf("note: %s\n", remark->valuestring);
	}
	table(json_at(r, "circuits"), circuits);
	puts("");
	table(json_at(r, "evses"), evses);
}

void print_grid_operator(const cJSON *r)
{
	static const struct column columns[] = { { "INPUT", "id", 16 }, { "KIND", "kind", 9 }, { "STATE", "state", 10 }, { "LIMIT W", "limit_w", 9 },
		{ "PRIO", "priority", 5 }, { "HEARD S", "heard_s", 8 }, { "BY", "by", 12 }, { "UNTIL", "until", 24 }, { "FAULT", "fault", 30 }, { 0 } };
	printf("%s on %s: %s", text_of(r, "counts"), text_of(r, "circuit"), text_of(r, "state"));
	if (!isnan(number(r, "limit_w")))
		printf(", %.0f W by %s since %s", number(r, "limit_w"), text_of(r, "decided_by"), text_of(r, "since"));
	printf("   charging %.0f W\n", number(r, "charging_w"));
	table(json_at(r, "inputs"), columns);
}

void print_grid_log(const cJSON *r)
{
	static const struct column columns[] = { { "AT", "at", 24 }, { "CLOCK", "clock", 9 }, { "WHAT", "code", 12 }, { "INPUT", "args.input", 16 }, { "STATE", "args.state", 10 },
		{ "LIMIT W", "args.limit_w", 9 }, { "CHARGING W", "args.charging_w", 10 }, { "CIRCUIT W", "args.circuit_w", 9 }, { "MOST W", "args.most_w", 8 },
		{ "TOOK MS", "args.took_ms", 8 }, { "WHY", "args.why", 30 }, { 0 } };
	table(r, columns);
}

void print_tariffs(const cJSON *r)
{
	static const struct column columns[] = { { "NAME", "id", 16 }, { "CIRCUIT", "circuit", 16 }, { "HOLDS", "holds", 6 }, { "PRICE", "price", 8 },
		{ "ABOVE", "above", 8 }, { "LIMIT A", "limit_a", 8 }, { "CHARGING W", "charging_w", 10 }, { "IMPORT W", "import_w", 10 }, { 0 } };
	table(json_at(r, "schedules"), columns);
	const cJSON *item;
	cJSON_ArrayForEach(item, json_at(r, "tariffs")) {
		for (const struct column *c = columns; c->title; c++) {
			char text[200];
			word(json_at(item, c->path), text, sizeof(text));
			printf("%-*s ", c->width, text);
		}
		puts("");
	}
}

void print_limits(const cJSON *r)
{
	static const struct column columns[] = { { "ID", "limit_id", 5 }, { "OBJECT", "object", 16 }, { "LIMIT A", "limit_a", 8 }, { "UNTIL", "until", 24 },
		{ "BY", "user", 10 }, { "REASON", "reason", 30 }, { 0 } };
	table(r, columns);
}

void print_trace_line(const cJSON *r)
{
	bool station = strcmp(text_of(r, "side"), "station") == 0, rx = strcmp(text_of(r, "dir"), "rx") == 0;
	printf("%.12s %-12s %s%s%s %-17s ", strlen(text_of(r, "ts")) > 23 ? text_of(r, "ts") + 11 : "-", text_of(r, "station"),
	       station ? "station" : "       ", (station == rx) ? " -> " : " <- ", station ? "       " : "   csms", text_of(r, "verdict"));
	if (!isnan(number(r, "rtt_ms")))
		printf("%s %.1f ms ", text_of(r, "action"), number(r, "rtt_ms"));
	printf("%s\n", text_of(r, cJSON_HasObjectItem(r, "raw") ? "raw" : "raw_base64"));
	if (cJSON_HasObjectItem(r, "diff"))
		printf("%*s \"%s\" became \"%s\"\n", 12, "", text_of(r, "diff.was"), text_of(r, "diff.now"));
	if (cJSON_HasObjectItem(r, "why"))
		printf("%*s %s\n", 12, "", text_of(r, "why"));
}

void print_trace(const cJSON *r)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, r) {
		print_trace_line(item);
	}
}
