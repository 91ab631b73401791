/* The way back is in the row: what goes away by itself (mains, heat, a pressed button) is forgiven when it has been gone for a while; what
 * points at the car or its cable stands until they are gone, with a few retries, since nobody is there at night to pull the plug; a contact
 * that disagrees is tried again once a minute and no faster. */
#include "station/outlet-fault.h"

#define MINUTE 60000
#define CAR_RETRY .until_unplug = true, .retry_ms = MINUTE, .retries = 3

const struct outlet_fault_row outlet_faults[OUTLET_FAULTS] = {
	[FAULT_EMERGENCY] = { "EmergencyStop", "OtherError", 0, ACT_OPEN, true, .gone_ms = 1000, .text = "the emergency stop is pressed" },
	[FAULT_RESIDUAL] = { "ResidualCurrent", "GroundFailure", 0, ACT_OPEN, true, .until_unplug = true, .gone_ms = 1000, .retry_ms = 5 * MINUTE,
		.retries = 3, .text = "residual current" },
	[FAULT_WELDED] = { "ContactorWelded", "PowerSwitchFailure", 500, ACT_OPEN, true, .gone_ms = MINUTE,
		.of_order = true, .text = "a contact is closed that was ordered open" },
	[FAULT_STRAY] = { "CurrentWithoutContactor", "PowerSwitchFailure", 5000, ACT_OPEN, true, .gone_ms = MINUTE, /* a meter on a bus tells late */
		.text = "current flows though the contactor is open" },
	[FAULT_PINS] = { "HardwareSilent", "InternalError", 0, ACT_OPEN, false, .gone_ms = 0, .text = "the hardware cannot be read" },
	[FAULT_MAINS] = { "MainsLost", "UnderVoltage", 20, ACT_OPEN, false, .gone_ms = 5000, .text = "no supply" },
	[FAULT_NOT_CLOSING] = { "ContactorNotClosing", "PowerSwitchFailure", 500, ACT_OPEN, true, .gone_ms = MINUTE,
		.of_order = true, .text = "a contact is open that was ordered closed" },
	[FAULT_RESIDUAL_TEST] = { "ResidualTestFailed", "GroundFailure", 0, ACT_OPEN, true, .gone_ms = MINUTE,
		.text = "the residual current device failed its test" },
	[FAULT_PILOT_SHORT] = { "PilotShort", "EVCommunicationError", 200, ACT_OPEN, false, .gone_ms = 1000,
		.of_order = true, .text = "the control pilot is shorted or broken" },
	[FAULT_DIODE] = { "PilotDiode", "EVCommunicationError", 100, ACT_OPEN, false, CAR_RETRY, .gone_ms = 1000,
		.of_order = true, .text = "the car's diode is missing" },
	[FAULT_DUTY] = { "PilotDuty", "InternalError", 1000, ACT_OPEN, true, .gone_ms = MINUTE, .text = "the pilot is not what was ordered" },
	[FAULT_CABLE] = { "CableUnknown", "EVCommunicationError", 200, ACT_OPEN, false, .gone_ms = 1000,
		.text = "the cable's proximity contact codes no current" },
	[FAULT_OVERCURRENT] = { "CarOverCurrent", "OverCurrentFailure", 7000, ACT_OPEN, false, CAR_RETRY, .gone_ms = 1000,
		.text = "the car draws more than it is offered" },
	[FAULT_HOT] = { "TooHot", "HighTemperature", 1000, ACT_SOFT, false, .gone_ms = 10000, .text = "too warm" },
	[FAULT_VENTILATION] = { "NoVentilation", "OtherError", 500, ACT_OPEN, false, CAR_RETRY, .gone_ms = 1000,
		.text = "the car asks for ventilation that is not there" },
	[FAULT_LOCK] = { "PlugNotLocked", "ConnectorLockFailure", 100, ACT_SOFT, false, CAR_RETRY, .gone_ms = 1000,
		.text = "the plug is not locked" },
	[FAULT_UNLOCK] = { "PlugNotReleased", "ConnectorLockFailure", 0, ACT_TELL, false, .gone_ms = 0, .text = "the plug is not released" },
};
