# Unit tests of station/ against libstation.a and what lies below it.
UNIT_STATION = tests/unit/station/connector \
	tests/unit/station/keys \
	tests/unit/station/link-local \
	tests/unit/station/profiles \
	tests/unit/station/sampling
check_PROGRAMS += $(UNIT_STATION)
TESTS += $(UNIT_STATION)
tests_unit_station_connector_SOURCES = tests/unit/station/connector.c tests/unit/unit.h
tests_unit_station_connector_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_keys_SOURCES = tests/unit/station/keys.c tests/unit/unit.h
tests_unit_station_keys_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_link_local_SOURCES = tests/unit/station/link-local.c tests/unit/unit.h
tests_unit_station_link_local_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_profiles_SOURCES = tests/unit/station/profiles.c tests/unit/unit.h
tests_unit_station_profiles_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_sampling_SOURCES = tests/unit/station/sampling.c tests/unit/unit.h
tests_unit_station_sampling_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
