noinst_LIBRARIES += libenergy.a
libenergy_a_SOURCES =
