#!/bin/bash
# needs: root
# Postfix's posttls-finger, behind a validating unbound, comes to the same end as postern-dane in every row of the table. Its resolver
# is the system's: it runs with a resolv.conf of its own, which takes root and a mount namespace.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../nsd.sh"
. "$(dirname "$0")/../dane.sh"
PATH=$PATH:/usr/sbin:/sbin
need jq posttls-finger unbound unshare
[ "$(id -u)" = 0 ] || skip "only root can give posttls-finger a resolv.conf of its own"
unshare -m true 2> /dev/null || skip "there are no mount namespaces here"
dane_world
dane_home
# glibc asks port 53 only: on an address that nobody else has.
RESOLVER=127.0.53.$((RANDOM % 200 + 2))
python3 -c 'import socket,sys; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind((sys.argv[1], 53))' "$RESOLVER" 2> /dev/null || skip "port 53 of $RESOLVER is taken"
cat > "$T/unbound.conf" <<C
server:
  interface: $RESOLVER
  username: ""
  chroot: ""
  directory: "$T"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  do-not-query-localhost: no
  trust-anchor-file: "$T/anchors"
  local-zone: "test." nodefault
  module-config: "validator iterator"
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: ${DNS%:*}@${DNS#*:}
C
start unbound unbound -d -p -c "$T/unbound.conf"
resolves() { python3 - "$RESOLVER" <<'P'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2)
s.sendto(b"\x12\x34\x01\x20\x00\x01\x00\x00\x00\x00\x00\x00\x02ok\x04test\x00\x00\x0f\x00\x01", (sys.argv[1], 53))
sys.exit(s.recv(512)[3] & 0x20 == 0)  # the AD bit: validated
P
}
wait_for 30 resolves
printf 'nameserver %s\noptions trust-ad\n' "$RESOLVER" > "$T/resolv.conf"
finger() { unshare -m sh -c 'mount --bind "$1" /etc/resolv.conf && shift && exec timeout 60 posttls-finger -c -T 10 -o inet_protocols=ipv4 -M may "$@"' - "$T/resolv.conf" "$@" > "$T/finger" 2>&1; }
# What it came to: a certificate that fits, TLS without looking at it, or neither.
of_finger() {
  if grep -q 'Verified TLS connection established' "$T/finger"; then echo verified
  elif ! grep -q 'TLS connection established' "$T/finger"; then echo neither
  elif grep -q 'all TLSA records unusable, fallback to unauthenticated TLS' "$T/finger"; then echo encrypted
  elif grep -q 'certificate verification failed' "$T/finger"; then echo neither
  else echo encrypted; fi
}
agreed=0
for row in $DANE_ROWS; do
  IFS=: read -r name _ _ <<< "$row"
  # It looks at the first host that answers, and at no other; and where there is no DANE, beside an MX that is insecure, it takes
  # the level "secure" in the place of what a delivery does.
  case $name in skips|insecuretlsa) continue ;; esac
  finger -l dane "$name.test:$PORT"
  "$B/postern-dane" --json --resolver "$DNS" "$name.test" > "$T/out" 2>> "$T/log"
  ours=$(jq -r '[.hosts[] | select(.goes) | .connection] | first |
    if .authenticated then "verified" elif .encrypted then "encrypted" else "neither" end' "$T/out")
  expect_equal "$ours" "$(of_finger)" "postern-dane beside posttls-finger for $name.test ($(tail -n 3 "$T/finger"))"
  agreed=$((agreed + 1))
  [ "$ours" = neither ] || used=$((${used:-0} + 1))
done
# With a resolver that does not answer all would be "neither".
[ "$used" -ge 11 ] || fail "only $used of $agreed rows came to TLS"
finger -l dane "insecuretlsa.test:$PORT"
expect_in "$T/finger" 'Untrusted TLS connection established to mx.insecuretlsa.test'
expect_not_in "$T/finger" 'DANE'
