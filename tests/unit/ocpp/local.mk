# unit tests of ocpp/
UNIT_DICTIONARY = tests/unit/ocpp/dictionary tests/unit/ocpp/format tests/unit/ocpp/scan tests/unit/ocpp/validate
check_PROGRAMS += $(UNIT_DICTIONARY)
TESTS += $(UNIT_DICTIONARY)
tests_unit_ocpp_dictionary_SOURCES = tests/unit/ocpp/dictionary.c
tests_unit_ocpp_dictionary_LDADD = $(OCPP_LIBS) $(CMOCKA_LIBS)
tests_unit_ocpp_format_SOURCES = tests/unit/ocpp/format.c
tests_unit_ocpp_format_LDADD = $(OCPP_LIBS) $(CMOCKA_LIBS)
tests_unit_ocpp_scan_SOURCES = tests/unit/ocpp/scan.c
tests_unit_ocpp_scan_LDADD = $(OCPP_LIBS) $(CMOCKA_LIBS)
tests_unit_ocpp_validate_SOURCES = tests/unit/ocpp/validate.c
tests_unit_ocpp_validate_LDADD = $(OCPP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/ocpp/dictc.sh
EXTRA_DIST += tests/unit/ocpp/dictc.sh
