#!/bin/bash
# control/altsrchost: the address that a delivery comes from, and its name, by sender, group, tag and a stage's choice, with a pool
# for bounces; a source that this host has not is passed over; IPv4 alone reaches no IPv6 host; through the queue as well.
# once: the users do not matter to it
. "$(dirname "$0")/../lib.sh"
need python3
P=$(free_port)
make_instance --local home.example --user alice --route "far.example:127.0.0.2:$P"
cat > "$T/server.py" <<'PY'
# Notes for each message where the client comes from, its name, and the sender.
import socket, sys, threading
def serve(c, peer):
    f = c.makefile("rb"); hello = sender = b""
    c.sendall(b"220 sink ESMTP\r\n")
    for line in f:
        verb = line[:4].upper()
        if verb == b"EHLO": hello = line[5:].strip()
        if verb == b"MAIL": sender = line.split(b"<")[1].split(b">")[0]
        if verb == b"QUIT": break
        if verb == b"DATA":
            c.sendall(b"354 go on\r\n")
            while f.readline() != b".\r\n": pass
            with open(sys.argv[3], "a") as log: log.write("%s %s <%s>\n" % (peer, hello.decode(), sender.decode()))
        c.sendall(b"250 2.0.0 ok\r\n")
    c.close()
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], int(sys.argv[2]))); s.listen(50)
while True:
    c, peer = s.accept(); threading.Thread(target=serve, args=(c, peer[0]), daemon=True).start()
PY
start server python3 "$T/server.py" 127.0.0.2 "$P" "$T/seen"
wait_for 30 listening "$P" 127.0.0.2
touch "$T/seen"
cat > "$POSTERN_HOME/control/altsrchost" <<'G'
pool bulk    127.0.0.31,bulk1.home.example  127.0.0.32,bulk2.home.example
pool mixed   192.0.2.99,gone.home.example,1000  127.0.0.33,here.home.example
<>                   127.0.0.40,bounces.home.example
tag=KIND:newsletter  bulk
boss@home.example    127.0.0.41,boss.home.example
@home.example        127.0.0.42
group=CUSTOMERS      127.0.0.43
old@other.example    mixed
six@other.example    127.0.0.44
G
printf 'Subject: x\n\nbody\n' > "$T/message"
send() { "$B/postern-remote" far.example "$1" b@far.example < "$T/message" 2>> "$T/log" | tr '\0' '\n' | head -n 1 | cut -c1; }
last() { tail -n 1 "$T/seen"; }
expect_equal "$(send boss@home.example)" r
expect_equal "$(last)" "127.0.0.41 boss.home.example <boss@home.example>"
expect_in "$T/log" '^Info: New SMTP DCID [0-9]+ interface 127\.0\.0\.41 address 127\.0\.0\.2 '
expect_equal "$(send carol@home.example)" r
expect_equal "$(last)" "127.0.0.42 mx.example.org <carol@home.example>"
expect_equal "$(send '')" r
expect_equal "$(last)" "127.0.0.40 bounces.home.example <>"
expect_equal "$(POSTERN_SENDERGROUP=CUSTOMERS send c@other.example)" r
expect_equal "$(last)" "127.0.0.43 mx.example.org <c@other.example>"
expect_equal "$(send c@other.example)" r
expect_equal "$(last)" "127.0.0.1 mx.example.org <c@other.example>"
expect_equal "$(POSTERN_SOURCE=127.0.0.32 send boss@home.example)" r
expect_equal "$(last)" "127.0.0.32 bulk2.home.example <boss@home.example>"
for _ in $(seq 30); do POSTERN_TAG_KIND=newsletter send boss@home.example; done > /dev/null
expect_in "$T/seen" '^127\.0\.0\.31 bulk1\.home\.example '
expect_in "$T/seen" '^127\.0\.0\.32 bulk2\.home\.example '
# An address that is not here.
expect_equal "$(send old@other.example)" r
expect_equal "$(last)" "127.0.0.33 here.home.example <old@other.example>"
expect_in "$T/log" 'unable to use an address of control/altsrchost: send from 192\.0\.2\.99: Cannot assign requested address$'
expect_equal "$(POSTERN_SOURCE=192.0.2.98 send boss@home.example)" s
expect_equal "$(POSTERN_SOURCE=nopool send boss@home.example)" s
expect_equal "$(POSTERN_ROUTE='[::1]:1' "$B/postern-remote" far.example six@other.example b@far.example < "$T/message" 2> /dev/null | tr '\0' '\n' | head -n 1)" \
  "s4.4.4 no host of far.example has an address that gateway 127.0.0.44 of control/altsrchost has a source for"

# A connection that is kept for one gateway is not used for another, and is for its own.
start rspawn "$B/postern-bind" rspawn "$(id -un)" "$B/postern-rspawn" --serve --workers 1
RSPAWN=$LAST_PID
wait_for 30 test -S "$POSTERN_HOME/run/rspawn"
: > "$T/seen"
python3 "$TESTS/job_row.py" rspawn "$T/message" "far.example boss@home.example b@far.example" "far.example carol@home.example b@far.example" \
  "far.example dora@home.example b@far.example" > "$T/out"
expect_equal "$(cut -d' ' -f1,3 "$T/seen" | tr '\n' ' ')" "127.0.0.41 <boss@home.example> 127.0.0.42 <carol@home.example> 127.0.0.42 <dora@home.example> "
expect_equal "$(grep -c 'New SMTP DCID' "$T/rspawn.log")" 2 "connections for two gateways"
kill "$RSPAWN"
wait "$RSPAWN" 2> /dev/null
rm -f "$POSTERN_HOME/run/rspawn"

# Through the chain: the tag and the source that stages set come as far as the delivery.
cat > "$T/stage" <<'S'
#!/bin/sh
sed '/^$/q' > "$0.header.$$"
grep -q '^Subject: newsletter' "$0.header.$$" && printf 'tag\tKIND\tnewsletter\n'
grep -q '^Subject: chosen' "$0.header.$$" && printf 'source\tbulk\n'
rm -f "$0.header.$$"
S
chmod 755 "$T/stage"
mkdir -p "$T/scratch"; chmod 1777 "$T/scratch"; mv "$T/stage" "$T/scratch/stage"
echo "chooser $T/scratch/stage" > "$POSTERN_HOME/control/stages"
run_instance
: > "$T/seen"
for subject in newsletter chosen plain; do mail $subject | inject boss@home.example "$subject@far.example" > "$T/reply" || { cat "$T/reply"; fail "inject $subject"; }; done
wait_for 30 queue_empty
expect_equal "$(wc -l < "$T/seen")" 3 "messages at the far host"
expect_equal "$(grep -c '^127\.0\.0\.3[12] bulk' "$T/seen")" 2 "messages from the pool"
expect_equal "$(grep -c '^127\.0\.0\.41 boss' "$T/seen")" 1 "messages of the boss"
