#!/bin/bash
# Every dialogue of tests/data/dialogues over a real tcpserver. smtpd reads its settings for each connection, so one
# tcpserver serves them all. DIALOGUES="name…" plays only those.
. "$(dirname "$0")/../lib.sh"
need tcpserver python3

export QMAILQUEUE=$TESTS/data/queue-store.sh
cat > "$T/smtpd" <<S
#!/bin/sh
. "$T/environment"
exec "$B/postern-smtpd"
S
chmod +x "$T/smtpd"
touch "$T/environment"
port=$(free_port)
start smtpd tcpserver -RHl0 127.0.0.1 "$port" "$T/smtpd"
wait_for 10 listening "$port"

# The settings that the script's head asks for; "control NAME -" removes the file, "table NAME" compiles it.
prepare() {
  rm -rf "$POSTERN_HOME"
  make_home
  mkdir "$POSTERN_HOME/store"
  echo example.org > "$POSTERN_HOME/control/rcpthosts"
  : > "$T/environment"
  local kind name value
  while read -r kind name value; do
    case "$kind $value" in
      "control -") rm -f "$POSTERN_HOME/control/$name" ;;
      control*) printf "$value\n" > "$POSTERN_HOME/control/$name" ;;
      table*) "$B/postern-cdbmake" "$name" || fail "postern-cdbmake $name" ;;
      env*) echo "export $name" > "$T/environment" ;;
    esac
  done < <(grep -E '^(control|env|table) ' "$1")
}

failed=0
played=0
for name in ${DIALOGUES:-$(cd "$TESTS/data/dialogues" && ls)}; do
  script=$TESTS/data/dialogues/${name%.txt}.txt
  prepare "$script"
  python3 "$TESTS/dialogue.py" --store "$POSTERN_HOME/store" 127.0.0.1 "$port" "$script" || failed=$((failed + 1))
  played=$((played + 1))
done
[ $failed = 0 ] || fail "$failed of $played dialogues"
echo "$played dialogues"
