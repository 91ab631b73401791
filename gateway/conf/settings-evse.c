/* Keys of the EVSEs of this box: what switches them and what tells of them. */
#include "gateway/conf/settings-rows.h"
#include "gateway/conf/settings-tables.h"

#define POINT_ROWS                                                                                                                           \
	{ .name = "host", .type = CONF_TEXT, AT(io_point, host), .takes_effect = AT_RECONNECT, .help = "Modbus TCP: address or name" },           \
	{ .name = "port", .type = CONF_INT, .min = 1, .max = 65535, .preset = "502", .at_times = true, AT(io_point, port), .takes_effect = AT_RECONNECT,            \
	  .help = "Modbus TCP: port" },                                                                                                         \
	{ .name = "bus", .type = CONF_REF, .refers = "buses", .table = &bus_table, AT(io_point, bus), .takes_effect = AT_RECONNECT,               \
	  .help = "Modbus RTU: its line" },                                                                                                     \
	{ .name = "unit", .type = CONF_INT, .min = 0, .max = 255, .preset = "1", AT(io_point, unit), .takes_effect = AT_RECONNECT,                \
	  .help = "Modbus unit number" }

#define LINE_ROWS                                                                                                                            \
	{ .name = "chip", .type = CONF_TEXT, .max = 100, AT(io_point, chip), .takes_effect = AT_RECONNECT, .help = "GPIO: the chip, as gpiochip0" },  \
	{ .name = "line", .type = CONF_INT, .min = 0, .max = 65535, .at_times = true, AT(io_point, line), .takes_effect = AT_RECONNECT,               \
	  .help = "GPIO: number of the line" },                                                                                                 \
	{ .name = "active", .type = CONF_CHOICE, .words = WORDS("high", "low"), .preset = "high", AT(io_point, active),                               \
	  .takes_effect = AT_RECONNECT, .help = "The level that means closed, pressed or present" }

static const struct conf_row contactor_rows[] = {
	POINT_ROWS,
	{ .name = "coil", .type = CONF_INT, .min = 0, .max = 65535, .at_times = true, AT(io_point, address), .takes_effect = AT_RECONNECT,
	  .help = "Modbus: number of the coil, from 0" },
	LINE_ROWS,
	{ 0 }
};
static const struct conf_table contactor_table = { .noun = "contactor", .size = sizeof(struct io_point), .rows = contactor_rows };

static const struct conf_row feedback_rows[] = {
	POINT_ROWS,
	{ .name = "input", .type = CONF_INT, .min = 0, .max = 65535, .at_times = true, AT(io_point, address), .takes_effect = AT_RECONNECT,
	  .help = "Modbus: number of the discrete input, from 0" },
	LINE_ROWS,
	{ 0 }
};
static const struct conf_table feedback_table = { .noun = "feedback", .size = sizeof(struct io_point), .rows = feedback_rows };

static const struct conf_row board_rows[] = {
	{ .name = "device", .type = CONF_TEXT, .min = 1, .required = true, AT(board_settings, device), .takes_effect = AT_RECONNECT,
	  .help = "Serial device of the board" },
	{ .name = "baud", .type = CONF_INT, .min = 9600, .max = 460800, .preset = "115200", AT(board_settings, baud), .takes_effect = AT_RECONNECT,
	  .help = "Speed of its line" },
	{ 0 }
};
static const struct conf_table board_table = { .noun = "board", .size = sizeof(struct board_settings), .rows = board_rows };

static const struct conf_row controller_rows[] = {
	{ .name = "model", .type = CONF_TEXT, .min = 1, .max = 40, .required = true, AT(controller_settings, model), .takes_effect = AT_RECONNECT,
	  .help = "Its register map, from the directory of controllers" },
	{ .name = "host", .type = CONF_TEXT, AT(controller_settings, host), .takes_effect = AT_RECONNECT, .help = "Modbus TCP: address or name" },
	{ .name = "port", .type = CONF_INT, .min = 1, .max = 65535, .preset = "502", .at_times = true, AT(controller_settings, port),
	  .takes_effect = AT_RECONNECT, .help = "Modbus TCP: port" },
	{ .name = "bus", .type = CONF_REF, .refers = "buses", .table = &bus_table, AT(controller_settings, bus), .takes_effect = AT_RECONNECT,
	  .help = "Modbus RTU: its line" },
	{ .name = "unit", .type = CONF_INT, .min = 0, .max = 255, .preset = "1", AT(controller_settings, unit), .takes_effect = AT_RECONNECT,
	  .help = "Modbus unit number" },
	{ 0 }
};
static const struct conf_table controller_table = { .noun = "controller", .size = sizeof(struct controller_settings), .rows = controller_rows };

