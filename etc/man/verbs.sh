#!/bin/sh
# usage: verbs.sh commands.def      the table of verbs as an mdoc list: name, arguments, what it does, who may
awk -F '"' '
	# Lines of a manual page have at most 80 bytes.
	function put(text,    n, i, words, line) {
		n = split(text, words, " ")
		for (i = 1; i <= n; i++) {
			if (line != "" && length(line) + 1 + length(words[i]) > 78) {
				print line
				line = ""
			}
			line = line (line == "" ? "" : " ") words[i]
		}
		print line
	}
	BEGIN { print ".Bl -tag -width Ds" }
	/^VERB/ {
		match($3, /ROLE_[A-Z]+/)
		role = tolower(substr($3, RSTART + 5, RLENGTH - 5))
		printf ".It Cm %s", $2
		n = split($4, words, " ")
		for (i = 1; i <= n; i++)
			if (words[i] ~ /^\[/)
				printf "%s", " Oo Ar " substr(words[i], 2, length(words[i]) - 2) " Oc"
			else
				printf " Ar %s", words[i]
		print ""
		put(toupper(substr($6, 1, 1)) substr($6, 2) ".")
		print "Role: " role "."
	}
	END { print ".El" }' "$1"
