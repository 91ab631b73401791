/* Keys of what carries and measures current, and of how it is shared: circuits, buses, meters, balancing. */
#include <string.h>

#include "base/json.h"
#include "gateway/conf/settings-rows.h"
#include "gateway/conf/settings-tables.h"

static int read_parity(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	int i;
	if (settings_word(f, row, n, &i) != 0)
		return ERR_INVALID;
	*(char *)at = "NEO"[i];
	return 0;
}

static int read_meter_lost(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	struct meter_lost_settings *lost = OWNER(meter_lost_settings, limit, at);
	struct conf_row amps = *row;
	int i;
	amps.type = CONF_AMPS;
	if (n->kind == CONF_SCALAR && strspn(n->text, "0123456789.") > 0) {
		lost->limit = LOST_AMPS;
		return conf_read(f, &amps, n, &lost->limit_ma);
	}
	if (settings_word(f, row, n, &i) != 0)
		return ERR_INVALID;
	lost->limit = (enum meter_lost)i;
	return 0;
}

/* A number of some type, or the row's one word. True: it was the word. */
static int read_or_auto(struct conf_fill *f, const struct conf_row *row, enum conf_type type, const struct conf_node *n, void *at, bool *auto_out)
{
	struct conf_row plain = *row;
	int i;
	plain.type = type;
	*auto_out = n->kind != CONF_SCALAR || strspn(n->text, "0123456789.") == 0;
	return *auto_out ? settings_word(f, row, n, &i) : conf_read(f, &plain, n, at);
}

static int read_duration_or_auto(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	bool by_us;
	int err = read_or_auto(f, row, CONF_DURATION, n, at, &by_us);
	if (by_us)
		*(int64_t *)at = DURATION_AUTO;
	return err;
}

static int read_amps_or_auto(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	bool by_us;
	int err = read_or_auto(f, row, CONF_AMPS, n, at, &by_us);
	if (by_us)
		*(int32_t *)at = AMPS_AUTO;
	return err;
}

static const struct conf_row circuit_rows[] = {
	{ .name = "kind", .type = CONF_CHOICE, .words = WORDS("feeder", "grid_connection"), .preset = "feeder", AT(circuit_settings, kind),
	  .help = "Exactly one circuit is the grid_connection, the root of the tree" },
	{ .name = "name", .type = CONF_TEXT, AT(circuit_settings, name), .help = "Name for people" },
	{ .name = "parent", .type = CONF_REF, .refers = "circuits", .table = &circuit_table, AT(circuit_settings, parent),
	  .help = "The circuit that feeds this one" },
	{ .name = "limit_a", .type = CONF_PHASE_AMPS, .min = 1 * A, .max = 10000 * A, .required = true, AT(circuit_settings, limit_ma),
	  .help = "What the circuit may carry per phase" },
	{ .name = "reserve_a", .type = CONF_AMPS, .min = 0, .max = 10000 * A, .preset = "0", AT(circuit_settings, reserve_ma),
	  .help = "Kept free below the limit" },
	{ .name = "phases", .type = CONF_PHASES, AT(circuit_settings, phases), .help = "Phases of the grid that it has; those of its parent when not said" },
	{ .name = "meter", .type = CONF_REF, .refers = "meters", .table = &meter_table, AT(circuit_settings, meter),
	  .help = "What measures it; without one the circuits and stations below are added up" },
	{ .name = "power_limit_w", .type = CONF_INT, .min = 100, .max = 100000000, AT(circuit_settings, power_limit_w),
	  .help = "Power of the contract: the mean over power_window stays at or below it" },
	{ .name = "power_limit_va", .type = CONF_INT, .min = 100, .max = 100000000, AT(circuit_settings, power_limit_va),
	  .help = "The same as apparent power, for a transformer" },
	{ .name = "power_window", .type = CONF_DURATION, .min = 0, .max = H, .preset = "15m", .at_times = true, AT(circuit_settings, power_window_us),
	  .help = "Time of the clock over which power counts, from each full hour on; 0s: at every moment" },
	{ .name = "imbalance_a", .type = CONF_AMPS, .min = 1 * A, .max = 1000 * A, AT(circuit_settings, imbalance_ma),
	  .help = "Most that one phase may carry above another because of cars that do not load all three" },
	{ .name = "fuse", .type = CONF_MAYBE, .table = &fuse_table, AT(circuit_settings, fuse),
	  .help = "What protects it: its trip curve is set against the time in which an overload is answered" },
	{ 0 }
};
const struct conf_table circuit_table = { .noun = "circuit", .size = sizeof(struct circuit_settings), .rows = circuit_rows };

