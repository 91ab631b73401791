# Unit tests of station/ against libstation.a and what lies below it.
UNIT_STATION = tests/unit/station/cabinet tests/unit/station/car \
	tests/unit/station/charge \
	tests/unit/station/connector \
	tests/unit/station/core-16 \
	tests/unit/station/core-201 \
	tests/unit/station/duty \
	tests/unit/station/garage \
	tests/unit/station/keys \
	tests/unit/station/link-local \
	tests/unit/station/more-201 \
	tests/unit/station/more-16 \
	tests/unit/station/outlet \
	tests/unit/station/pilot \
	tests/unit/station/queue \
	tests/unit/station/relay \
	tests/unit/station/sampling \
	tests/unit/station/station
check_PROGRAMS += $(UNIT_STATION)
TESTS += $(UNIT_STATION)
tests_unit_station_car_SOURCES = tests/unit/station/car.c tests/unit/unit.h
tests_unit_station_car_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_charge_SOURCES = tests/unit/station/charge.c tests/unit/station/csms.c tests/unit/station/csms.h tests/unit/unit.h
tests_unit_station_charge_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_connector_SOURCES = tests/unit/station/connector.c tests/unit/unit.h
tests_unit_station_connector_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_keys_SOURCES = tests/unit/station/keys.c tests/unit/unit.h
tests_unit_station_keys_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_link_local_SOURCES = tests/unit/station/link-local.c tests/unit/unit.h
tests_unit_station_link_local_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_queue_SOURCES = tests/unit/station/queue.c tests/unit/station/csms.c tests/unit/station/csms.h tests/unit/unit.h
tests_unit_station_queue_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_relay_SOURCES = tests/unit/station/relay.c tests/unit/station/csms.c tests/unit/station/csms.h tests/unit/unit.h
tests_unit_station_relay_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_sampling_SOURCES = tests/unit/station/sampling.c tests/unit/unit.h
tests_unit_station_sampling_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_station_SOURCES = tests/unit/station/station.c tests/unit/station/csms.c tests/unit/station/csms.h tests/unit/unit.h
tests_unit_station_station_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_garage_SOURCES = tests/unit/station/garage.c tests/unit/station/csms.c tests/unit/station/csms.h tests/unit/unit.h
tests_unit_station_garage_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_duty_SOURCES = tests/unit/station/duty.c tests/unit/unit.h
tests_unit_station_duty_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_outlet_SOURCES = tests/unit/station/outlet.c tests/unit/unit.h
tests_unit_station_outlet_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_pilot_SOURCES = tests/unit/station/pilot.c tests/unit/unit.h
tests_unit_station_pilot_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
STATION_STAGE = tests/unit/station/csms.c tests/unit/station/csms.h tests/unit/station/host.c tests/unit/station/host.h tests/unit/station/cases.h \
	tests/unit/station/cases-16.h tests/unit/station/cases-201.h tests/unit/unit.h
tests_unit_station_core_16_SOURCES = tests/unit/station/core-16.c $(STATION_STAGE)
tests_unit_station_core_16_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_core_201_SOURCES = tests/unit/station/core-201.c $(STATION_STAGE)
tests_unit_station_core_201_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_more_16_SOURCES = tests/unit/station/more-16.c $(STATION_STAGE)
tests_unit_station_more_16_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_more_201_SOURCES = tests/unit/station/more-201.c $(STATION_STAGE)
tests_unit_station_more_201_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
tests_unit_station_cabinet_SOURCES = tests/unit/station/cabinet.c tests/unit/station/csms.c tests/unit/station/csms.h tests/unit/unit.h
tests_unit_station_cabinet_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
