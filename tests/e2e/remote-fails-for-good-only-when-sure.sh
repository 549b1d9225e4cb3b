#!/bin/bash
# once: the users do not matter to it
# Every mixture of what DNS may say of a domain's mail hosts: a failure is permanent only where each answer is a certain no; one
# that is missing or bogus defers, unless another host takes the message.
. "$(dirname "$0")/../lib.sh"
make_home
PORT=$(free_port)
echo 127.0.0.2 > "$POSTERN_HOME/control/notipme"
echo "$PORT" > "$POSTERN_HOME/control/remoteport"
start good "$TESTS/smtp-server.py" 127.0.0.2 "$PORT" "$T/good"
wait_for 30 grep -q listening "$T/good"
printf 'Subject: x\n\nbody\n' > "$T/message"
# Hosts by what is known of their two address RRsets; the letter says what the host alone makes of a message.
cat > "$T/dns" <<'D'
up.t A 127.0.0.2
none.t TXT "nothing else"
servfail.t ANY SERVFAIL
timeout.t ANY TIMEOUT
bogus.t ANY BOGUS
half-servfail.t A SERVFAIL
half-servfail.t TXT "no AAAA"
half-bogus.t AAAA BOGUS
half-bogus.t TXT "no A"
six-bogus.t AAAA BOGUS
six-bogus.t A 127.0.0.2
alias.t CNAME up.t
dangling.t CNAME gone.t
alias-servfail.t CNAME servfail.t
loop1.t CNAME loop2.t
loop2.t CNAME loop1.t
D
outcomes="up:r none:h gone:h servfail:s timeout:s bogus:s half-servfail:s half-bogus:s six-bogus:r alias:r dangling:h alias-servfail:s loop1:s"
python3 - "$T" $outcomes <<'P'
import itertools, sys
hosts = [word.split(":") for word in sys.argv[2:]]
number = 0
with open(sys.argv[1] + "/dns", "a") as dns, open(sys.argv[1] + "/expected", "w") as expected:
    def domain(name, letters, records):
        dns.writelines("%s %s\n" % (name, record) for record in records)
        # Any that takes it; else any that may take it later; else never.
        expected.write("%s %s\n" % (name, "r" if "r" in letters else "s" if "s" in letters else "h"))
    for (a, x), (b, y) in itertools.product(hosts, hosts):
        number += 1
        domain("d%d.t" % number, x + y, ["MX 10 %s.t" % a, "MX 20 %s.t" % b])
    # The domain itself.
    for word in ("SERVFAIL", "TIMEOUT", "BOGUS"):
        domain("mx-%s.t" % word, "s", ["MX " + word, "A 127.0.0.2"])
        domain("a-%s.t" % word, "s", ["A " + word])
        domain("aaaa-%s.t" % word, "s", ["AAAA " + word])
        domain("all-%s.t" % word, "s", ["ANY " + word])
    domain("nothing.t", "h", ["TXT x"])
    domain("implicit.t", "r", ["A 127.0.0.2"])
    domain("cname.t", "r", ["CNAME d1.t"])
    domain("cname-implicit.t", "r", ["CNAME implicit.t"])
    domain("cname-loop.t", "s", ["CNAME loop1.t"])
    domain("cname-gone.t", "h", ["CNAME gone.t"])
    domain("null.t", "h", ["MX 0 ."])
    domain("null-and-more.t", "r", ["MX 0 .", "MX 10 up.t"])
    domain("many.t", "r", ["MX 10 none%d.t" % i for i in range(200)] + ["MX 1 up.t"])
    expected.write("no-such.t h\n")
P
# All of them over one resident, as it is in an instance.
start dnsq "$B/postern-bind" dnsq root "$B/postern-dnsq" --serve --dns "$T/dns"
start rspawn "$B/postern-bind" rspawn root "$B/postern-rspawn" --serve --workers 1
wait_for 30 test -S "$POSTERN_HOME/run/dnsq"
wait_for 30 test -S "$POSTERN_HOME/run/rspawn"
jobs=()
while read -r domain _; do jobs+=("$domain s@y.test a@x.test"); done < "$T/expected"
python3 "$TESTS/job_row.py" rspawn "$T/message" "${jobs[@]}" > "$T/out"
paste -d' ' <(cut -d' ' -f1 "$T/expected") <(sed 's/^0 \(.\).*/\1/' "$T/out") > "$T/found"
diff "$T/expected" "$T/found" > "$T/diff" || { cat "$T/diff"; fail "outcomes"; }
[ "$(wc -l < "$T/expected")" -gt 190 ] || fail "too few cases"
expect_equal "$(grep -oE '0 h[0-9.]+' "$T/out" | sort -u | tr '\n' ' ')" "0 h5.1.10 0 h5.1.2 0 h5.4.4 " "statuses of certain failures"
expect_not_in "$T/rspawn.log" '^(Warning|Critical)'
