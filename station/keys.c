/* A row serves both device models, so a value set through one name is what the other shows. Where the values themselves differ (rate units
 * are "Current,Power" in one and "A,W" in the other) there are two rows with one name each.
 *
 * Which variables a station has, and which of them it must have, is from the appendices of 2.0.1 and chapter 9 of 1.6. What the station
 * cannot follow is not offered for writing: a key that is accepted is honoured. */
#include "station/keys.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "energy/profile.h"
#include "station/authz.h"
#include "station/display.h"
#include "station/inside.h"
#include "station/monitors.h"
#include "station/sampling.h"

#define TEXT(n) TEXT_(n)
#define TEXT_(n) #n

#define RO ACCESS_READ
#define WO ACCESS_WRITE
#define RW ACCESS_BOTH
#define DAYS_S (86400 * 7)
#define MEASURANDS_ALL                                                                                                               \
	"Energy.Active.Import.Register,Power.Active.Import,Power.Offered,Current.Import,Current.Offered,Voltage"
#define ROTATIONS "NotApplicable,Unknown,RST,RTS,SRT,STR,TRS,TSR"
#define ROTATIONS_2X "RST,RTS,SRT,STR,TRS,TSR,RSx,RTx,SRx,STx,TRx,TSx,Rxx,Sxx,Txx" /* x: not connected */
#define STATES "Available,Occupied,Reserved,Unavailable,Faulted"
#define POINTS "EVConnected,Authorized,PowerPathClosed,EnergyTransfer"
#define BYTES "65536"
#define ITEMS TEXT(SETTINGS_MOST)

typedef int check(struct slice value);

static check check_measurands, check_percent, check_points, check_rotation, check_slots;

struct row {
	const char *names[2];
	struct setting_kind kind;
	const char *preset[2];    /* of 1.6 and of 2.x; one is enough where they agree */
	check *check;             /* NULL: the kind says all */
	enum key_place place;
	bool live;
};

#define INT(a, unit, least, most, is) .kind = { a, TYPE_INT, unit, NULL, least, most }, .preset = { is }
#define BOOL(a, is) .kind = { a, TYPE_BOOL, NULL, NULL, 0, 0 }, .preset = { is }
#define STRING(a, most, is) .kind = { a, TYPE_TEXT, NULL, NULL, 0, most }, .preset = { is }
#define LIST(a, words, is) .kind = { a, TYPE_MEMBERS, NULL, words, 0, 0 }, .preset = { is }
#define OPTION(a, words, is) .kind = { a, TYPE_OPTION, NULL, words, 0, 0 }, .preset = { is }
#define LIVE(type, unit, words) .kind = { RO, type, unit, words, 0, 0 }, .live = true

