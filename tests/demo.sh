#!/bin/bash
# The main job on real input: six messages through a whole instance, and where each ended.
#   demo.sh PROGRAMS          runs, prints, cleans up; exit 0 only if every message ended where it should
#   demo.sh PROGRAMS --stay   the same, then leaves the instance running until Ctrl-C and says how to talk to it
export POSTERN_BIN=$1
. "$(dirname "$0")/lib.sh"
need swaks nsd zip smtp-sink svscan tcprules

SAMPLE=/usr/share/doc/spamassassin/examples/sample-nonspam.txt
CLAM=/usr/share/clamav-testfiles
for file in "$SAMPLE" "$CLAM/clam.mail" "$CLAM/clam.exe"; do
  [ -r "$file" ] || fail "$file is missing: reinstall its package (make deps)"
done
DNS=$(free_port) SINK=$(free_port) PORT=$(free_port)

# The other side: a domain whose MX stands in a zone that nsd serves, and a sink that stores what it gets.
cat > "$T/other.zone" <<ZONE
other.example. 60 IN SOA ns.other.example. root.other.example. 1 60 60 60 60
other.example. 60 IN NS ns.other.example.
other.example. 60 IN MX 10 mx.other.example.
ns.other.example. 60 IN A 127.0.0.1
mx.other.example. 60 IN A 127.0.0.2
ZONE
cat > "$T/nsd.conf" <<CONF
server:
  ip-address: 127.0.0.1@$DNS
  username: ""
  zonesdir: "$T"
  pidfile: "$T/nsd.pid"
  xfrdfile: "$T/xfrd.state"
  zonelistfile: "$T/zone.list"
  database: ""
  chroot: ""
remote-control:
  control-enable: no
zone:
  name: other.example
  zonefile: other.zone
CONF
start nsd nsd -d -c "$T/nsd.conf"
mkdir -p "$T/sink"
chmod 777 "$T/sink"
(cd "$T/sink" && exec smtp-sink $([ "$(id -u)" = 0 ] && echo -u nobody) -d "$T/sink/%s." "127.0.0.2:$SINK" 100) > "$T/smtp-sink.log" 2>&1 &

# Signatures of the operator's: EICAR and the test file of clamav-testfiles, by its checksum.
mkdir -p "$T/clamdb"
{ printf '%s:%s:ClamAV-Test-File\n' "$(md5sum < "$CLAM/clam.exe" | cut -d' ' -f1)" "$(stat -c %s "$CLAM/clam.exe")"
  printf '%s' 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*' > "$T/eicar.com"
  printf '%s:%s:Eicar-Test-File\n' "$(md5sum < "$T/eicar.com" | cut -d' ' -f1)" "$(stat -c %s "$T/eicar.com")"
} > "$T/clamdb/operator.hdb"
(cd "$T" && zip -q eicar.zip eicar.com)

"$B/postern-init" "$POSTERN_HOME" --me mx.home.example --listen "127.0.0.1:$PORT" --local home.example --user alice \
  --route "other.example::$SINK" --resolver "127.0.0.1:$DNS" --clamdb "$T/clamdb" 2>&1 || fail "postern-init"
# The sink plays another host.
echo 127.0.0.2 > "$POSTERN_HOME/control/notipme"
# 127.0.0.9 plays a host of the Internet: it may not relay, so what it sends is inbound.
sed -i '1i 127.0.0.9:allow' "$POSTERN_HOME/control/tcp.smtp"
(cd "$POSTERN_HOME/control" && tcprules tcp.smtp.cdb tcp.smtp.tmp < tcp.smtp && chmod 644 tcp.smtp.cdb)
run_instance

mailbox() { find "$POSTERN_HOME/mail/alice/Maildir/new" -type f 2>/dev/null; }
sunk() { find "$T/sink" -type f 2>/dev/null; }
held() { "$B/postern-quarantine" list; }
queue_empty() { "$B/postern-qstat" | grep -q '^messages in queue: 0$'; }

