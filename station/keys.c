/* A row serves both device models, so a value set through one name is what the other shows. Where the values themselves differ (rate units
 * are "Current,Power" in one and "A,W" in the other) there are two rows with one name each. */
#include "station/keys.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "station/authz.h"
#include "energy/profile.h"
#include "station/sampling.h"

#define TEXT(n) TEXT_(n)
#define TEXT_(n) #n

enum type { T_INT, T_BOOL, T_MEASURANDS, T_TEXT };

static const struct row {
	const char *names[2];
	enum type type;
	bool writable;
	int64_t min, max;
	const char *preset;
} rows[] = {
	[KEY_HEARTBEAT] = { { "HeartbeatInterval", "OCPPCommCtrlr.HeartbeatInterval" }, T_INT, true, 1, 86400 * 7, "300" },
	[KEY_SAMPLE_INTERVAL] = { { "MeterValueSampleInterval", "SampledDataCtrlr.TxUpdatedInterval" }, T_INT, true, 0, 86400, "60" },
	[KEY_SAMPLED_DATA] = { { "MeterValuesSampledData", "SampledDataCtrlr.TxUpdatedMeasurands" }, T_MEASURANDS, true, 0, 0, MEASURANDS_DEFAULT },
	[KEY_CONNECTION_TIMEOUT] = { { "ConnectionTimeOut", "TxCtrlr.EVConnectionTimeOut" }, T_INT, true, 1, 86400, "60" },
	[KEY_ATTEMPTS] = { { "TransactionMessageAttempts", "OCPPCommCtrlr.MessageAttempts[TransactionEvent]" }, T_INT, true, 1, 100, "3" },
	[KEY_RETRY_INTERVAL] = { { "TransactionMessageRetryInterval", "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]" },
	                         T_INT, true, 0, 86400, "60" },
	[KEY_AUTHORIZE_REMOTE] = { { "AuthorizeRemoteTxRequests", "AuthCtrlr.AuthorizeRemoteStart" }, T_BOOL, true, 0, 0, "false" },
	[KEY_LOCAL_PRE_AUTHORIZE] = { { "LocalPreAuthorize", "AuthCtrlr.LocalPreAuthorize" }, T_BOOL, true, 0, 0, "false" },
	[KEY_LOCAL_OFFLINE] = { { "LocalAuthorizeOffline", "AuthCtrlr.LocalAuthorizeOffline" }, T_BOOL, true, 0, 0, "true" },
	[KEY_OFFLINE_UNKNOWN] = { { "AllowOfflineTxForUnknownId", "AuthCtrlr.OfflineTxForUnknownIdEnabled" }, T_BOOL, true, 0, 0, "false" },
	[KEY_STOP_ON_INVALID] = { { "StopTransactionOnInvalidId", "TxCtrlr.StopTxOnInvalidId" }, T_BOOL, true, 0, 0, "true" },
	[KEY_CONNECTORS] = { { "NumberOfConnectors", NULL }, T_INT, false, 0, 0, "1" },
	[KEY_VENDOR] = { { NULL, "ChargingStation.VendorName" }, T_TEXT, false, 0, 0, "" },
	[KEY_MODEL] = { { NULL, "ChargingStation.Model" }, T_TEXT, false, 0, 0, "" },
	[KEY_SERIAL] = { { NULL, "ChargingStation.SerialNumber" }, T_TEXT, false, 0, 0, "" },
	[KEY_FIRMWARE] = { { NULL, "ChargingStation.FirmwareVersion" }, T_TEXT, false, 0, 0, "" },
	[KEY_PHASES] = { { NULL, "ChargingStation.SupplyPhases" }, T_INT, false, 0, 0, "3" },

	[KEYS_ACTED_ON] = { { "SupportedFeatureProfiles", NULL }, T_TEXT, false, 0, 0,
	                    "Core,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger" },
	{ { "StopTransactionOnEVSideDisconnect", "TxCtrlr.StopTxOnEVSideDisconnect" }, T_BOOL, false, 0, 0, "true" },
	{ { "UnlockConnectorOnEVSideDisconnect", NULL }, T_BOOL, false, 0, 0, "true" },
	{ { "ClockAlignedDataInterval", "AlignedDataCtrlr.Interval" }, T_INT, false, 0, 0, "0" },
	{ { "MeterValuesAlignedData", "AlignedDataCtrlr.Measurands" }, T_TEXT, false, 0, 0, "" },
	{ { "StopTxnAlignedData", "AlignedDataCtrlr.TxEndedMeasurands" }, T_TEXT, false, 0, 0, "" },
	{ { "StopTxnSampledData", NULL }, T_TEXT, false, 0, 0, "" },
	{ { NULL, "SampledDataCtrlr.TxStartedMeasurands" }, T_TEXT, false, 0, 0, MEASURANDS_DEFAULT },
	{ { NULL, "SampledDataCtrlr.TxEndedMeasurands" }, T_TEXT, false, 0, 0, MEASURANDS_DEFAULT },
	{ { "ConnectorPhaseRotation", NULL }, T_TEXT, false, 0, 0, "NotApplicable" },
	{ { "GetConfigurationMaxKeys", NULL }, T_INT, false, 0, 0, "200" },
	{ { "ResetRetries", "OCPPCommCtrlr.ResetRetries" }, T_INT, false, 0, 0, "0" },
	{ { NULL, "TxCtrlr.TxStartPoint" }, T_TEXT, false, 0, 0, "PowerPathClosed" },
	{ { NULL, "TxCtrlr.TxStopPoint" }, T_TEXT, false, 0, 0, "PowerPathClosed" },
	{ { NULL, "DeviceDataCtrlr.ItemsPerMessage[GetVariables]" }, T_INT, false, 0, 0, "200" },
	{ { NULL, "DeviceDataCtrlr.ItemsPerMessage[SetVariables]" }, T_INT, false, 0, 0, "200" },
	{ { "LocalAuthListEnabled", "LocalAuthListCtrlr.Enabled" }, T_BOOL, false, 0, 0, "true" },
	{ { "LocalAuthListMaxLength", NULL }, T_INT, false, 0, 0, TEXT(AUTHZ_LIST_MOST) },
	{ { "SendLocalListMaxLength", "LocalAuthListCtrlr.ItemsPerMessage" }, T_INT, false, 0, 0, TEXT(AUTHZ_LIST_MOST) },
	{ { "AuthorizationCacheEnabled", "AuthCacheCtrlr.Enabled" }, T_BOOL, false, 0, 0, "true" },
	{ { "ReserveConnectorZeroSupported", "ReservationCtrlr.NonEvseSpecific" }, T_BOOL, false, 0, 0, "false" },
	{ { "ChargeProfileMaxStackLevel", "SmartChargingCtrlr.ProfileStackLevel" }, T_INT, false, 0, 0, TEXT(PROFILES_STACK_MOST) },
	{ { "ChargingScheduleAllowedChargingRateUnit", NULL }, T_TEXT, false, 0, 0, "Current,Power" },
	{ { NULL, "SmartChargingCtrlr.RateUnit" }, T_TEXT, false, 0, 0, "A,W" },
	{ { "ChargingScheduleMaxPeriods", "SmartChargingCtrlr.PeriodsPerSchedule" }, T_INT, false, 0, 0, TEXT(PROFILE_PERIODS_MOST) },
	{ { "MaxChargingProfilesInstalled", "SmartChargingCtrlr.Entries[ChargingProfiles]" }, T_INT, false, 0, 0, TEXT(PROFILES_MOST) },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))
