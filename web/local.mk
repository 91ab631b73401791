# The pages of the console, compressed into the program. Without it (--disable-console) the API and the metrics are there all the same.
WEB_FILES = actions.js api.js app.js change.js chart.js commissioning.js config.js decided.js events.js form.js grid.js help-de.js icon.svg index.html jobs.js login.js \
	outlook.js overview.js people.js reasons.js report.js settings.js site.js station.js stations.js style.css text.js trace.js transactions.js ui.js \
	uplink.js wizard.js wizard-site.js wizard-stations.js
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
