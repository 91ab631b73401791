/* The current a car would need on average until it leaves says how much it can wait: sharing in proportion to it brings everybody to the same
 * part of what they want, and those who can wait make room for those who cannot.
 *
 * Nobody's word is trusted beyond reason. A car that goes on drawing after its need is met needs some more; one that is still there after its
 * departure is about to leave. Where nobody said anything, stays are taken to be long-tailed, as observed ones are: who came an hour ago stays
 * another hour or so, who came in the morning stays until evening. So visitors are served first for a while, without anybody having to say who
 * is one.
 *
 * Nor has anybody to say who is in a hurry: whoever plugs in at a point of 50 or 150 kW wants what it can give, much in a short time. What is
 * usual is therefore counted in ordinary sockets: at one that is so many times as strong a stay is taken to be as many times as short, and the need
 * to be larger by the root of that. As with all stays that is believed at first only; who is still there after an hour stays for another. Easy to
 * get wrong: without this a strong point would get next to nothing beside ordinary sockets, for the same need is a smaller part of its time. */
#include "energy/need.h"

#include <math.h>

#define HOUR 3600.0
#define SHARPNESS 2        /* how much more than in proportion a share grows with the part of its time that a car needs */
#define FIRST_WH 14000
#define FIRST_STAY_S (4 * HOUR)
#define LEARN 0.05
#define SOON_S (15 * 60.0)
#define FEW_WH 1500
#define TOLD_MOST 20
#define FIRST_COUNTS 2     /* what is assumed at first, as so many words */
#define MORE_THAN_SAID 0.25
#define ORDINARY_W 22080.0 /* what a socket of 32 A on three phases can give */

/* How many times as strong as an ordinary socket. */
static double strength(double most_w)
{
	return most_w > ORDINARY_W ? most_w / ORDINARY_W : 1;
}

/* How many times as much as there one comes for. */
static double appetite(double most_w)
{
	return sqrt(strength(most_w));
}

void need_init(struct need_usual *u)
{
	*u = (struct need_usual){ FIRST_WH, FIRST_STAY_S, 0 };
}

void need_left(struct need_usual *u, double most_w, double got_wh, double stay_s)
{
	if (got_wh < FEW_WH || stay_s < SOON_S)
		return;
	u->wh += (got_wh / appetite(most_w) - u->wh) * LEARN;
	u->stay_s += (stay_s * strength(most_w) - u->stay_s) * LEARN;
}

/* The first words weigh most: what was assumed until then was nobody's. */
void need_told(struct need_usual *u, double most_w, double wh)
{
	if (isnan(wh) || wh < FEW_WH)
		return;
	u->told += u->told < TOLD_MOST;
	u->wh += (wh / appetite(most_w) - u->wh) / (u->told + FIRST_COUNTS);
}

double need_wh_left(const struct need_usual *u, const struct need *n)
{
	double got = isnan(n->got_wh) ? 0 : n->got_wh, mean = u->wh * appetite(n->most_w), usual = mean * mean / (mean + got);
	if (isnan(n->wh))
		return usual;
	double said = got > n->wh ? n->wh * MORE_THAN_SAID : n->wh - got;
	return fmax((1 - n->doubt) * said + n->doubt * usual, FEW_WH);
}

static double seconds_left(const struct need_usual *u, const struct need *n)
{
	if (isnan(n->left_s))
		return u->stay_s * 0.25 / strength(n->most_w) + 0.8 * n->age_s;
	return n->left_s > SOON_S ? n->left_s : n->left_s > 0 ? SOON_S : SOON_S - n->left_s;
}

int32_t need_rate_ma(const struct need_usual *u, const struct need *n)
{
	double ma = need_wh_left(u, n) / n->watt_per_ma * HOUR / seconds_left(u, n);
	return !(ma > 0) ? 0 : ma > 2.0 * n->top_ma ? 2 * n->top_ma : (int32_t)ma;
}

int32_t need_weight(int32_t rate_ma, int32_t top_ma)
{
	double duty = (double)rate_ma / (top_ma > 1000 ? top_ma : 1000), w = rate_ma / 100.0 * pow(duty, SHARPNESS);
	return w < 1 ? 1 : w > NEED_WEIGHT_MOST ? NEED_WEIGHT_MOST : (int32_t)w;
}
