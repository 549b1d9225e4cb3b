# For tests of postern-remote: a home whose mail for x.test goes to the scripted server that `server` starts on 127.0.0.2:$PORT.

make_remote_home() {
  make_home
  echo 127.0.0.2 > "$POSTERN_HOME/control/notipme"
  PORT=$(free_port)
  printf 'x.test MX 10 mx.x.test\nmx.x.test A 127.0.0.2\n' > "$T/dns"
  echo "$PORT" > "$POSTERN_HOME/control/remoteport"
  printf 'Subject: x\n\nbody\n' > "$T/message"
  W="mx.x.test[127.0.0.2]:$PORT"
}

SERVER=
# server [WHEN=REPLY]…: in the place of the one before; its log is $T/sink, its messages $T/sink.messages.
server() {
  [ -n "$SERVER" ] && { kill "$SERVER"; wait "$SERVER" 2> /dev/null; }
  : > "$T/sink"
  : > "$T/sink.messages"
  start server "$TESTS/smtp-server.py" 127.0.0.2 "$PORT" "$T/sink" "$@"
  SERVER=$LAST_PID
  wait_for 30 grep -q listening "$T/sink"
}

# extras RECORD…: what goes on descriptor 5 with `deliver_with_extras`.
extras() { printf '%s\0' "$@" > "$T/extras"; }

# deliver RECIPIENT…: the reports without the server's name, one a line; of $T/message.
deliver() {
  "$B/postern-remote" --dns "$T/dns" x.test s@y.test "$@" < "$T/message" 2>> "$T/log" | tr '\0' '\n' | sed 's/mx.x.test[^ ]* said: //'
}
deliver_with_extras() { POSTERN_EXTRAS=5 deliver "$@" 5< "$T/extras"; }
