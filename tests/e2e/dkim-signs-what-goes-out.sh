#!/bin/bash
# control/dkim through the whole chain: RSA and Ed25519, both canonical forms, verified as they came out of remote by dkimpy and by
# libopendkim: odd bytes, long lines, dots and line ends too. Headers cannot be added. What does not go out, or is of nobody in the
# table, is not signed.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/dkim.sh"
need python3 opendkim-testmsg unshare ip
/usr/bin/python3 -c 'import dkim' 2> /dev/null || skip "python3-dkim is not installed"
SINK=$(free_port)
make_instance --local home.example --user alice --route "far.example:127.0.0.2:$SINK"
echo none > "$POSTERN_HOME/control/stages"
start_sink "$SINK"
sign_with home.example one
sign_with home.example two ed25519
sign_with plain.example s1
sign_with sub.example s2 rsa --bits 3072
[ "$(stat -c %a "$POSTERN_HOME"/secrets/posterng/one.home.example.pem)" = 600 ] || fail "the key's mode"
run_instance
mail unsigned > "$T/message"
inject a@home.example x@far.example < "$T/message" > /dev/null || fail "without a table"

dkim_table 'home.example one one.home.example.pem' 'home.example two two.home.example.pem ed25519-sha256 identity=@sub.home.example' \
  'plain.example s1 s1.plain.example.pem canonical=simple/simple' '.sub.example s2 s2.sub.example.pem rsa-sha256' 'no.sub.example none'
# letter FROM SUBJECT BODY [HEADER-LINE]…
letter() {
  printf 'From: %b\nTo: <x@far.example>\nSubject: %s\nDate: Sun, 22 Nov 2026 12:00:00 +0000\nMessage-ID: <%s@home.example>\n' "$1" "$2" "$2"
  [ $# -lt 4 ] || printf '%b\n' "${@:4}"
  printf '\n%b' "$3"
}
N=1
send() {
  local sender=$1; shift
  letter "$@" > "$T/message"
  inject "$sender" x@far.example < "$T/message" > "$T/answer" || fail "$2: $(cat "$T/answer")"
  N=$((N + 1))
}
send bounces@other.example '"A, B" <a@home.example>' usual 'hello\n\n\n'
send a@home.example 'a@home.example (a comment)' odd '.\n..dots  \t \n\xff\xfe 8 bit\n\t \n \nno end\n\n \n' 'X-Folded: a\n\t b  c' 'Content-Type: text/plain;\n charset=latin1'
send a@home.example '=?utf-8?q?=40?= <a@home.example>, b@far.example' long "$(printf 'x%.0s' $(seq 3000))\n$(printf ' y%.0s' $(seq 5000))\n"
send a@home.example 'a@home.example' empty ''
send a@plain.example 'a@plain.example' simple ' two  spaces \t\n.\n\n\n' 'X-Folded:  a\n\t b  c  '
send a@x.sub.example 'a@x.sub.example' below 'hello\n'
send a@other.example 'a@other.example' stranger 'hello\n'
send a@home.example 'a@no.sub.example' exempt 'hello\n'
inject a@home.example alice@home.example < "$T/message" > /dev/null || fail "local"
wait_for 30 sink_has "$N"
both='one.home.example pass, two.home.example pass'
diff <(verified | sort) - << L || fail "what dkimpy says"
below: s2.sub.example pass
empty: $both
exempt: unsigned
long: $both
odd: $both
simple: s1.plain.example pass
stranger: unsigned
unsigned: unsigned
usual: $both
L
arrived() { [ "$(mailbox alice | wc -l)" = 1 ]; }
wait_for 30 arrived
expect_not_in "$(mailbox alice)" '^DKIM-Signature'
of() { grep -l "^Subject: $1"$'\r' "$T"/wire/*; }
expect_equal "$("$TESTS/dkim_check.py" tags "$(of usual)" a | paste -sd' ')" "rsa-sha256 ed25519-sha256" "algorithms"
expect_equal "$("$TESTS/dkim_check.py" tags "$(of usual)" i | paste -sd' ')" " @sub.home.example" "identities"
expect_equal "$("$TESTS/dkim_check.py" tags "$(of usual)" h | head -n 1)" \
  "from:from:to:to:cc:subject:subject:date:date:message-id:message-id:reply-to:mime-version:content-type" "what is signed"
[ "$(awk 'length > 79' "$(of usual)" | wc -l)" = 0 ] || fail "long header lines"
if unshare -rmn true 2> /dev/null; then
  for name in usual odd long empty simple below; do
    opendkim_says "$(of $name)" > "$T/said" || fail "libopendkim says of $name: $(cat "$T/said")"
  done
  sed '0,/^hello/s//hallo/' "$(of usual)" > "$T/changed"
  ! opendkim_says "$T/changed" > /dev/null || fail "a changed body is verified"
else
  echo "libopendkim was not asked: unshare is not permitted"
fi
# Nothing can be added that a reader would show.
usual=$(of usual)
for line in 'X-Other: x' 'Subject: another' 'From: c@home.example' 'Cc: d@far.example' 'Content-Type: text/html' 'Reply-To: e@far.example'; do
  { printf '%s\r\n' "$line"; cat "$usual"; } > "$T/added"
  "$TESTS/dkim_check.py" verify "$T/keys" "$T/added" > "$T/said"
  if [ "$line" = 'X-Other: x' ]; then expect_in "$T/said" "$both"; else expect_not_in "$T/said" ' pass'; fi
done
expect_in <(log_of signq) '^Info: MID [0-9]+ DKIM: signing with one\._domainkey\.home\.example - matches a@home\.example$'
exit 0