static const struct row rows[] = {
	[KEY_HEARTBEAT] = { { "HeartbeatInterval", "OCPPCommCtrlr.HeartbeatInterval" }, INT(RW, "s", 1, DAYS_S, "300") },
	[KEY_SAMPLE_INTERVAL] = { { "MeterValueSampleInterval", "SampledDataCtrlr.TxUpdatedInterval" }, INT(RW, "s", 0, 86400, "60") },
	[KEY_SAMPLED_DATA] = { { "MeterValuesSampledData", "SampledDataCtrlr.TxUpdatedMeasurands" },
	                       LIST(RW, MEASURANDS_ALL, MEASURANDS_DEFAULT), .check = check_measurands },
	[KEY_STARTED_DATA] = { { NULL, "SampledDataCtrlr.TxStartedMeasurands" }, LIST(RW, MEASURANDS_ALL, MEASURANDS_DEFAULT), .check = check_measurands },
	[KEY_ENDED_INTERVAL] = { { NULL, "SampledDataCtrlr.TxEndedInterval" }, INT(RW, "s", 0, 86400, "0") },
	[KEY_ENDED_DATA] = { { "StopTxnSampledData", "SampledDataCtrlr.TxEndedMeasurands" }, { RW, TYPE_MEMBERS, NULL, MEASURANDS_ALL, 0, 0 },
	                     { "", MEASURANDS_DEFAULT }, .check = check_measurands },
	[KEY_ALIGNED_INTERVAL] = { { "ClockAlignedDataInterval", "AlignedDataCtrlr.Interval" }, INT(RW, "s", 0, 86400, "0") },
	[KEY_ALIGNED_DATA] = { { "MeterValuesAlignedData", "AlignedDataCtrlr.Measurands" }, LIST(RW, MEASURANDS_ALL, MEASURANDS_DEFAULT),
	                       check_measurands },
	[KEY_ALIGNED_IDLE] = { { NULL, "AlignedDataCtrlr.SendDuringIdle" }, BOOL(RW, "false") },
	[KEY_ALIGNED_END_INTERVAL] = { { NULL, "AlignedDataCtrlr.TxEndedInterval" }, INT(RW, "s", 0, 86400, "0") },
	[KEY_ALIGNED_END_DATA] = { { "StopTxnAlignedData", "AlignedDataCtrlr.TxEndedMeasurands" },
	                           { RW, TYPE_MEMBERS, NULL, MEASURANDS_ALL, 0, 0 }, { "", MEASURANDS_DEFAULT }, .check = check_measurands },
	[KEY_CONNECTION_TIMEOUT] = { { "ConnectionTimeOut", "TxCtrlr.EVConnectionTimeOut" }, INT(RW, "s", 1, 86400, "60") },
	[KEY_START_POINT] = { { NULL, "TxCtrlr.TxStartPoint" }, LIST(RW, POINTS, "PowerPathClosed"), .check = check_points },
	[KEY_STOP_POINT] = { { NULL, "TxCtrlr.TxStopPoint" }, LIST(RW, POINTS, "PowerPathClosed"), .check = check_points },
	[KEY_STOP_ON_UNPLUG] = { { "StopTransactionOnEVSideDisconnect", "TxCtrlr.StopTxOnEVSideDisconnect" }, BOOL(RW, "true") },
	[KEY_STOP_ON_INVALID] = { { "StopTransactionOnInvalidId", "TxCtrlr.StopTxOnInvalidId" }, BOOL(RW, "true") },
	[KEY_MOST_ENERGY] = { { "MaxEnergyOnInvalidId", "TxCtrlr.MaxEnergyOnInvalidId" }, INT(RW, "Wh", 0, 1000000, "0") },
	[KEY_ATTEMPTS] = { { "TransactionMessageAttempts", "OCPPCommCtrlr.MessageAttempts[TransactionEvent]" }, INT(RW, NULL, 1, 100, "3") },
	[KEY_RETRY_INTERVAL] = { { "TransactionMessageRetryInterval", "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]" },
	                         INT(RW, "s", 0, 86400, "60") },
	[KEY_MESSAGE_TIMEOUT] = { { "MessageTimeout", "OCPPCommCtrlr.MessageTimeout[Default]" }, INT(RO, "s", 0, 0, "30") },
	[KEY_OFFLINE_THRESHOLD] = { { NULL, "OCPPCommCtrlr.OfflineThreshold" }, INT(RW, "s", 0, 86400, "60") },
	[KEY_MIN_STATUS] = { { "MinimumStatusDuration", NULL }, INT(RW, "s", 0, 3600, "0") },
	[KEY_AUTHORIZE_REMOTE] = { { "AuthorizeRemoteTxRequests", "AuthCtrlr.AuthorizeRemoteStart" }, BOOL(RW, "false") },
	[KEY_LOCAL_PRE_AUTHORIZE] = { { "LocalPreAuthorize", "AuthCtrlr.LocalPreAuthorize" }, BOOL(RW, "false") },
	[KEY_LOCAL_OFFLINE] = { { "LocalAuthorizeOffline", "AuthCtrlr.LocalAuthorizeOffline" }, BOOL(RW, "true") },
	[KEY_OFFLINE_UNKNOWN] = { { "AllowOfflineTxForUnknownId", "AuthCtrlr.OfflineTxForUnknownIdEnabled" }, BOOL(RW, "false") },
	[KEY_NO_REMOTE_AUTH] = { { NULL, "AuthCtrlr.DisableRemoteAuthorization" }, BOOL(RW, "false") },
	[KEY_MASTER_GROUP] = { { NULL, "AuthCtrlr.MasterPassGroupId" }, STRING(RW, 36, "") },
	[KEY_LIST_ENABLED] = { { "LocalAuthListEnabled", "LocalAuthListCtrlr.Enabled" }, BOOL(RW, "true") },
	[KEY_LIST_NO_POST] = { { NULL, "LocalAuthListCtrlr.DisablePostAuthorize" }, BOOL(RW, "false") },
	[KEY_CACHE_ENABLED] = { { "AuthorizationCacheEnabled", "AuthCacheCtrlr.Enabled" }, BOOL(RW, "true") },
	[KEY_CACHE_NO_POST] = { { NULL, "AuthCacheCtrlr.DisablePostAuthorize" }, BOOL(RW, "false") },
	[KEY_CACHE_LIFETIME] = { { NULL, "AuthCacheCtrlr.LifeTime" }, INT(RW, "s", 0, 315360000, "0") },
	[KEY_RESERVATIONS] = { { "ReservationEnabled", "ReservationCtrlr.Enabled" }, BOOL(RW, "true") },
	[KEY_RESERVE_ANY] = { { "ReserveConnectorZeroSupported", "ReservationCtrlr.NonEvseSpecific" }, BOOL(RO, "true") },
	[KEY_CONNECTOR_TYPE] = { { NULL, "Connector.ConnectorType" }, STRING(RO, 20, "cType2"), .place = PLACE_CONNECTOR },
	[KEY_SESSIONS_BEFORE_UPDATE] = { { "AllowNewSessionsPendingFirmwareUpdate", "ChargingStation.AllowNewSessionsPendingFirmwareUpdate" },
	                                 BOOL(RW, "false") },
	[KEY_MONITORING] = { { NULL, "MonitoringCtrlr.Enabled" }, BOOL(RW, "true") },
	[KEY_OFFLINE_SEVERITY] = { { NULL, "MonitoringCtrlr.OfflineQueuingSeverity" }, INT(RW, NULL, 0, 9, "9") },
	[KEY_NETWORK_PRIORITY] = { { NULL, "OCPPCommCtrlr.NetworkConfigurationPriority" }, { RW, TYPE_SEQUENCE, NULL, "0,1,2", 0, 0 }, { "0" },
	                           .check = check_slots },
	[KEY_NETWORK_ATTEMPTS] = { { NULL, "OCPPCommCtrlr.NetworkProfileConnectionAttempts" }, INT(RW, NULL, 1, 100, "3") },
	[KEY_PASSWORD] = { { "AuthorizationKey", "SecurityCtrlr.BasicAuthPassword" }, STRING(WO, 40, "") },
	[KEY_ORGANISATION] = { { "CpoName", "SecurityCtrlr.OrganizationName" }, STRING(RW, 64, "ampgate") },
	[KEY_SIGNING_WAIT] = { { "CertSigningWaitMinimum", "SecurityCtrlr.CertSigningWaitMinimum" }, INT(RW, "s", 1, 86400, "60") },
	[KEY_SIGNING_TIMES] = { { "CertSigningRepeatTimes", "SecurityCtrlr.CertSigningRepeatTimes" }, INT(RW, NULL, 0, 20, "3") },
	[KEY_SECURITY_PROFILE] = { { "SecurityProfile", "SecurityCtrlr.SecurityProfile" }, INT(RO, NULL, 0, 3, "0") },
	[KEY_PROFILE_ENTRIES] = { { "MaxChargingProfilesInstalled", "SmartChargingCtrlr.Entries[ChargingProfiles]" },
	                          .kind = { RO, TYPE_INT, NULL, NULL, 0, PROFILES_MOST }, .preset = { TEXT(PROFILES_MOST), "0" } },
	[KEY_CURRENCY] = { { NULL, "TariffCostCtrlr.Currency" }, STRING(RW, 3, "EUR") },
	[KEY_DISPLAY] = { { NULL, "DisplayMessageCtrlr.Enabled" }, BOOL(RW, "true") },
	[KEY_TARIFF_FALLBACK] = { { NULL, "TariffCostCtrlr.TariffFallbackMessage" }, STRING(RW, 255, "") },
	[KEY_COST_FALLBACK] = { { NULL, "TariffCostCtrlr.TotalCostFallbackMessage" }, STRING(RW, 255, "") },

	[KEY_LIMIT_SIGNIFICANCE] = { { NULL, "SmartChargingCtrlr.LimitChangeSignificance" }, { RW, TYPE_DECIMAL, "Percent", NULL, 0, 100 }, { "10" },
	                             .check = check_percent },
	[KEY_LIMIT_SCHEDULES] = { { NULL, "SmartChargingCtrlr.NotifyChargingLimitWithSchedules" }, BOOL(RW, "true") },

	[KEY_CONNECTORS] = { { "NumberOfConnectors", NULL }, INT(RO, NULL, 0, 0, "1") },
	[KEY_VENDOR] = { { NULL, "ChargingStation.VendorName" }, STRING(RO, 50, "") },
	[KEY_MODEL] = { { NULL, "ChargingStation.Model" }, STRING(RO, 50, "") },
	[KEY_SERIAL] = { { NULL, "ChargingStation.SerialNumber" }, STRING(RO, 50, "") },
	[KEY_FIRMWARE] = { { NULL, "ChargingStation.FirmwareVersion" }, STRING(RO, 50, "") },
	[KEY_SWITCHES_PHASES] = { { "ConnectorSwitch3to1PhaseSupported", "SmartChargingCtrlr.Phases3to1" }, BOOL(RO, "false") },
	/* Where the station knows it, it is not for the CSMS to say (model.c). */
	[KEY_ROTATION_16] = { { "ConnectorPhaseRotation", NULL }, { RW, TYPE_TEXT, NULL, NULL, 0, 500 }, { "NotApplicable" }, .check = check_rotation },
	[KEY_PHASES] = { { NULL, "ChargingStation.SupplyPhases" }, INT(RO, NULL, 0, 0, "3") },
	/* 2.0.1 appendix 3.2.39 */
	[KEY_CONTROLLER_ID] = { { NULL, "LocalController.Identity" }, STRING(RO, 48, "") },
	[KEY_CONTROLLER_VENDOR] = { { NULL, "LocalController.Manufacturer" }, STRING(RO, 50, "") },
	[KEY_CONTROLLER_MODEL] = { { NULL, "LocalController.Model" }, STRING(RO, 50, "") },
	[KEY_CONTROLLER_SERIAL] = { { NULL, "LocalController.SerialNumber" }, STRING(RO, 50, "") },
	[KEY_PROFILES_16] = { { "SupportedFeatureProfiles", NULL }, LIST(RO, NULL, "Core") },
	[KEY_FILE_PROTOCOLS_16] = { { "SupportedFileTransferProtocols", NULL }, LIST(RO, NULL, "") },
	[KEY_FILE_PROTOCOLS] = { { NULL, "OCPPCommCtrlr.FileTransferProtocols" }, LIST(RO, "HTTP,HTTPS,FTP,FTPS", "") },

	[KEY_CLOCK] = { { NULL, "ClockCtrlr.DateTime" }, LIVE(TYPE_TIME, NULL, NULL) },
	[KEY_LIST_ENTRIES] = { { NULL, "LocalAuthListCtrlr.Entries" }, { RO, TYPE_INT, NULL, NULL, 0, AUTHZ_LIST_MOST }, { NULL }, .live = true },
	[KEY_CERTIFICATE_ENTRIES] = { { NULL, "SecurityCtrlr.CertificateEntries" }, { RO, TYPE_INT, NULL, NULL, 0, CERTIFICATES_MOST }, { NULL },
	                              .live = true },
	[KEY_DISPLAY_ENTRIES] = { { NULL, "DisplayMessageCtrlr.DisplayMessages" }, { RO, TYPE_INT, NULL, NULL, 0, DISPLAY_MOST }, { NULL },
	                          .live = true },
	[KEY_ACTIVE_BASE] = { { NULL, "MonitoringCtrlr.ActiveMonitoringBase" }, LIVE(TYPE_OPTION, NULL, "All,FactoryDefault,HardWiredOnly") },
	[KEY_ACTIVE_LEVEL] = { { NULL, "MonitoringCtrlr.ActiveMonitoringLevel" }, LIVE(TYPE_INT, NULL, NULL) },
	[KEY_ACTIVE_NETWORK] = { { NULL, "OCPPCommCtrlr.ActiveNetworkProfile" }, LIVE(TYPE_INT, NULL, NULL) },
	[KEY_STATION_STATE] = { { NULL, "ChargingStation.AvailabilityState" }, LIVE(TYPE_OPTION, NULL, STATES) },
	[KEY_STATION_PROBLEM] = { { NULL, "ChargingStation.Problem" }, LIVE(TYPE_BOOL, NULL, NULL) },
	[KEY_EVSE_STATE] = { { NULL, "EVSE.AvailabilityState" }, LIVE(TYPE_OPTION, NULL, STATES), .place = PLACE_EVSE },
	[KEY_EVSE_PROBLEM] = { { NULL, "EVSE.Problem" }, LIVE(TYPE_BOOL, NULL, NULL), .place = PLACE_EVSE },
	[KEY_EVSE_POWER] = { { NULL, "EVSE.Power" }, LIVE(TYPE_DECIMAL, "W", NULL), .place = PLACE_EVSE },
	[KEY_EVSE_CURRENT] = { { NULL, "EVSE.ACCurrent" }, LIVE(TYPE_DECIMAL, "A", NULL), .place = PLACE_EVSE },
	[KEY_EVSE_ROTATION] = { { NULL, "EVSE.PhaseRotation" }, LIVE(TYPE_OPTION, NULL, ROTATIONS_2X), .place = PLACE_EVSE },
	[KEY_CONNECTOR_STATE] = { { NULL, "Connector.AvailabilityState" }, LIVE(TYPE_OPTION, NULL, STATES), .place = PLACE_CONNECTOR },
	[KEY_CONNECTOR_PROBLEM] = { { NULL, "Connector.Problem" }, LIVE(TYPE_BOOL, NULL, NULL), .place = PLACE_CONNECTOR },
	[KEY_CONNECTOR_KIND] = { { NULL, "Connector.SupplyPhases" }, LIVE(TYPE_INT, NULL, NULL), .place = PLACE_CONNECTOR },

	[KEY_LOCK_PROBLEM] = { { NULL, "ConnectorPlugRetentionLock.Problem" }, LIVE(TYPE_BOOL, NULL, NULL), .place = PLACE_CONNECTOR },

	[KEY_CONTROLLER_PROBLEM] = { { NULL, "LocalController.Problem" }, LIVE(TYPE_BOOL, NULL, NULL) },
	[KEY_CONTROLLER_MEMBERS] = { { NULL, "LocalController.ChargingStation" }, LIVE(TYPE_MEMBERS, NULL, NULL) },

	/* Keys of 1.6 that only tell */
	[KEYS_WITH_MEANING] = { { "ConnectorPhaseRotationMaxLength", NULL }, INT(RO, NULL, 0, 0, "64") },
	{ { "GetConfigurationMaxKeys", NULL }, INT(RO, NULL, 0, 0, ITEMS) },
	{ { "UnlockConnectorOnEVSideDisconnect", "OCPPCommCtrlr.UnlockOnEVSideDisconnect" }, BOOL(RO, "true") },
	{ { "ResetRetries", "OCPPCommCtrlr.ResetRetries" }, INT(RW, NULL, 0, 10, "0") },
	{ { "MeterValuesSampledDataMaxLength", NULL }, INT(RO, NULL, 0, 0, "6") },
	{ { "MeterValuesAlignedDataMaxLength", NULL }, INT(RO, NULL, 0, 0, "6") },
	{ { "StopTxnSampledDataMaxLength", NULL }, INT(RO, NULL, 0, 0, "6") },
	{ { "StopTxnAlignedDataMaxLength", NULL }, INT(RO, NULL, 0, 0, "6") },
	{ { "StopTransactionMaxMeterValues", NULL }, INT(RO, NULL, 0, 0, "100") },
	{ { "LocalAuthListMaxLength", NULL }, INT(RO, NULL, 0, 0, TEXT(AUTHZ_LIST_MOST)) },
	{ { "SendLocalListMaxLength", "LocalAuthListCtrlr.ItemsPerMessage" }, INT(RO, NULL, 0, 0, TEXT(AUTHZ_LIST_MOST)) },
	{ { "ChargeProfileMaxStackLevel", "SmartChargingCtrlr.ProfileStackLevel" }, INT(RO, NULL, 0, 0, TEXT(PROFILES_STACK_MOST)) },
	{ { "ChargingScheduleAllowedChargingRateUnit", NULL }, LIST(RO, NULL, "Current,Power") },
	{ { "ChargingScheduleMaxPeriods", "SmartChargingCtrlr.PeriodsPerSchedule" }, INT(RO, NULL, 0, 0, TEXT(PROFILE_PERIODS_MOST)) },
	{ { "AdditionalRootCertificateCheck", "SecurityCtrlr.AdditionalRootCertificateCheck" }, BOOL(RO, "false") },
	{ { "CertificateSignedMaxChainSize", "SecurityCtrlr.MaxCertificateChainSize" }, INT(RO, NULL, 0, 0, "10000") },
	{ { "CertificateStoreMaxLength", NULL }, INT(RO, NULL, 0, 0, TEXT(CERTIFICATES_MOST)) },

	/* Variables of 2.x that only tell */
	{ { NULL, "AlignedDataCtrlr.Available" }, BOOL(RO, "true") },
	{ { NULL, "AuthCacheCtrlr.Available" }, BOOL(RO, "true") },
	{ { NULL, "AuthCacheCtrlr.Policy" }, OPTION(RO, "LRU,LFU,FIFO,CUSTOM", "LRU") },
	{ { NULL, "AuthCtrlr.Enabled" }, BOOL(RO, "true") },
	{ { NULL, "ChargingStation.Available" }, BOOL(RO, "true") },
	{ { NULL, "ClockCtrlr.TimeSource" }, { RO, TYPE_SEQUENCE, NULL, "Heartbeat,NTP,GPS,RealTimeClock,MobileNetwork,RadioTimeTransmitter", 0, 0 },
	  .preset = { "NTP,Heartbeat" } },
	{ { NULL, "DeviceDataCtrlr.BytesPerMessage[GetReport]" }, INT(RO, NULL, 0, 0, BYTES) },
	{ { NULL, "DeviceDataCtrlr.BytesPerMessage[GetVariables]" }, INT(RO, NULL, 0, 0, BYTES) },
	{ { NULL, "DeviceDataCtrlr.BytesPerMessage[SetVariables]" }, INT(RO, NULL, 0, 0, BYTES) },
	{ { NULL, "DeviceDataCtrlr.ItemsPerMessage[GetReport]" }, INT(RO, NULL, 0, 0, ITEMS) },
	{ { NULL, "DeviceDataCtrlr.ItemsPerMessage[GetVariables]" }, INT(RO, NULL, 0, 0, ITEMS) },
	{ { NULL, "DeviceDataCtrlr.ItemsPerMessage[SetVariables]" }, INT(RO, NULL, 0, 0, ITEMS) },
	{ { NULL, "DeviceDataCtrlr.ConfigurationValueSize" }, INT(RO, NULL, 0, 0, "1000") },
	{ { NULL, "DeviceDataCtrlr.ReportingValueSize" }, INT(RO, NULL, 0, 0, "2500") },
	{ { NULL, "DisplayMessageCtrlr.Available" }, BOOL(RO, "true") },
	{ { NULL, "DisplayMessageCtrlr.SupportedFormats" }, LIST(RO, "ASCII,HTML,URI,UTF8", "ASCII,UTF8") },
	{ { NULL, "DisplayMessageCtrlr.SupportedPriorities" }, LIST(RO, "AlwaysFront,InFront,NormalCycle", "AlwaysFront,InFront,NormalCycle") },
	{ { NULL, "LocalAuthListCtrlr.Available" }, BOOL(RO, "true") },
	{ { NULL, "LocalAuthListCtrlr.BytesPerMessage" }, INT(RO, NULL, 0, 0, "262144") },
	{ { NULL, "LocalAuthListCtrlr.Storage" }, INT(RO, "B", 0, 0, "262144") },
	{ { NULL, "MonitoringCtrlr.Available" }, BOOL(RO, "true") },
	{ { NULL, "MonitoringCtrlr.BytesPerMessage[SetVariableMonitoring]" }, INT(RO, NULL, 0, 0, BYTES) },
	{ { NULL, "MonitoringCtrlr.ItemsPerMessage[SetVariableMonitoring]" }, INT(RO, NULL, 0, 0, TEXT(MONITORS_MOST)) },
	{ { NULL, "MonitoringCtrlr.BytesPerMessage[ClearVariableMonitoring]" }, INT(RO, NULL, 0, 0, BYTES) },
	{ { NULL, "MonitoringCtrlr.ItemsPerMessage[ClearVariableMonitoring]" }, INT(RO, NULL, 0, 0, TEXT(MONITORS_MOST)) },
	{ { NULL, "OCPPCommCtrlr.QueueAllMessages" }, BOOL(RO, "false") },
	{ { NULL, "OCPPCommCtrlr.RetryBackOffRandomRange" }, INT(RO, "s", 0, 0, "2") },
	{ { NULL, "OCPPCommCtrlr.RetryBackOffRepeatTimes" }, INT(RO, NULL, 0, 0, "6") },
	{ { NULL, "OCPPCommCtrlr.RetryBackOffWaitMinimum" }, INT(RO, "s", 0, 0, "5") },
	{ { NULL, "OCPPCommCtrlr.WebSocketPingInterval" }, INT(RO, "s", 0, 0, "30") },
	{ { NULL, "ReservationCtrlr.Available" }, BOOL(RO, "true") },
	{ { NULL, "SampledDataCtrlr.Available" }, BOOL(RO, "true") },
	{ { NULL, "SecurityCtrlr.Identity" }, STRING(RO, 48, "") },
	{ { NULL, "SmartChargingCtrlr.Available" }, BOOL(RO, "true") },
	{ { NULL, "SmartChargingCtrlr.Enabled" }, BOOL(RO, "true") },
	{ { NULL, "SmartChargingCtrlr.ACPhaseSwitchingSupported" }, BOOL(RO, "false") },
	{ { NULL, "SmartChargingCtrlr.RateUnit" }, LIST(RO, "A,W", "A,W") },
	{ { NULL, "TariffCostCtrlr.Available[Cost]" }, BOOL(RO, "true") },
	{ { NULL, "TariffCostCtrlr.Enabled[Cost]" }, BOOL(RO, "true") },
	{ { NULL, "TariffCostCtrlr.Available[Tariff]" }, BOOL(RO, "false") },
	{ { NULL, "EVSE.Available" }, BOOL(RO, "true"), .place = PLACE_EVSE },
	{ { NULL, "EVSE.AllowReset" }, BOOL(RO, "false"), .place = PLACE_EVSE },
	{ { NULL, "EVSE.SupplyPhases" }, INT(RO, NULL, 0, 0, "3"), .place = PLACE_EVSE },
	{ { NULL, "Connector.Available" }, BOOL(RO, "true"), .place = PLACE_CONNECTOR },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))
