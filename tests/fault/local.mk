# What happens when the disk fails, the process is killed or the power goes.
FAULT_TESTS = tests/fault/disk tests/fault/kill tests/fault/power tests/fault/memory
FAULT_PARTS = tests/fault/day.c tests/fault/day.h tests/fault/vfs.c tests/fault/vfs.h
check_PROGRAMS += $(FAULT_TESTS)
TESTS += $(FAULT_TESTS)
tests_fault_disk_SOURCES = tests/fault/disk.c $(FAULT_PARTS)
tests_fault_disk_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
tests_fault_kill_SOURCES = tests/fault/kill.c
tests_fault_kill_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
tests_fault_memory_SOURCES = tests/fault/memory.c tests/fault/day.c tests/fault/day.h
tests_fault_memory_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
tests_fault_power_SOURCES = tests/fault/power.c $(FAULT_PARTS)
tests_fault_power_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