static const struct conf_row reader_rows[] = {
	{ .name = "driver", .type = CONF_CHOICE, .words = WORDS("keyboard", "serial", "plugin"), .required = true, AT(reader_settings, driver),
	  .takes_effect = AT_RECONNECT, .help = "It types like a keyboard (an input event device), sends lines, or is read by a plugin" },
	{ .name = "device", .type = CONF_TEXT, .min = 1, AT(reader_settings, device), .takes_effect = AT_RECONNECT,
	  .help = "Its device; EVSEs that name the same one share it" },
	{ .name = "baud", .type = CONF_INT, .min = 300, .max = 460800, .preset = "9600", .at_times = true, AT(reader_settings, baud),
	  .takes_effect = AT_RECONNECT, .help = "Speed of a serial line" },
	{ .name = "plugin", .type = CONF_TEXT, .min = 1, .max = 40, AT(reader_settings, plugin), .takes_effect = AT_RESTART,
	  .help = "Driver plugin: which one of plugins.load; EVSEs that name the same one with the same options share the reader" },
	{ .name = "options", .type = CONF_SPECIAL, .read = settings_options, .shape = "a map, as the plugin wants it", AT(reader_settings, options),
	  .takes_effect = AT_RESTART, .help = "Driver plugin: what is for the plugin; `ampgate plugin test` tries it" },
	{ 0 }
};
static const struct conf_table reader_table = { .noun = "reader", .size = sizeof(struct reader_settings), .rows = reader_rows };

