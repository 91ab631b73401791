/* What limits a simulated day from outside: the schedules and tariffs of the configuration, and the inputs of the grid operator. One at a time. */
#ifndef AMPGATE_GATEWAY_SIM_RULES_H
#define AMPGATE_GATEWAY_SIM_RULES_H

#include "energy/control.h"
#include "gateway/conf/settings.h"

#define SIM_WORDS 32

/* What an input says in some hours of each day; at all others it says that anything is allowed. */
struct sim_word {
	char input[64];
	enum { SIM_CLOSED, SIM_PERCENT, SIM_WATTS, SIM_LOST } kind; /* a contact; a ripple receiver; any other; any: it is not heard */
	int64_t value;            /* per cent or watts */
	int from_s, to_s;
};
/* "box=closed@17-19", "fre=60%@8-12", "ems=11000@0-24", "box=lost@3-4". False: it is not like that. */
bool sim_word_read(const char *text, struct sim_word *out);

/* The simulated clock stands at second 0 of a day, and is the program's from now on. NULL with the reason in `why`: a word is for no input of the
 * configuration, or one that cannot say it. Both `s` and `control` live on. */
struct sim_rules *sim_rules_open(const struct settings *s, const struct sim_word *words, size_t n, char *why, size_t room);
void sim_rules_close(struct sim_rules *r);
int64_t sim_rules_midnight_us(const struct sim_rules *r); /* wall time of second 0: a Monday, by the clock of the site */
void sim_rules_begin(struct sim_rules *r, struct control *control);
/* The second begins: rules come into force and end. */
void sim_rules_second(struct sim_rules *r, int64_t now_s);
/* It is over, and all cars together took so much. */
void sim_rules_note(struct sim_rules *r, double charging_w);

/* For how long each rule held, and what was charged meanwhile at most, once cars had a quarter of a minute to follow. */
void sim_rules_each(const struct sim_rules *r, void (*see)(void *arg, const char *rule, int64_t held_s, double most_w), void *arg);

#endif
