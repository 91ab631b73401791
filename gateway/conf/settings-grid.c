/* Keys of everything about the grid that is not a circuit: loads, limits of the grid operator, schedules, tariffs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/settings-rows.h"
#include "gateway/conf/settings-tables.h"

#define POWER_MOST 100000000

static const struct conf_row fuse_rows[] = {
	{ .name = "type", .type = CONF_CHOICE, .words = WORDS("gG", "B", "C", "D"), .required = true, AT(fuse_settings, type),
	  .help = "gG: a fuse; B, C, D: a circuit breaker" },
	{ .name = "rating_a", .type = CONF_AMPS, .min = 1 * A, .max = 10000 * A, .required = true, AT(fuse_settings, rated_ma), .help = "Its rated current" },
	{ 0 }
};
const struct conf_table fuse_table = { .noun = "fuse", .size = sizeof(struct fuse_settings), .rows = fuse_rows };

/* ---- loads ---- */

static const struct conf_row load_rows[] = {
	{ .name = "kind", .type = CONF_CHOICE, .words = WORDS("load", "pv", "battery"), .preset = "load", AT(load_settings, kind),
	  .help = "What it is: a consumer, generation, or both in turn" },
	{ .name = "circuit", .type = CONF_REF, .refers = "circuits", .table = &circuit_table, .required = true, AT(load_settings, circuit),
	  .help = "Where it is connected" },
	{ .name = "meter", .type = CONF_REF, .refers = "meters", .table = &meter_table, AT(load_settings, meter),
	  .help = "What measures it, drawing positive" },
	{ .name = "estimate_a", .type = CONF_PHASE_AMPS, .min = 0, .max = 10000 * A, AT(load_settings, estimate_ma),
	  .help = "Drawn per phase where no living meter sees it" },
	{ .name = "firm", .type = CONF_BOOL, .preset = "false", .at_times = true, AT(load_settings, firm),
	  .help = "pv, battery: what it feeds is counted on even where a fuse is at stake; else only for power" },
	{ .name = "yields", .type = CONF_BOOL, .preset = "false", .at_times = true, AT(load_settings, yields),
	  .help = "battery: what it charges with goes to cars first where surplus is followed" },
	{ .name = "feeds_cars", .type = CONF_BOOL, .preset = "false", .at_times = true, AT(load_settings, feeds_cars),
	  .help = "battery: what it discharges may go to cars where surplus is followed" },
	{ 0 }
};
const struct conf_table load_table = { .noun = "load", .size = sizeof(struct load_settings), .rows = load_rows };

/* ---- the grid operator ---- */

/* A number that is -1 when nothing is said. */
static int read_maybe_int(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	struct conf_row plain = *row;
	plain.type = CONF_INT;
	if (n->kind == CONF_SCALAR && strcmp(n->text, "none") == 0) {
		*(int *)at = -1;
		return 0;
	}
	return conf_read(f, &plain, n, at);
}

#define MAYBE_INT(key, owner, field, most, text)                                                                                                    \
	{ .name = key, .type = CONF_SPECIAL, .read = read_maybe_int, .min = 0, .max = most, .preset = "none", .at_times = true, AT(owner, field),       \
	  .shape = "a number, or `none`", .help = text }

/* The same, of where an input is read. */
#define PLACE_INT(key, owner, field, most, text)                                                                                                    \
	{ .name = key, .type = CONF_SPECIAL, .takes_effect = AT_RECONNECT, .read = read_maybe_int, .min = 0, .max = most, .preset = "none",             \
	  .at_times = true, AT(owner, field), .shape = "a number, or `none`", .help = text }

/* The number may be written as a device's manual has it: 0xFFFFFFFF. */
static int read_no_limit(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	static const char *const words[] = { "none", "nan", "negative" };
	struct grid_no_limit *out = at;
	char *end = NULL;
	(void)row;
	for (int i = 0; n->kind == CONF_SCALAR && i < 3; i++) {
		if (strcmp(n->text, words[i]) == 0) {
			out->when = i;
			return 0;
		}
	}
	*out = (struct grid_no_limit){ GRID_NO_LIMIT_NUMBER, n->kind == CONF_SCALAR ? strtod(n->text, &end) : 0 };
	if (end && end != n->text && !*end && isfinite(out->number))
		return 0;
	conf_say(f->report, CONF_ERROR, &n->pos, "nan, negative, or a number such as 0xFFFFFFFF", "not a value that a register could have");
	return ERR_INVALID;
}

