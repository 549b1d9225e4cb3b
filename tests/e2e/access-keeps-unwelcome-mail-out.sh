#!/bin/bash
# once: the users do not matter to it
# R16, O18: control/badmailfrom, badrcptto and badhelo with plain entries and regular expressions, exemptions with "!"; a changed file counts for
# the next command; a bad expression is named and the running table stays; without the service nothing that a list might refuse is taken.
. "$(dirname "$0")/../lib.sh"
need python3
make_instance --local home.example --user alice
echo none > "$POSTERN_HOME/control/stages"
run_instance
control=$POSTERN_HOME/control
# replies COMMAND...: the codes with their status. With SILENT=1, while a client of access holds its worker and asks nothing.
replies() {
  python3 - "$PORT" "$@" << 'P'
import os, socket, sys
if os.environ.get("SILENT"):
    held = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    held.connect(os.environ["POSTERN_HOME"] + "/run/access")
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 30)
f = s.makefile("rb")
def reply():
    while True:
        line = f.readline().decode().rstrip("\r\n")
        if line[3:4] != "-": return line
reply()
said = []
for command in sys.argv[2:]:
    s.sendall(command.encode() + b"\r\n")
    line = reply()
    said.append(" ".join(line.split()[:2]) if command[:4] != "EHLO" else line.split()[0])
print(",".join(said))
P
}
expect_equal "$(replies 'EHLO friend' 'MAIL FROM:<spammer@bad.example>' 'RCPT TO:<alice@home.example>')" '250,250 2.1.0,250 2.1.5' "without lists"

printf '# plain\nspammer@bad.example\n@worse.example\n@.worst.example\n' > "$control/badmailfrom"
printf '# expressions\n!^alice@\n^a.*@home\\.example$\n' > "$control/badrcptto"
printf '.dyn.example\n!^good\\.dyn\n^[^.]+$\n' > "$control/badhelo"
rules() { printf "$1" | tcprules "$control/tcp.smtp.cdb" "$T/tcp.tmp" && chmod 644 "$control/tcp.smtp.cdb"; }
# Mail programs call themselves anything: a relay client's name does not count, all others' do.
expect_equal "$(replies 'EHLO friend')" 250 "a relay client"
rules ':allow\n'
expect_equal "$(replies 'EHLO friend' 'EHLO a.dyn.example' 'MAIL FROM:<a@b.example>' 'EHLO good.dyn.example' 'MAIL FROM:<Spammer@BAD.example>' \
  'MAIL FROM:<x@worse.example>' 'MAIL FROM:<x@a.worst.example>' 'MAIL FROM:<x@worst.example>' 'RCPT TO:<anton@home.example>' \
  'RCPT TO:<ANTON@home.example>' 'RCPT TO:<alice@home.example>' RSET 'MAIL FROM:<>')" \
  '550,550,503 5.5.1,250,553 5.7.1,553 5.7.1,553 5.7.1,250 2.1.0,550 5.7.1,550 5.7.1,250 2.1.5,250 2.0.0,250 2.1.0' "with lists"
wait_for 30 logged smtpd 'ICID [0-9]+ badmailfrom: control/badmailfrom:3: @worse\.example'
wait_for 30 logged smtpd 'ICID [0-9]+ badhelo: control/badhelo:3: \^\[\^\.\]\+\$'
wait_for 30 logged smtpd 'To: <anton@home\.example> decided by badrcptto: control/badrcptto:3: \^a\.\*@home\\\.example\$'
# Hosts whose name does not count.
rules '127.0.0.1:allow,NOBADHELO=""\n:allow\n'
expect_equal "$(replies 'EHLO friend')" 250 "NOBADHELO"
rules ':allow\n'
# A tag does not lead round the list; nobody relays from now on.
expect_equal "$(replies 'EHLO good.dyn.example' 'MAIL FROM:<a@b.example>' 'RCPT TO:<prvs=0786aabbcc=anton@home.example>' 'RCPT TO:<prvs=0786aabbcc=alice@home.example>')" \
  '250,250 2.1.0,550 5.7.1,250 2.1.5' "tagged recipients"

# A new line counts at once; a bad one changes nothing and is named.
echo '^offers?@' >> "$control/badmailfrom"
expect_equal "$(replies 'EHLO c.example' 'MAIL FROM:<Offer@good.example>')" '250,553 5.7.1' "a new expression"
printf '@worse.example\n*@bad.example\n' > "$control/badmailfrom"
expect_equal "$(replies 'EHLO c.example' 'MAIL FROM:<offer@good.example>' 'MAIL FROM:<a@good.example>')" '250,553 5.7.1,250 2.1.0' "a bad expression"
wait_for 30 logged access 'control/badmailfrom; the old one holds: control/badmailfrom:2: "\*@bad\.example" is no regular expression'
"$B/postern-showctl" > "$T/showctl"
expect_in "$T/showctl" 'control/badmailfrom:2: "\*@bad\.example" is no regular expression'
echo '!\.' > "$control/badhelo"
"$B/postern-showctl" > "$T/showctl"
expect_in "$T/showctl" 'control/badhelo: there are only exemptions'
rm "$control/badhelo"

# By hand, and as smtpd's program in the path form.
printf '@worse.example\n!a@worse.example\n' > "$control/badmailfrom"
expect_equal "$("$B/postern-access" mail b@worse.example; echo $?)" "control/badmailfrom:1: @worse.example
1" "by hand"
expect_equal "$("$B/postern-access" mail a@worse.example; echo $?)" "control/badmailfrom:2: !a@worse.example
0" "an exemption by hand"
expect_equal "$("$B/postern-access" mail c@good.example; echo $?)" 0 "who is not listed"
expect_equal "$("$B/postern-access" helo x; echo $?)" 0 "a list that is not there"
expect_equal "$(SILENT=1 replies 'EHLO c.example' 'MAIL FROM:<b@worse.example>')" '250,553 5.7.1' "behind a silent client"
stop_service access
rows=('EHLO c.example' 'MAIL FROM:<b@worse.example>' 'MAIL FROM:<c@good.example>' 'MAIL FROM:<>')
expect_equal "$(replies "${rows[@]}")" '250,451 4.3.0,451 4.3.0,250 2.1.0' "without the service"
echo "$B/postern-access" > "$control/access"
expect_equal "$(replies "${rows[@]:0:3}")" '250,553 5.7.1,250 2.1.0' "the path form"
echo /bin/false > "$control/access"
expect_equal "$(replies "${rows[@]:0:3}")" '250,451 4.3.0,451 4.3.0' "a program that fails"
exit 0
