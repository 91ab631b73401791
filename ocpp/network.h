/* SetNetworkProfile (2.x, B09): where and how a station connects. */
#ifndef AMPGATE_OCPP_NETWORK_H
#define AMPGATE_OCPP_NETWORK_H

#include "ocpp/frame.h"

struct network_profile {
	int slot;
	struct slice url, transport, interface, version; /* live with the frame's tree */
	int security_profile;
	int64_t timeout_s;
	bool vpn_or_apn;          /* asks for a modem or a tunnel to be set up */
	struct slice raw;         /* connectionData as JSON, a window into the frame */
};
int network_profile_read(struct frame *f, struct network_profile *out) MUST_CHECK; /* ERR_INVALID */

#endif
