# For tests of TLS on the receiving side, behind lib.sh: an instance with certificates of an authority of its own ($T/ca.crt).
. "$TESTS/tls.sh"

# make_tls_instance NAME… : not started; secrets/posternk/NAME.pem for each, and port $SMTPS with TLS from the first byte.
make_tls_instance() {
  need openssl swaks python3
  SMTPS=$(free_port)
  make_instance --local home.example --user alice --smtps "127.0.0.1:$SMTPS"
  echo none > "$POSTERN_HOME/control/stages"
  # Port 465 is for users, who authenticate; these tests are of TLS alone.
  sed -i 's/^SUBMISSION .*/SUBMISSION ACCEPT/' "$POSTERN_HOME/control/policies"
  "$B/postern-hat" compile > "$T/hat.log" 2>&1 || fail "postern-hat compile: $(cat "$T/hat.log")"
  make_authority
  local name
  for name; do show_certificate "$name" "$name"; done
}
# show_certificate FILE NAME: secrets/posternk/FILE.pem, for NAME; read on SIGHUP.
show_certificate() {
  make_certificate "$1" 30 "$2"
  install_key "$1"
}
install_key() {
  cp "$T/$1.pem" "$POSTERN_HOME/secrets/posternk/$1.pem"
  chmod 600 "$POSTERN_HOME/secrets/posternk/$1.pem"
  chown --reference="$POSTERN_HOME/secrets/posternk" "$POSTERN_HOME/secrets/posternk/$1.pem"
}
# The masters' pid, and its workers'.
tlsd_workers() { pgrep -P "$(service_pid tlsd)"; }
# over_tls [s_client's options]… < COMMANDS, the last one QUIT: what the server said; what openssl tells is in $T/s_client.log.
over_tls() { timeout 30 openssl s_client -quiet -verify_quiet -crlf -connect "127.0.0.1:$PORT" -starttls smtp -CAfile "$T/ca.crt" "$@" 2> "$T/s_client.log"; }
