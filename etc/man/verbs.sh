#!/bin/sh
# usage: verbs.sh commands.def      the table of verbs as an mdoc list: name, arguments, what it does, who may
awk -F '"' '
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
		printf "\n%s.\nRole: %s.\n", toupper(substr($6, 1, 1)) substr($6, 2), role
	}
	END { print ".El" }' "$1"
