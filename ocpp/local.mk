noinst_LIBRARIES += libocpp.a
libocpp_a_SOURCES = \
	ocpp/actions.def \
	ocpp/bind.c ocpp/bind.h \
	ocpp/calls.c ocpp/calls.h \
	ocpp/catalogue.c ocpp/catalogue.h \
	ocpp/codec-16.c \
	ocpp/codec-2x.c ocpp/codec-2x.h \
	ocpp/codec-2x-csms.c \
	ocpp/codec-2x-station.c \
	ocpp/codec-2x-tx.c \
	ocpp/codec.c ocpp/codec.h \
	ocpp/convert.c ocpp/convert.h \
	ocpp/credential.c ocpp/credential.h \
	ocpp/dialect.c ocpp/dialect.h \
	ocpp/dictionary.c ocpp/dictionary.h \
	ocpp/dictionary-tables.h \
	ocpp/event.c ocpp/event.h \
	ocpp/format.c ocpp/format.h \
	ocpp/frame.c ocpp/frame.h \
	ocpp/jobs.c ocpp/jobs.h \
	ocpp/lex.c ocpp/lex.h \
	ocpp/link.h \
	ocpp/profile.c ocpp/profile.h \
	ocpp/certs.c ocpp/certs.h \
	ocpp/charging.h \
	ocpp/files.c ocpp/files.h \
	ocpp/monitors.c ocpp/monitors.h \
	ocpp/network.c ocpp/network.h \
	ocpp/notices.c ocpp/notices.h \
	ocpp/profile-report.c ocpp/profile-report.h \
	ocpp/profile-read.c ocpp/profile-read.h \
	ocpp/profile-write.c ocpp/profile-write.h \
	ocpp/repair.c ocpp/repair.h \
	ocpp/samples.c ocpp/samples.h \
	ocpp/scan.c ocpp/scan.h \
	ocpp/settings.c ocpp/settings.h \
	ocpp/settings-ask.c ocpp/settings-ask.h \
	ocpp/splice.c ocpp/splice.h \
	ocpp/validate.c ocpp/validate.h \
	ocpp/version.c ocpp/version.h
nodist_libocpp_a_SOURCES = ocpp/dictionary-tables.c

# The dictionary text becomes tables by a program of its own, which runs on the machine that builds.
DICTIONARY = ocpp/ocpp16.dict ocpp/ocpp201.dict ocpp/ocpp21.dict
DICTC = ocpp/dictc.c ocpp/dictc-read.c
EXTRA_DIST += $(DICTIONARY) $(DICTC) ocpp/dictc.h
BUILT_SOURCES += ocpp/dictionary-tables.c
CLEANFILES += ocpp/dictionary-tables.c ocpp/dictc
ocpp/dictc: $(DICTC) ocpp/dictc.h ocpp/dictionary-tables.h ocpp/dictionary.h
	@$(MKDIR_P) ocpp
	$(AM_V_CC)here=`pwd` && cd $(srcdir) && $(CC_FOR_BUILD) -std=gnu11 -Wall -Wextra -Wshadow -O1 -I. -o $$here/$@ $(DICTC)
ocpp/dictionary-tables.c: ocpp/dictc $(DICTIONARY)
	$(AM_V_GEN)here=`pwd` && cd $(srcdir) && $$here/ocpp/dictc $(DICTIONARY) > $$here/$@.new && mv $$here/$@.new $$here/$@
