#!/bin/sh
# embed.sh DIRECTORY FILE...: writes web/files.c, the files compressed into it, scripts without indents and lines of comment. With no file: an empty table.
dir=$1
shift
echo '/* Written by web/embed.sh. */'
echo '#include "web/files.h"'
n=0
for file in "$@"; do
	echo "static const unsigned char file$n[] = {"
	case $file in
	*.js) sed -e 's/^	*//' -e '/^\/\/ /d' "$dir/$file" ;;
	*) cat "$dir/$file" ;;
	esac | gzip -9n | od -An -v -tu1 | sed -e 's/  */,/g' -e 's/^,//' -e 's/$/,/'
	echo '};'
	n=$((n + 1))
done
echo 'const struct web_file web_files[] = {'
n=0
for file in "$@"; do
	case $file in
	*.html) type='text/html; charset=utf-8' ;;
	*.js) type='text/javascript; charset=utf-8' ;;
	*.css) type='text/css; charset=utf-8' ;;
	*.json | *.webmanifest) type='application/json' ;;
	*.svg) type='image/svg+xml' ;;
	*) echo "embed.sh: $file is of no known type" >&2 && exit 1 ;;
	esac
	sum=$(cksum <"$dir/$file" | tr ' ' -)
	echo "	{ \"/$file\", \"$type\", \"\\\"$sum\\\"\", file$n, sizeof(file$n) },"
	n=$((n + 1))
done
echo '	{ 0 }'
echo '};'
