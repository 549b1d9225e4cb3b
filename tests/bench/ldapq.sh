#!/bin/bash
# How long a question to @ldapq takes: ldapq.sh [ENTRIES [QUESTIONS]], 10,000 and 5,000 unless told. A real slapd with so many entries;
# each address asked for the first time (a search), then again (kept), then of nobody; by one client and by four.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/ldap.sh"
ENTRIES=${1:-10000}
QUESTIONS=${2:-5000}
make_home
PORT=$(free_port)
python3 - "$ENTRIES" > "$T/many.ldif" << 'P'
import sys
for i in range(int(sys.argv[1])):
    print("dn: uid=u%d,ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: u%d\ncn: U\nsn: U\nmail: u%d@example.org\n" % (i, i, i))
P
make_directory main "$T/many.ldif"
"$(command -v slapd)" -d 0 -f "$T/main.conf" -h "ldap://127.0.0.1:$PORT" > "$T/main.log" 2>&1 &
wait_for 30 listening "$PORT"
ldap_password
ldap_control << C
cache 40000
server main
uri ldap://127.0.0.1:$PORT
tls off
bind cn=postern,$LDAP_BASE
password main
base ou=people,$LDAP_BASE
query people accept main
C
start_ldapq 4
python3 - "$POSTERN_HOME/run/ldapq" "$ENTRIES" "$QUESTIONS" << 'P'
import multiprocessing, random, socket, sys, time
path, entries, questions = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def client(numbers, form, code, out):
    took = []
    for n in numbers:
        begun = time.perf_counter()
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)  # a connection for each question, as lib/call makes it
        s.connect(path)
        s.send(b"\x01\x03\x00accept\0" + (form % n).encode() + b"\0s@x.example\0\0")
        reply = s.recv(70000)
        s.close()
        took.append(time.perf_counter() - begun)
        assert reply[0] == code, reply
    out.put(took)
def run(name, numbers, form, code, clients):
    out = multiprocessing.Queue()
    parts = [numbers[i::clients] for i in range(clients)]
    begun = time.perf_counter()
    all = [multiprocessing.Process(target=client, args=(p, form, code, out)) for p in parts]
    for p in all: p.start()
    took = sorted(sum((out.get() for _ in all), []))
    for p in all: p.join()
    seconds = time.perf_counter() - begun
    print("%-28s %d client%s  median %4d us  99%% %5d us  %6d/s" % (name, clients, " " if clients == 1 else "s", took[len(took) // 2] * 1e6, took[len(took) * 99 // 100] * 1e6, len(numbers) / seconds))
run("warm", [0] * 20, "u%d@example.org", 0, 4)
numbers = random.sample(range(entries), min(questions, entries))
half = len(numbers) // 2
for clients, part in ((1, numbers[:half]), (4, numbers[half:])):
    run("searched", part, "u%d@example.org", 0, clients)
    run("kept", part, "u%d@example.org", 0, clients)
    run("searched, nobody", part, "x%d@example.org", 1, clients)
    run("kept, nobody", part, "x%d@example.org", 1, clients)
P
ps -o rss= -p "$(pgrep -P "$LDAPQ" | head -n 1)" | awk '{printf "a worker: %.1f MiB resident\n", $1 / 1024}'
exit 0
