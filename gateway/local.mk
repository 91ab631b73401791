# see docs/ARCHITECTURE.md, Tests
noinst_LIBRARIES += libgateway.a
libgateway_a_SOURCES = \
	gateway/check.c gateway/check.h \
	gateway/check-electric.c \
	gateway/settings.c gateway/settings.h \
	gateway/settings-link.c \
	gateway/settings-secret.c \
	gateway/settings-tables.c gateway/settings-tables.h \
	gateway/deflate.c gateway/deflate.h \
	gateway/dial.c gateway/dial.h \
	gateway/http1.c gateway/http1.h \
	gateway/link-ws.c gateway/link-ws.h \
	gateway/listen.c gateway/listen.h \
	gateway/stream.c gateway/stream.h \
	gateway/tls.c gateway/tls.h

sbin_PROGRAMS += ampgated
ampgated_SOURCES = gateway/main.c
ampgated_LDADD = $(GATEWAY_LIBS)
