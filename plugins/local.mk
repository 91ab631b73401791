noinst_LIBRARIES += libplugins.a
libplugins_a_SOURCES = plugins/builtin.c \
	plugins/evse-map.c plugins/evse-map.h \
	plugins/gpio.c plugins/gpio.h \
	plugins/gpio-input.c \
	plugins/gpio-relay.c \
	plugins/modbus-bus.c plugins/modbus-bus.h \
	plugins/modbus-input.c \
	plugins/modbus-evse.c \
	plugins/modbus-relay.c \
	plugins/modbus.c \
	plugins/mqtt.c \
	plugins/pilot-board.c \
	plugins/plugins.h \
	plugins/reader.c \
	plugins/serial.c plugins/serial.h \
	plugins/regmap-yaml.c \
	plugins/regmap.c plugins/regmap.h \
	plugins/sim.c \
	plugins/sunspec.c plugins/sunspec.h
