# What the tests of AUTH share.

# The program whose policy a test chooses; beside the programs, or where make has put it.
with_policy() {
  local place
  for place in "$B/../smtpd-with-policy" "$B/../release/smtpd-with-policy"; do
    [ -x "$place" ] && { echo "$place"; return; }
  done
  fail "smtpd-with-policy is not there: make unit"
}
# submission [auth=...] [auth_without_tls] [check_user]: a listener with this policy on 127.0.0.1:$SUBMIT, in the place of smtpd; what it
# logs is $T/submission.log. Under TLS as far as it knows with TLS=TLSv1.3.
submission() {
  local program user=()
  program=$(with_policy) || exit 1
  SUBMIT=$(free_port)
  [ "$(id -u)" = 0 ] && user=(setuidgid posternd)
  start submission env "SSL_PROTOCOL=${TLS:-}" "${user[@]}" tcpserver -H -R -l 0 -c 100 127.0.0.1 "$SUBMIT" "$program" "$@"
  SUBMIT_PID=$LAST_PID
  wait_for 30 listening "$SUBMIT"
}
# add_user NAME PASSWORD [postern-passwd's options…]
add_user() {
  local name=$1 password=$2; shift 2
  printf '%s\n' "$password" | "$B/postern-passwd" "$@" "$name" || fail "postern-passwd $name"
}
# login [--from ADDRESS] NAME PASSWORD: the reply to AUTH PLAIN, one line.
login() { python3 "$TESTS/auth.py" login "$SUBMIT" "$@"; }
