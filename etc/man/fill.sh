#!/bin/sh
# usage: fill.sh WHAT FILE PAGE     puts FILE between the lines  .\" begin WHAT  and  .\" end WHAT  of PAGE
awk -v what="$1" -v part="$2" '
	$0 == ".\\\" end " what { inside = 0 }
	!inside { print }
	$0 == ".\\\" begin " what {
		inside = 1
		while ((getline line < part) > 0)
			print line
	}' "$3" >"$3.new" && mv "$3.new" "$3"
