noinst_LIBRARIES += libstation.a
libstation_a_SOURCES = \
	station/connector.c station/connector.h \
	station/link-local.c station/link-local.h \
	station/profiles.c station/profiles.h \
	station/sampling.c station/sampling.h \
	station/station.h
