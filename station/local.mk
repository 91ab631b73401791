noinst_LIBRARIES += libstation.a
libstation_a_SOURCES = \
	station/authz.c station/authz.h \
	station/car.c station/car.h \
	station/commands.c \
	station/connector.c station/connector.h \
	station/duty.c station/duty.h \
	station/evse.c \
	station/inside.h \
	station/keys.c station/keys.h \
	station/link-local.c station/link-local.h \
	station/outlet.c station/outlet.h \
	station/outlet-fault.c station/outlet-fault.h \
	station/outlet-watch.c \
	station/pilot.c station/pilot.h \
	station/relay.c station/relay.h \
	station/rig.c station/rig.h \
	station/sampling.c station/sampling.h \
	station/station.c station/station.h \
	station/txn.c station/txn.h \
	station/wire.c station/wire.h
