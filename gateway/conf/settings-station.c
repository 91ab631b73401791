/* Keys of charging stations, what holds for all of them, and what is done with those that are not listed. */
#include <string.h>

#include "gateway/conf/settings-rows.h"
#include "gateway/conf/settings-tables.h"

/* ---- not listed ---- */

static const struct conf_row auto_circuit_rows[] = {
	{ .name = "circuit", .type = CONF_REF, .refers = "circuits", .table = &circuit_table, .required = true, AT(onboarding_settings, circuit),
	  .help = "Where unknown stations are put" },
	{ 0 }
};
static const struct conf_table auto_table = { .noun = "onboarding.auto", .size = sizeof(struct onboarding_settings), .rows = auto_circuit_rows };
static const struct conf_row onboarding_rows[] = {
	{ .name = "auto", .type = CONF_SECTION, .required = true, .table = &auto_table, .help = "Unknown stations are served on this circuit" },
	{ 0 }
};
static const struct conf_table onboarding_table = { .noun = "onboarding", .size = sizeof(struct onboarding_settings), .rows = onboarding_rows };

int settings_onboarding(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	struct onboarding_settings *o = at;
	int i;
	if (n->kind == CONF_MAP) {
		o->mode = ONBOARDING_AUTO;
		conf_fill(f, &onboarding_table, n, o);
		return 0;
	}
	if (settings_word(f, row, n, &i) != 0)
		return ERR_INVALID;
	o->mode = (enum onboarding_mode)i;
	return 0;
}

/* Ranges have had their list dealt out by now, so a list here belongs to a single station. */
static int read_station_rotation(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	if (n->kind == CONF_LIST)
		return settings_refuse(f, n, "give this station one rotation", "a list of rotations needs a range of stations");
	return settings_rotation(f, row, n, at);
}

static int read_station_password(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	struct conf_row plain = *row;
	plain.read = NULL;
	if (strcmp(n->text, "relay") != 0)
		return conf_read(f, &plain, n, at);
	OWNER(station_settings, password, at)->password_relay = true;
	return 0;
}

/* ---- stations ---- */

