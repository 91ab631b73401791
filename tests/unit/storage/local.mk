UNIT_STORAGE = tests/unit/storage/outbox tests/unit/storage/txs
check_PROGRAMS += $(UNIT_STORAGE)
TESTS += $(UNIT_STORAGE)
tests_unit_storage_outbox_SOURCES = tests/unit/storage/outbox.c tests/unit/storage/lab.h tests/unit/unit.h
tests_unit_storage_outbox_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
tests_unit_storage_txs_SOURCES = tests/unit/storage/txs.c
tests_unit_storage_txs_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
