noinst_LIBRARIES += libenergy.a
libenergy_a_SOURCES = \
	energy/alloc.c energy/alloc.h \
	energy/car.c energy/car.h \
	energy/control.c energy/control.h energy/control-local.h \
	energy/control-asks.c \
	energy/control-meters.c \
	energy/control-change.c \
	energy/control-view.c \
	energy/control-cut.c \
	energy/control-keep.c \
	energy/control-move.c \
	energy/control-raise.c \
	energy/keep-local.h \
	energy/control-rooms.c \
	energy/control-witness.c \
	energy/follow.c energy/follow.h \
	energy/fuse.c energy/fuse.h \
	energy/grid.c energy/grid.h \
	energy/guard.c energy/guard.h \
	energy/limit.c energy/limit.h \
	energy/load.c energy/load.h \
	energy/margin.c energy/margin.h \
	energy/meter.c energy/meter.h \
	energy/need.c energy/need.h \
	energy/net.c energy/net.h \
	energy/period.c energy/period.h \
	energy/phases.c \
	energy/plan.c energy/plan.h \
	energy/policy.c energy/policy.h \
	energy/profile.c energy/profile.h energy/profile-local.h \
	energy/profile-limit.c \
	energy/rank.c energy/rank.h \
	energy/reason.c energy/reason.h energy/reasons.def \
	energy/record.c energy/record.h energy/record-local.h \
	energy/replay.c \
	energy/site.c energy/site.h \
	energy/slack.c \
	energy/sleepers.c \
	energy/tariff.c energy/tariff.h \
	energy/window.c energy/window.h \
	energy/witness.c energy/witness.h
