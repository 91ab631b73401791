# see docs/ARCHITECTURE.md, Tests
# What is installed, and what the service manager is told.
SERVICE_FLOWS = tests/flow/configure.sh tests/flow/install.sh tests/flow/man.sh tests/flow/notify.py tests/flow/plugin.sh tests/flow/samples.sh tests/flow/witness.sh
TESTS += $(SERVICE_FLOWS)
EXTRA_DIST += $(SERVICE_FLOWS) tests/flow/plugin-bench.c
tests/flow/install.log: ampgate ampgated
tests/flow/man.log: tests/tools/check-config ampgate
tests/flow/notify.log: ampgated
tests/flow/witness.log: clock-witness
tests/flow/plugin.log: ampgate ampgated

TESTS += tests/flow/ws-peer.js
EXTRA_DIST += tests/flow/ws-peer.js
TESTS += tests/flow/dictionary.js
EXTRA_DIST += tests/flow/dictionary.js tests/package.json tests/package-lock.json
# The real program, or real parts of it, against real peers. A test exits 77 where its peer is not installed.
PLUGIN_FLOWS = tests/flow/modbus-drivers.py tests/flow/mqtt.py
TESTS += $(PLUGIN_FLOWS)
EXTRA_DIST += $(PLUGIN_FLOWS)
tests/flow/modbus-drivers.log: tests/tools/meter-read tests/tools/evse-drive
tests/flow/controller.log: tests/tools/evse-drive
tests/flow/mqtt.log: tests/tools/mqtt-sink
# The whole program between independent peers, one promise per file.
PROGRAM_FLOWS = tests/flow/outage.js
PROGRAM_FLOWS += tests/flow/check.js
PROGRAM_FLOWS += tests/flow/faithful.js
PROGRAM_FLOWS += tests/flow/door.js
PROGRAM_FLOWS += tests/flow/alone.js
PROGRAM_FLOWS += tests/flow/authorize.js
PROGRAM_FLOWS += tests/flow/drain.js
PROGRAM_FLOWS += tests/flow/every.js
PROGRAM_FLOWS += tests/flow/ids.js
PROGRAM_FLOWS += tests/flow/interfaces.js
PROGRAM_FLOWS += tests/flow/rough.js
PROGRAM_FLOWS += tests/flow/power.js
PROGRAM_FLOWS += tests/flow/broker.js
PROGRAM_FLOWS += tests/flow/backlog.js
PROGRAM_FLOWS += tests/flow/broker-away.js
PROGRAM_FLOWS += tests/flow/homeassistant.js
PROGRAM_FLOWS += tests/flow/relay.js
PROGRAM_FLOWS += tests/flow/cabinets.js
PROGRAM_FLOWS += tests/flow/controller.js
PROGRAM_FLOWS += tests/flow/board.js
PROGRAM_FLOWS += tests/flow/cli.js
PROGRAM_FLOWS += tests/flow/care.js
PROGRAM_FLOWS += tests/flow/move.js
PROGRAM_FLOWS += tests/flow/verbs.js
PROGRAM_FLOWS += tests/flow/generations.js
PROGRAM_FLOWS += tests/flow/reload.js
PROGRAM_FLOWS += tests/flow/config.js
PROGRAM_FLOWS += tests/flow/crowd.js
PROGRAM_FLOWS += tests/flow/group.js
PROGRAM_FLOWS += tests/flow/group-asks.js
PROGRAM_FLOWS += tests/flow/raise.js
PROGRAM_FLOWS += tests/flow/hashes.js
PROGRAM_FLOWS += tests/flow/old-stations.js
PROGRAM_FLOWS += tests/flow/security-events.js
if HAVE_SPARKPLUG
PROGRAM_FLOWS += tests/flow/sparkplug.js
tests/flow/sparkplug.log: tests/tools/mqtt-sink
else
EXTRA_DIST += tests/flow/sparkplug.js
endif
TESTS += tests/flow/no-sparkplug.sh
EXTRA_DIST += tests/flow/no-sparkplug.sh
tests/flow/no-sparkplug.log: tests/tools/ampgated-no-sparkplug
if HAVE_NGHTTP2
PROGRAM_FLOWS += tests/flow/multiplex.js
else
EXTRA_DIST += tests/flow/multiplex.js
endif
TESTS += $(PROGRAM_FLOWS)
EXTRA_DIST += $(PROGRAM_FLOWS) tests/flow/verdict.sh tests/flow/lib.js tests/flow/raw.js tests/flow/certs.js
TESTS += tests/flow/profiles.js tests/flow/composite.js tests/flow/identity.js tests/flow/direct.js tests/flow/phases.js tests/flow/rotation.js tests/flow/quirks.js tests/flow/known-models.js tests/flow/outer-limits.js tests/flow/priority.js tests/flow/probe.js tests/flow/restart.js
EXTRA_DIST += tests/flow/profiles.js tests/flow/composite.js tests/flow/identity.js tests/flow/direct.js tests/flow/phases.js tests/flow/rotation.js tests/flow/quirks.js tests/flow/known-models.js tests/flow/outer-limits.js tests/flow/priority.js tests/flow/probe.js tests/flow/restart.js
TESTS += tests/flow/demo.sh
EXTRA_DIST += tests/flow/demo.sh
EXTRA_DIST += $(PROGRAM_FLOWS) tests/flow/lib.js tests/flow/raw.js tests/flow/modbus.js tests/flow/modbus-server.py
TESTS += tests/flow/return.js
EXTRA_DIST += tests/flow/return.js
tests/flow/return.log: ampgated
TESTS += tests/flow/http.js
EXTRA_DIST += tests/flow/http.js
tests/flow/http.log: ampgated
TESTS += tests/flow/grid.js tests/flow/grid-csms.js tests/flow/grid-reload.js tests/flow/grid-others.js tests/flow/grid-port.js tests/flow/grid-restart.js
EXTRA_DIST += tests/flow/grid.js tests/flow/grid-csms.js tests/flow/grid-reload.js tests/flow/grid-others.js tests/flow/grid-port.js tests/flow/grid-restart.js tests/flow/modbus-client.py
tests/flow/grid.log tests/flow/grid-csms.log tests/flow/grid-restart.log: ampgated ampgate
TESTS += tests/flow/answers.js
EXTRA_DIST += tests/flow/answers.js tests/voltlog-io/package.json tests/voltlog-io/index.js
tests/flow/answers.log: ampgated
TESTS += tests/flow/decisions.sh
EXTRA_DIST += tests/flow/decisions.sh
tests/flow/decisions.log: ampgate
TESTS += tests/flow/sim-site.sh
EXTRA_DIST += tests/flow/sim-site.sh
tests/flow/sim-site.log: ampgate
TESTS += tests/flow/own-files.js
EXTRA_DIST += tests/flow/own-files.js
tests/flow/own-files.log: ampgated
# The console: its words and weight, and in a real browser where there is one.
CONSOLE_FLOWS = tests/flow/words.js tests/flow/console.js tests/flow/wizard.js tests/flow/empty.js tests/flow/late.js tests/flow/operator.js
if CONSOLE
TESTS += $(CONSOLE_FLOWS)
endif
EXTRA_DIST += $(CONSOLE_FLOWS) tests/flow/browser.js
tests/flow/console.log: ampgated
tests/flow/wizard.log: ampgated
tests/flow/empty.log: ampgated ampgate
tests/flow/late.log: ampgated
tests/flow/operator.log: ampgated ampgate
TESTS += tests/flow/no-console.js
EXTRA_DIST += tests/flow/no-console.js
tests/flow/no-console.log: tests/tools/ampgated-no-console
TESTS += tests/flow/attack.js
EXTRA_DIST += tests/flow/attack.js
tests/flow/attack.log: ampgated
TESTS += tests/flow/security.js tests/flow/certificates.js tests/flow/own-key.js tests/flow/pki.js
EXTRA_DIST += tests/flow/security.js tests/flow/certificates.js tests/flow/own-key.js tests/flow/pki.js
tests/flow/security.log: ampgated
TESTS += tests/flow/files.js
EXTRA_DIST += tests/flow/files.js
tests/flow/files.log: ampgated ampgate
TESTS += tests/flow/metrics.js
EXTRA_DIST += tests/flow/metrics.js
tests/flow/metrics.log: ampgated
TESTS += tests/flow/rest.js
EXTRA_DIST += tests/flow/rest.js
tests/flow/rest.log: ampgated
TESTS += tests/flow/doctor.js
EXTRA_DIST += tests/flow/doctor.js
tests/flow/doctor.log: ampgated ampgate
TESTS += tests/flow/meters.js
EXTRA_DIST += tests/flow/meters.js tests/flow/modbus-units.py
tests/flow/meters.log: ampgated ampgate
TESTS += tests/flow/passwords.js
EXTRA_DIST += tests/flow/passwords.js
tests/flow/passwords.log: ampgated ampgate
