/* How a station takes limits: which charging profiles its model accepts, in which unit and how high. From a small data file per vendor
 * (etc/stations), matched by the vendor and model of BootNotification, and from what was learnt from stations of that model, which is kept.
 * Loop thread. */
#ifndef AMPGATE_GATEWAY_TRAITS_H
#define AMPGATE_GATEWAY_TRAITS_H

#include <stdbool.h>

#include "base/conf.h"
#include "storage/store.h"

/* In the order in which they are tried. */
enum limit_form { FORM_TX, FORM_TX_DEFAULT, FORM_STATION_MAX, FORMS };

struct traits {
	int form;                 /* enum limit_form: the first to try */
	int max_level;            /* highest stack level; -1: not known */
	int unit;                 /* 0: A, 1: W */
	bool whole_amps;          /* cuts or refuses tenths */
	bool relative_only;       /* does not take a schedule with a start */
	bool connector_zero;      /* takes a TxDefaultProfile for all of its EVSEs at once */
	bool number_phases;       /* takes numberPhases */
	int64_t min_interval_us;  /* between raises; some write each limit to flash */
	int64_t meter_interval_us; /* it does not tell its current more often */
	int64_t response_us;      /* from a limit to the current, at most */
};

struct traits_book;

/* Reads *.yaml of both directories, the second one's rows before the first one's; one that is missing is no mistake, one that cannot be
 * read is reported. NULL is fine for a directory. */
struct traits_book *traits_open(const char *installed, const char *local, struct conf_report *report);
void traits_close(struct traits_book *b);

/* The row that fits best, case and what follows in the names ignored; presets for others. */
struct traits traits_of(const struct traits_book *b, struct slice vendor, struct slice model, struct slice firmware);

/* The form that a station of this model was found to take; kept by model. */
void traits_learnt(struct store *s, const char *vendor, const char *model, enum limit_form form);
void traits_recall(struct store *s, const char *vendor, const char *model, struct traits *t);
const char *traits_form_text(enum limit_form form); /* OCPP's word, "TxProfile" */

#endif
