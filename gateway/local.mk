# The daemon and its client, a folder for each subject; see docs/ARCHITECTURE.md, The rooms of gateway/
noinst_LIBRARIES += libgateway.a
libgateway_a_SOURCES = \
	gateway/daemon.c gateway/daemon.h \
	gateway/gateway.h \
	gateway/notify.c gateway/notify.h

# sockets, TLS, HTTP heads, WebSockets, HTTP/2; addresses and listening
libgateway_a_SOURCES += \
	gateway/net/deflate.c gateway/net/deflate.h \
	gateway/net/dial.c gateway/net/dial.h \
	gateway/net/http1.c gateway/net/http1.h \
	gateway/net/link-ws.c gateway/net/link-ws-in.c gateway/net/link-ws-out.c gateway/net/link-ws.h gateway/net/link-ws-local.h \
	gateway/net/listen.c gateway/net/listen.h \
	gateway/net/lookup.c gateway/net/lookup.h \
	gateway/net/modbus-server.c gateway/net/modbus-server.h \
	gateway/net/stream.c gateway/net/stream.h \
	gateway/net/tls.c gateway/net/tls.h gateway/net/tls-local.h \
	gateway/net/tls-client.c gateway/net/tls-staple.c \
	gateway/session/uplink-tls.c gateway/session/uplink-tls.h \
	gateway/pki/cert.c gateway/pki/cert.h \
	gateway/pki/expiry.c gateway/pki/expiry.h \
	gateway/pki/authority.c gateway/pki/authority.h gateway/pki/authority-local.h gateway/pki/authority-issue.c gateway/pki/books.c gateway/pki/books.h \
	gateway/pki/request.c gateway/pki/request.h gateway/pki/signing.c gateway/pki/signing.h \
	gateway/manage/command-pki.c gateway/ctl/ctl-pki.c \
	gateway/net/turnstile.c gateway/net/turnstile.h \
	gateway/net/utf8.c gateway/net/utf8.h
if HAVE_NGHTTP2
libgateway_a_SOURCES += gateway/net/mux.c gateway/net/mux.h gateway/net/mux-parts.h gateway/net/mux-strand.c
EXTRA_DIST += gateway/net/mux-none.c
else
libgateway_a_SOURCES += gateway/net/mux-none.c gateway/net/mux.h
EXTRA_DIST += gateway/net/mux.c gateway/net/mux-parts.h gateway/net/mux-strand.c
endif

# a station's conversation with its CSMS: who is let in, what passes, what is seen of it
libgateway_a_SOURCES += \
	gateway/session/access.c gateway/session/access.h \
	gateway/session/deviations.c gateway/session/deviations.h \
	gateway/session/learnt.c gateway/session/learnt.h \
	gateway/session/passage.c gateway/session/passage.h \
	gateway/session/password-hash.c gateway/session/password-hash.h \
	gateway/session/proofs.c gateway/session/proofs.h \
	gateway/session/raised.c gateway/session/raised.h \
	gateway/session/redact.c gateway/session/redact.h \
	gateway/session/refusals.c gateway/session/refusals.h \
	gateway/session/rewrite.c gateway/session/rewrite.h \
	gateway/session/session.c gateway/session/session.h \
	gateway/session/tap.c gateway/session/tap.h \
	gateway/session/trace.c gateway/session/trace.h \
	gateway/session/trace-export.c gateway/session/trace-export.h \
	gateway/session/trace-page.c gateway/session/trace-page.h \
	gateway/session/uplink.c gateway/session/uplink.h

# what happens while the CSMS is away, and after it
libgateway_a_SOURCES += \
	gateway/offline/authorize.c gateway/offline/authorize.h \
	gateway/offline/behind.c gateway/offline/behind.h \
	gateway/offline/ledger.c gateway/offline/ledger.h \
	gateway/offline/local.c gateway/offline/local.h \
	gateway/offline/owed.c gateway/offline/owed.h \
	gateway/offline/pace.c gateway/offline/pace.h \
	gateway/offline/refused.c gateway/offline/refused.h \
	gateway/offline/replay.c gateway/offline/replay.h \
	gateway/offline/room.c gateway/offline/room.h \
	gateway/offline/spare.c gateway/offline/spare.h \
	gateway/offline/timekeeper.c gateway/offline/timekeeper.h

# many stations as one
libgateway_a_SOURCES += \
	gateway/group/group.c gateway/group/group.h \
	gateway/group/group-config.c \
	gateway/group/group-down.c \
	gateway/group/group-fan.c \
	gateway/group/group-jobs.c \
	gateway/group/group-limit.c \
	gateway/group/group-local.h \
	gateway/group/group-members.c \
	gateway/group/group-places.c \
	gateway/group/group-txs.c \
	gateway/group/group-up.c \
	gateway/group/group-wishes.c \
	gateway/group/group-certs.c gateway/group/group-key.c gateway/group/group-monitors.c gateway/group/group-profiles.c gateway/group/group-told.c

