# What the tests of recipients share; after lib.sh.

# make_queue_stub: $T/queue, which keeps the last envelope and its extras in $T/got.envelope and $T/got.extras.
make_queue_stub() {
  cat > "$T/queue" <<Q
#!/bin/sh
cat > /dev/null
cat <&1 > "$T/got.new"
: > "$T/got.extras"
[ "\${POSTERN_EXTRAS:-}" = 5 ] && cat <&5 > "$T/got.extras"
mv "$T/got.new" "$T/got.envelope"
Q
  chmod 755 "$T/queue"
}
# start_smtpd LISTENER: on a new $PORT, with that queue; its log is $T/LISTENER.log.
start_smtpd() {
  PORT=$(free_port)
  start "$1" env QMAILQUEUE="$T/queue" POSTERN_LISTENER="$1" tcpserver -RHl0 127.0.0.1 "$PORT" "$B/postern-smtpd"
  wait_for 30 listening "$PORT"
}
