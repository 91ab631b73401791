/* Between the parts that move limits: control-move.c, and control-keep.c, -cut.c and -raise.c for limits that are kept. Currents in
 * milliampere per line. */
#ifndef AMPGATE_ENERGY_KEEP_LOCAL_H
#define AMPGATE_ENERGY_KEEP_LOCAL_H

#include "energy/control-local.h"

#define PIECE_LEAST_MA 1000            /* less is not worth moving, even where somebody has just come or left */

/* control-move.c: what is held this moment, orders on their way counted. */
int64_t move_held(const struct control *c, const struct seat *s, int line); /* by a seat on a grid line, at most */
void move_free(struct control *c);                                          /* c->free: the rooms less all that is held */
int32_t move_highest(const struct control *c, struct seat *s);              /* a seat's highest limit in that; notes what is in the way */
void move_tight(struct seat *s, int node, int room);

/* control-keep.c: what is taken when all orders have arrived. */
void keep_limits(struct control *c);
bool keep_evening(const struct control *c);                          /* shares are being made even */
bool keep_eased(const struct control *c, const struct seat *s);      /* whoever held it down allows more */
bool keep_prompt(const struct control *c, const struct seat *s);     /* one of both: it moves at once, and by small pieces */
int32_t keep_piece(const struct control *c, const struct seat *s);   /* least change worth a message */
int64_t keep_near(const struct control *c, int n, int r);            /* a room may be too small by this before somebody is cut */
void keep_settled(struct control *c);                                 /* c->free: the rooms less all that is taken then */
int32_t keep_taken(const struct seat *s);
int32_t keep_holds(const struct control *c, const struct seat *s);   /* a newcomer, before its first word */
bool keep_crowded(const struct control *c, const struct seat *s);    /* nobody new begins there */
int32_t keep_stepped(const struct seat *s, int32_t ma);
void keep_lower(struct control *c, size_t i, int32_t to_ma, int node, int room);

/* control-cut.c */
void keep_cut(struct control *c);
bool keep_below(const struct control *c, const struct seat *s, int node, int room);
int64_t cut_key(const struct control *c, size_t i, unsigned short_lines); /* who gives back first has the lowest */
int64_t cut_turns_round(const struct control *c, int64_t at_us, int64_t same_way_us); /* against moving a limit the other way */

/* control-raise.c */
void keep_raise(struct control *c);

#endif