static const struct conf_row grid_input_rows[] = {
	{ .name = "kind", .takes_effect = AT_RECONNECT, .type = CONF_CHOICE, .words = WORDS("contact", "ripple", "register", "server", "command", "csms"), .required = true,
	  AT(grid_input_settings, kind),
	  .help = "One contact; a ripple receiver's contacts; a Modbus register that is read; this box as a Modbus server; the command grid.limit; what the CSMS allows own_identity" },
	{ .name = "uplink", .takes_effect = AT_RESTART, .type = CONF_REF, .refers = "uplinks", .table = &uplink_table, AT(grid_input_settings, uplink),
	  .help = "csms: the uplink by whose own_identity it tells its limit; stale_after is then how long it may be out of reach" },
	{ .name = "priority", .type = CONF_INT, .min = 0, .max = 100, .preset = "0", AT(grid_input_settings, priority),
	  .help = "Of the inputs that say a limit, those with the highest decide, among these the lowest; one that is silent can only lower it" },
	MAYBE_INT("limit_w", grid_input_settings, limit_w, POWER_MOST, "contact: what may be drawn while it is active; what the devices keep when not said"),
	MAYBE_INT("fail_safe_w", grid_input_settings, fail_safe_w, POWER_MOST, "What may be drawn while nothing is known of it; what the devices keep when not said"),
	{ .name = "debounce", .type = CONF_DURATION, .min = 0, .max = 60 * S, .preset = "300ms", .at_times = true, AT(grid_input_settings, debounce_us),
	  .help = "contact, ripple: time that a change has to last" },
	{ .name = "stale_after", .type = CONF_DURATION, .min = S, .max = 24 * H, AT(grid_input_settings, stale_after_us),
	  .help = "Without news for this long it counts as not known; 10s when not said, but server and command need not speak then" },
	{ .name = "hold", .type = CONF_DURATION, .min = 0, .max = 48 * H, .preset = "0s", AT(grid_input_settings, hold_us),
	  .help = "Least time in fail-safe once it is entered" },
	{ .name = "poll", .takes_effect = AT_RECONNECT, .type = CONF_DURATION, .min = 100 * MS, .max = H, .preset = "500ms", .at_times = true, AT(grid_input_settings, poll_us),
	  .help = "contact, ripple, register: time from reading to reading" },
	{ .name = "chip", .takes_effect = AT_RECONNECT, .type = CONF_TEXT, .max = 100, AT(grid_input_settings, chip), .help = "contact: on a GPIO line of this box, with a pull-up: the chip, as gpiochip0" },
	PLACE_INT("line", grid_input_settings, line, 1023, "contact: number of the line of the chip"),
	{ .name = "host", .takes_effect = AT_RECONNECT, .type = CONF_TEXT, AT(grid_input_settings, host), .help = "contact, ripple, register: Modbus TCP address or name" },
	{ .name = "bus", .takes_effect = AT_RECONNECT, .type = CONF_REF, .refers = "buses", .table = &bus_table, AT(grid_input_settings, bus), .help = "The same on a serial line" },
	{ .name = "plugin", .takes_effect = AT_RECONNECT, .type = CONF_TEXT, .min = 1, .max = 40, AT(grid_input_settings, plugin), .help = "contact, register: read by a driver from a file: which one of plugins.load" },
	{ .name = "options", .takes_effect = AT_RECONNECT, .type = CONF_SPECIAL, .read = settings_options, .shape = "a map, as the plugin wants it", AT(grid_input_settings, options),
	  .help = "What is for the plugin" },
	{ .name = "address", .takes_effect = AT_RECONNECT, .type = CONF_TEXT, .preset = "127.0.0.1", .at_times = true, AT(grid_input_settings, address), .help = "server: IPv4 address to listen on" },
	{ .name = "port", .takes_effect = AT_RECONNECT, .type = CONF_INT, .min = 1, .max = 65535, .preset = "502", .at_times = true, AT(grid_input_settings, port),
	  .help = "TCP port of the device, or to listen on; while a server cannot, its fail-safe holds and it is tried again" },
	{ .name = "unit", .takes_effect = AT_RECONNECT, .type = CONF_INT, .min = 0, .max = 255, .preset = "1", .at_times = true, AT(grid_input_settings, unit), .help = "Modbus unit number" },
	PLACE_INT("input", grid_input_settings, input, 65535, "contact: number of the discrete input, from 0"),
	{ .name = "active", .type = CONF_CHOICE, .words = WORDS("open", "closed"), .preset = "open", .at_times = true, AT(grid_input_settings, active_closed),
	  .help = "contact: the position that limits; with open a broken wire limits too" },
	PLACE_INT("input_100", grid_input_settings, level[0], 65535, "ripple: discrete input that is closed at 100 %; without it a broken wire looks like 100 %"),
	PLACE_INT("input_60", grid_input_settings, level[1], 65535, "ripple: at 60 %"),
	PLACE_INT("input_30", grid_input_settings, level[2], 65535, "ripple: at 30 %"),
	PLACE_INT("input_0", grid_input_settings, level[3], 65535, "ripple: at 0 %"),
	PLACE_INT("register", grid_input_settings, reg, 65535, "register: its number, from 0"),
	{ .name = "register_kind", .takes_effect = AT_RECONNECT, .type = CONF_CHOICE, .words = WORDS("holding", "input"), .preset = "holding", .at_times = true,
	  AT(grid_input_settings, reg_input), .help = "register: its table" },
	{ .name = "type", .takes_effect = AT_RECONNECT, .type = CONF_CHOICE, .words = WORDS("u16", "u32", "s32", "f32"), .preset = "u32", .at_times = true, AT(grid_input_settings, reg_type),
	  .help = "register: its form, high word first; a value that is no limit (all ones, negative, NaN) is a fault, see no_limit" },
	{ .name = "scale", .takes_effect = AT_RECONNECT, .type = CONF_NUMBER, .min = 1, .max = 1000000, .preset = "1", .at_times = true, AT(grid_input_settings, scale),
	  .help = "register: watts per unit" },
	{ .name = "no_limit", .takes_effect = AT_RECONNECT, .type = CONF_SPECIAL, .read = read_no_limit, .shape = "`nan`, `negative`, a number, or `none`",
	  .preset = "none", .at_times = true, AT(grid_input_settings, no_limit),
	  .help = "register: the value (before scale) that lifts the limit; with none nothing does, and what is no limit counts as not heard" },
	{ 0 }
};
static const struct conf_table grid_input_table = { .noun = "input", .size = sizeof(struct grid_input_settings), .rows = grid_input_rows };

