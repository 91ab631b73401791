#!/bin/sh
# usage: fill.sh commands.def ctl.c TEMPLATE     the template with @VERBS@, the client's words, and @ARGS@, the arguments of each verb
# "station.list" in the table of verbs is `ampgate station list`; the client has a table of commands that are more than a verb.
awk '
	FILENAME ~ /commands[.]def$/ && /^VERB/ {
		split($0, part, "\"")
		name = part[2]
		gsub(/[.]/, " ", name)
		seen[name] = 1
		verbs = verbs (verbs ? "\n" : "") name
		n = split(part[4], words, /[] |[]+/)
		list = ""
		for (i = 1; i <= n; i++)
			if (words[i] != "")
				list = list (list ? " " : "") words[i] "="
		if (list)
			args = args (args ? "\n" : "") name ":" list
	}
	FILENAME ~ /ctl[.]c$/ && /^\t[{] "[a-z-]+", (NULL|"[a-z-]+"), [a-z_]+, (true|false) [}],$/ {
		split($0, part, "\"")
		name = part[2] (part[3] ~ /NULL/ ? "" : " " part[4])
		bare = part[3] ~ /NULL/
		for (v in seen)
			bare = bare && index(v, name " ") != 1 # a noun with words is no command by itself
		if (!(name in seen) && (bare || part[3] !~ /NULL/))
			verbs = verbs "\n" name
	}
	FILENAME ~ /[.]in$/ {
		if (i = index($0, "@VERBS@"))
			$0 = substr($0, 1, i - 1) verbs substr($0, i + 7)
		if (i = index($0, "@ARGS@"))
			$0 = substr($0, 1, i - 1) args substr($0, i + 6)
		print
	}' "$@"