_Static_assert(ROWS <= KEYS_MOST, "struct keys holds one value per row");

bool list_next(struct slice *rest, struct slice *word)
{
	if (!rest->n)
		return false;
	const char *comma = memchr(rest->p, ',', rest->n);
	size_t n = comma ? (size_t)(comma - rest->p) : rest->n;
	*word = (struct slice){ rest->p, n };
	rest->p += comma ? n + 1 : n;
	rest->n -= comma ? n + 1 : n;
	while (word->n && *word->p == ' ')
		word->p++, word->n--;
	while (word->n && word->p[word->n - 1] == ' ')
		word->n--;
	return true;
}

/* Checks */

static int check_measurands(struct slice value)
{
	measurands set;
	return sampling_parse(value, &set);
}

static int check_points(struct slice value)
{
	unsigned set;
	return charge_points(value, &set);
}

static bool in_list(const char *words, struct slice word)
{
	struct slice rest = slice_of(words), one;
	while (list_next(&rest, &one)) {
		if (slice_eq(one, word))
			return true;
	}
	return false;
}

/* "0.RST,1.RST", or one word for all (1.6 specification 9.1.7). */
static int check_rotation(struct slice value)
{
	struct slice word;
	while (list_next(&value, &word)) {
		const char *dot = memchr(word.p, '.', word.n);
		int64_t connector = 0;
		if (dot) {
			struct slice number = { word.p, (size_t)(dot - word.p) };
			if (int_parse(number, &connector) != 0 || connector < 0)
				return ERR_INVALID;
			word = (struct slice){ dot + 1, word.n - number.n - 1 };
		}
		if (!in_list(ROTATIONS, word))
			return ERR_INVALID;
	}
	return 0;
}