static const struct conf_row evse_rows[] = {
	{ .name = "circuit", .type = CONF_REF, .refers = "circuits", .table = &circuit_table, .required = true, AT(evse_settings, circuit),
	  .help = "What feeds it" },
	{ .name = "uplink", .type = CONF_REF, .refers = "uplinks", .table = &uplink_table, AT(evse_settings, uplink), .takes_effect = AT_RECONNECT,
	  .help = "Where it appears as a station; without one it is known to this box alone" },
	{ .name = "station", .type = CONF_IDENTITY, AT(evse_settings, station), .takes_effect = AT_RECONNECT,
	  .help = "The station it belongs to, where one station has several EVSEs; they are numbered in the order of the file" },
	{ .name = "version", .type = CONF_CHOICE, .words = WORDS("ocpp1.6", "ocpp2.0.1"), .preset = "ocpp1.6", AT(evse_settings, version),
	  .takes_effect = AT_RECONNECT, .help = "What it speaks as a station" },
	{ .name = "driver", .type = CONF_CHOICE, .words = WORDS("modbus-relay", "sim", "gpio-relay", "pilot-board", "modbus-evse", "plugin"), .required = true,
	  AT(evse_settings, driver), .takes_effect = AT_RECONNECT,
	  .help = "What switches it; sim is a contactor with a car that exists only in this program" },
	{ .name = "plugin", .type = CONF_TEXT, .min = 1, .max = 40, AT(evse_settings, plugin), .takes_effect = AT_RESTART,
	  .help = "Driver plugin: which one of plugins.load" },
	{ .name = "options", .type = CONF_SPECIAL, .read = settings_options, .shape = "a map, as the plugin wants it", AT(evse_settings, options),
	  .takes_effect = AT_RESTART, .help = "Driver plugin: what is for the plugin; `ampgate plugin test` tries it" },
	{ .name = "rotation", .type = CONF_SPECIAL, .read = settings_rotation, .words = ROTATIONS, AT(evse_settings, rotation),
	  .help = "Phases of the grid at the terminals L1, L2 and L3 of the EVSE; RST when neither this nor phases says otherwise" },
	{ .name = "phases", .type = CONF_SPECIAL, .read = settings_wired_phases, .shape = "1 to 3, or a list of L1, L2, L3", .min = 1, .max = 3,
	  AT(evse_settings, phases), .help = "How many phases it switches, or which of the grid; all of its circuit when not said" },
	{ .name = "current_a", .type = CONF_AMPS, .min = 1 * A, .max = 80 * A, .required = true, AT(evse_settings, current_ma),
	  .help = "What it takes per phase when it is on: all or nothing without a control pilot, else the most" },
	{ .name = "switch_phases_after", .type = CONF_DURATION, .min = 0, .max = DAY, .preset = "0s", .at_times = true, AT(evse_settings, switch_phases_after_us),
	  .help = "Its hardware has a second contactor for L2 and L3: it charges on its L1 alone where three phases would have to wait, and changes no sooner than this again; 0: it does not" },
	{ .name = "pilot", .type = CONF_BOOL, .preset = "false", .at_times = true, AT(evse_settings, pilot), .takes_effect = AT_RECONNECT,
	  .help = "Drivers sim and plugin: with a control pilot, so that the car is told how much" },
	{ .name = "file", .type = CONF_TEXT, .at_times = true, AT(evse_settings, file), .takes_effect = AT_RECONNECT,
	  .help = "Driver sim: a JSON file that moves the car and breaks things while the program runs" },
	{ .name = "wake", .type = CONF_BOOL, .preset = "true", .at_times = true, AT(evse_settings, wake), .takes_effect = AT_RECONNECT,
	  .help = "With a pilot board: a car that does not ask within half a minute is woken once, by state E or F of its pilot" },
	{ .name = "authorize", .type = CONF_CHOICES, .words = WORDS("free", "remote", "local_list", "cache", "schedule"), .preset = "[remote, local_list]",
	  AT(evse_settings, authorize),
	  .help = "Who may start: anyone who plugs in, the CSMS, tokens of the local list, tokens seen before, anyone during 'hours'" },
	{ .name = "hours", .type = CONF_TEXTS, .preset = "[]", .at_times = true, AT(evse_settings, hours), .help = "Local times of day at which charging needs no token: [22:00-06:00]" },
	{ .name = "token", .type = CONF_TEXT, .min = 1, .max = 20, .preset = "FREE", .at_times = true, AT(evse_settings, token),
	  .help = "Token that sessions carry which nobody had to authorize" },
	{ .name = "contactor", .type = CONF_MAYBE, .table = &contactor_table, AT(evse_settings, contactor), .help = "The output that closes the contactor" },
	{ .name = "feedback", .type = CONF_MAYBE, .table = &feedback_table, AT(evse_settings, feedback),
	  .help = "The input that tells whether the contactor is closed, to notice a welded one" },
	{ .name = "plugged", .type = CONF_MAYBE, .table = &feedback_table, AT(evse_settings, plugged),
	  .help = "The input that tells whether a load is there; without it one is taken to be" },
	{ .name = "emergency_stop", .type = CONF_MAYBE, .table = &feedback_table, AT(evse_settings, emergency_stop),
	  .help = "Driver gpio-relay: the input of an emergency stop" },
	{ .name = "residual_current", .type = CONF_MAYBE, .table = &feedback_table, AT(evse_settings, residual_current),
	  .help = "Driver gpio-relay: the input that tells that a residual current device has tripped" },
	{ .name = "mains", .type = CONF_MAYBE, .table = &feedback_table, AT(evse_settings, mains), .help = "Driver gpio-relay: the input that tells that there is supply" },
	{ .name = "heartbeat", .type = CONF_MAYBE, .table = &contactor_table, AT(evse_settings, heartbeat),
	  .help = "Driver gpio-relay: an output that changes its level several times a second as long as this program is well, for a watchdog" },
	{ .name = "board", .type = CONF_MAYBE, .table = &board_table, AT(evse_settings, board), .help = "Driver pilot-board: the board" },
	{ .name = "controller", .type = CONF_MAYBE, .table = &controller_table, AT(evse_settings, controller), .help = "Driver modbus-evse: the charge controller" },
	{ .name = "reader", .type = CONF_MAYBE, .table = &reader_table, AT(evse_settings, reader), .help = "The card reader in front of this EVSE" },
	{ .name = "meter", .type = CONF_MAYBE, .table = &meter_table, AT(evse_settings, meter), .help = "The meter of this EVSE; its phases are those at the EVSE's terminals" },
	{ 0 }
};
const struct conf_table evse_table = { .takes_effect = AT_RESTART, .noun = "evse", .size = sizeof(struct evse_settings), .ids_are_identities = true, .rows = evse_rows };
