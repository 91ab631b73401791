/* Inside the profile engine: what is installed. Shared by profile.c, which installs, and profile-limit.c, which judges. */
#ifndef AMPGATE_ENERGY_PROFILE_LOCAL_H
#define AMPGATE_ENERGY_PROFILE_LOCAL_H

#include "energy/profile.h"

struct installed {
	struct list entry;
	int evse;
	int64_t delay_us;         /* its part of the profile's randomized delay */
	int64_t chosen;           /* the schedule that the car chose; 0: not said */
	struct charging_profile profile; /* periods and transaction id are owned */
};

#endif
