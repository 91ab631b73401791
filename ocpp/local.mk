noinst_LIBRARIES += libocpp.a
libocpp_a_SOURCES = \
	ocpp/actions.def \
	ocpp/bind.c ocpp/bind.h \
	ocpp/calls.c ocpp/calls.h \
	ocpp/catalogue.c ocpp/catalogue.h \
	ocpp/codec-16.c \
	ocpp/codec-2x.c \
	ocpp/codec.c ocpp/codec.h \
	ocpp/event.c ocpp/event.h \
	ocpp/frame.c ocpp/frame.h \
	ocpp/link.h \
	ocpp/profile.c ocpp/profile.h \
	ocpp/samples.c ocpp/samples.h \
	ocpp/scan.c ocpp/scan.h \
	ocpp/splice.c ocpp/splice.h \
	ocpp/version.c ocpp/version.h

# What a station needs to read and to say beyond events.
libocpp_a_SOURCES += \
	ocpp/dialect.c ocpp/dialect.h \
	ocpp/profile-read.c ocpp/profile-read.h \
	ocpp/settings.c ocpp/settings.h
