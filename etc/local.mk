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
	etc/models/schneider-iem3155.yaml \
	etc/models/schneider-iem3255.yaml \
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
EXTRA_DIST += etc/ampgate.yaml etc/examples/garage24.yaml etc/examples/maker-relay.yaml etc/examples/depot300.yaml
# How models of charging stations take limits: one file per vendor.
stationsdir = $(pkgdatadir)/stations
dist_stations_DATA = \
	etc/stations/abb.yaml \
	etc/stations/actec.yaml \
	etc/stations/evbox.yaml \
	etc/stations/huawei.yaml \
	etc/stations/wallbox.yaml
