#include "ocpp/dialect.h"

static const struct dialect dialects[OCPP_VERSIONS] = {
	[OCPP16] = { .station_status = true, .unlock_ends_tx = true, .plain_update = true,
	             .too_many = "OccurenceConstraintViolation", .names = 0 },
	[OCPP201] = { .names_tx = true, .tx_tells_all = true, .refuses_by_error = true,
	              .too_many = "OccurrenceConstraintViolation", .names = 1, .phases_ensured = true, .defaults_stack = true, .compresses = true },
	[OCPP21] = { .names_tx = true, .tx_tells_all = true, .refuses_by_error = true,
	              .too_many = "OccurrenceConstraintViolation", .names = 1, .phases_ensured = true, .defaults_stack = true, .compresses = true },
};

const struct dialect *dialect_of(enum ocpp_version v)
{
	return &dialects[v];
}

struct slice dialect_security_event(const struct dialect *d, struct slice type)
{
	static const char *const words[][2] = {
		{ "FailedToAuthenticateAtCsms", "FailedToAuthenticateAtCentralSystem" },
		{ "CsmsFailedToAuthenticate", "CentralSystemFailedToAuthenticate" },
		{ "InvalidCsmsCertificate", "InvalidCentralSystemCertificate" },
		{ "InvalidChargingStationCertificate", "InvalidChargePointCertificate" },
	};
	for (size_t i = 0; d->names == 0 && i < sizeof(words) / sizeof(words[0]); i++) {
		if (slice_is(type, words[i][0]))
			return slice_of(words[i][1]);
	}
	return type;
}

enum evse_state dialect_state(const struct dialect *d, enum evse_state state)
{
	if (!d->tx_tells_all)
		return state;
	switch (state) {
	case EVSE_PREPARING:
	case EVSE_CHARGING:
	case EVSE_SUSPENDED_EV:
	case EVSE_SUSPENDED_EVSE:
	case EVSE_FINISHING:
		return EVSE_OCCUPIED;
	default:
		return state;
	}
}

const char *dialect_state_word(enum evse_state state)
{
	switch (state) {
	case EVSE_AVAILABLE:
		return "Available";
	case EVSE_RESERVED:
		return "Reserved";
	case EVSE_FAULTED:
		return "Faulted";
	case EVSE_UNKNOWN:
	case EVSE_UNAVAILABLE:
		return "Unavailable";
	default:
		return "Occupied";
	}
}
