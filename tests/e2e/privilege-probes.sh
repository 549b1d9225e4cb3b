#!/bin/bash
# needs: root
# The privilege split, tried for real: what must not work, as the very users of the running services. Each probe says who, what,
# and is done with a control that shows that the same act works for the one who may.
. "$(dirname "$0")/../lib.sh"
need python3
make_signatures
start_instance --local home.example --user alice --clamdb "$T/clamdb"
echo key > "$POSTERN_HOME/secrets/posternk/key"
# Something to find everywhere.
mail one > "$T/message"
printf 'Falice@home.example\0Talice@home.example\0\0' > "$T/envelope"
stop_service send
mail one | MID=4711 queue_message alice@home.example alice@home.example 2> "$T/log" || fail "queue"
queued=$(spool_files new)
inject a@far.example alice@home.example < "$T/message" > "$T/answer" || fail "$(cat "$T/answer")"
python3 "$TESTS/mail.py" base64 "$T/eicar.com" > "$T/infected"
setpriv --reuid=posterns --regid=postern --clear-groups env POSTERN_MID=4712 python3 "$TESTS/ask.py" quarantine "0<$T/infected" "3<$T/envelope" -- put Virus x || fail "put as posterns: $?"
held=$(find "$POSTERN_HOME/quarantine" -type f)
[ -n "$queued" ] && [ -n "$held" ] || fail "nothing to probe with"
mkdir -p "$POSTERN_HOME/mail/alice/Maildir/new"
echo private > "$POSTERN_HOME/mail/alice/Maildir/new/1"
chown posternm "$POSTERN_HOME/mail/alice/Maildir/new/1"

PROBES=0
as() { setpriv --reuid="$1" --regid=postern --clear-groups env -i POSTERN_HOME="$POSTERN_HOME" PATH="$PATH" HOME=/ "${@:2}" > "$T/probe" 2>&1 < /dev/null; }
cannot() {  # USER COMMAND…
  as "$@" && { cat "$T/probe"; fail "$1 can: ${*:2}"; }
  PROBES=$((PROBES + 1))
}
can() { as "$@" || { cat "$T/probe"; fail "$1 cannot: ${*:2}"; }; }
# ask.py's 75: the service ended the connection without an answer.
unanswered() {  # USER SERVICE ask.py's words…
  as "$1" python3 "$TESTS/ask.py" "${@:2}"; local code=$?
  [ $code = 75 ] || grep -q PermissionError "$T/probe" || { cat "$T/probe"; fail "$1 was answered by @$2: exit code $code"; }
  PROBES=$((PROBES + 1))
}
answered() {  # CODE USER SERVICE …
  as "$2" python3 "$TESTS/ask.py" "${@:3}"; expect_equal $? "$1" "@$3 for $2: $(cat "$T/probe")"
}
m=("0<$T/message" "1<$T/envelope")

# Reading what is another's.
can posternq cat "$queued"
for user in posternv posternr posternn posternd posterns posternm posternl posterno posternp posternh posterne; do
  cannot $user cat "$queued"
  cannot $user ls "$POSTERN_HOME/queue"
done
cannot posternv ls "$POSTERN_HOME/work"
can posterno cat "$held"
for user in posternv posterns posternd posternr posternq; do
  cannot $user cat "$held"
  cannot $user ls "$POSTERN_HOME/quarantine"
done
can posternm cat "$POSTERN_HOME/mail/alice/Maildir/new/1"
for user in posternv posternr posternd posternq posterns; do cannot $user ls "$POSTERN_HOME/mail/alice"; done
for user in posternr posternd posternv posternm; do
  cannot $user cat "$POSTERN_HOME/secrets/posternk/key"
  cannot $user ls "$POSTERN_HOME/secrets"
done

# Speaking to whom one may not speak to. First the control: those who may are answered.
answered 0 posterns queue "${m[@]}" POSTERN_MID=4713
unanswered posternd queue "${m[@]}"
unanswered posternv queue "${m[@]}"
unanswered posternr queue "${m[@]}"
unanswered posternm queue "${m[@]}"
for user in posternd posterns posternv posternr posternm posternp; do
  unanswered $user lspawn "0<$T/message" POSTERN_MID=1 POSTERN_RIDS=0 -- a@x alice@home.example
  unanswered $user rspawn "0<$T/message" POSTERN_MID=1 POSTERN_RIDS=0 -- far.example a@x b@far.example
done
unanswered posternd quarantine "0<$T/message" "3<$T/envelope" -- put Virus x
unanswered posternq quarantine "0<$T/message" "3<$T/envelope" -- put Virus x
unanswered posternv quarantine -- list
unanswered posternv scanq "${m[@]}"
unanswered posternr scanq "${m[@]}"
unanswered posternr work "${m[@]}"
unanswered posterns work "${m[@]}"
answered 0 posternd work "${m[@]}" POSTERN_MID=4714 POSTERN_DIRECTION=in
unanswered posternd antivirus "0<$T/message"
unanswered posternv dnsq -- mx far.example
unanswered nobody scanq "${m[@]}"
unanswered posternm scanq "${m[@]}"
unanswered posternp queue "${m[@]}"
unanswered posternp quarantine "0<$T/message" "3<$T/envelope" -- put Virus x
unanswered posternp antivirus "0<$T/message"
unanswered posternp dnsq -- mx far.example
answered 0 posternh dnsq -- txt a..b
for user in posternh posterne; do
  unanswered $user queue "${m[@]}"
  unanswered $user quarantine "0<$T/message" "3<$T/envelope" -- put Virus x
