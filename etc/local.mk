EXTRA_DIST += etc/ampgate.yaml etc/examples/garage24.yaml etc/examples/maker-relay.yaml etc/examples/depot300.yaml
