noinst_LIBRARIES += libocpp.a
libocpp_a_SOURCES = \
	ocpp/calls.h \
	ocpp/catalogue.h \
	ocpp/codec.h \
	ocpp/dialect.c ocpp/dialect.h \
	ocpp/event.h \
	ocpp/frame.h \
	ocpp/link.h \
	ocpp/profile-read.c ocpp/profile-read.h \
	ocpp/settings.c ocpp/settings.h \
	ocpp/splice.h \
	ocpp/version.h