static int check_slots(struct slice value)
{
	struct slice word;
	size_t n = 0;
	for (; list_next(&value, &word); n++) {
		int64_t slot;
		if (int_parse(word, &slot) != 0 || slot < 0 || slot >= NETWORKS_MOST)
			return ERR_INVALID;
	}
	return n ? 0 : ERR_INVALID;
}

static int check_percent(struct slice value)
{
	char *text = mem_text(value), *end;
	double percent = strtod(text, &end);
	bool good = value.n && !*end && percent >= 0 && percent <= 100;
	mem_free(text);
	return good ? 0 : ERR_INVALID;
}

static int check_members(const struct row *r, struct slice value)
{
	struct slice word;
	while (list_next(&value, &word)) {
		if (r->kind.values && !in_list(r->kind.values, word))
			return ERR_INVALID;
	}
	return 0;
}

static int check_kind(const struct row *r, struct slice value)
{
	int64_t number;
	switch (r->kind.type) {
	case TYPE_INT:
		return int_parse(value, &number) == 0 && number >= r->kind.min && number <= r->kind.max ? 0 : ERR_INVALID;
	case TYPE_BOOL:
		return slice_eq_nocase(value, SLICE("true")) || slice_eq_nocase(value, SLICE("false")) ? 0 : ERR_INVALID;
	case TYPE_OPTION:
		return in_list(r->kind.values, value) ? 0 : ERR_INVALID;
	case TYPE_MEMBERS:
	case TYPE_SEQUENCE:
		return check_members(r, value);
	default:
		return !r->kind.max || value.n <= (size_t)r->kind.max ? 0 : ERR_INVALID;
	}
}

