#!/bin/bash
# control/virtualdomains sends what it names to lspawn under a prefix, as qmail-send does; a line without a prefix makes an exception.
# It is read again on SIGHUP; a wrong line is refused and the old table stays. A DSN speaks of the address as it was given. A hundred
# thousand domains make no difference.
. "$(dirname "$0")/../lib.sh"
make_own_instance --local home.example --user alice
cat > "$POSTERN_HOME/control/virtualdomains" <<'L'
# ours
shop.example:shop
h.boss@shop.example:chief
.shop.example:deep
out.shop.example:
L
seq 100000 | sed 's/.*/d&.many.example:many&/' >> "$POSTERN_HOME/control/virtualdomains"
start_stubs
start_send
mail one > "$T/message"
MID=4711 queue_message keep@home.example r.bob@Shop.Example h.boss@shop.example r.x@a.b.shop.example r.y@out.shop.example r.z@far.example \
  r.w@d77777.many.example < "$T/message" 2> /dev/null || fail "queue"
wait_for 30 queue_empty
for job in 'local keep@home.example shop-r.bob@Shop.Example' 'local keep@home.example chief-h.boss@shop.example' \
  'local keep@home.example deep-r.x@a.b.shop.example' 'remote out.shop.example keep@home.example r.y@out.shop.example' \
  'remote far.example keep@home.example r.z@far.example' 'local keep@home.example many77777-r.w@d77777.many.example'; do
  grep -qxF "$job" "$T/jobs" || fail "no job '$job': $(cat "$T/jobs")"
done
expect_equal "$("$TESTS/dsn.py" "$(kept)" | tail -n 1)" "h.boss@shop.example failed 5.1.1" "the DSN"

: > "$T/jobs"
echo ":all" > "$POSTERN_HOME/control/virtualdomains"
kill -HUP "$SEND_PID"
queue_message keep@home.example r.z@far.example < "$T/message" 2> /dev/null || fail "queue"
wait_for 30 grep -qx 'local keep@home.example all-r.z@far.example' "$T/jobs"
echo "shop.example" > "$POSTERN_HOME/control/virtualdomains"
kill -HUP "$SEND_PID"
wait_for 30 grep -q 'unable to read the settings again, keeping the old ones: .*virtualdomains: "shop.example" has no colon; write' "$T/send.log"
queue_message keep@home.example r.y@far.example < "$T/message" 2> /dev/null || fail "queue"
wait_for 30 grep -qx 'local keep@home.example all-r.y@far.example' "$T/jobs"
