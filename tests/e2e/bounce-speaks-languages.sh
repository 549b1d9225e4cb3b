#!/bin/bash
# once: the users do not matter to it
# Failures and delay warnings in the words of a template, under a subject in the same language; what programs read is as it is without
# one, and is found by flufl.bounce. A template that is wrong costs no notification. A delay is told again after each interval.
. "$(dirname "$0")/../lib.sh"
make_own_instance --local home.example --user alice
mkdir -p "$POSTERN_HOME/control/templates"
cp "$TESTS/../doc/samples/bounce-de" "$POSTERN_HOME/control/templates/bounce-de"
printf '[failed]\nSubject: x\n\n$Nobody\n' > "$POSTERN_HOME/control/templates/bounce-wrong"
printf '%s\n' 'DEFAULT initial_retry=1 max_retry_timeout=1' \
  'german template=de sign_bounces=on send_delay_warnings=on delay_warning_interval=1 max_delay_warnings=2' \
  'wrong template=wrong' > "$POSTERN_HOME/control/bounceprofiles"
start_stubs
start_send
queue_as() { POSTERN_BOUNCE_PROFILE=$1 MID=$2 queue_message "${@:3}" 2> /dev/null || fail "queue"; }
# read_dsn FILE: subject and text decoded, then the second part as it is.
read_dsn() {
  python3 - "$1" <<'P'
import email, email.policy, sys
report = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
parts = list(report.iter_parts())
print("Subject:", report["Subject"])
print(parts[0].get_content())
for block in parts[1].get_payload():
    print("\n".join(line for line in block.as_string().splitlines() if not line.startswith(("Arrival", "Will-Retry"))))
P
}
german=$(printf 'keep@home.example')
mail eins | queue_as german 4711 "$german" h.user@far.example || fail "queue"
wait_for 30 kept_are 1
read_dsn "$(kept)" > "$T/german" || fail "$(cat "$(kept)")"
expect_in "$T/german" '^Subject: Ihre Nachricht konnte nicht zugestellt werden$'
expect_in "$T/german" '^ist endgültig: Es wird nicht noch einmal versucht\.$'
expect_in "$T/german" '^<h\.user@far\.example>:$'
expect_not_in "$T/german" 'mail system at|\$Host|\$Recipients'
expect_not_in "$(kept)" '[^ -~]'
if python3 -c 'import flufl.bounce' 2> /dev/null; then
  expect_equal "$("$TESTS/dsn.py" --flufl "$(kept)" | grep .)" "failed h.user@far.example" "flufl.bounce"
fi
sed -n '/^Reporting-MTA/,$p' "$T/german" > "$T/machine.german"
rm "$(kept)"

# The same without a template, and with one that is wrong: for programs no other, for people in English.
for profile in DEFAULT wrong; do
  mail eins | queue_as $profile 4712 keep@home.example h.user@far.example
  wait_for 30 kept_are 1
  read_dsn "$(kept)" > "$T/$profile"
  expect_in "$T/$profile" '^This is the mail system at mx.example.org'
  sed -n '/^Reporting-MTA/,$p' "$T/$profile" | diff - "$T/machine.german" || fail "what programs read differs"
  rm "$(kept)"
  wait_for 30 queue_empty
done
expect_in "$T/send.log" '^Warning: postern-bounce: unable to use the template of the bounce of MID 4712: .*bounce-wrong line 4: there is no variable \$Nobody'

# Two warnings, and no third.
mail zwei | queue_as german 4713 keep@home.example late.a@far.example
wait_for 30 kept_are 2
for file in $(kept); do
  read_dsn "$file" > "$T/german"
  expect_in "$T/german" '^Subject: Ihre Nachricht verspätet sich$'
  expect_in "$T/german" '^Action: delayed$'
done
tries() { "$B/postern-qread" --json --mid 4713 | jq '.[0].tries'; }
before=$(tries)
more() { [ "$(tries)" -ge $((before + 3)) ]; }
wait_for 30 more
kept_are 2 || fail "a third warning"
expect_equal "$(grep -c '^w 0 ' "$POSTERN_HOME/queue/defer/$((4713 % 16))/4713")" 2 "warnings that are noted"
