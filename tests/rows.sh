#!/bin/bash
# rows.sh [ID...]: which tests show which rows of the features' list (../shared/spec/features.md), by the ids in the comment at the head of each
# script; a range is written R01-R03. Without arguments the rows of the receipt phase. Ends with 1 if a row has no test.
cd "$(dirname "$0")" || exit 111
LIST=${POSTERN_SHARED:-../../shared}/spec/features.md
[ -r "$LIST" ] || { echo "rows.sh: there is no $LIST: set POSTERN_SHARED" >&2; exit 111; }
WANTED=("$@")
[ $# -gt 0 ] || mapfile -t WANTED < <(grep -oE '^\| (R[0-9]{2}|O02|O03|O18) ' "$LIST" | tr -d '| ')

# "ID SCRIPT" for each id that a script names.
named() {
  local script
  for script in e2e/*.sh crash/*.sh; do
    sed -n '2,${/^#/!q;p}' "$script" | grep -oE '\b[A-Z][0-9]{2}(-[A-Z][0-9]{2})?\b' | while read -r id; do
      if [ "${#id}" = 3 ]; then echo "$id $script"; else seq -f "${id:0:1}%02g $script" "${id:1:2}" "${id:5:2}"; fi
    done
  done
}
NAMED=$(named)
missing=0
for id in "${WANTED[@]}"; do
  title=$(sed -n "s/^| $id | \([^|]*\) |.*/\1/p" "$LIST")
  [ -n "$title" ] || { echo "rows.sh: $LIST has no row $id" >&2; exit 100; }
  scripts=$(sed -n "s/^$id //p" <<< "$NAMED" | sort -u | tr '\n' ' ')
  if [ -n "$scripts" ]; then echo "$id  $scripts"; else echo "$id  NO TEST: $title"; missing=1; fi
done
exit $missing
