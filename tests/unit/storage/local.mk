UNIT_STORAGE = tests/unit/storage/journal tests/unit/storage/kept tests/unit/storage/outbox tests/unit/storage/schema \
	tests/unit/storage/store tests/unit/storage/tokens tests/unit/storage/txs
check_PROGRAMS += $(UNIT_STORAGE)
TESTS += $(UNIT_STORAGE)
tests_unit_storage_journal_SOURCES = tests/unit/storage/journal.c tests/unit/storage/lab.h tests/unit/unit.h
tests_unit_storage_journal_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
tests_unit_storage_kept_SOURCES = tests/unit/storage/kept.c
tests_unit_storage_kept_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
tests_unit_storage_outbox_SOURCES = tests/unit/storage/outbox.c
tests_unit_storage_outbox_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
tests_unit_storage_schema_SOURCES = tests/unit/storage/schema.c
tests_unit_storage_schema_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
tests_unit_storage_store_SOURCES = tests/unit/storage/store.c
tests_unit_storage_store_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
tests_unit_storage_tokens_SOURCES = tests/unit/storage/tokens.c
tests_unit_storage_tokens_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
tests_unit_storage_txs_SOURCES = tests/unit/storage/txs.c
tests_unit_storage_txs_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
