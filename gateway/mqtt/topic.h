/* Ids as levels of MQTT topics. */
#ifndef AMPGATE_GATEWAY_TOPIC_H
#define AMPGATE_GATEWAY_TOPIC_H

#include <stdio.h>
#include <string.h>

#define TOPIC_LEVEL 160 /* room for the longest identity */

/* An id as one topic level: what would split or confuse it is percent-encoded. */
static inline void topic_level(const char *id, char *out, size_t room)
{
	size_t n = 0;
	for (; *id && n + 4 < room; id++) {
		if (strchr("%/+#", *id))
			n += (size_t)snprintf(out + n, room - n, "%%%02X", (unsigned char)*id);
		else
			out[n++] = *id;
	}
	out[n] = 0;
}

#endif
