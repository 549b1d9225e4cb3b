#!/bin/sh
# fails: cut-envelope
# It believes an envelope that is cut short.
cat > /dev/null || exit 111
records=$({ tr '\0' '\n' <&3; } 2> /dev/null) || exit 111
case $records in F*) ;; *) exit 111 ;; esac
printf '%s\n' "$records" | grep -q '^$' && exit 111
printf 'tag\tRECIPIENTS\t%s\n' "$(printf '%s\n' "$records" | grep -c '^T')"
