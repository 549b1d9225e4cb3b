#!/bin/bash
# A message with EICAR from outside, through a whole running instance, under each action of control/antivirus: what reaches mailboxes,
# the next host, the store and the client is what the setting says, and nothing else. Row W13.
. "$(dirname "$0")/../lib.sh"
need python3
make_signatures
SINK=$(free_port)
start_instance --local home.example --user alice --user desk --clamdb "$T/clamdb"
start_sink "$SINK"
sed -i '1i 127.0.0.9:allow' "$POSTERN_HOME/control/tcp.smtp"
(cd "$POSTERN_HOME/control" && tcprules tcp.smtp.cdb tcp.smtp.tmp < tcp.smtp && chmod 644 tcp.smtp.cdb)
mkdir -p "$POSTERN_HOME/control/templates"
printf 'Subject: a virus, $Subject\n\nFor %s: $reason\n' '$EnvelopeRecipients' > "$POSTERN_HOME/control/templates/virus"
chmod -R a+rX "$POSTERN_HOME/control/templates"
python3 -B "$TESTS/edited_mail.py" make mixed "$T/eicar.com" > "$T/infected"
edited() { python3 -B "$TESTS/edited_mail.py" check "$1" "$T/infected" "$T/got" > "$T/note"; }

loads() { log_of antivirus | grep -c 'antivirus ready'; }
loaded_again() { [ "$(loads)" -gt "$before" ]; }
# settings LINE…: in force in the running scanner.
settings() {
  before=$(loads)
  printf '%s\n' "$@" > "$POSTERN_HOME/control/antivirus"
  chmod 644 "$POSTERN_HOME/control/antivirus"
  svc -h "$POSTERN_HOME/service/antivirus"
  wait_for 30 loaded_again
}
send() { FROM_ADDRESS=127.0.0.9 inject bob@far.example alice@home.example < "$T/infected" > "$T/answer"; }
held() { "$B/postern-quarantine" list; }
held_are() { [ "$(held | wc -l)" = "$1" ]; }  # a message that has several outcomes gets there soon, not at once
got_mail() { [ -n "$(mailbox "$1")" ]; }
all_done() { queue_empty && [ -z "$(find "$POSTERN_HOME/queue/new" "$POSTERN_HOME/queue/cur" -type f)" ]; }
# arrives NAME: its one message, without what delivery put in front, in $T/got; the mailbox is emptied.
arrives() {
  wait_for 30 got_mail "$1"
  wait_for 30 all_done
  expect_equal "$(mailbox "$1" | wc -l)" 1 "messages for $1"
  python3 - "$(mailbox "$1")" "$T/infected" > "$T/got" <<'P'
import sys
raw, sent = (open(path, "rb").read() for path in sys.argv[1:])
# Fields are put in front only, so the first one that was sent begins what was sent.
first = sent.split(b"\n")[0] + b"\n"
at = raw.index(first)
sys.stdout.buffer.write(raw[at:])
open(sys.argv[2] + ".front", "wb").write(raw[:at])
P
  rm "$(mailbox "$1")"
}
nothing_for() { wait_for 30 all_done; expect_equal "$(mailbox "$1")" "" "mail for $1 under $(head -1 "$POSTERN_HOME/control/antivirus")"; }

settings 'infected repair'
send || fail "repair: $(cat "$T/answer")"
arrives alice
edited repair || fail "repair"

settings 'infected replace'
send || fail "replace: $(cat "$T/answer")"
arrives alice
edited replace || fail "replace"
expect_in "$T/note" '^    File:     "eicar.com"'
expect_in "$T/note" '^    Finding:  a virus, Eicar'

settings 'infected subject [VIRUS $VirusName]' 'infected pass'
send || fail "subject: $(cat "$T/answer")"
arrives alice
python3 - "$T/infected" "$T/got" <<'P' || fail "subject"
import email, email.policy, sys
sent, got = (open(path, "rb").read() for path in sys.argv[1:])
parse = lambda raw: email.message_from_bytes(raw, policy=email.policy.default)
subject = parse(got)["Subject"]
assert subject.startswith("[VIRUS Eicar") and subject.endswith("] " + parse(sent)["Subject"]), subject
at, end = got.index(b" [VIRUS"), got.index(b"]") + 1
assert got[:at] + got[end:] == sent, "something else has changed"
P

settings 'infected header X-Virus $Verdict $VirusName' 'infected pass'
send || fail "header: $(cat "$T/answer")"
arrives alice
expect_in "$T/infected.front" '^X-Virus: infected Eicar'
cmp "$T/got" "$T/infected" || fail "header: something else has changed"

settings 'infected delete'
send || fail "delete: $(cat "$T/answer")"
nothing_for alice
wait_for 30 logged scanq 'Message aborted MID [0-9]+ Dropped by antivirus: Eicar'
expect_equal "$(held)" "" "held under delete"

settings 'infected reject 550 5.7.1 not this $VirusName'
send && fail "reject: $(cat "$T/answer")"
expect_in "$T/answer" '^550 5\.7\.1 not this Eicar'
settings 'infected defer not now'
send && fail "defer: $(cat "$T/answer")"
expect_in "$T/answer" '^451 4\.[0-9]\.[0-9] not now'
nothing_for alice

settings 'infected redirect desk@home.example'
send || fail "redirect to an address: $(cat "$T/answer")"
arrives desk
cmp "$T/got" "$T/infected" || fail "redirect: something else has changed"
nothing_for alice

settings "infected route 127.0.0.2:$SINK"
send || fail "redirect to a host: $(cat "$T/answer")"
sink_has_it() { grep -q 'eicar.com' "$T/sink.messages"; }
wait_for 30 sink_has_it
expect_in "$T/sink" 'RCPT TO:<alice@home.example>'
nothing_for alice

expect_equal "$(held)" "" "held before archive"
settings 'infected archive Copies' 'infected delete'
send || fail "archive: $(cat "$T/answer")"
nothing_for alice
wait_for 30 held_are 1
expect_in <(held) 'Copies'

printf 'desk\n' > "$POSTERN_HOME/control/doublebounceto"; printf 'home.example\n' > "$POSTERN_HOME/control/doublebouncehost"
settings 'infected notify admin virus' 'infected notify recipients virus' 'infected notify sender virus' 'infected quarantine Virus' 'infected stop'
send || fail "notify: $(cat "$T/answer")"
for who in alice desk; do
  wait_for 30 got_mail $who
  expect_in "$(mailbox $who)" '^Subject: a virus'
  expect_not_in "$(mailbox $who)" 'eicar.com'
done
wait_for 30 all_done
wait_for 30 held_are 2
expect_in <(held) $'\tVirus\t'
expect_equal "$(grep -c 'far.example' "$T/sink")" "$(grep -c 'MAIL FROM:<bob@far.example>' "$T/sink")" "a notice to a forged sender"
exit 0
