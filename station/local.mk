noinst_LIBRARIES += libstation.a
libstation_a_SOURCES = \
	station/link-local.c station/link-local.h \
	station/station.h
