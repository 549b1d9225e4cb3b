#!/bin/bash
# needs: user
# Each service in turn runs out of descriptors, then of memory (prlimit on its running processes): a client gets 250 or 4xx and nothing
# else, the log does not run hot, and when the pressure is over the service works as before. Each message that was answered with 250 arrives.
. "$(dirname "$0")/../lib.sh"
need python3
[ "$(id -u)" != 0 ] || skip "limits of other users' processes are not root's to set everywhere: run it as an ordinary user"
SINK=$(free_port)
make_instance --local home.example --user alice --route "far.example:127.0.0.2:$SINK"
echo 1 > "$POSTERN_HOME/control/retryfirst"
echo 1 > "$POSTERN_HOME/control/retrylongest"
echo none > "$POSTERN_HOME/control/stages"
run_instance
start_sink "$SINK"

limit() { python3 "$TESTS/pressure.py" "$(service_pid "$1")" "$2" "$3"; }  # SERVICE nofile|as VALUE|max
hand_in() { mail "$1" | inject alice@home.example alice@home.example carol@far.example > "$2" 2>&1; }
warnings() { log_of "$1" | grep -cE '^(Warning|Critical):'; }
acknowledged=() refused=0 number=0 cases=0
note_answer() {  # SUBJECT FILE CODE
  case $3 in
    0) acknowledged+=("$1") ;;
    1) fail "a permanent reply to $1: $(cat "$2")" ;;
    *) refused=$((refused + 1)) ;;
  esac
}
passed_on() { grep -q "^Subject: $1.\?$" $(mailbox alice) /dev/null && grep -q "^Subject: $1.\?$" "$T/sink.messages"; }
passed_on_or_warned() { passed_on "$subject" || [ "$(warnings "$service")" -gt "$before" ] || logged send "Delayed: .*"; }
pressure() {  # SERVICE RESOURCE VALUE
  local service=$1 subject=m$((number += 1)) before pid code
  before=$(warnings "$service")
  limit "$service" "$2" "$3" || fail "cannot limit $service"
  hand_in "$subject" "$T/answer" & pid=$!
  # Felt by the client, or by the service itself; or nothing of it comes to that.
  felt() { ! kill -0 $pid 2> /dev/null || [ "$(warnings "$service")" -gt "$before" ]; }
  wait_for 30 felt
  case $service in send | lspawn | rspawn) passed_on "$subject" || [ "$(warnings "$service")" -gt "$before" ] || wait_for 30 passed_on_or_warned ;; esac
  limit "$service" "$2" max
  wait $pid; code=$?
  note_answer "$subject" "$T/answer" $code
  [ $(($(warnings "$service") - before)) -lt 100 ] || fail "$service with $2=$3 ran hot: $(($(warnings "$service") - before)) warnings"
  subject=m$((number += 1))
  works_again() { hand_in "$subject" "$T/answer"; }
  wait_for 30 works_again
  # send says a shortage once: the next one is felt when this one is over.
  [ "$service" != send ] || wait_for 30 passed_on "$subject"
  acknowledged+=("$subject")
  cases=$((cases + 1))
}
size_of() { awk '/^VmSize/ { print $2 * 1024 }' "/proc/$(service_pid "$1")/status"; }
for service in queue scanq send lspawn rspawn smtpd; do
  for descriptors in 3 5 8; do pressure $service nofile $descriptors; done
  for more in 0 40000; do pressure $service as $(($(size_of $service) + more)); done
done
echo "$cases times under pressure: $refused messages refused for now, ${#acknowledged[@]} taken"
[ $refused -gt 5 ] || fail "the pressure was not felt"
# A message that send could not open waits for long: it is told that the pressure is over.
arrived() {
  local subject
  try_now
  cat $(mailbox alice) | grep -oP '^Subject: \Km\d+$' | sort -u > "$T/alice"
  tr -d '\r' < "$T/sink.messages" | grep -oP '^Subject: \Km\d+$' | sort -u > "$T/carol"
  for subject in "${acknowledged[@]}"; do
    grep -qx "$subject" "$T/alice" && grep -qx "$subject" "$T/carol" || return 1
  done
}
wait_for 40 arrived
expect_not_in <(log_of send) 'Bounced'
"$B/postern-showctl" --ready || fail "a service has gone"
