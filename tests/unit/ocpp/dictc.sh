#!/bin/sh
# The dictionary compiler names the place of each mistake in a text, and a change says only what it changes.
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
dictc=$top_builddir/ocpp/dictc
failed=0

printf 'version a\nmessage M\n\tx! Word\nanswer\nenum Word: One Two\n' > "$dir/a"
printf 'version b\nmessage N\nanswer\n' > "$dir/b"

# says TEXT MESSAGE: the third file is TEXT
says() {
	printf "$1" > "$dir/c"
	got=$("$dictc" "$dir/a" "$dir/b" "$dir/c" 2>&1 >/dev/null) && got='no error'
	case $got in
	*"$2") ;;
	*) echo "FAIL: \"$1\" gave \"$got\" instead of \"$2\""; failed=1 ;;
	esac
}

says 'message M\n' 'c:1: the file does not say which version it is'
says 'version c\nmessage M\n\tx! tekst\n' 'c:3: "tekst" is no type'
says 'version c\nmessage M\n\tx! text..ten\n' 'c:3: a number was expected at "ten"'
says 'version c\nmessage M\n\tx! Wort\n' 'c:3: there is no shape or enum Wort'
says 'version c\nmessage M\n\tx int\n\tx! int\n' 'c:4: x is there twice'
says 'version c\nmessage M\n\tx int 3\n' 'c:3: a range was expected at "3"'
says 'version c\nmessage M\n\tx list 1.. int\n' 'c:3: "of" was expected, not "int"'
says 'version c\nshape S\n\tx int\n' 'c:2: shape S is used nowhere'
says 'version c\nmessage M\n\ts S\nshape S\n\ts S\n' 'c:5: S contains itself'
says 'version c\nenum E: A B A\n' 'c:2: the word A is there twice'
says 'version c\n\tx int\n' 'c:2: this line belongs to nothing'
says 'version c\nsend M\nanswer\n' 'c:3: an answer to what?'
says 'version c\nmesage M\n' 'c:2: "mesage" starts nothing'
says 'version c based on d\n' 'c:1: version d was not read before'
says 'version c based on a\nmessage M\n' 'c:2: message M is there twice'
says 'version c based on a\nchange message N\n' 'c:2: there is no message N to change'
says 'version c based on a\nchange message M\n\t- y\n' 'c:3: there is no such field to remove'
says 'version c based on a\nchange enum Word: -Three\n' 'c:2: there is no word Three to remove'

# A change adds, replaces and removes; what is the same as before is not written again.
printf 'version c based on a\nchange message M\n\ty text..5\nchange enum Word: -Two Three\n' > "$dir/c"
"$dictc" "$dir/a" "$dir/b" "$dir/c" > "$dir/out" || failed=1
[ "$(grep -c 'MRequest \*/' "$dir/out")" = 2 ] && [ "$(grep -c 'MResponse \*/' "$dir/out")" = 1 ] || { echo 'FAIL: sharing'; failed=1; }
[ "$(grep -c '"\\005Three' "$dir/out")" = 1 ] || { echo 'FAIL: the added word'; failed=1; }
exit $failed