static const struct conf_row bus_rows[] = {
	{ .name = "device", .type = CONF_TEXT, .required = true, AT(bus_settings, device), .takes_effect = AT_RECONNECT, .help = "Serial device" },
	{ .name = "baud", .type = CONF_INT, .min = 1200, .max = 115200, .preset = "9600", AT(bus_settings, baud), .takes_effect = AT_RECONNECT,
	  .help = "Bits per second" },
	{ .name = "parity", .type = CONF_SPECIAL, .read = read_parity, .words = WORDS("none", "even", "odd"), .preset = "even", AT(bus_settings, parity),
	  .takes_effect = AT_RECONNECT, .help = "Parity; with none there are two stop bits" },
	{ 0 }
};
const struct conf_table bus_table = { .takes_effect = AT_RESTART, .noun = "bus", .size = sizeof(struct bus_settings), .rows = bus_rows };

/* What a plugin wants is its own business: the map travels to it as JSON. A number or a truth value without quotes is one there too. */
static void write_option(struct json_writer *w, const struct conf_node *n)
{
	cJSON *plain = n->kind == CONF_SCALAR && !n->quoted ? json_parse(slice_of(n->text)) : NULL;
	if (n->kind != CONF_SCALAR) {
		n->kind == CONF_MAP ? jw_object(w, n->key) : jw_array(w, n->key);
		for (const struct conf_node *child = n->first; child; child = child->next)
			write_option(w, child);
		jw_end(w, n->kind == CONF_MAP ? '}' : ']');
	} else if (conf_is_null(n)) {
		jw_null(w, n->key);
	} else if (cJSON_IsNumber(plain) || cJSON_IsBool(plain)) {
		jw_raw(w, n->key, slice_of(n->text));
	} else {
		jw_string(w, n->key, n->text);
	}
	cJSON_Delete(plain);
}

int settings_options(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	struct buf out = { 0 };
	struct json_writer w;
	(void)row;
	if (n->kind != CONF_MAP)
		return settings_refuse(f, n, "write {key: value}", "options are a map");
	jw_open(&w, &out);
	jw_object(&w, NULL);
	for (const struct conf_node *child = n->first; child; child = child->next)
		write_option(&w, child);
	jw_end(&w, '}');
	*(const char **)at = arena_text(f->mem, buf_view(&out));
	buf_free(&out);
	return 0;
}

static const struct conf_row meter_rows[] = {
	{ .name = "driver", .type = CONF_CHOICE, .words = WORDS("modbus-tcp", "modbus-rtu", "sim", "plugin"), .required = true, AT(meter_settings, driver),
	  .takes_effect = AT_RECONNECT, .help = "How it is read; sim is a meter that exists only in this program" },
	{ .name = "plugin", .type = CONF_TEXT, .min = 1, .max = 40, AT(meter_settings, plugin), .takes_effect = AT_RESTART,
	  .help = "plugin: which one of plugins.load" },
	{ .name = "options", .type = CONF_SPECIAL, .read = settings_options, .shape = "a map, as the plugin wants it", AT(meter_settings, options),
	  .takes_effect = AT_RESTART, .help = "plugin: what is for the plugin; `ampgate plugin test` tries it" },
	{ .name = "model", .type = CONF_ID, AT(meter_settings, model), .takes_effect = AT_RECONNECT,
	  .help = "Name of its register map, a file in the models directory" },
	{ .name = "host", .type = CONF_TEXT, AT(meter_settings, host), .takes_effect = AT_RECONNECT, .help = "modbus-tcp: address or name" },
	{ .name = "port", .type = CONF_INT, .min = 1, .max = 65535, .preset = "502", .at_times = true, AT(meter_settings, port), .takes_effect = AT_RECONNECT,
	  .help = "modbus-tcp: TCP port" },
	{ .name = "bus", .type = CONF_REF, .refers = "buses", .table = &bus_table, AT(meter_settings, bus), .takes_effect = AT_RECONNECT,
	  .help = "modbus-rtu: its line" },
	{ .name = "unit", .type = CONF_INT, .min = 0, .max = 255, .preset = "1", .at_times = true, AT(meter_settings, unit), .takes_effect = AT_RECONNECT,
	  .help = "Modbus unit number" },
	{ .name = "poll", .type = CONF_DURATION, .min = 100 * MS, .max = H, .preset = "1s", AT(meter_settings, poll_us), .help = "Time from reading to reading" },
	{ .name = "stale_after", .type = CONF_DURATION, .min = 500 * MS, .max = H, .preset = "5s", AT(meter_settings, stale_after_us),
	  .help = "A meter without a reading for this long counts as lost" },
	{ .name = "ct_ratio", .type = CONF_NUMBER, .min = 1, .max = 100000000, .preset = "1", AT(meter_settings, ct_ratio),
	  .help = "Factor of current transformers that the meter does not know of" },
	{ .name = "invert", .type = CONF_BOOL, .preset = "false", AT(meter_settings, invert), .help = "Built in backwards: import and export change places" },
	{ 0 }
};
const struct conf_table meter_table = { .takes_effect = AT_RESTART, .noun = "meter", .size = sizeof(struct meter_settings), .rows = meter_rows };

