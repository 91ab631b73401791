noinst_LIBRARIES += libenergy.a
libenergy_a_SOURCES = energy/control.h energy/site.h
