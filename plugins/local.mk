noinst_LIBRARIES += libplugins.a
libplugins_a_SOURCES = plugins/builtin.c \
	plugins/evse-map.c plugins/evse-map.h \
	plugins/gpio.c plugins/gpio.h \
	plugins/gpio-input.c \
	plugins/gpio-relay.c \
	plugins/grid-register.c plugins/grid-register.h \
	plugins/modbus-bus.c plugins/modbus-bus.h \
	plugins/modbus-input.c \
	plugins/modbus-evse.c \
	plugins/modbus-relay.c \
	plugins/modbus-scan.c \
	plugins/modbus.c \
	plugins/mqtt.c \
	plugins/mqtt-link.c plugins/mqtt-link.h \
	plugins/pilot-board.c \
	plugins/plugins.h \
	plugins/reader.c \
	plugins/scan.c plugins/scan.h \
	plugins/serial.c plugins/serial.h \
	plugins/regmap-yaml.c \
	plugins/regmap.c plugins/regmap.h \
	plugins/sim.c \
	plugins/sunspec.c plugins/sunspec.h

# Sparkplug B, where protobuf-c is there.
SPARKPLUG_FILES = plugins/sparkplug.c plugins/sparkplug-metrics.c plugins/sparkplug-metrics.h plugins/sparkplug-payload.c plugins/sparkplug-payload.h
EXTRA_DIST += plugins/sparkplug.proto
if HAVE_SPARKPLUG
libplugins_a_SOURCES += $(SPARKPLUG_FILES)
nodist_libplugins_a_SOURCES = plugins/sparkplug.pb-c.c plugins/sparkplug.pb-c.h
BUILT_SOURCES += plugins/sparkplug.pb-c.h
CLEANFILES += plugins/sparkplug.pb-c.c plugins/sparkplug.pb-c.h
else
EXTRA_DIST += $(SPARKPLUG_FILES)
endif
plugins/sparkplug.pb-c.h: plugins/sparkplug.pb-c.c
	@test -e $@ || { rm -f $<; $(MAKE) $(AM_MAKEFLAGS) $<; }
plugins/sparkplug.pb-c.c: $(srcdir)/plugins/sparkplug.proto
	@$(MKDIR_P) plugins
	$(AM_V_GEN)$(PROTOC_C) --c_out=. -I$(srcdir) $(srcdir)/plugins/sparkplug.proto

# For drivers built elsewhere: the interface, where to find it, and one to begin with.
pluginincludedir = $(includedir)/ampgate
plugininclude_HEADERS = base/plugin.h
pkgconfigdir = $(datadir)/pkgconfig
pkgconfig_DATA = etc/ampgate.pc
etc/ampgate.pc: etc/ampgate.pc.in Makefile
	@$(MKDIR_P) etc
	$(AM_V_GEN)sed -e 's,[@]prefix@,$(prefix),' -e 's,[@]exec_prefix@,$(exec_prefix),' -e 's,[@]includedir@,$(includedir),' \
		-e 's,[@]libdir@,$(libdir),' -e 's,[@]VERSION@,$(VERSION),' $(srcdir)/etc/ampgate.pc.in > $@
CLEANFILES += etc/ampgate.pc
EXTRA_DIST += etc/ampgate.pc.in
exampledir = $(docdir)/example-meter
dist_example_DATA = plugins/example-meter/Makefile plugins/example-meter/example-meter.c
examplereaderdir = $(docdir)/example-reader
dist_examplereader_DATA = plugins/example-reader/Makefile plugins/example-reader/example-reader.c
examplesinkdir = $(docdir)/example-sink
dist_examplesink_DATA = plugins/example-sink/Makefile plugins/example-sink/example-sink.c
