#!/bin/bash
# A server that takes only so many recipients in one transaction (452) gets the others in further ones, at once, over the same
# connection; 452 for another reason, and a server that takes none of the rest, wait for a later attempt.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../remote.sh"
make_remote_home
# Three recipients a transaction.
cat > "$T/few.py" <<'P'
import socket, sys
listening = socket.socket()
listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listening.bind(("127.0.0.2", int(sys.argv[1])))
listening.listen(5)
print("listening", flush=True)
while True:
    connection = listening.accept()[0]
    print("connect", flush=True)
    file = connection.makefile("rb")
    say = lambda text: connection.sendall(text.encode() + b"\r\n")
    say("220 hi")
    taken = 0
    while line := file.readline():
        verb = line.strip().decode()
        if verb.startswith("EHLO"):
            say("250-x\r\n250 PIPELINING" if sys.argv[2] == "yes" else "250 x")
        elif verb.startswith("MAIL"):
            taken = 0
            say("250 2.1.0 ok")
        elif verb.startswith("RCPT"):
            if "full" in verb:
                say("452 4.2.2 mailbox full")
            elif taken == 3:
                say(sys.argv[3])
            else:
                taken += 1
                print(verb, flush=True)
                say("250 2.1.5 ok")
        elif verb == "DATA":
            if not taken:
                say("503 5.5.1 nobody")
                continue
            say("354 go")
            while file.readline() != b".\r\n":
                pass
            print("message", taken, flush=True)
            say("250 2.0.0 taken")
        else:
            say("250 2.0.0 ok")
    connection.close()
P
few() {
  [ -n "${FEW:-}" ] && { kill "$FEW"; wait "$FEW" 2> /dev/null; }
  rm -f "$T/few.log"
  start few python3 "$T/few.py" "$PORT" "$@"
  FEW=$LAST_PID
  wait_for 30 grep -q listening "$T/few.log"
}
recipients=(a@x.test b@x.test full@x.test c@x.test d@x.test e@x.test f@x.test g@x.test)
for pipelining in yes no; do
  for reply in "452 4.5.3 too many" "452 too many" "552 too many"; do
    few $pipelining "$reply"
    expect_equal "$(deliver "${recipients[@]}" | cut -c1-4 | tr '\n' ' ')" "r250 r250 s452 r250 r250 r250 r250 r250 K250 " "$pipelining: $reply"
    expect_equal "$(grep -c '^connect' "$T/few.log")" 1 "connections"
    expect_equal "$(grep '^message' "$T/few.log" | tr '\n' ' ')" "message 3 message 3 message 1 " "messages"
    expect_equal "$(grep -c '^RCPT' "$T/few.log")" 7 "recipients, each once"
  done
done
few yes "452 4.3.1 no room"
expect_equal "$(deliver a@x.test b@x.test c@x.test d@x.test | cut -c1-4 | tr '\n' ' ')" "r250 r250 r250 s452 K250 " "452 for another reason"
expect_equal "$(grep -c '^message' "$T/few.log")" 1 "messages"
kill "$FEW"
wait "$FEW" 2> /dev/null
# None of the rest is taken in the second transaction: no third one.
server "rcpt:b@x.test=452 4.5.3 too many"
expect_equal "$(deliver a@x.test b@x.test | cut -c1-4 | tr '\n' ' ')" "r250 s452 K250 " "never taken"
expect_equal "$(grep -c '^< RCPT TO:<b@x.test>' "$T/sink")" 2 "attempts"
# The connection ends behind the first message: the rest waits.
server "rcpt:b@x.test=452 4.5.3 too many" "mail2=421 4.3.2 enough|CLOSE"
expect_equal "$(deliver a@x.test b@x.test | cut -c1-4 | tr '\n' ' ')" "r250 s452 K250 " "421 to the second MAIL"
# A message that is refused is not offered again.
server "rcpt:b@x.test=452 4.5.3 too many" "dot=554 5.6.0 no"
expect_equal "$(deliver a@x.test b@x.test | cut -c1-4 | tr '\n' ' ')" "h554 s452 Z452 " "the message refused"
expect_equal "$(grep -c '^< MAIL' "$T/sink")" 1 "transactions"
