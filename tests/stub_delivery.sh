#!/bin/bash
# A delivery program for tests: `postern-serve run/lspawn stub_delivery.sh DIR local`, `… run/rspawn stub_delivery.sh DIR remote`.
# What it reports of a recipient is the first letter of the local-part: r, p, e, h or s (behind "PREFIX-" where it is virtual);
# "late" is s until DIR/open exists, then r. A message for keep…@ is kept in DIR/kept.MID. Each job's arguments stand in DIR/jobs
# as a line, what it has as extras behind a |, as text with ~ for NUL.
dir=$1 kind=$2
shift 2
line="$kind $*"
[ "${POSTERN_EXTRAS:-}" = 5 ] && line="$line|$(tr '\0' '~' <&5)"
printf '%s\n' "$line" >> "$dir/jobs"
[ "$kind" = remote ] && shift
shift
said=
[ "$kind" = remote ] && said='mx.far.example[192.0.2.1]:25 said: '
for recipient; do
  case ${recipient##*-} in
    keep*)
      cat > "$dir/.$POSTERN_MID" && mv "$dir/.$POSTERN_MID" "$dir/kept.$POSTERN_MID"
      printf 'r%s2.0.0 kept\0' "$said" ;;
    late*) if [ -e "$dir/open" ]; then printf 'r%s2.0.0 at last\0' "$said"; else printf 's%s451 4.7.1 not now\0' "$said"; fi ;;
    r*) printf 'r%s250 2.1.5 taken\0' "$said" ;;
    p*) printf 'p%s250 2.1.5 he tells\0' "$said" ;;
    e*) printf 'e2.0.0 to several\0' ;;
    h*) printf 'h%s550 5.1.1 no such user\0' "$said" ;;
    *) printf 's%s451 4.7.1 not now\0' "$said" ;;
  esac
done
printf 'Kdone\0'
