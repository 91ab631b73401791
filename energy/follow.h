/* Whether a station does what it is told: what was sent, what it accepted and what its car draws are three numbers, and only the third one
 * counts. One judge per EVSE, stepped once a second; it names what it sees, and whoever owns it acts. Pure: time is passed in. */
#ifndef AMPGATE_ENERGY_FOLLOW_H
#define AMPGATE_ENERGY_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

enum conduct {
	CONDUCT_UNKNOWN,   /* nothing to be seen yet */
	CONDUCT_FOLLOWS,
	CONDUCT_REFUSED,   /* takes no limit in any form so far */
	CONDUCT_LATE,      /* accepted, and its time to respond is over, but not yet given up */
	CONDUCT_SLOW,      /* followed, later than its model is known to: response_us is how late */
	CONDUCT_STUBBORN,  /* accepted, and draws on as if it had not been told */
	CONDUCT_DEFAULT,   /* accepted, and draws what its default profile allows, which is less */
	CONDUCT_OVERSHOOT, /* follows, and draws over_permille more than it is told */
	CONDUCT_ASLEEP,    /* is offered current after a pause, or from the start, and its car draws nothing */
	CONDUCT_SILENT,    /* no meter values while it charges */
	CONDUCTS
};
const char *conduct_text(enum conduct c); /* "stubborn"; the words of events and of `why` */

enum follow_answer { ANSWER_NONE, ANSWER_ACCEPTED, ANSWER_REFUSED };

struct follow_facts {
	int64_t now_us;               /* monotonic */
	bool online, running;
	bool ended_itself;            /* the car says that it does not want more */
	enum follow_answer answer;    /* to the last limit */
	int32_t told_ma;              /* the last limit, per phase; -1: none in this transaction */
	int64_t accepted_us;          /* when its number was first accepted; 0: not yet */
	int32_t drawn_ma[3];          /* on the socket's own phases */
	int64_t drawn_us;             /* 0: never said */
	int n_lines;
	int32_t min_ma, max_ma;
	int32_t alone_ma;             /* what it goes by when it is not told; 0: it pauses */
	int64_t response_us;          /* in which this model follows; a car that draws nothing for four times as long sleeps */
	int64_t silent_us;            /* without meter values for so long it is silent */
};

struct follow {
	enum conduct conduct;
	int64_t since_us;             /* of the conduct */
	int64_t response_us;          /* CONDUCT_SLOW: what it took */
	int over_permille;            /* CONDUCT_OVERSHOOT */
	bool proved;                  /* in this transaction it was seen to go by a limit that was below what it could have taken */
	bool within;                  /* the last report is within what it was told, and was made after that */
	uint8_t phases;               /* own phases in use, as bits; 0: not known */
	/* private */
	int32_t told_ma, before_ma;   /* the last number, and what was drawn before it came */
	int32_t seen_ma;              /* in the last step */
	int64_t told_us, ran_us, idle_us, used_us, excess_us, default_us;
	uint8_t using_now;
	bool paused, drew;
};

void follow_init(struct follow *f);
/* True: the conduct changed. */
bool follow_step(struct follow *f, const struct follow_facts *now);
/* Another form is tried: it has its time again. */
void follow_again(struct follow *f, int64_t now_us);

#endif
