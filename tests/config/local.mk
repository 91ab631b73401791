# Every bad configuration fails on its line; every sample passes.
TESTS += tests/config/run.sh tests/config/samples.sh
EXTRA_DIST += tests/config/run.sh tests/config/samples.sh tests/config/bad tests/config/good tests/config/credentials/some tests/config/credentials/empty \
	tests/config/models/any-meter.yaml tests/config/models/heidelberg-ec.yaml
