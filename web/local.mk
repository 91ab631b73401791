# The surfaces over HTTP.
libgateway_a_SOURCES += \
	gateway/checks.c gateway/checks.h \
	gateway/command-people.c \
	gateway/console.c gateway/console.h \
	gateway/http.c gateway/http.h \
	gateway/metrics.c gateway/metrics.h \
	gateway/rest.c gateway/rest.h gateway/routes.def \
	gateway/sse.c gateway/sse.h \
	gateway/tls-own.c gateway/tls-own.h \
	gateway/users.c gateway/users.h

# The pages of the console, compressed into the program. Without it (--disable-console) the API and the metrics are there all the same.
WEB_FILES = index.html app.js api.js style.css
EXTRA_DIST += web/embed.sh web/files.h $(WEB_FILES:%=web/%)
if CONSOLE
WEB_EMBEDDED = $(WEB_FILES)
else
WEB_EMBEDDED =
endif
nodist_libgateway_a_SOURCES = web/files.c
BUILT_SOURCES += web/files.c
CLEANFILES += web/files.c
web/files.c: web/embed.sh web/local.mk Makefile $(WEB_FILES:%=web/%)
	@$(MKDIR_P) web
	$(AM_V_GEN)sh $(srcdir)/web/embed.sh $(srcdir)/web $(WEB_EMBEDDED) > $@.new && mv $@.new $@
