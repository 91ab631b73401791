# Register maps of meters: one file per model.
modelsdir = $(pkgdatadir)/models
dist_models_DATA = \
	etc/models/abb-b23.yaml \
	etc/models/abb-b24.yaml \
	etc/models/algodue-uem.yaml \
	etc/models/bg-ds100.yaml \
	etc/models/carlo-gavazzi-em24-e1.yaml \
	etc/models/carlo-gavazzi-em24.yaml \
	etc/models/carlo-gavazzi-em330.yaml \
	etc/models/carlo-gavazzi-em340.yaml \
	etc/models/carlo-gavazzi-em530.yaml \
	etc/models/carlo-gavazzi-em540.yaml \
	etc/models/chint-dtsu666.yaml \
	etc/models/dzg-dvh4013.yaml \
	etc/models/eastron-sdm120.yaml \
	etc/models/eastron-sdm630.yaml \
	etc/models/eastron-sdm72d-m-v2.yaml \
	etc/models/finder-7e78.yaml \
	etc/models/finder-7m38.yaml \
	etc/models/inepro-pro380.yaml \
	etc/models/janitza-b23.yaml \
	etc/models/janitza-umg103.yaml \
	etc/models/janitza-umg604.yaml \
	etc/models/janitza-umg96-pa.yaml \
	etc/models/janitza-umg96rm.yaml \
	etc/models/lovato-dmg.yaml \
	etc/models/phoenix-eem-350.yaml \
	etc/models/phoenix-eem-mb370.yaml \
	etc/models/sbc-ale3.yaml \
	etc/models/schneider-iem3150.yaml \
	etc/models/schneider-iem3155.yaml \
	etc/models/schneider-iem3250.yaml \
	etc/models/schneider-iem3255.yaml \
	etc/models/schneider-iem3350.yaml \
	etc/models/schneider-iem3355.yaml \
	etc/models/shelly-pro3em.yaml \
	etc/models/siemens-pac2200.yaml \
	etc/models/siemens-pac3200.yaml \
	etc/models/siemens-pac4200.yaml \
	etc/models/socomec-countis-e24.yaml \
	etc/models/socomec-countis-e44.yaml \
	etc/models/socomec-diris-a10.yaml \
	etc/models/socomec-diris-b30.yaml \
	etc/models/wago-879-30xx.yaml \
	etc/models/weidmueller-em525.yaml
# Register maps of charge controllers: one file per model.
controllersdir = $(pkgdatadir)/controllers
dist_controllers_DATA = \
	etc/controllers/alfen-ng9xx.yaml \
	etc/controllers/bender-cc612.yaml \
	etc/controllers/evse-din.yaml \
	etc/controllers/heidelberg-ec.yaml \
	etc/controllers/phoenix-charx-1.yaml \
	etc/controllers/phoenix-charx-2.yaml \
	etc/controllers/phoenix-charx-3.yaml \
	etc/controllers/phoenix-charx-4.yaml \
	etc/controllers/phoenix-em-cp-pp-eth.yaml \
	etc/controllers/phoenix-ev-eth.yaml \
	etc/controllers/phoenix-ev-ser.yaml
# How models of charging stations take limits: one file per vendor.
stationsdir = $(pkgdatadir)/stations
dist_stations_DATA = \
	etc/stations/abb.yaml \
	etc/stations/abl.yaml \
	etc/stations/actec.yaml \
	etc/stations/alfen.yaml \
	etc/stations/autel.yaml \
	etc/stations/easee.yaml \
	etc/stations/enercab.yaml \
	etc/stations/evbox.yaml \
	etc/stations/fronius.yaml \
	etc/stations/go-e.yaml \
	etc/stations/grizzl-e.yaml \
	etc/stations/huawei.yaml \
	etc/stations/mennekes.yaml \
	etc/stations/schneider.yaml \
	etc/stations/sungrow.yaml \
	etc/stations/wallbox.yaml
EXTRA_DIST += etc/ampgate.yaml

# Examples beside the documentation; the configuration itself only where there is none yet.
examplesdir = $(docdir)/examples
dist_examples_DATA = etc/examples/garage24.yaml etc/examples/maker-relay.yaml etc/examples/maker-outlets.yaml etc/examples/depot300.yaml \
	etc/examples/home-sun.yaml etc/examples/street40.yaml etc/examples/direct-14a.yaml
# Of others beside it: to be copied and changed.
samplesdir = $(docdir)/samples
dist_samples_DATA = etc/avahi/ampgate.service etc/mosquitto/ampgate.conf etc/mosquitto/acl
EXTRA_DIST += etc/container/Containerfile etc/container/build.sh
EXTRA_DIST += etc/setup.sh .ci/run
confdir = $(DESTDIR)$(sysconfdir)/ampgate
install-data-local:
	$(MKDIR_P) $(confdir)/conf.d $(confdir)/models $(confdir)/controllers $(confdir)/tls $(confdir)/credentials
	chmod 0700 $(confdir)/credentials
	$(MKDIR_P) $(DESTDIR)$(plugindir)
	test -e $(confdir)/ampgate.yaml || $(INSTALL_DATA) $(srcdir)/etc/ampgate.yaml $(confdir)/ampgate.yaml
# What an administrator has written stays.
uninstall-local:
	cmp -s $(srcdir)/etc/ampgate.yaml $(confdir)/ampgate.yaml && rm -f $(confdir)/ampgate.yaml || :
	rmdir $(confdir)/conf.d $(confdir)/models $(confdir)/controllers $(confdir)/tls $(confdir)/credentials $(confdir) 2>/dev/null || :

