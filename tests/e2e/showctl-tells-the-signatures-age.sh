#!/bin/bash
# postern-showctl prints each file of signatures with version, number and age, says what the running antivirus uses, and finds fault
# when the newest are older than control/avmaxage, when there are none, and when a database is none.
. "$(dirname "$0")/../lib.sh"
make_instance --local home.example --clamdb "$T/clamdb"
mkdir "$T/clamdb"
showctl() { "$B/postern-showctl" --signatures > "$T/out" 2> "$T/log"; }
# database NAME VERSION SIGNATURES SECONDS-AGO: the 512 bytes that such a file begins with, and what might follow.
database() {
  local made=$(($(date +%s) - $4))
  printf 'ClamAV-VDB:%s:%s:%s:90:%032d:%s:builder:%s' "$(LC_ALL=C date -d "@$made" '+%d %b %Y %H-%M %z')" "$2" "$3" 0 sig "$made" > "$T/clamdb/$1"
  truncate -s 512 "$T/clamdb/$1"
  head -c 1000 /dev/urandom >> "$T/clamdb/$1"
}

showctl; expect_equal $? 1 "no signatures"
expect_in "$T/out" "^problem: $T/clamdb: holds no signatures, so the antivirus stage defers every message; run freshclam"
expect_in "$T/out" '^signatures: in use: not known: .*run/antivirus'
database main.cvd 62 6647427 $((400 * 86400))
database daily.cld 27821 2077000 7300
database bytecode.cvd 339 80 $((90 * 86400))
echo x > "$T/clamdb/mine.hdb"
echo x > "$T/clamdb/freshclam.dat"
showctl; expect_equal $? 0 "a new daily: $(cat "$T/out" "$T/log")"
expect_in "$T/out" '^signatures: daily.cld: version 27821, 2077000 signatures, made .* \+0000, 2 hours old$'
expect_in "$T/out" '^signatures: main.cvd: version 62, 6647427 signatures, made .*, 400 days old$'
expect_in "$T/out" '^signatures: mine.hdb: changed .*, 0 minutes old$'
expect_not_in "$T/out" 'freshclam.dat|problem'
# A file of the operator's own does not make old databases young.
database daily.cld 27821 2077000 $((8 * 86400))
showctl; expect_equal $? 1 "an old daily"
expect_in "$T/out" "^problem: $T/clamdb/daily.cld: the newest signatures are 8 days old, more than the 604800 seconds of control/avmaxage; look whether freshclam runs$"
"$B/postern-showctl" > "$T/all"; expect_equal $? 1 "with the settings"
expect_in "$T/all" '^problem: .*/daily.cld: the newest signatures are 8 days old'
expect_in "$T/all" '^me: mx.example.org$'
echo 864000 > "$POSTERN_HOME/control/avmaxage"
showctl; expect_equal $? 0 "10 days are allowed"
echo 0 > "$POSTERN_HOME/control/avmaxage"
touch -d '3 years ago' "$T/clamdb"/*
database daily.cld 1 1 $((3000 * 86400))
showctl; expect_equal $? 0 "any age is allowed"
echo ten > "$POSTERN_HOME/control/avmaxage"
showctl; expect_equal $? 111 "a setting that is no number"
expect_in "$T/log" 'avmaxage'
rm "$POSTERN_HOME/control/avmaxage"

head -c 600 /dev/urandom > "$T/clamdb/daily.cld"
showctl; expect_equal $? 1 "garbage"
expect_in "$T/out" "^problem: $T/clamdb/daily.cld: has no head of a ClamAV database"
rm "$T/clamdb"/*

# The running antivirus speaks for itself; a stand-in answers here, as the caller.
cat > "$T/resident" <<'S'
#!/bin/sh
[ "$1" = version ] && printf 'engine 1.4.6\nsignatures 8724427\nversion 27821\nmade 1700000000\nloaded 1700003600\ndirectory /d\nstate %s\n' "$(cat "$T/state")"
S
chmod +x "$T/resident"
export T
echo ready > "$T/state"
echo x > "$T/clamdb/mine.hdb"
start antivirus "$B/postern-serve" run/antivirus "$T/resident"
wait_for 30 test -S "$POSTERN_HOME/run/antivirus"
showctl; expect_equal $? 0 "ready: $(cat "$T/out" "$T/log")"
expect_in "$T/out" '^signatures: in use: 8724427, version 27821, made Tue, 14 Nov 2023 22:13:20 \+0000, [0-9]+ days old, loaded Tue, 14 Nov 2023 23:13:20 \+0000, [0-9]+ days old, from /d, ClamAV 1\.4\.6$'
echo "behind: no memory" > "$T/state"
showctl; expect_equal $? 1 "behind"
expect_in "$T/out" '^problem: the running antivirus: behind: no memory$'