# from settings to the balancer, and from its decisions to stations; grid, tariffs, schedules
libgateway_a_SOURCES += \
	gateway/power/announce.c gateway/power/announce.h \
	gateway/power/balance.c gateway/power/balance.h \
	gateway/power/balance-replay.c gateway/power/balance-replay.h \
	gateway/power/balance-stdio.c gateway/power/balance-stdio.h \
	gateway/power/below.c gateway/power/below.h \
	gateway/power/caps.c gateway/power/caps.h \
	gateway/power/charger.c gateway/power/charger.h \
	gateway/power/csms-profiles.c gateway/power/csms-profiles.h \
	gateway/power/decisions.c gateway/power/decisions.h \
	gateway/power/explain.c gateway/power/explain.h \
	gateway/power/fallback.c \
	gateway/power/grid-conf.c gateway/power/grid-conf.h \
	gateway/power/grid-durable.c gateway/power/grid-evidence.c gateway/power/grid-inputs.c gateway/power/grid-inputs.h gateway/power/grid-local.h \
	gateway/power/grid-kept.c gateway/power/grid-kept.h gateway/power/grid-power.c gateway/power/grid-source.c gateway/power/grid-view.c \
	gateway/power/hours.c gateway/power/hours.h \
	gateway/power/limits.c gateway/power/limits.h \
	gateway/power/probe.c gateway/power/probe.h \
	gateway/power/reported.c gateway/power/reported.h \
	gateway/power/schedule.c gateway/power/schedule.h \
	gateway/power/stdio-site.c gateway/power/stdio-site.h \
	gateway/power/times.c gateway/power/times.h \
	gateway/power/traits.c gateway/power/traits.h \
	gateway/power/vigil.c gateway/power/vigil.h

# stations of the box: its relays, and the box itself as a station
libgateway_a_SOURCES += \
	gateway/own/errand.c gateway/own/errand.h \
	gateway/own/identity.c gateway/own/identity.h \
	gateway/own/alarm.c gateway/own/alarm.h \
	gateway/own/own-certs.c gateway/own/own-certs.h \
	gateway/own/own-roots.c gateway/own/own-roots.h \
	gateway/own/own-host.c gateway/own/own-host.h \
	gateway/own/relays.c gateway/own/relays.h \
	gateway/own/transfer.c gateway/own/transfer.h

# plugins and the workers they run in
libgateway_a_SOURCES += \
	gateway/plug/drivers.c gateway/plug/drivers.h \
	gateway/plug/host.c gateway/plug/host.h gateway/plug/host-local.h \
	gateway/plug/host-api.c \
	gateway/plug/modules.c gateway/plug/modules.h \
	gateway/plug/unit.c \
	gateway/plug/worker.c

# the configuration: read, proved, kept, changed
libgateway_a_SOURCES += \
	gateway/conf/check.c gateway/conf/check.h gateway/conf/check-local.h \
	gateway/conf/check-device.c \
	gateway/conf/check-electric.c \
	gateway/conf/check-grid.c \
	gateway/conf/check-listen.c \
	gateway/conf/check-uplink.c \
	gateway/conf/configuration.c gateway/conf/configuration.h \
	gateway/conf/generation.c gateway/conf/generation.h \
	gateway/conf/managed.c gateway/conf/managed.h \
	gateway/conf/reload.c gateway/conf/reload.h \
	gateway/conf/stations-file.c gateway/conf/stations-file.h \
	gateway/conf/settings.c gateway/conf/settings.h \
	gateway/conf/settings-electric.c \
	gateway/conf/settings-evse.c \
	gateway/conf/settings-form.c \
	gateway/conf/settings-grid.c \
	gateway/conf/settings-link.c \
	gateway/conf/settings-listen.c \
	gateway/conf/settings-mqtt.c \
	gateway/conf/settings-rows.h \
	gateway/conf/settings-secret.c \
	gateway/conf/settings-station.c \
	gateway/conf/settings-tables.c gateway/conf/settings-tables.h \
	gateway/conf/settings-uplink.c \
	gateway/conf/settings-values.c

# the verbs, whoever calls them, and what they show
libgateway_a_SOURCES += \
	gateway/manage/api.c gateway/manage/api.h \
	gateway/manage/call-help.c gateway/manage/call-help.h \
	gateway/manage/checks.c gateway/manage/checks.h \
	gateway/manage/command.c gateway/manage/command.h \
	gateway/manage/command-call.c \
	gateway/manage/command-commission.c \
	gateway/manage/command-decisions.c \
	gateway/manage/command-config.c \
	gateway/manage/command-grid.c \
	gateway/manage/command-limit.c \
	gateway/manage/command-log.c \
	gateway/manage/command-meter.c \
	gateway/manage/command-network.c \
	gateway/manage/command-people.c \
	gateway/manage/command-plan.c \
	gateway/manage/command-file.c \
	gateway/manage/command-show.c \
	gateway/manage/command-station.c \
	gateway/manage/command-store.c \
	gateway/manage/commands.def \
	gateway/manage/commission.c gateway/manage/commission.h gateway/manage/commission-local.h \
	gateway/manage/commission-identify.c \
	gateway/manage/commission-judge.c \
	gateway/manage/commission-limit.c \
	gateway/manage/commission-meters.c \
	gateway/manage/commission-offline.c \
	gateway/manage/commission-probe.c \
	gateway/manage/decided.c gateway/manage/decided.h \
	gateway/manage/history.c gateway/manage/history.h \
	gateway/manage/doctor.c gateway/manage/doctor.h gateway/manage/doctor-box.c gateway/manage/doctor-site.c \
	gateway/manage/meter-check.c gateway/manage/meter-check.h \
	gateway/manage/meter-look.c gateway/manage/meter-look.h \
	gateway/manage/once.c gateway/manage/once.h \
	gateway/manage/task.c gateway/manage/task.h \
	gateway/manage/uplink-test.c gateway/manage/uplink-test.h \
	gateway/manage/view.c gateway/manage/view.h