done
unanswered posternh scanq "${m[@]}"
# Policies are stsd's to write and remote's to read; the reports' records are remote's to hand in.
answered 0 posternr stsd -- policy far.example
answered 0 posternr tlsrpt -- record domain=far.example
for user in posternd posterns posternm posternn; do
  unanswered $user stsd -- policy far.example
  unanswered $user tlsrpt -- record domain=far.example
done
can posternh touch "$POSTERN_HOME/db/sts/far.example"
can posternr cat "$POSTERN_HOME/db/sts/far.example"
for user in posternr posterne posternd; do
  cannot $user touch "$POSTERN_HOME/db/sts/new"
  cannot $user sh -c 'echo x >> "$POSTERN_HOME/db/sts/far.example"'
done
for user in posternr posternh posternd; do cannot $user touch "$POSTERN_HOME/db/tlsrpt/new"; done
as posterns python3 "$TESTS/ask.py" quarantine -- list; code=$?
[ $code = 100 ] || fail "posterns may put, not list: exit code $code"
cannot nobody python3 -c 'import os, socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); os.setgid(65534); s.connect(os.environ["POSTERN_HOME"] + "/run/queue")'

# Users of the host: pickup answers them, nobody else does. What they say of themselves does not count: a virus that was "released" or
# may skip the scanner is refused, and what is taken was scanned.
local_user() { setpriv --reuid=12345 --regid=12345 --clear-groups env -i POSTERN_HOME="$POSTERN_HOME" PATH="$PATH" "$@" > "$T/probe" 2>&1 < /dev/null; }
local_user python3 "$TESTS/ask.py" pickup "${m[@]}" || fail "a local user cannot hand mail in: $? $(cat "$T/probe")"
for user in posternm posternl nobody; do answered 0 $user pickup "${m[@]}"; done
for service in scanq queue quarantine lspawn rspawn dnsq antivirus; do
  local_user python3 "$TESTS/ask.py" $service "${m[@]}" && fail "a local user was answered by @$service"
  grep -q PermissionError "$T/probe" || fail "a local user reaches @$service: $(cat "$T/probe")"
  PROBES=$((PROBES + 1))
done
touch "$T/reason"
chmod 666 "$T/reason"
local_user python3 "$TESTS/ask.py" pickup "0<$T/infected" "1<$T/envelope" "6>$T/reason" POSTERN_SKIP=antivirus POSTERN_RELEASED=Virus POSTERN_DIRECTION=in \
  POSTERN_QUEUE=/bin/true POSTERN_AUTH=root TCPREMOTEIP=192.0.2.1
expect_equal $? 82 "a virus with faked variables: $(cat "$T/probe")"
expect_in "$T/reason" '^D554 5\.7\.1 '
for program in scanq queue quarantine; do
  local_user env QMAILQUEUE=@$program "$B/postern-sendmail" alice@home.example && fail "a local user hands mail to @$program"
  PROBES=$((PROBES + 1))
done
local_user sh -c 'kill -TERM $(pgrep -u posternp -f postern-pickup)' && fail "a local user stops pickup"
local_user rm -f "$POSTERN_HOME/run/pickup" && fail "a local user removes the socket"
local_user touch "$POSTERN_HOME/run/new" && fail "a local user writes run/"

# Writing where the instance's shape is decided, in any way.
for user in posternd posterns posternq posternr posternn posternv posterno posternm posternl posternp posternh posterne; do
  for place in run control service users secrets log mail db service/smtpd service/smtpd/env; do
    cannot $user touch "$POSTERN_HOME/$place/new"
  done
  cannot $user mv "$POSTERN_HOME/run/queue" "$POSTERN_HOME/run/old"
  cannot $user rm -f "$POSTERN_HOME/run/scanq"
  cannot $user sh -c 'echo x >> "$POSTERN_HOME/control/me"'
  cannot $user sh -c 'echo x >> "$POSTERN_HOME/service/lspawn/run"'
  cannot $user sh -c 'echo x >> "$POSTERN_HOME/users/cdb"'
done
[ -S "$POSTERN_HOME/run/queue" ] && [ -S "$POSTERN_HOME/run/scanq" ] || fail "a socket has gone"
cannot posternl touch "$POSTERN_HOME/queue/new/0/1"
cannot posternm touch "$POSTERN_HOME/log/send/new"
cannot posternd sh -c 'echo forged >> "$POSTERN_HOME/log/smtpd/current"'
cannot posternm touch "$POSTERN_HOME/queue/new/0/1"
# Stopping or steering another's service.
for service in lspawn send rspawn antivirus scanq queue; do
  cannot posternd kill -TERM "$(pgrep -f -- "postern-$service" | head -n 1)"
  cannot posternd sh -c "echo -n d > \"\$POSTERN_HOME/service/$service/supervise/control\""
done
cannot posternv kill -TERM "$(pgrep -o -u posternq -f postern-queue)"
cannot posternv cat "/proc/$(pgrep -o -u posternq -f postern-queue)/mem"
cannot posternv ls "/proc/$(pgrep -o -u posternq -f postern-queue)/fd/"
cannot posternd sh -c 'kill -TERM $(pgrep -u posternp -f postern-pickup)'
cannot posternr sh -c 'kill -TERM $(pgrep -u posternn -f postern-dnsq)'
cannot posternq "$B/postern-lspawn" --serve
echo "$PROBES probes"
[ "$PROBES" -ge 15 ] || fail "only $PROBES probes"
"$B/postern-showctl" --ready || fail "a service has gone"
