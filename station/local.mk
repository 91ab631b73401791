noinst_LIBRARIES += libstation.a
libstation_a_SOURCES = \
	station/authz.c station/authz.h \
	station/car.c station/car.h \
	station/charge.c \
	station/commands.c station/commands.h \
	station/connector.c station/connector.h \
	station/customer.c \
	station/display.c station/display.h \
	station/duty.c station/duty.h \
	station/evse.c \
	station/firmware.c \
	station/grant.c \
	station/host.h \
	station/inside.h \
	station/keep.c \
	station/keys.c station/keys.h \
	station/link-local.c station/link-local.h \
	station/logs.c \
	station/meters.c \
	station/model.c \
	station/monitors.c station/monitors.h \
	station/network.c station/network.h \
	station/outlet.c station/outlet.h \
	station/outlet-fault.c station/outlet-fault.h \
	station/outlet-watch.c \
	station/pilot.c station/pilot.h \
	station/pins.c station/pins.h \
	station/relay.c station/relay.h \
	station/reserve.c \
	station/rig.c station/rig.h \
	station/sampling.c station/sampling.h \
	station/schedule.c \
	station/security.c \
	station/station.c station/station.h \
	station/txn.c station/txn.h \
	station/wire.c station/wire.h