_Static_assert(ROWS <= KEYS_MOST, "struct keys holds one value per row");

void keys_open(struct keys *k)
{
	memset(k, 0, sizeof(*k));
	for (size_t i = 0; i < ROWS; i++)
		k->value[i] = mem_strdup(rows[i].preset);
}

void keys_close(struct keys *k)
{
	for (size_t i = 0; i < ROWS; i++)
		mem_free(k->value[i]);
	memset(k, 0, sizeof(*k));
}

void keys_preset(struct keys *k, enum key key, const char *value)
{
	mem_free(k->value[key]);
	k->value[key] = mem_strdup(value ? value : "");
}

size_t keys_count(void)
{
	return ROWS;
}

const char *keys_name(size_t row, unsigned names)
{
	return rows[row].names[names];
}

bool keys_readonly(size_t row)
{
	return !rows[row].writable;
}

int keys_find(unsigned names, struct slice name)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].names[names] && slice_eq_nocase(slice_of(rows[i].names[names]), name))
			return (int)i;
	}
	return ERR_NOT_FOUND;
}

static struct slice component_of(struct slice name)
{
	const char *dot = memchr(name.p, '.', name.n);
	return (struct slice){ name.p, dot ? (size_t)(dot - name.p) : name.n };
}

bool keys_has_component(unsigned names, struct slice name)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].names[names] && slice_eq_nocase(component_of(slice_of(rows[i].names[names])), component_of(name)))
			return true;
	}
	return false;
}

static int check(const struct row *r, struct slice value)
{
	int64_t number;
	measurands set;
	switch (r->type) {
	case T_INT:
		return int_parse(value, &number) == 0 && number >= r->min && number <= r->max ? 0 : ERR_INVALID;
	case T_BOOL:
		return slice_eq_nocase(value, SLICE("true")) || slice_eq_nocase(value, SLICE("false")) ? 0 : ERR_INVALID;
	case T_MEASURANDS:
		return sampling_parse(value, &set);
	default:
		return 0;
	}
}

int keys_set(struct keys *k, size_t row, struct slice value)
{
	assert(row < ROWS);
	if (!rows[row].writable)
		return ERR_REFUSED;
	int err = check(&rows[row], value);
	if (err)
		return err;
	mem_free(k->value[row]);
	k->value[row] = mem_text(value);
	return 0;
}

const char *keys_text(const struct keys *k, size_t row)
{
	return k->value[row];
}

int64_t keys_int(const struct keys *k, enum key key)
{
	int64_t number = 0;
	int err = int_parse(slice_of(k->value[key]), &number);
	assert(err == 0);
	(void)err;
	return number;
}

bool keys_bool(const struct keys *k, enum key key)
{
	return slice_eq_nocase(slice_of(k->value[key]), SLICE("true"));
}
