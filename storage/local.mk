noinst_LIBRARIES += libstorage.a
libstorage_a_SOURCES = \
	storage/db.c storage/db.h \
	storage/job.h \
	storage/journal.h \
	storage/kept.h \
	storage/outbox.c storage/outbox.h \
	storage/rows.h \
	storage/salvage.c \
	storage/schema.c storage/schema.h \
	storage/store.c storage/store.h \
	storage/tokens.h \
	storage/txs.c storage/txs.h
