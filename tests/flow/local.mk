# see docs/ARCHITECTURE.md, Tests
TESTS += tests/flow/ws-peer.js
EXTRA_DIST += tests/flow/ws-peer.js
TESTS += tests/flow/dictionary.js
EXTRA_DIST += tests/flow/dictionary.js tests/package.json tests/package-lock.json
# The real program, or real parts of it, against real peers. A test exits 77 where its peer is not installed.
PLUGIN_FLOWS = tests/flow/modbus.py tests/flow/mqtt.py
TESTS += $(PLUGIN_FLOWS)
EXTRA_DIST += $(PLUGIN_FLOWS)
tests/flow/modbus.log: tests/tools/meter-read tests/tools/evse-drive
tests/flow/mqtt.log: tests/tools/mqtt-sink
TESTS += tests/flow/demo.sh
EXTRA_DIST += tests/flow/demo.sh