/* Keys that station_defaults and a station share, in that order of precedence. */
#define STATION_SHARED_ROWS                                                                                                                  \
	{ .name = "uplink", .type = CONF_REF, .refers = "uplinks", .table = &uplink_table, AT(station_settings, uplink), .takes_effect = AT_RECONNECT,    \
	  .help = "Where its messages go; without one they stay in the box" },                                                                    \
	{ .name = "subprotocols", .type = CONF_TEXTS, .words = WORDS("ocpp2.1", "ocpp2.0.1", "ocpp1.6"), .later = "ocpp1.5s ocpp1.2s",             \
	  .preset = "[ocpp2.1, ocpp2.0.1, ocpp1.6]", AT(station_settings, subprotocols), .takes_effect = AT_RECONNECT,                            \
	  .help = "Versions that may be spoken, in order of preference" },                                                                       \
	{ .name = "password", .type = CONF_SECRET, .read = read_station_password, .shape = "`cred:NAME`, a hash, or `relay`", AT(station_settings, password),    \
	  .takes_effect = AT_RECONNECT, .help = "What it has to show, or its hash (`ampgate hash`); relay passes what it shows on to the CSMS" },   \
	{ .name = "min_security_profile", .type = CONF_INT, .min = 0, .max = 3, .preset = "0", AT(station_settings, min_security_profile),           \
	  .takes_effect = AT_RECONNECT, .help = "Refused below this profile, whatever its listener allows" },                                    \
	{ .name = "evses", .type = CONF_INT, .min = 1, .max = 64, .preset = "1", AT(station_settings, evses), .help = "How many EVSEs it has" },       \
	{ .name = "kind", .type = CONF_CHOICE, .words = WORDS("ac", "dc"), .preset = "ac", AT(station_settings, dc),                                  \
	  .help = "dc: it charges with direct current; it is told powers, and what it draws is read from its power" },                           \
	{ .name = "max_power_w", .type = CONF_INT, .min = 0, .max = 10000000, .preset = "0", .at_times = true, AT(station_settings, max_power_w),     \
	  .help = "dc: most that one EVSE gives to a car" },                                                                                     \
	{ .name = "min_power_w", .type = CONF_INT, .min = 0, .max = 10000000, .preset = "3000", .at_times = true, AT(station_settings, min_power_w),  \
	  .help = "dc: an EVSE that would get less is paused" },                                                                                 \
	{ .name = "fallback_power_w", .type = CONF_INT, .min = 0, .max = 10000000, .preset = "0", .at_times = true,                                  \
	  AT(station_settings, fallback_power_w), .help = "dc: what each EVSE gives by itself when this box cannot reach it; 0 pauses" },          \
	{ .name = "efficiency", .type = CONF_NUMBER, .min = 500, .max = 1000, .preset = "0.93", .at_times = true, AT(station_settings, efficiency),   \
	  .help = "dc: the part of what it draws from the grid that reaches the car" },                                                          \
	{ .name = "max_current_a", .type = CONF_AMPS, .min = 6 * A, .max = 1000 * A, .preset = "32", AT(station_settings, max_current_ma),            \
	  .help = "Most that one EVSE gets per phase" },                                                                                        \
	{ .name = "min_current_a", .type = CONF_AMPS, .min = 6 * A, .max = 80 * A, AT(station_settings, min_current_ma),                             \
	  .help = "An EVSE that would get less is paused; that of balancing when not said" },                                                    \
	{ .name = "fallback_current_a", .type = CONF_AMPS, .min = 0, .max = 1000 * A, .preset = "6", AT(station_settings, fallback_current_ma),       \
	  .help = "What each EVSE takes per phase when this box cannot reach it; kept in the station as its default profile" },                   \
	{ .name = "switch_phases_after", .type = CONF_DURATION, .min = 0, .max = DAY, .preset = "0s", AT(station_settings, switch_phases_after_us),   \
	  .help = "It can charge on one phase alone, by numberPhases (its first, or the one with most room where it has ACPhaseSwitchingSupported): it does where three would have to wait, and changes no sooner than this again; 0: it cannot" }, \
	{ .name = "step_a", .type = CONF_AMPS, .min = 0, .max = 100 * A, .preset = "0", AT(station_settings, step_ma),                               \
	  .help = "It takes multiples of this only, so nothing else is planned for it; 0: any" },                                                \
	{ .name = "priority", .type = CONF_INT, .min = 0, .max = 100, .preset = "0", AT(station_settings, priority), .help = "The highest is served first" }, \
	{ .name = "meter_interval", .type = CONF_DURATION, .min = S, .max = H, .preset = "10s", AT(station_settings, meter_interval_us),              \
	  .help = "How often it is asked to send meter values while charging" },                                                                \
	{ .name = "limit_response", .type = CONF_DURATION, .min = 0, .max = H, .preset = "0s", AT(station_settings, limit_response_us),                \
	  .help = "How long its current takes to follow a limit; 0 for what is known of the model, 15 s where nothing is" },                      \
	{ .name = "validation", .type = CONF_CHOICE, .words = WORDS("lenient", "strict", "off"), .preset = "lenient", AT(station_settings, validation), \
	  .help = "Messages that break the standard: lenient reports them, strict answers an error, off does not look" }

static const struct conf_row station_defaults_rows[] = { STATION_SHARED_ROWS, { 0 } };
const struct conf_table station_defaults_table = { .noun = "station_defaults", .size = sizeof(struct station_settings), .rows = station_defaults_rows };

static const struct conf_row station_rows[] = {
	{ .name = "name", .type = CONF_TEXT, AT(station_settings, name), .help = "Name for people" },
	{ .name = "circuit", .type = CONF_REF, .refers = "circuits", .table = &circuit_table, .required = true, AT(station_settings, circuit),
	  .help = "What feeds it" },
	{ .name = "rotation", .type = CONF_SPECIAL, .read = read_station_rotation, .words = ROTATIONS,
	  .shape = "a word, or a list that is dealt out over a range: ", AT(station_settings, rotation),
	  .help = "Phases of the grid at the terminals L1, L2 and L3 of the station; RST when neither this nor phases says otherwise" },
	{ .name = "phases", .type = CONF_SPECIAL, .read = settings_wired_phases, .shape = "1 to 3, or a list of L1, L2, L3", .min = 1, .max = 3,
	  AT(station_settings, phases), .help = "How many phases it uses, or which of the grid; all of its circuit when not said" },
	{ .name = "certificate_cn", .type = CONF_TEXT, .min = 1, .max = 64, AT(station_settings, certificate_cn),
	  .help = "CN of its certificate under security profile 3, such as its serial number; its identity when not said" },
	{ .name = "uplink_id", .type = CONF_IDENTITY, AT(station_settings, uplink_id), .takes_effect = AT_RECONNECT,
	  .help = "Its identity towards the CSMS, where it differs" },
	{ .name = "replaces", .type = CONF_IDENTITY, AT(station_settings, replaces),
	  .help = "The station in whose place it stands: in an aggregate it takes over the numbers" },
	STATION_SHARED_ROWS,
	{ 0 }
};
const struct conf_table station_table = { .noun = "station", .size = sizeof(struct station_settings), .ids_are_identities = true, .rows = station_rows };
