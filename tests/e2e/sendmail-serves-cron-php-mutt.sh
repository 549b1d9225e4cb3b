#!/bin/bash
# The programs that send mail on a Unix system do so through postern-sendmail: PHP's mail() and mutt themselves, and Debian's cron's
# command line with what cron writes.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/inject.sh"
need php mutt
start_pickup
mkdir "$T/lib"
ln -s "$B/postern-sendmail" "$T/lib/sendmail"

# cron: no sender in the envelope but the user, no Date, no Message-ID, 8-bit output with bare CRs.
printf 'From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@host> job\nContent-Type: text/plain; charset=UTF-8\nX-Cron-Env: <SHELL=/bin/sh>\n\n10%%\r20%%\r30%%\nf\xc3\xa4hrt fort\n.\nend\n' |
  me "$T/lib/sendmail" -FCronDaemon -i -B8BITMIME -oem root || fail "cron: $?"
m=$(kept message)
in_order "$m" "^Received: \(invoked by uid $U\)$" '^From: root@mx\.example\.org \(Cron Daemon\)$' '^To: root@mx\.example\.org$' '^X-Cron-Env: <SHELL=/bin/sh>$' \
  '^Date: .* \+0000$' '^Message-ID: <' '^$' '^10%$' '^20%$' '^30%$' '^fährt fort$' '^\.$' '^end$'
expect_equal "$(envelope)" "Fcarl@mx.example.org Troot@mx.example.org  " cron
expect_equal "$(tr '\0' ' ' < "$(kept extras)")" "b8BITMIME " "extras"
forget

# PHP: header lines with CR LF, a sender in the fifth argument.
cat > "$T/mail.php" <<'P'
<?php
$ok = mail("bob@far.example, Dora <dora@far.example>", "Gr\u{fc}sse", "one\n.two\n.\nthree\n",
           "From: web@mx.example.org\r\nCc: eve\r\nBcc: secret@far.example\r\nX-Mailer: ours", "-fbounce@mx.example.org");
exit($ok ? 0 : 3);
P
me php -n -d sendmail_path="$T/lib/sendmail -t -i" "$T/mail.php" || fail "php: $?"
[ ! -e "$(kept extras 2> /dev/null)" ] || fail "extras for PHP: $(cat "$(kept extras)")"
m=$(kept message)
in_order "$m" '^To: bob@far\.example, Dora <dora@far\.example>$' '^Subject: ' '^From: web@mx\.example\.org$' '^Cc: eve@mx\.example\.org$' '^X-Mailer: ours$' '^$' '^one$' '^\.two$' '^\.$' '^three$'
expect_not_in "$m" 'Bcc|secret'
grep -q "$(printf '\r')" "$m" && fail "a CR is left"
expect_equal "$(envelope)" "Fbounce@mx.example.org Tbob@far.example Tdora@far.example Teve@mx.example.org Tsecret@far.example  " php
forget
# A refusal reaches the script.
printf 'D554 5.7.1 no' > "$T/refuse"
me php -n -d sendmail_path="$T/lib/sendmail -t -i" "$T/mail.php" > "$T/out" 2>&1; expect_equal $? 3 "php, refused"
rm "$T/refuse"
forget

# mutt: from the command line, with an attachment and a DSN.
printf 'attached\n' > "$T/file.txt"
echo hello | me mutt -n -F /dev/null -e "set sendmail='$T/lib/sendmail -oem -oi'" -e 'set copy=no' -e 'set use_envelope_from=yes' -e 'set dsn_notify=failure,delay' -e 'set dsn_return=hdrs' \
  -e 'set from=carl@mx.example.org' -s 'a subject' -a "$T/file.txt" -c eve@far.example -b secret@far.example -- bob@far.example > "$T/out" 2>&1 || fail "mutt: $(cat "$T/out")"
m=$(kept message)
in_order "$m" '^From: .*carl@mx\.example\.org' '^To: bob@far\.example' '^Cc: eve@far\.example' '^Subject: a subject$' '^hello$' '^attached$'
expect_not_in "$m" 'secret'
expect_equal "$(envelope)" "Fcarl@mx.example.org Tbob@far.example Teve@far.example Tsecret@far.example  " mutt
expect_equal "$(tr '\0' ' ' < "$(kept extras)")" "rHDRS tbob@far.example nFAILURE,DELAY teve@far.example nFAILURE,DELAY tsecret@far.example nFAILURE,DELAY " "mutt's extras"
# Each by its own name: mailq's and newaliases' too.
ln -s "$B/postern-sendmail" "$T/lib/newaliases"
me "$T/lib/newaliases" || fail newaliases
exit 0
