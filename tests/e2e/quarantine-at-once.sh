#!/bin/bash
# Many at once: 20 puts, lists meanwhile, two releases of one message of which one wins, releases and deletions of the same messages.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/quarantine.sh"
make_store
cat > "$T/receiver" <<'S'
#!/bin/sh
echo "$POSTERN_WORK" >> "$POSTERN_HOME/store/works"
cat > /dev/null
S
chmod +x "$T/receiver"
export POSTERN_RELEASE_TO=$T/receiver POSTERN_QUEUE=$T/receiver
mail_file 'at once'
pids=()
# The store is new: they make its directories and its index at once, too.
for mid in $(seq 1 20); do
  (env POSTERN_MID="$mid" "$B/postern-quarantine" put Virus "x$mid" Policy y < "$T/mail" 3< "$T/envelope" 2> "$T/log.$mid") & pids+=($!)
done
for n in 1 2 3 4; do
  (for _ in 1 2 3 4 5; do "$B/postern-quarantine" list > "$T/list.$n" 2> "$T/list.$n.log" || exit 1; awk -F'\t' 'NF != 10 { exit 1 }' "$T/list.$n" || exit 1; done) & pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "one of them failed: $(cat "$T"/*log*)"; done
expect_equal "$(quarantine list | wc -l)" 40 "all are there"
# The same number twenty times: one has it, the others get others.
pids=()
for n in $(seq 1 20); do
  (env POSTERN_MID=100 "$B/postern-quarantine" put Same x < "$T/mail" 3< "$T/envelope" 2> "$T/log.$n") & pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "one of them failed: $(cat "$T"/log.*)"; done
expect_equal "$(quarantine list Same | cut -f1 | sort -u | wc -l)" 20 "each has a number"
expect_in <(quarantine list Same) '^100'

# Two of each: released once.
for mid in $(seq 1 10); do
  "$B/postern-quarantine" release "$mid" > "$T/out.a" 2> "$T/log.a" & a=$!
  "$B/postern-quarantine" release "$mid" > "$T/out.b" 2> "$T/log.b" & b=$!
  wait $a; ca=$?; wait $b; cb=$?
  expect_equal "$(cat "$T/out.a" "$T/out.b" | wc -l)" 1 "releases of $mid"
  case $ca:$cb in 0:1[01][01] | 1[01][01]:0) ;; *) fail "exit codes $ca and $cb: $(cat "$T/log.a" "$T/log.b")" ;; esac
done
expect_equal "$(sort "$POSTERN_HOME/store/works" | uniq -d)" "" "nothing was handed on twice"
expect_equal "$(wc -l < "$POSTERN_HOME/store/works")" 10 "handed on"
# A release against a deletion: one of the two has happened.
for mid in $(seq 11 20); do
  "$B/postern-quarantine" release "$mid" > "$T/out.a" 2> "$T/log.a" & a=$!
  "$B/postern-quarantine" delete "$mid" > "$T/out.b" 2> "$T/log.b" & b=$!
  wait $a; ca=$?; wait $b; cb=$?
  [ $((ca == 0)) != $((cb == 0)) ] || fail "release $ca, delete $cb: $(cat "$T/log.a" "$T/log.b")"
  expect_equal "$(grep -c "^quarantine/$mid\$" "$POSTERN_HOME/store/works")" $((ca == 0)) "$mid was handed on"
done
store_is_sound || fail "see above"
exit 0