# The service and its user.
systemdunit_DATA = etc/systemd/ampgate.service etc/systemd/ampgate-clock.service
etc/systemd/ampgate-clock.service: etc/systemd/ampgate-clock.service.in Makefile
	@$(MKDIR_P) etc/systemd
	$(AM_V_GEN)sed -e 's,[@]pkglibexecdir[@],$(pkglibexecdir),' $(srcdir)/etc/systemd/ampgate-clock.service.in > $@
etc/systemd/ampgate.service: etc/systemd/ampgate.service.in Makefile
	@$(MKDIR_P) etc/systemd
	$(AM_V_GEN)sed -e 's,[@]bindir[@],$(bindir),' -e 's,[@]sbindir[@],$(sbindir),' -e 's,[@]sysconfdir[@],$(sysconfdir),' -e 's,[@]localstatedir[@],$(localstatedir),' \
		$(srcdir)/etc/systemd/ampgate.service.in > $@
udevdir = $(prefix)/lib/udev/rules.d
dist_udev_DATA = etc/udev/70-ampgate.rules
sysusersdir = $(prefix)/lib/sysusers.d
dist_sysusers_DATA = etc/sysusers.d/ampgate.conf
EXTRA_DIST += etc/systemd/ampgate.service.in etc/systemd/ampgate-clock.service.in
CLEANFILES += etc/systemd/ampgate.service etc/systemd/ampgate-clock.service

# Completion, from the table of verbs and the client's table of commands. The client has both files in it as well.
COMPLETION_FROM = gateway/manage/commands.def gateway/ctl/ctl.c
completionsdir = $(datadir)/bash-completion/completions
completions_DATA = etc/completion/ampgate
etc/completion/ampgate: etc/completion/fill.sh etc/completion/ampgate.in $(COMPLETION_FROM)
	@$(MKDIR_P) etc/completion
	$(AM_V_GEN)sh $(srcdir)/etc/completion/fill.sh $(COMPLETION_FROM:%=$(srcdir)/%) $(srcdir)/etc/completion/ampgate.in > $@.new && mv $@.new $@
zshdir = $(datadir)/zsh/vendor-completions
zsh_DATA = etc/completion/_ampgate
etc/completion/_ampgate: etc/completion/fill.sh etc/completion/_ampgate.in $(COMPLETION_FROM)
	@$(MKDIR_P) etc/completion
	$(AM_V_GEN)sh $(srcdir)/etc/completion/fill.sh $(COMPLETION_FROM:%=$(srcdir)/%) $(srcdir)/etc/completion/_ampgate.in > $@.new && mv $@.new $@
gateway/ctl/completion-text.h: etc/completion/ampgate etc/completion/_ampgate
	@$(MKDIR_P) gateway/ctl
	$(AM_V_GEN)for shell in bash zsh; do \
		echo "static const char completion_$$shell[] ="; \
		case $$shell in bash) file=etc/completion/ampgate ;; zsh) file=etc/completion/_ampgate ;; esac; \
		sed 's/[\\"]/\\&/g; s/.*/\t"&\\n"/' $$file; \
		echo "	;"; \
	done > $@.new && mv $@.new $@
BUILT_SOURCES += gateway/ctl/completion-text.h
gateway/ctl/ctl-help.$(OBJEXT): gateway/ctl/completion-text.h
CLEANFILES += gateway/ctl/completion-text.h
EXTRA_DIST += etc/completion/fill.sh
EXTRA_DIST += etc/completion/ampgate.in etc/completion/_ampgate.in
CLEANFILES += etc/completion/ampgate etc/completion/_ampgate

dist_man_MANS += \
	etc/man/ampgate-board.7 \
	etc/man/ampgate-mqtt.7 \
	etc/man/ampgate-plugin.3 \
	etc/man/ampgate.1 \
	etc/man/ampgate.yaml.5 \
	etc/man/ampgated.8

# For Prometheus and Grafana.
rulesdir = $(pkgdatadir)/prometheus
dist_rules_DATA = etc/prometheus/ampgate.rules.yml
dashboardsdir = $(pkgdatadir)/grafana
dist_dashboards_DATA = etc/grafana/ampgate.json

# A package for Debian 12 or newer, in deb/. It is built from what `make dist` would hold, so a file that is missing there is missed here.
debian_files = etc/debian/ampgate.lintian-overrides etc/debian/ampgate.postrm etc/debian/changelog etc/debian/control etc/debian/copyright \
	etc/debian/rules etc/debian/source/format
EXTRA_DIST += $(debian_files)
deb:
	rm -rf deb && $(MKDIR_P) deb
	$(MAKE) $(AM_MAKEFLAGS) distdir distdir=deb/ampgate-$(VERSION)
	cp -R deb/ampgate-$(VERSION)/etc/debian deb/ampgate-$(VERSION)/debian
	cd deb/ampgate-$(VERSION) && dpkg-buildpackage -b -us -uc
	rm -rf deb/ampgate-$(VERSION)
	@ls deb/*.deb
# Installs, upgrades and purges that package in a Debian of its own; lintian; the unit's exposure. Takes minutes and needs root.
check-package: deb
	srcdir=$(srcdir) sh $(srcdir)/tests/package/package.sh deb
	sh $(srcdir)/tests/package/systemd.sh deb
# An image from that Debian which BASE names, see etc/container/build.sh.
IMAGE = ampgate
container:
	rm -rf container-source && $(MAKE) $(AM_MAKEFLAGS) distdir distdir=container-source
	sh $(srcdir)/etc/container/build.sh container-source $(IMAGE); rc=$$?; rm -rf container-source; exit $$rc
# Runs that image and asks how it is. Needs root, as the image does.
check-container: container
	sh $(srcdir)/tests/package/container.sh $(IMAGE)
clean-local:
	-rm -rf deb container-source
EXTRA_DIST += tests/package/package.sh tests/package/systemd.sh tests/package/container.sh
.PHONY: deb check-package container check-container
