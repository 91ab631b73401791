noinst_LIBRARIES += libplugins.a
libplugins_a_SOURCES =
