#!/bin/bash
# Against Debian's Postfix: a message in one chunk and a large one by DATA arrive byte for byte, DSN parameters are taken, a recipient
# that is unknown stays apart; the same over TLS.
# needs: root
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
need postfix openssl
make_home
PORT=$(free_port)
echo ":[127.0.0.2]:$PORT" > "$POSTERN_HOME/control/smtproutes"
mkdir -p "$T/pf/etc" "$T/pf/data" "$T/pf/queue" "$T/pf/mail"
chown postfix "$T/pf/data"
chown nobody "$T/pf/mail"
sed "s/^smtp \+inet/127.0.0.2:$PORT inet/" /usr/share/postfix/master.cf.dist > "$T/pf/etc/master.cf"
cat > "$T/pf/etc/main.cf" <<C
compatibility_level = 3.6
queue_directory = $T/pf/queue
data_directory = $T/pf/data
myhostname = mx.example
mydestination =
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = x.test
virtual_mailbox_base = $T/pf/mail
virtual_mailbox_maps = inline:{a@x.test=a/}
virtual_minimum_uid = 100
virtual_uid_maps = static:$(id -u nobody)
virtual_gid_maps = static:$(id -g nobody)
alias_maps =
maillog_file = $T/postfix.log
maillog_file_prefixes = $T
C
start postfix postfix -c "$T/pf/etc" start-fg
stop_postfix() { postfix -c "$T/pf/etc" stop > /dev/null 2>&1; }
trap 'code=$?; stop_postfix; (exit $code); finish' EXIT
wait_for 30 listening "$PORT" 127.0.0.2
wait_for 30 python3 -c 'import socket,sys; s=socket.create_connection(("127.0.0.2", int(sys.argv[1])), 2); sys.exit(s.recv(3) != b"220")' "$PORT"

arrived() { find "$T/pf/mail/a/new" -type f 2> /dev/null | wc -l; }
{ printf 'Subject: small\n\n.\n..two\nno end'; } > "$T/small"
{ printf 'Subject: large\n\n'; head -c 300000 /dev/urandom | base64 | sed 's/^a/./'; } > "$T/large"
printf '%s\0' rHDRS eABC ta@x.test nNEVER > "$T/extras"
POSTERN_EXTRAS=5 "$B/postern-remote" x.test s@y.test a@x.test nobody@x.test < "$T/small" 5< "$T/extras" 2> "$T/log" | tr '\0' '\n' > "$T/out"
expect_in <(sed -n 1p "$T/out") '^p127.0.0.2\[127.0.0.2\]:[0-9]+ said: 250 2.0.0 Ok: '
expect_in <(sed -n 2p "$T/out") '^h.* said: 550 5.1.1 '
expect_in <(sed -n 1p "$T/out") 'bytes queued as'
"$B/postern-remote" x.test s@y.test a@x.test < "$T/large" 2>> "$T/log" | tr '\0' '\n' > "$T/out"
expect_in <(sed -n 1p "$T/out") '^r.* said: 250 2.0.0 Ok: queued as'
both() { [ "$(arrived)" = 2 ]; }
wait_for 30 both
expect_not_in "$T/log" TLS
for name in small large; do
  file=$(grep -l "^Subject: $name" "$T"/pf/mail/a/new/*)
  expect_equal "$(sed '1,/^$/d' "$file" | cksum)" "$( (sed '1,/^$/d' "$T/$name"; [ $name = large ] || echo) | cksum)" "$name"
done

# The same over TLS, once Postfix offers it.
make_self_signed self mx.example
cat "$T/self.key" "$T/self.crt" > "$T/self.chain"
printf 'smtpd_tls_security_level = may\nsmtpd_tls_chain_files = %s\nsmtpd_tls_received_header = yes\n' "$T/self.chain" >> "$T/pf/etc/main.cf"
postfix -c "$T/pf/etc" reload > /dev/null 2>&1
offered() { python3 -c 'import smtplib,sys; s=smtplib.SMTP("127.0.0.2", int(sys.argv[1]), timeout=5); s.ehlo(); sys.exit(not s.has_extn("starttls"))' "$PORT"; }
wait_for 30 offered
rm -f "$T"/pf/mail/a/new/*
for name in small large; do
  "$B/postern-remote" x.test s@y.test a@x.test < "$T/$name" 2>> "$T/log" | tr '\0' '\n' > "$T/out"
  expect_in <(sed -n 1p "$T/out") '^r.* said: 250 2.0.0 Ok: '
done
wait_for 30 both
expect_equal "$(grep -c 'TLS success protocol TLSv1.3 cipher .* for x.test policy may$' "$T/log")" 2 "TLS"
for name in small large; do
  file=$(grep -l "^Subject: $name" "$T"/pf/mail/a/new/*)
  expect_equal "$(sed '1,/^$/d' "$file" | cksum)" "$( (sed '1,/^$/d' "$T/$name"; [ $name = large ] || echo) | cksum)" "$name over TLS"
  expect_in "$file" 'using TLSv1.3 with cipher'
done
