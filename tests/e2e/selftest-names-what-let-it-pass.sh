#!/bin/bash
# postern-selftest is content with a good instance and leaves nothing behind; it fails, and says why, when the antivirus stage is
# taken out, when it is passed over because it is down, when mail is held in the wrong place, and when the chain is down.
. "$(dirname "$0")/../lib.sh"
need python3
make_signatures
start_instance --local home.example --user alice --clamdb "$T/clamdb"
selftest() { "$B/postern-selftest" "$@" > "$T/out" 2> "$T/log"; }
held() { "$B/postern-quarantine" list; }
scanq_listens() { ! "$B/postern-showctl" --ready | sees run/scanq; }
stages() {
  printf '%s\n' "$@" > "$POSTERN_HOME/control/stages"
  stop_service scanq
  start_service scanq
  wait_for 30 scanq_listens
}
thrown_away() { log_of lspawn > "$T/lspawn"; [ "$(grep -c 'delivered to mailbox alias' "$T/lspawn")" = "$1" ]; }

selftest; expect_equal $? 0 "a good instance: $(cat "$T/out" "$T/log")"
expect_in "$T/out" '^ok: EICAR to the listener: refused with "554 5\.7\.1 .*Eicar'
expect_in "$T/out" '^ok: EICAR from outside: held in quarantine Virus \(.*Eicar'
expect_in "$T/out" '^not applicable: GTUBE from outside: control/stages names no antispam stage'
expect_equal "$(wc -l < "$T/out")" 3 "lines"
expect_equal "$(held)" "" "what is held afterwards"
selftest -q; expect_equal $? 0 "quiet"
expect_equal "$(cat "$T/out" "$T/log")" "" "what -q says of a good instance"

# Deferred scanning: it is held after the 250.
echo deferred > "$POSTERN_HOME/control/scanning"
selftest --seconds 30; expect_equal $? 0 "deferred: $(cat "$T/out" "$T/log")"
expect_in "$T/out" '^ok: EICAR from outside: held in quarantine Virus'
rm "$POSTERN_HOME/control/scanning"

# A stage by hand that looks for spam; then one that does not find it.
cat > "$T/antispam" <<'S'
#!/bin/sh
grep -q "GTUBE-STANDARD-ANTI-UBE" && printf 'quarantine\t%s\tGTUBE\n' "${SPAM:-Spam}"
exit 0
S
chmod +x "$T/antispam"
stages 'antivirus @antivirus' "antispam $T/antispam"
selftest; expect_equal $? 0 "with an antispam stage: $(cat "$T/out" "$T/log")"
expect_in "$T/out" '^ok: GTUBE from outside: held in quarantine Spam \(GTUBE\)$'
expect_equal "$(held)" "" "what is held after GTUBE"
selftest --spam-quarantine Junk; expect_equal $? 1 "the wrong quarantine"
expect_in "$T/out" '^FAILED: GTUBE from outside: held in quarantine Spam \(GTUBE\) and not in Junk$'
stages 'antivirus @antivirus' "antispam /bin/true"
selftest --seconds 5; expect_equal $? 1 "an antispam stage that finds nothing"
expect_in "$T/out" '^FAILED: GTUBE from outside: taken, and held nowhere: it was let through by stage: antispam /bin/true; it went to postern-selftest@home\.example as MID [0-9]+'
expect_in "$T/out" '^ok: EICAR from outside'
wait_for 30 thrown_away 1

# Nobody looks for viruses. Both are delivered to an address that throws them away.
stages none
selftest -q --seconds 5; expect_equal $? 1 "no antivirus stage"
expect_equal "$(grep -c '^FAILED: EICAR .*taken, and held nowhere: control/stages names no stage that looks for viruses' "$T/out")" 2 "failed"
expect_in "$T/out" '^not applicable: GTUBE'
wait_for 30 thrown_away 3
wait_for 30 queue_empty
expect_equal "$(mailbox alice)" "" "mailbox"

# The stage is passed over while it is down.
stages 'antivirus @antivirus on-failure=pass timeout=1'
stop_service antivirus
selftest --seconds 6; expect_equal $? 1 "on-failure=pass: $(cat "$T/out" "$T/log")"
expect_equal "$(grep -c '^FAILED: EICAR .*let through by stage: antivirus @antivirus on-failure=pass timeout=1; it went' "$T/out")" 2 "let through"
if [ -r "$POSTERN_HOME/log/scanq/current" ]; then  # multilog's file belongs to its own user
  expect_in "$T/out" "^  scanq's log: Warning: .*unable to run stage antivirus on MID [0-9]+: .*run/antivirus"
fi
wait_for 30 thrown_away 5
# The same with its default: nothing passes, and that is no success either.
stages 'antivirus @antivirus timeout=1'
selftest --seconds 20; expect_equal $? 1 "on-failure=defer"
expect_equal "$(grep -c '^FAILED: EICAR .*neither taken nor refused for what it is, but "451 4\.7\.1 ' "$T/out")" 2 "deferred"

# The chain is down: within the time allowed.
stop_service smtpd
stop_service scanq
selftest --seconds 3; expect_equal $? 1 "smtpd and scanq are down"
expect_in "$T/out" '^FAILED: EICAR to the listener: the chain does not take mail: connect to 127\.0\.0\.1 port [0-9]+: Connection refused$'
expect_in "$T/out" '^FAILED: EICAR from outside: '
expect_equal "$(held)" "" "what is held at the end"

# Wrong use, and no instance.
for wrong in --what '--seconds 0' '--seconds x' '--to nobody' --to; do
  selftest $wrong; expect_equal $? 100 "$wrong"
  expect_in "$T/log" 'usage: postern-selftest'
done
echo .below.example > "$POSTERN_HOME/control/locals"
selftest; expect_equal $? 100 "no local domain"
expect_in "$T/log" 'name an address with --to$'
exit 0
