# see docs/ARCHITECTURE.md, Tests
TESTS += tests/flow/ws-peer.js
EXTRA_DIST += tests/flow/ws-peer.js