static const struct conf_row grid_other_rows[] = {
	{ .name = "kind", .type = CONF_CHOICE, .words = WORDS("heat_pump", "cooling", "storage", "other"), .required = true, AT(grid_other_settings, kind),
	  .help = "What it is: all heat pumps together count as one device, all cooling too; above 11 kW 40 % of the larger of both is kept" },
	{ .name = "rated_w", .type = CONF_INT, .min = 1, .max = POWER_MOST, .required = true, AT(grid_other_settings, rated_w),
	  .help = "The power it is connected with" },
	MAYBE_INT("dimmed_w", grid_other_settings, dimmed_w, POWER_MOST, "What it takes at most while dimmed, where that is seen to; rated_w when not said"),
	{ .name = "meter", .type = CONF_REF, .refers = "meters", .table = &meter_table, AT(grid_other_settings, meter),
	  .help = "What measures it alone, drawing positive; without a living one dimmed_w is set aside for it" },
	{ 0 }
};
static const struct conf_table grid_other_table = { .noun = "other device", .size = sizeof(struct grid_other_settings), .rows = grid_other_rows };

static const struct conf_row grid_rows[] = {
	{ .name = "circuit", .type = CONF_REF, .refers = "circuits", .table = &circuit_table, AT(grid_settings, circuit),
	  .help = "Where its limits hold; the grid connection when not said. Direct control of a single charging point: the circuit that feeds it alone" },
	{ .name = "counts", .type = CONF_CHOICE, .words = WORDS("devices", "total"), .preset = "devices", AT(grid_settings, counts),
	  .help = "Whether a limit is for charging alone (section 14a EnWG, own generation comes on top) or for all that the circuit draws" },
	{ .name = "dim_to_w", .type = CONF_INT, .min = 0, .max = POWER_MOST, .preset = "4200", AT(grid_settings, dim_to_w),
	  .help = "What a single device keeps while dimmed; several keep this plus (n - 1) times the simultaneity factor times this" },
	{ .name = "devices", .type = CONF_INT, .min = 0, .max = 10000, .preset = "0", AT(grid_settings, devices),
	  .help = "How many controllable devices share, others included; 0: the EVSEs below the circuit and the others, where they are above 4.2 kW" },
	{ .name = "rated_w", .type = CONF_INT, .min = 0, .max = POWER_MOST, .preset = "0", AT(grid_settings, rated_w),
	  .help = "100 % of a ripple receiver; 0: what the EVSEs and the others can take" },
	{ .name = "others", .type = CONF_OBJECTS, .table = &grid_other_table, AT(grid_settings, others),
	  .help = "Controllable devices beside the EVSEs that share its limit: what they take, cars do not get" },
	{ .name = "inputs", .type = CONF_OBJECTS, .table = &grid_input_table, AT(grid_settings, inputs), .help = "How it tells its limits" },
	{ 0 }
};
const struct conf_table grid_table = { .noun = "grid_operator", .size = sizeof(struct grid_settings), .rows = grid_rows };

