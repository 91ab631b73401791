noinst_LIBRARIES += libstation.a
libstation_a_SOURCES =
