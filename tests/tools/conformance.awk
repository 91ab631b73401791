# docs/CONFORMANCE.md to standard output, from docs/conformance.txt and the tags of the tests:
#   awk -f conformance.awk TAGS docs/conformance.txt     TAGS: lines "FILE:OCPP VERSION CASE", as grep -o finds them
# A case is passed when a test carries its tag, not applicable when its line says why, else open.
BEGIN { FS = " " }

FNR == NR {
	file = $0; sub(/:.*/, "", file)
	rest = $0; sub(/^[^:]*:/, "", rest); split(rest, word, " ")
	id = word[2] " " word[3]
	if (index(" " tests[id] " ", " " file " ") == 0)
		tests[id] = tests[id] == "" ? file : tests[id] " " file
	next
}

/^#/ { next }

{
	id = $1 " " $2
	words = $0; sub(/^[^ ]+ [^ ]+ /, "", words)
	why = ""
	if ((at = index(words, " | ")) > 0) {
		why = substr(words, at + 3)
		words = substr(words, 1, at - 1)
	}
	n++; ids[n] = $2; version[n] = $1; said[n] = words
	block = $1 == "1.6" ? "" : substr($2, 4, 1)
	key = $1 (block == "" ? "" : " " block)
	if (!(key in total)) keys[++n_keys] = key
	total[key]++
	if (id in tests) { state[n] = "pass"; how[n] = tests[id]; passed[key]++ }
	else if (why != "") { state[n] = "not applicable"; how[n] = why; beside[key]++ }
	else { state[n] = "open"; how[n] = ""; open_[key]++ }
	if ((id in tests) && why != "") { print "conformance: " id " has a test and a reason against it" > "/dev/stderr"; bad = 1 }
	known[id] = 1
}

END {
	for (id in tests)
		if (!(id in known)) { print "conformance: no such case: " id > "/dev/stderr"; bad = 1 }
	print "# The test cases of the standard for charging stations\n"
	print "Made by `make conformance-doc` from `docs/conformance.txt` and the tags of the tests; a test sees that it is up to date.\n"
	print "What a charging station of this box (`station/`) does of the test cases for charging stations. Pass: one of our tests plays the case with"
	print "the messages and fields that it names. Not applicable: the station does not have what the case tries, or has what the case wants absent."
	print "Open: not tried, or not done.\n"
	print "| version, block | cases | pass | not applicable | open |"
	print "| --- | --- | --- | --- | --- |"
	for (i = 1; i <= n_keys; i++) {
		k = keys[i]
		printf "| %s | %d | %d | %d | %d |\n", k, total[k], passed[k], beside[k], open_[k]
		a += total[k]; b += passed[k]; c += beside[k]; d += open_[k]
	}
	printf "| all | %d | %d | %d | %d |\n", a, b, c, d
	for (i = 1; i <= n; i++) {
		if (version[i] != last) printf "\n## OCPP %s\n\n| case | tries | | by |\n| --- | --- | --- | --- |\n", version[i]
		last = version[i]
		printf "| %s | %s | %s | %s |\n", ids[i], said[i], state[i], how[i]
	}
	exit bad
}