static const struct conf_row increase_rows[] = {
	{ .name = "after", .type = CONF_SPECIAL, .read = read_duration_or_auto, .words = WORDS("auto"), .shape = "duration, or ", .max = H,
	  .preset = "auto", AT(balancing_settings, increase.after_us),
	  .help = "What was lowered rises this long after that at the earliest; auto: 45s, or 5m where little is free; 15s with rebalance_every 0s" },
	{ .name = "step_a", .type = CONF_SPECIAL, .read = read_amps_or_auto, .words = WORDS("auto"), .shape = "amperes, or ", .min = A / 10, .max = 1000 * A,
	  .preset = "auto", AT(balancing_settings, increase.step_ma), .help = "Most that it rises at once; auto: all that it has room for; 4 with rebalance_every 0s" },
	{ 0 }
};
/* Rows of this table count from the start of balancing, not of increase. */
static const struct conf_table increase_table = { .noun = "balancing.increase", .rows = increase_rows };

static const struct conf_row meter_lost_rows[] = {
	{ .name = "after", .type = CONF_DURATION, .min = 0, .max = H, .preset = "3s", AT(meter_lost_settings, after_us),
	  .help = "Time that readings may be stale before currents are lowered" },
	{ .name = "limit", .type = CONF_SPECIAL, .read = read_meter_lost, .words = WORDS("fallback", "stop"), .shape = "amperes per EVSE, or ", .max = 1000 * A,
	  .preset = "fallback", AT(meter_lost_settings, limit), .help = "Current of each EVSE below a circuit whose meter is lost" },
	{ 0 }
};
static const struct conf_table meter_lost_table = { .noun = "balancing.on_meter_lost", .size = sizeof(struct meter_lost_settings), .rows = meter_lost_rows };

static const struct conf_row balancing_rows[] = {
	{ .name = "interval", .type = CONF_DURATION, .min = 200 * MS, .max = MIN, .preset = "1s", AT(balancing_settings, interval_us),
	  .help = "Time from one allocation to the next" },
	{ .name = "strategy", .type = CONF_CHOICE, .words = WORDS("fair", "priority", "first-come", "deadline", "fair-energy", "ready"), .preset = "fair",
	  AT(balancing_settings, strategy),
	  .help = "Who gets what is left when it is not enough for everyone; deadline: in proportion to what each needs until it leaves, as far as known; fair-energy: who has got least in its session; ready: as many vehicles ready as can be" },
	{ .name = "rebalance_every", .type = CONF_SPECIAL, .read = read_duration_or_auto, .words = WORDS("auto"), .shape = "duration, or ", .max = H,
	  .preset = "auto", AT(balancing_settings, rebalance_us),
	  .help = "Shares that still fit are kept for so long before they are made even again, sooner when somebody comes or leaves; 0s: every share is followed at every step; auto: 10m" },
	{ .name = "margin", .type = CONF_CHOICE, .words = WORDS("auto", "on", "off"), .preset = "auto", AT(balancing_settings, margin),
	  .help = "Keeps half a per cent to six per cent of every limit free, as much as the overloads seen ask for, where a meter measures; auto: on, but off with rebalance_every 0s" },
	{ .name = "min_current_a", .type = CONF_AMPS, .min = 6 * A, .max = 80 * A, .preset = "6", AT(balancing_settings, min_current_ma),
	  .help = "An EVSE that would get less is paused" },
	{ .name = "rotate_every", .type = CONF_DURATION, .min = MIN, .max = DAY, .preset = "30m", AT(balancing_settings, rotate_every_us),
	  .help = "Time after which the paused ones have their turn" },
	{ .name = "increase", .type = CONF_SECTION, .table = &increase_table, .help = "How currents rise; they fall at once" },
	{ .name = "on_meter_lost", .type = CONF_SECTION, .table = &meter_lost_table, AT(balancing_settings, on_meter_lost), .help = "What happens without readings" },
	{ .name = "decision_log", .type = CONF_SIZE, .min = 0, .max = GIB, .preset = "16MiB", .takes_effect = AT_RESTART, AT(balancing_settings, decision_log_bytes),
	  .help = "Room for what was decided and from what, to be replayed with ampgate balance --replay; 0 keeps none" },
	{ 0 }
};
const struct conf_table balancing_table = { .noun = "balancing", .size = sizeof(struct balancing_settings), .rows = balancing_rows };
