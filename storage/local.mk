noinst_LIBRARIES += libstorage.a
libstorage_a_SOURCES = \
	storage/db.c storage/db.h \
	storage/history.c storage/history.h \
	storage/job.h \
	storage/journal.c storage/journal.h \
	storage/kept.c storage/kept.h \
	storage/outbox.c storage/outbox.h \
	storage/pages.c storage/pages.h \
	storage/rows.h \
	storage/salvage.c \
	storage/schema.c storage/schema.h \
	storage/store.c storage/store.h \
	storage/tokens.c storage/tokens.h \
	storage/txs.c storage/txs.h
