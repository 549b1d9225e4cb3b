# For tests of signatures: `sign_with DOMAIN SELECTOR [KIND]` makes a key of the instance and puts its record into $T/keys;
# `verified` prints what dkimpy says of each message that the sink got, `opendkim_says FILE` what libopendkim does.

sign_with() {
  "$B/postern-dkim-key" "$@" >> "$T/keys" 2> "$T/dkim-key.log" || { cat "$T/dkim-key.log"; fail "postern-dkim-key $*"; }
}
# A table for signq and queue, all at once.
dkim_table() {
  printf '%s\n' "$@" > "$POSTERN_HOME/control/dkim.new"
  mv "$POSTERN_HOME/control/dkim.new" "$POSTERN_HOME/control/dkim"
}
split_messages() {
  rm -rf "$T/wire"
  mkdir "$T/wire"
  "$TESTS/dkim_check.py" split "$T/sink" "$T/wire"
}
verified() {
  split_messages
  find "$T/wire" -type f | sort -V | xargs -r "$TESTS/dkim_check.py" verify "$T/keys"
}
sink_has() { [ "$(grep -c '^message ' "$T/sink")" = "$1" ]; }

# opendkim-testmsg asks the resolver of resolv.conf: it gets one, in a network and a view of the files of its own. Prints nothing when
# the signature is good.
opendkim_says() {
  echo 'nameserver 127.0.0.1' > "$T/resolv.conf"
  unshare -rmn bash -c '
    ip link set lo up && mount --bind "$1/resolv.conf" /etc/resolv.conf || exit 1
    exec 3< <(exec "$2/dkim_check.py" answer "$1/keys" 127.0.0.1 53)
    server=$!
    read -r ready <&3
    opendkim-testmsg < "$3" 2>&1
    code=$?
    kill $server
    exit $code' - "$T" "$TESTS" "$1"
}
