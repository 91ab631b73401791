noinst_LIBRARIES += libstorage.a
libstorage_a_SOURCES = storage/journal.h storage/kept.h storage/outbox.h storage/store.h storage/tokens.h storage/txs.h
