# see docs/ARCHITECTURE.md, Tests
noinst_LIBRARIES += libgateway.a
libgateway_a_SOURCES = \
	gateway/access.c gateway/access.h \
	gateway/api.c gateway/api.h \
	gateway/backlog.c gateway/backlog.h \
	gateway/balance.c gateway/balance.h \
	gateway/below.c gateway/below.h \
	gateway/grid-inputs.c gateway/grid-inputs.h \
	gateway/balance-replay.c gateway/balance-replay.h \
	gateway/balance-stdio.c gateway/balance-stdio.h \
	gateway/caps.c gateway/caps.h \
	gateway/command.c gateway/command.h \
	gateway/command-config.c \
	gateway/command-grid.c \
	gateway/command-station.c \
	gateway/command-plan.c \
	gateway/configuration.c gateway/configuration.h \
	gateway/generation.c gateway/generation.h \
	gateway/csms-profiles.c gateway/csms-profiles.h \
	gateway/traits.c gateway/traits.h \
	gateway/daemon.c gateway/daemon.h \
	gateway/call-help.c gateway/call-help.h \
	gateway/decisions.c gateway/decisions.h \
	gateway/deviations.c gateway/deviations.h \
	gateway/explain.c gateway/explain.h \
	gateway/redact.c gateway/redact.h \
	gateway/trace-export.c gateway/trace-export.h \
	gateway/drivers.c gateway/drivers.h \
	gateway/authorize.c gateway/authorize.h \
	gateway/refused.c gateway/refused.h \
	gateway/timekeeper.c gateway/timekeeper.h \
	gateway/behind.c gateway/behind.h \
	gateway/pace.c gateway/pace.h \
	gateway/room.c gateway/room.h \
	gateway/spare.c gateway/spare.h \
	gateway/group.c gateway/group.h gateway/group-local.h \
	gateway/group-config.c gateway/group-down.c gateway/group-fan.c gateway/group-jobs.c gateway/group-limit.c gateway/group-members.c \
	gateway/group-places.c gateway/group-txs.c gateway/group-up.c gateway/group-wishes.c \
	gateway/ledger.c gateway/ledger.h \
	gateway/charger.c gateway/charger.h \
	gateway/fallback.c \
	gateway/identity.c gateway/identity.h \
	gateway/limits.c gateway/limits.h \
	gateway/probe.c gateway/probe.h \
	gateway/local.c gateway/local.h \
	gateway/managed.c gateway/managed.h \
	gateway/modules.c gateway/modules.h \
	gateway/notify.c gateway/notify.h \
	gateway/own-certs.c gateway/own-certs.h \
	gateway/own-host.c gateway/own-host.h \
	gateway/owed.c gateway/owed.h \
	gateway/passage.c gateway/passage.h \
	gateway/reload.c gateway/reload.h \
	gateway/replay.c gateway/replay.h \
	gateway/rewrite.c gateway/rewrite.h \
	gateway/schedule.c gateway/schedule.h \
	gateway/vigil.c gateway/vigil.h \
	gateway/session.c gateway/session.h \
	gateway/tap.c gateway/tap.h \
	gateway/times.c gateway/times.h \
	gateway/once.c gateway/once.h gateway/telemetry.c gateway/telemetry.h \
	gateway/trace.c gateway/trace.h \
	gateway/transfer.c gateway/transfer.h \
	gateway/uplink.c gateway/uplink.h \
	gateway/view.c gateway/view.h \
	gateway/commands.def \
	gateway/gateway.h \
	gateway/hours.c gateway/hours.h \
	gateway/relays.c gateway/relays.h \
	gateway/sim-outlet.c gateway/sim-outlet.h \
	gateway/errand.c gateway/errand.h \
	gateway/homeassistant.c gateway/homeassistant.h gateway/topic.h \
	gateway/host.c gateway/host.h \
	gateway/check.c gateway/check.h \
	gateway/check-electric.c \
	gateway/check-grid.c \
	gateway/settings.c gateway/settings.h \
	gateway/settings-grid.c \
	gateway/settings-link.c \
	gateway/settings-secret.c \
	gateway/settings-tables.c gateway/settings-tables.h \
	gateway/deflate.c gateway/deflate.h \
	gateway/demo.c gateway/demo.h gateway/demo-director.h gateway/demo-parts.h \
	gateway/demo-csms.c gateway/demo-screen.c gateway/demo-script.c gateway/demo-world.c \
	gateway/demo-site.c gateway/demo-site.h \
	gateway/dial.c gateway/dial.h \
	gateway/http1.c gateway/http1.h \
	gateway/link-ws.c gateway/link-ws.h \
	gateway/learnt.c gateway/learnt.h \
	gateway/listen.c gateway/listen.h \
	gateway/turnstile.c gateway/turnstile.h \
	gateway/lookup.c gateway/lookup.h \
	gateway/sim.c gateway/sim.h \
	gateway/sim-board.c gateway/sim-board.h \
	gateway/sim-csms.c gateway/sim-csms.h gateway/sim-csms-main.c \
	gateway/sim-ledger.c gateway/sim-ledger.h \
	gateway/sim-lines.c gateway/sim-lines.h \
	gateway/sim-day.c gateway/sim-day.h \
	gateway/sim-meter.c gateway/sim-meter.h \
	gateway/sim-site.c gateway/sim-site.h \
	gateway/modbus-server.c gateway/modbus-server.h \
	gateway/sim-station.c gateway/sim-station.h gateway/sim-station-main.c \
	gateway/stream.c gateway/stream.h \
	gateway/tls.c gateway/tls.h \
	gateway/utf8.c gateway/utf8.h \
	gateway/world.c gateway/world.h

if HAVE_NGHTTP2
libgateway_a_SOURCES += gateway/mux.c gateway/mux.h
EXTRA_DIST += gateway/mux-none.c
else
libgateway_a_SOURCES += gateway/mux-none.c gateway/mux.h
EXTRA_DIST += gateway/mux.c
endif

bin_PROGRAMS += ampgate
ampgate_SOURCES = gateway/ctl.c gateway/ctl.h gateway/ctl-config.c gateway/ctl-plugin.c gateway/ctl-care.c gateway/archive.c gateway/archive.h gateway/ctl-print.c gateway/ctl-print.h
ampgate_LDADD = $(GATEWAY_LIBS)

sbin_PROGRAMS += ampgated
ampgated_SOURCES = gateway/main.c
ampgated_LDADD = $(GATEWAY_LIBS)
