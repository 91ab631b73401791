noinst_LIBRARIES += libgateway.a
libgateway_a_SOURCES = \
	gateway/host.c gateway/host.h

sbin_PROGRAMS += ampgated
ampgated_SOURCES = gateway/main.c
ampgated_LDADD = $(GATEWAY_LIBS)
