noinst_LIBRARIES += libgateway.a
libgateway_a_SOURCES = \
	gateway/deflate.c gateway/deflate.h \
	gateway/dial.c gateway/dial.h \
	gateway/http1.c gateway/http1.h \
	gateway/link-ws.c gateway/link-ws.h \
	gateway/listen.c gateway/listen.h \
	gateway/lookup.c gateway/lookup.h \
	gateway/stream.c gateway/stream.h \
	gateway/tls.c gateway/tls.h \
	gateway/utf8.c gateway/utf8.h

sbin_PROGRAMS += ampgated
ampgated_SOURCES = gateway/main.c
ampgated_LDADD = $(GATEWAY_LIBS)
