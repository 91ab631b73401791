/* One sentence out of the chain of caps: what binds, in words that need no schooling. The console says the same (web/reasons.js) by the same
 * words. Which sentence it is depends on more than the reason: nobody charges, the station has a fault, others share the circuit.
 *
 * A word that is not known here comes from a daemon newer than this client, and is told as it is. */
#include "gateway/ctl/ctl-say.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"

static const struct sentence {
	const char *name, *in[2]; /* English, German */
} sentences[] = {
#define SAY(name, english, german) { #name, { english, german } },
#include "gateway/ctl/sentences.def"
#undef SAY
};

struct value {
	const char *name;
	char text[80];
};

enum { TAKES, GETS, REF, PHASE, UNTIL, NAME, FULL, SHARERS, FAULT, WORD, VALUES };

bool say_german(void)
{
	static const char *const from[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
	for (int i = 0; i < 3; i++) {
		const char *set = getenv(from[i]);
		if (set && *set)
			return strncmp(set, "de", 2) == 0;
	}
	return false;
}

static const struct sentence *find(const char *name)
{
	for (size_t i = 0; i < sizeof(sentences) / sizeof(*sentences); i++)
		if (strcmp(sentences[i].name, name) == 0)
			return &sentences[i];
	return NULL;
}

static const char *word_of(const cJSON *in, const char *path)
{
	const cJSON *v = json_at(in, path);
	return cJSON_IsString(v) ? v->valuestring : "";
}

static double most_of(const cJSON *three)
{
	double most = 0;
	const cJSON *v;
	cJSON_ArrayForEach(v, three)
		most = cJSON_IsNumber(v) && v->valuedouble > most ? v->valuedouble : most;
	return most;
}

static void put_amps(struct value *v, double a, int decimals, bool german)
{
	snprintf(v->text, sizeof(v->text), "%.*f A", decimals, a);
	char *point = german ? strchr(v->text, '.') : NULL;
	if (point)
		*point = ',';
}

static void put_text(struct value *v, const char *text)
{
	snprintf(v->text, sizeof(v->text), "%s", text);
}

static void put_time(struct value *v, const char *at)
{
	int64_t us;
	struct tm tm;
	if (!*at || time_parse(slice_of(at), &us) != 0)
		return;
	time_t t = (time_t)(us / 1000000);
	strftime(v->text, sizeof(v->text), "%H:%M", localtime_r(&t, &tm));
}

/* The limit of the circuit on the phase that binds; of its first where none is named. */
static double full_a(const cJSON *e)
{
	const char *phase = word_of(e, "limit.phase");
	char path[24];
	snprintf(path, sizeof(path), "sharing.limit_a.%d", *phase ? phase[1] - '1' : 0);
	return json_number(e, path, NAN);
}

static const struct sentence *choose(const cJSON *e)
{
	const char *reason = word_of(e, "limit.reason");
	const struct sentence *s;
	if (!cJSON_IsObject(json_at(e, "tx")))
		return find(word_of(e, "state"));
	if (*word_of(e, "error"))
		return find("error");
	if (strcmp(word_of(e, "outlet.state"), "switching") == 0)
		return find("switching");
	if (json_bool(e, "waiting", false))
		return find(*word_of(e, "limit.until") ? "waiting_until" : "waiting");
	if (!*reason)
		return NULL;
	if (strcmp(reason, "circuit") == 0)
		return find(json_number(e, "sharing.evses", 1) > 1 ? "circuit_shared" : "circuit");
	return (s = find(reason)) ? s : find("other");
}

static void gather(const cJSON *e, bool german, struct value v[VALUES])
{
	static const char *const names[VALUES] = { "takes", "a", "ref", "phase", "until", "name", "full", "n", "error", "reason" };
	for (int i = 0; i < VALUES; i++)
		v[i] = (struct value){ names[i], "" };
	put_amps(&v[TAKES], most_of(json_at(e, "i_a")), 1, german);
	put_amps(&v[GETS], most_of(json_at(e, "limit.a")), 1, german);
	put_text(&v[REF], word_of(e, "limit.ref"));
	put_text(&v[PHASE], word_of(e, "limit.phase"));
	put_time(&v[UNTIL], word_of(e, "limit.until"));
	put_text(&v[NAME], word_of(e, "limit.ref"));
	put_amps(&v[FULL], full_a(e), 0, german);
	snprintf(v[SHARERS].text, sizeof(v[SHARERS].text), "%.0f", json_number(e, "sharing.evses", 1));
	put_text(&v[FAULT], word_of(e, "error"));
	snprintf(v[WORD].text, sizeof(v[WORD].text), "%.30s %.40s", word_of(e, "limit.reason"), word_of(e, "limit.ref"));
}

/* "{name}" at `at`: adds its value. How many bytes of the sentence that was; 0: it is no value's place. */
static size_t fill(const char *at, const struct value v[VALUES], struct buf *out)
{
	for (int i = 0; *at == '{' && i < VALUES; i++) {
		size_t n = strlen(v[i].name);
		if (strncmp(at + 1, v[i].name, n) == 0 && at[1 + n] == '}') {
			buf_puts(out, v[i].text);
			return n + 2;
		}
	}
	return 0;
}

void say_why(const cJSON *evse, bool german, struct buf *out)
{
	const struct sentence *s = choose(evse);
	struct value v[VALUES];
	if (!s)
		return;
	gather(evse, german, v);
	for (const char *at = s->in[german]; *at;) {
		size_t n = fill(at, v, out);
		if (!n)
			buf_add(out, at, n = 1);
		at += n;
	}
}