# what goes out to a broker
libgateway_a_SOURCES += \
	gateway/mqtt/backlog.c gateway/mqtt/backlog.h \
	gateway/mqtt/homeassistant.c gateway/mqtt/homeassistant.h \
	gateway/mqtt/sinks.c gateway/mqtt/sinks.h \
	gateway/mqtt/telemetry.c gateway/mqtt/telemetry.h \
	gateway/mqtt/topic.h

# the console, the API and the metrics
libgateway_a_SOURCES += \
	gateway/http/console.c gateway/http/console.h \
	gateway/http/failures.c gateway/http/failures.h \
	gateway/http/http.c gateway/http/http.h \
	gateway/http/idempotent.c gateway/http/idempotent.h \
	gateway/http/openapi.c \
	gateway/http/metrics.c gateway/http/metrics.h gateway/http/metrics-local.h \
	gateway/http/metrics-box.c \
	gateway/http/metrics-count.c \
	gateway/http/metrics-site.c \
	gateway/http/metrics-station.c \
	gateway/http/metrics-json.c \
	gateway/http/rest.c gateway/http/rest.h \
	gateway/http/routes.def \
	gateway/http/sse.c gateway/http/sse.h \
	gateway/http/tls-own.c gateway/http/tls-own.h \
	gateway/http/users.c gateway/http/users.h

# the simulators and the demo
libgateway_a_SOURCES += \
	gateway/sim/demo.c gateway/sim/demo.h \
	gateway/sim/demo-csms.c \
	gateway/sim/demo-director.h \
	gateway/sim/demo-parts.h \
	gateway/sim/demo-screen.c \
	gateway/sim/demo-script.c \
	gateway/sim/demo-site.c gateway/sim/demo-site.h \
	gateway/sim/demo-world.c \
	gateway/sim/sim.c gateway/sim/sim.h \
	gateway/sim/sim-board.c gateway/sim/sim-board.h \
	gateway/sim/sim-csms.c gateway/sim/sim-csms.h \
	gateway/sim/sim-csms-main.c \
	gateway/sim/sim-day.c gateway/sim/sim-day.h \
	gateway/sim/sim-ledger.c gateway/sim/sim-ledger.h \
	gateway/sim/sim-lines.c gateway/sim/sim-lines.h \
	gateway/sim/sim-meter.c gateway/sim/sim-meter.h \
	gateway/sim/sim-outlet.c gateway/sim/sim-outlet.h \
	gateway/sim/sim-rules.c gateway/sim/sim-rules.h \
	gateway/sim/sim-site.c gateway/sim/sim-site.h \
	gateway/sim/sim-station.c gateway/sim/sim-station.h \
	gateway/sim/sim-station-main.c \
	gateway/sim/world.c gateway/sim/world.h

# the client
bin_PROGRAMS += ampgate
ampgate_SOURCES = \
	gateway/ctl/archive.c gateway/ctl/archive.h \
	gateway/ctl/ctl.c gateway/ctl/ctl.h \
	gateway/ctl/ctl-care.c \
	gateway/ctl/ctl-config.c \
	gateway/ctl/ctl-doctor.c \
	gateway/ctl/ctl-file.c \
	gateway/ctl/ctl-help.c \
	gateway/ctl/ctl-verb.c \
	gateway/ctl/ctl-link.c gateway/ctl/ctl-link.h \
	gateway/ctl/ctl-log.c \
	gateway/ctl/ctl-trace.c \
	gateway/ctl/ctl-meter.c \
	gateway/ctl/ctl-hash.c gateway/ctl/ctl-plan.c gateway/ctl/ctl-plugin.c \
	gateway/ctl/ctl-print.c gateway/ctl/ctl-print.h \
	gateway/ctl/ctl-say.c gateway/ctl/ctl-say.h gateway/ctl/sentences.def
ampgate_LDADD = $(GATEWAY_LIBS)

sbin_PROGRAMS += ampgated
ampgated_SOURCES = gateway/main.c
ampgated_LDADD = $(GATEWAY_LIBS)

# what the sandbox of the daemon forbids to ask
pkglibexec_PROGRAMS += clock-witness
clock_witness_SOURCES = gateway/clock-witness.c
