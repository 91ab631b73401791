# Text cases: what goes in, what must come out. One runner each.
TESTS += tests/vectors/composite.js tests/vectors/composite-random.js
EXTRA_DIST += tests/vectors/composite.js tests/vectors/composite-random.js tests/vectors/reference.js tests/vectors/composite.jsonl
