#!/bin/bash
# NOTIFY of RFC 3461: SUCCESS is told as delivered, relayed or expanded, and not where the next host tells it; FAILURE is told unless
# others are asked for; NEVER is silent. ENVID and ORCPT come back decoded. RET=FULL returns a message where something failed, and
# its header where not. A message without NOTIFY is told of as ever.
. "$(dirname "$0")/../lib.sh"
make_own_instance --local home.example --user alice
start_stubs
start_send
mail one > "$T/message"

extras='rFULL\0eQQ+2B1\0'
recipients=()
for row in r.none: r.success:SUCCESS r.never:NEVER r.failure:FAILURE h.none: h.success:SUCCESS,DELAY h.never:NEVER \
  h.failure:FAILURE,SUCCESS p.success:SUCCESS e.success:success e.none:; do
  for domain in home.example far.example; do
    address=${row%%:*}@$domain
    recipients+=("$address")
    extras+="t$address\\0"
    [ -n "${row#*:}" ] && extras+="n${row#*:}\\0"
    [ "${row%%:*}" = r.success ] && extras+="orfc822;r+2Bo@$domain\\0"
  done
done
MID=4711 queue_with_extras "$extras" keep@home.example "${recipients[@]}" < "$T/message" 2> /dev/null || fail "queue"
wait_for 30 queue_empty
expect_equal "$(kept | wc -l)" 1 "DSNs"
"$TESTS/dsn.py" "$(kept)" > "$T/told" || fail "a DSN: $(cat "$T/told")"
sort > "$T/expected" <<'L'
to keep@home.example
envid QQ+1
returned full
e.success@far.example expanded 2.0.0
e.success@home.example expanded 2.0.0
h.failure@far.example failed 5.1.1
h.failure@home.example failed 5.1.1
h.none@far.example failed 5.1.1
h.none@home.example failed 5.1.1
r.success@far.example relayed 2.1.5 orcpt=r+o@far.example
r.success@home.example delivered 2.1.5 orcpt=r+o@home.example
L
diff "$T/expected" <(sort "$T/told") || fail "what is told"
expect_in "$(kept)" '^hello$'
# Each job had the extras of its own recipients; the DSN its own: it is never told of.
expect_in "$T/jobs" '^local keep@home.example h.never@home.example\|rFULL~eQQ\+2B1~th.never@home.example~nNEVER~$'
expect_in "$T/jobs" '^remote far.example keep@home.example r.none@far.example .*\|rFULL~eQQ\+2B1~tr.success@far.example~nSUCCESS~orfc822;r\+2Bo@far.example~'
expect_in "$T/jobs" '^local  keep@home.example\|tkeep@home.example~nNEVER~$'
expect_equal "$(grep -c . "$T/jobs")" 13 "jobs: each recipient once"

# Nothing has failed: the header alone.
rm "$(kept)"
MID=4712 queue_with_extras 'rFULL\0tr@far.example\0nSUCCESS\0' keep@home.example r@far.example < "$T/message" 2> /dev/null || fail "queue"
MID=4713 queue_with_extras 'rHDRS\0th@far.example\0nNEVER\0' keep@home.example h@far.example < "$T/message" 2> /dev/null || fail "queue"
MID=4714 queue_message keep@home.example r@far.example < "$T/message" 2> /dev/null || fail "queue"
MID=4715 queue_with_extras 'tr@home.example\0nSUCCESS\0' "" r@home.example < "$T/message" 2> /dev/null || fail "queue"
wait_for 30 queue_empty
expect_equal "$(kept | wc -l)" 1 "DSNs at the end"
expect_equal "$("$TESTS/dsn.py" "$(kept)" | paste -sd,)" "to keep@home.example,envid ,returned headers,r@far.example relayed 2.1.5"
expect_not_in "$(kept)" '^hello$'
expect_in "$T/jobs" '^remote far.example keep@home.example r@far.example$'
expect_in "$T/send.log" '^Info: Bounced: 4713:0 From:<keep@home.example> To:<h@far.example> '
expect_in "$T/send.log" '^Info: MID [0-9]+ was generated for bounce of MID 4711$'
expect_in "$T/send.log" '^Info: MID [0-9]+ was generated for delivery report of MID 4712$'
expect_equal "$(spool_files "" | grep -v /lock)" "" "files at the end"
