# For tests of retries: delivery programs that write down what is noted in defer/ when they are asked.
#
# start_noting_deliverers: lspawn and rspawn that answer as tests/stub_delivery.sh, but rspawn defers everybody, and knows what was
# noted: $T/noted.MID is the file in defer/ at the last try, $T/tries a line "MID RECIPIENT…" for each try.
start_noting_deliverers() {
  need jq
  cat > "$T/note" <<S
#!/bin/bash
cp "$POSTERN_HOME/queue/defer"/*/"\$POSTERN_MID" "$T/noted.\$POSTERN_MID" 2> /dev/null
shift 2
echo "\$POSTERN_MID \$*" >> "$T/tries"
for recipient; do
  case \$recipient in
    hard*) printf 'hmx.far.example[192.0.2.1]:25 said: 550 5.7.26 it\047s "no"\\0' ;;
    *) printf 'smx.far.example[192.0.2.1]:25 said: 451 4.7.1 not now\\0' ;;
  esac
done
printf 'Kdone\\0'
S
  chmod 755 "$T/note"
  touch "$T/tries" "$T/jobs"
  start lspawn "$B/postern-serve" --workers 4 run/lspawn "$TESTS/stub_delivery.sh" "$T" local
  start rspawn "$B/postern-serve" --workers 4 run/rspawn "$T/note"
}
# tries_of MID [RECIPIENT]: how often it was tried.
tries_of() { grep -cE "^$1 .*${2:-}" "$T/tries"; }
# waits_of MID: the waits that were noted before its last try, in seconds, as "1 1 2".
waits_of() { awk '$1 == "t" { print $4 - $3 }' "$T/noted.$1" | paste -sd ' '; }
