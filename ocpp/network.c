#include "ocpp/network.h"

#include "base/json.h"
#include "ocpp/splice.h"

int network_profile_read(struct frame *f, struct network_profile *out)
{
	const cJSON *tree = frame_tree(f), *data = json_at(tree, "connectionData");
	*out = (struct network_profile){
		.slot = (int)json_int(tree, "configurationSlot", -1),
		.url = json_text(data, "ocppCsmsUrl"),
		.transport = json_text(data, "ocppTransport"),
		.interface = json_text(data, "ocppInterface"),
		.version = json_text(data, "ocppVersion"),
		.security_profile = (int)json_int(data, "securityProfile", -1),
		.timeout_s = json_int(data, "messageTimeout", 0),
		.vpn_or_apn = json_at(data, "vpn") || json_at(data, "apn"),
		.raw = splice_find(f->payload, "connectionData"),
	};
	return out->slot >= 0 && out->url.n && out->security_profile >= 0 ? 0 : ERR_INVALID;
}