# step TITLE EXPECTED SENDER-ADDRESS SWAKS-OPTIONS…: sends one message, then says where it is.
WRONG=0
step() {
  local title=$1 expected=$2 client=$3 answer where=lost mid mailbox_before sink_before held_before
  shift 3
  mailbox_before=$(mailbox | wc -l) sink_before=$(sunk | wc -l) held_before=$(held | wc -l)
  answer=$(swaks --server 127.0.0.1 --port "$PORT" --local-interface "$client" --timeout 60 "$@" 2>&1 |
    grep -E '^<(-|\*\*)' | grep -E -A1 '354' | tail -n 1 | cut -c5-)
  case $answer in
    250*) wait_for 30 queue_empty
          if [ "$(mailbox | wc -l)" -gt "$mailbox_before" ]; then where="Maildir"
          elif [ "$(sunk | wc -l)" -gt "$sink_before" ]; then where="sink"
          elif [ "$(held | wc -l)" -gt "$held_before" ]; then where="quarantine"
          fi ;;
    5*) where=refused ;;
    4*) where=deferred ;;
  esac
  mid=$(log_of smtpd | grep -oE 'Start MID [0-9]+' | tail -n 1 | cut -d' ' -f3)
  printf '\n== %s\n   answer:  %s\n   ended:   %s (expected: %s)\n' "$title" "$answer" "$where" "$expected"
  case $where in
    Maildir) printf '   file:    %s\n' "$(ls -t "$POSTERN_HOME"/mail/alice/Maildir/new/* | head -n 1)" ;;
    sink) printf '   file:    %s\n' "$(ls -t "$T"/sink/* | head -n 1)" ;;
    quarantine) printf '   entry:   %s\n' "$(held | tail -n 1)" ;;
  esac
  for service in smtpd scanq antivirus queue quarantine send lspawn rspawn; do
    log_of $service | grep -F "$mid" | sed "s/^/   $service: /"
  done
  [ "$where" = "$expected" ] || { WRONG=$((WRONG + 1)); echo "   WRONG"; }
}

step "plain text for a local user" Maildir 127.0.0.9 --from bob@other.example --to alice@home.example \
  --header "Subject: hello" --body "Hello Alice"
step "a message for another domain, found by MX" sink 127.0.0.1 --from alice@home.example --to bob@other.example \
  --header "Subject: hello back" --body "Hello Bob"
step "EICAR in a zip, from outside, for a local user" quarantine 127.0.0.9 --from bob@other.example --to alice@home.example \
  --header "Subject: invoice" --body "see attachment" --attach-type application/zip --attach "@$T/eicar.zip"
step "EICAR in a zip, from a local client, for another domain" refused 127.0.0.1 --from alice@home.example --to bob@other.example \
  --header "Subject: invoice" --body "see attachment" --attach-type application/zip --attach "@$T/eicar.zip"
step "a real newsletter (spamassassin's sample-nonspam.txt)" Maildir 127.0.0.9 --from list@other.example --to alice@home.example \
  --data "@$SAMPLE"
step "clam.mail of clamav-testfiles" quarantine 127.0.0.9 --from bob@other.example --to alice@home.example \
  --data "@$CLAM/clam.mail"

echo
if [ $WRONG = 0 ]; then echo "demo: all 6 messages ended where they should"; else echo "demo: $WRONG of 6 messages ended in the wrong place"; fi
if [ "${2:-}" = --stay ]; then
  cat <<SAY

The instance is running until you press Ctrl-C:
  send     swaks --server 127.0.0.1:$PORT --from you@other.example --to alice@home.example
  outside  the same with --local-interface 127.0.0.9 (not a relay client)
  look     export POSTERN_HOME=$POSTERN_HOME; $B/postern-qread; $B/postern-quarantine list; $B/postern-showctl
  logs     tail -F $POSTERN_HOME/log/*/current
  mailbox  ls $POSTERN_HOME/mail/alice/Maildir/new
SAY
  while :; do read -rt 3600 <> <(:) || :; done
fi
[ $WRONG = 0 ]
