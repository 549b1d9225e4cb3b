# What the tests of AUTH share.

# submission_policy [PARAMETER=VALUE…]: the policy SUBMISSION, compiled.
submission_policy() {
  sed -i '/^SUBMISSION /d' "$POSTERN_HOME/control/policies"
  echo "SUBMISSION ACCEPT $*" >> "$POSTERN_HOME/control/policies"
  "$B/postern-hat" compile > "$T/hat.log" 2>&1 || { cat "$T/hat.log"; fail "postern-hat compile"; }
}
# submission [PARAMETER=VALUE…]: a listener with this policy on 127.0.0.1:$SUBMIT, under tcpserver, where a client gets no RELAYCLIENT; what it
# logs is $T/submission.log. Under TLS as far as it knows with TLS=TLSv1.3.
submission() {
  local user=() tls=()
  submission_policy "$@"
  SUBMIT=$(free_port)
  [ "$(id -u)" = 0 ] && user=(setuidgid posternd)
  [ -n "${TLS:-}" ] && tls=("SSL_PROTOCOL=$TLS")
  start submission env POSTERN_LISTENER=submission POSTERN_POLICY=SUBMISSION "${tls[@]}" "${user[@]}" \
    tcpserver -H -R -l 0 -c 100 127.0.0.1 "$SUBMIT" "$B/postern-smtpd"
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