/* ---- schedules and tariffs ---- */

/* "06:30" in minutes; 24:00 is allowed, as an end. */
static int read_clock(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	int hours, minutes, used = 0;
	(void)row;
	if (n->kind == CONF_SCALAR && sscanf(n->text, "%2d:%2d%n", &hours, &minutes, &used) == 2 && !n->text[used] && hours >= 0 && minutes >= 0 &&
	    minutes < 60 && hours * 60 + minutes <= 1440) {
		*(int *)at = hours * 60 + minutes;
		return 0;
	}
	conf_say(f->report, CONF_ERROR, &n->pos, "write it like \"06:30\"", "not a time of day");
	return ERR_INVALID;
}

#define LIMIT_ROWS(owner)                                                                                                                                 \
	{ .name = "limit_a", .type = CONF_AMPS, .min = A / 10, .max = 10000 * A, AT(owner, limit_ma),                  \
	  .help = "What the circuit may carry per phase then" },                                                                                 \
	MAYBE_INT("charging_w", owner, charging_w, POWER_MOST, "What charging below the circuit may take then"),                                        \
	MAYBE_INT("import_w", owner, import_w, POWER_MOST, "What the circuit may draw then; generation on it goes to cars, so 0 follows the sun")

static const struct conf_row schedule_rows[] = {
	{ .name = "circuit", .type = CONF_REF, .refers = "circuits", .table = &circuit_table, .required = true, AT(schedule_settings, circuit),
	  .help = "Where it holds" },
	{ .name = "days", .type = CONF_CHOICES, .words = WORDS("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
	  .preset = "[mon, tue, wed, thu, fri, sat, sun]", AT(schedule_settings, days), .help = "Days on which it begins" },
	{ .name = "from", .type = CONF_SPECIAL, .read = read_clock, .shape = "a time of day", .preset = "00:00", AT(schedule_settings, from_min),
	  .help = "When it begins, by the clock of site.timezone" },
	{ .name = "to", .type = CONF_SPECIAL, .read = read_clock, .shape = "a time of day", .preset = "24:00", AT(schedule_settings, to_min),
	  .help = "When it ends; before `from` is the next day" },
	LIMIT_ROWS(schedule_settings),
	{ 0 }
};
const struct conf_table schedule_table = { .noun = "schedule", .size = sizeof(struct schedule_settings), .rows = schedule_rows };

static const struct conf_row price_rows[] = {
	{ .name = "from", .type = CONF_SPECIAL, .read = read_clock, .shape = "a time of day", .required = true, AT(price_settings, from_min),
	  .help = "From when it holds, until the next one" },
	{ .name = "price", .type = CONF_NUMBER, .min = -1000000, .max = 1000000, .required = true, AT(price_settings, price), .help = "In any unit, as `above`" },
	{ 0 }
};
static const struct conf_table price_table = { .noun = "price", .size = sizeof(struct price_settings), .rows = price_rows };

static const struct conf_row tariff_rows[] = {
	{ .name = "circuit", .type = CONF_REF, .refers = "circuits", .table = &circuit_table, .required = true, AT(tariff_settings, circuit),
	  .help = "Where it holds" },
	{ .name = "prices", .type = CONF_ITEMS, .table = &price_table, AT(tariff_settings, prices),
	  .help = "Of every day; those of the command tariff.set go before them as long as they last" },
	{ .name = "above", .type = CONF_NUMBER, .min = -1000000, .max = 1000000, .required = true, AT(tariff_settings, above),
	  .help = "While the price is higher, the limits hold" },
	LIMIT_ROWS(tariff_settings),
	{ 0 }
};
const struct conf_table tariff_table = { .noun = "tariff", .size = sizeof(struct tariff_settings), .rows = tariff_rows };
