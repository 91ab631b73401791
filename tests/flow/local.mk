# see docs/ARCHITECTURE.md, Tests
TESTS += tests/flow/ws-peer.js
EXTRA_DIST += tests/flow/ws-peer.js
TESTS += tests/flow/dictionary.js
EXTRA_DIST += tests/flow/dictionary.js tests/package.json tests/package-lock.json
