# For tests that ask DNS: a name server of our own on loopback. start_nsd reads the zone files $T/zones/NAME and sets $DNS (ADDR:PORT).

start_nsd() {
  need nsd
  local zone port
  port=$(free_port)
  DNS=127.0.0.1:$port
  {
    echo "server:"
    echo "  ip-address: 127.0.0.1@$port"
    printf '  username: ""\n  chroot: ""\n  database: ""\n  pidfile: ""\n  xfrdfile: ""\n  server-count: 1\n'
    printf '  zonesdir: "%s"\n  zonelistfile: "%s"\n  xfrdir: "%s"\n' "$T/zones" "$T/zone.list" "$T"
    printf 'remote-control:\n  control-enable: no\n'
    for zone in "$T"/zones/*; do
      case $zone in */K*|*/*.signed) continue ;; esac
      [ -f "$zone.signed" ] && zone=$zone.signed
      printf 'zone:\n  name: "%s"\n  zonefile: "%s"\n' "$(basename "${zone%.signed}")" "$zone"
    done
  } > "$T/nsd.conf"
  start nsd nsd -d -c "$T/nsd.conf"
  NSD=$LAST_PID
  wait_for 30 listening "$port"
}

# zone NAME < records: the zone with its SOA and name server before them.
zone() {
  mkdir -p "$T/zones"
  {
    printf '$ORIGIN %s.\n$TTL 300\n' "$1"
    printf '@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n'
    cat
  } > "$T/zones/$1"
}

# dns QUESTION…: asks through the resolver and prints the answer; the exit code is in $?.
dns() { "$B/postern-dnsq" --resolver "$DNS" "$@"; }
