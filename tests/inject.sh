# For the tests of what users of this host call, after lib.sh. U is the uid that they run as: as root an ordinary user's, else ours.
if [ "$(id -u)" = 0 ]; then U=65534 BECOME=(setpriv --reuid=65534 --regid=65534 --clear-groups); else U=$(id -u) BECOME=(); fi
# me [VAR=VALUE]… COMMAND…: as that user, called carl in the environment.
me() { "${BECOME[@]}" env -i PATH="$PATH" HOME="$T/me" POSTERN_HOME="$POSTERN_HOME" USER=carl "$@"; }
mkdir -p "$T/me"
[ "$(id -u)" = 0 ] && chown 65534:65534 "$T/me"
# start_pickup NAME=VALUE…: a pickup alone, with a program of our own in scanq's place: it keeps message, envelope and
# environment in $T/kept.
make_pickup() {
  make_home
  mkdir -p "$T/kept"
  cat > "$T/keep" <<K
#!/bin/sh
n=\$POSTERN_MID
env | sort > $T/kept/\$n.env
cat > $T/kept/\$n.message
cat <&1 > $T/kept/\$n.envelope
[ "\$POSTERN_EXTRAS" = 5 ] && cat <&5 > $T/kept/\$n.extras
[ -p $T/wait ] && { echo \$n >> $T/held; read word < $T/wait; }
[ -f $T/refuse ] && { cat $T/refuse >&6; exit 82; }
exit 0
K
  chmod +x "$T/keep"
}
start_pickup() {
  make_pickup
  start pickup env QMAILQUEUE="$T/keep" "$@" "$B/postern-bind" --everybody pickup "$(id -un):$(id -gn)" "$B/postern-pickup" --serve
  PICKUP=$LAST_PID
  wait_for 30 test -S "$POSTERN_HOME/run/pickup"
}
# kept SUFFIX: the newest of that kind; forget: none any more.
kept() { ls -t "$T"/kept/*."$1" | head -n 1; }
forget() { rm -f "$T"/kept/*; }
number_kept() { expect_equal "$(ls "$T/kept" | grep -c 'message$')" "$1" "messages kept"; }
envelope() { tr '\0' ' ' < "$(kept envelope)"; }
