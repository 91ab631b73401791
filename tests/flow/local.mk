# see docs/ARCHITECTURE.md, Tests
