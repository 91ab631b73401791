noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	base/board-line.c base/board-line.h \
	base/buf.c base/buf.h \
	base/clock.c base/clock.h \
	base/conf.c base/conf.h \
	base/conf-diff.c \
	base/conf-doc.c \
	base/conf-json.c \
	base/conf-print.c \
	base/conf-read.c \
	base/conf-csv.c base/conf-csv.h \
	base/conf-yaml.c base/conf-yaml.h \
	base/error.c base/error.h \
	base/file.c base/file.h \
	base/json.c base/json.h \
	base/list.h \
	base/log.c base/log.h \
	base/loop.c base/loop.h \
	base/mailbox.c base/mailbox.h \
	base/map.c base/map.h \
	base/mem.c base/mem.h \
	base/scene.c base/scene.h \
	base/stats.c base/stats.h \
	base/str.c base/str.h \
	base/plugin.h \
	base/timer.c base/timer.h \
	base/zone.c base/zone.h
