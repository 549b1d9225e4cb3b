#!/bin/bash
# qread and qstat: JSON that every parser takes, whatever stands in addresses and replies; by site; by selector; in step
# with the plain form.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/qctl.sh"
need python3
make_own_instance --local home.example --user alice
echo 3600 > "$POSTERN_HOME/control/retryfirst"
expect_equal "$("$B/postern-qread" --json)" "[]" "an empty queue"
expect_equal "$("$B/postern-qread")" "" "an empty queue"
expect_equal "$("$B/postern-qstat" --sites)" "" "an empty queue"
expect_equal "$("$B/postern-qstat" --json)" '{"messages":0,"not_yet_seen":0,"tried_before":0,"being_written":0,"global_unsubscribe":0,"sites":[]}' "an empty queue"

make_deliverer
printf 's4.2.0 say "no"\\, \t\xff\xe2\x82 caf\xc3\xa9 </script>' > "$T/verdict"
hostile=($'quote"back\\slash@far.example' $'caf\xc3\xa9@far.example' $'bad\xff\xfe@far.example' $'cut\xe2\x82@far.example'
  $'line\nfeed\ttab\r@far.example' $'ctl\x01\x7f\x1b[31m@near.example' $'surrogate\xed\xa0\x80@near.example' $'"],"x":[{"@near.example' 'no-domain'
  $'x@\xff\xf0.example' $'<>@far.example' $'null\\u0000@far.example')
mail one | MID=4711 queue_message $'s"\xc3\x28@x.example' "${hostile[@]}" 2> /dev/null || fail "queue"
mail two | MID=4712 queue_message "" bob@far.example 2> /dev/null || fail "queue"
must_qctl hold --mid 4712
start_send
wait_for 30 tried_times 4711 1
printf '%s\0' "${hostile[@]}" > "$T/expected"

"$B/postern-qread" --json > "$T/json" || fail "qread"
"$B/postern-qstat" --json > "$T/stat" || fail "qstat"
python3 -m json.tool < "$T/json" > /dev/null || fail "qread's JSON"
if command -v jq > /dev/null; then
  expect_equal "$(jq -r '.[0].mid' "$T/json")" 4711
  expect_equal "$(jq -r '[.[].recipients[]] | length' "$T/json")" 13
  expect_equal "$(jq -c '[.sites[].pending] | add' "$T/stat")" 12
fi
LC_ALL=C grep -qP '[^\x20-\x7e\n]' "$T/json" "$T/stat" && fail "bytes that are not printing ASCII"
python3 - "$T" <<'P' || { cat "$T/json" "$T/stat"; fail "see above"; }
import json, sys
t = sys.argv[1]
messages = json.load(open(t + "/json"))
stat = json.load(open(t + "/stat"))
def check(condition, what):
    if not condition: sys.exit("wrong: " + what)
def exact(record, name):
    return bytes.fromhex(record[name + "_hex"]) if name + "_hex" in record else record[name].encode()
expected = open(t + "/expected", "rb").read().split(b"\0")[:-1]
first, second = messages
check(first["mid"] == "4711" and second["mid"] == "4712" and first["place"] == second["place"] == "cur", "order and place")
check(exact(first, "sender") == b's"\xc3(@x.example' and second["sender"] == "", "senders")
check([exact(r, "address") for r in first["recipients"]] == expected, "addresses")
check([r["rid"] for r in first["recipients"]] == [str(i) for i in range(len(expected))], "rids are strings")
check(all(r["state"] == "pending" for r in first["recipients"]), "states")
check(second["recipients"][0]["state"] == "held" and second["recipients"][0]["carried_out"] is True, "held")
check(first["tries"] == 1 and first["next_try"] - first["last_try"] == 3600, "times")
check(second["tries"] == 0 and second["next_try"] is None and second["recipients"][0]["last_reply"] is None, "never tried")
check('say "no"' in first["recipients"][0]["last_reply"], "reply")
check(first["recipients"][8]["site"] == "mx.example.org", "a site without a domain")
check(first["size_bytes"] > 10 and first["age_seconds"] >= 0 and first["received"] > 10**9, "numbers")
sites = {exact(s, "site"): s for s in stat["sites"]}
check(stat["messages"] == 2 and stat["not_yet_seen"] == 0 and stat["tried_before"] == 2, "counts")
check(set(sites) == {b"far.example", b"near.example", b"mx.example.org", b"\xff\xf0.example"}, "sites %r" % sites)
far = sites[b"far.example"]
check((far["messages"], far["pending"], far["held"]) == (2, 7, 1), "far %r" % far)
check(3500 < far["next_try_seconds"] <= 3600 and far["oldest_age_seconds"] >= 0 and 'say "no"' in far["last_reply"], "far %r" % far)
P
# The plain form has no byte that could forge a line, and the same numbers.
expect_equal "$("$B/postern-qread" | wc -l)" 2 "lines"
LC_ALL=C grep -qP '[^\x20-\x7e\n\t]' <("$B/postern-qread"; "$B/postern-qstat" --sites) && fail "bytes that are not printing ASCII in the plain form"
expect_in <("$B/postern-qstat" --sites) $'^far\\.example\t2\t7\t1\t[0-9]+\t3[56][0-9][0-9]\t.*say "no"'
expect_in <("$B/postern-qstat" --site near.example) $'^near\\.example\t1\t3\t0\t'
expect_equal "$("$B/postern-qstat" --site near.example | wc -l)" 1 "lines for one site"
expect_equal "$("$B/postern-qread" --sender '<>' | cut -f1)" 4712
expect_equal "$("$B/postern-qread" --recipient no-domain | cut -f8-)" 'P <no-domain>'
expect_equal "$("$B/postern-qread" --json --site nowhere.example)" "[]"
expect_in <("$B/postern-qstat") '^messages in queue: 2$'
# Ordered, and not carried out yet.
kill_send
must_qctl release --mid 4712
expect_in <("$B/postern-qread") $'^4712\t.*\tP <bob@far.example>$'
expect_in <("$B/postern-qread" --json --mid 4712) '"state":"pending","carried_out":false'

for tool in qread qstat; do
  "$B/postern-$tool" --jsn > /dev/null 2> "$T/err"; expect_equal $? 100 "$tool --jsn"
  "$B/postern-$tool" --older soon > /dev/null 2> "$T/err"; expect_equal $? 100 "$tool --older soon"
  "$B/postern-$tool" --json --spool "$T/none" > "$T/out" 2> "$T/err"; expect_equal $? 111 "$tool --spool, none"
done
# A message that cannot be read: said, and the rest is whole all the same.
echo broken > "$POSTERN_HOME/queue/new/0/16"
"$B/postern-qread" --json > "$T/json" 2> "$T/err"; expect_equal $? 111 "a broken message"
expect_in "$T/err" 'MID 16'
python3 -m json.tool < "$T/json" > /dev/null || fail "JSON beside a broken message"
"$B/postern-qstat" --json > "$T/json" 2> "$T/err"; expect_equal $? 111 "a broken message"