int keys_check(size_t row, struct slice value)
{
	const struct row *r = &rows[row];
	assert(row < ROWS);
	if (r->kind.access == ACCESS_READ)
		return ERR_REFUSED;
	int err = check_kind(r, value);
	if (!err && r->check)
		err = r->check(value);
	return err ? ERR_INVALID : 0;
}

/* Values */

void keys_open(struct keys *k, unsigned names)
{
	memset(k, 0, sizeof(*k));
	k->names = names;
	for (size_t i = 0; i < ROWS; i++) {
		const char *own = rows[i].preset[names], *preset = own ? own : rows[i].preset[0];
		k->value[i] = mem_strdup(preset ? preset : "");
	}
}

void keys_close(struct keys *k)
{
	for (size_t i = 0; i < ROWS; i++)
		mem_free(k->value[i]);
	memset(k, 0, sizeof(*k));
}

void keys_preset(struct keys *k, size_t row, const char *value)
{
	mem_free(k->value[row]);
	k->value[row] = mem_strdup(value ? value : "");
}

int keys_set(struct keys *k, size_t row, struct slice value)
{
	int err = keys_check(row, value);
	if (err)
		return err;
	mem_free(k->value[row]);
	k->value[row] = mem_text(value);
	k->set[row] = true;
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

/* Rows */

size_t keys_count(void)
{
	return ROWS;
}

const char *keys_name(size_t row, unsigned names)
{
	return rows[row].names[names];
}

const struct setting_kind *keys_kind(size_t row)
{
	return &rows[row].kind;
}

enum key_place keys_place(size_t row)
{
	return rows[row].place;
}

bool keys_is_live(size_t row)
{
	return rows[row].live;
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
