#!/usr/bin/python3
# A DNS server that misbehaves, for tests: dns-server.py ADDRESS PORT LOG. UDP and TCP; LOG gets "udp NAME TYPE" or "tcp NAME TYPE"
# for each question. The first label of the name says how it is answered:
#
#   wrongid     with another id, never the right one     late        first with another id, then rightly
#   othername   about another name                       otherquestion   a question that was not asked, with its answer
#   poison      rightly, with records of victim.*, in every section; victim.* itself is 127.0.0.9
#   tc          truncated over UDP, whole over TCP       tconly      truncated over UDP, TCP is closed
#   loop        CNAMEs that go in a circle               endless     a CNAME to another name each time
#   giantN      N records                                text        30 TXT records of 2040 bytes each that are not printable
#   garbage     bytes that are no answer                 pointer     a name that points to itself
#   short       cut in the middle                        badrdata    an A of 3 bytes, an MX without its host
#   silent      not at all                               refused, servfail, notimp, formerr, nxrrset   that rcode
#   ttlN        with that TTL; absentN does not exist, its SOA says N seconds; emptyN exists without data, the same
#   slow        after the file LOG.go is there
# Everything else: A 127.0.0.2, AAAA none, MX 10 mx of it.
import os, re, socket, struct, sys, threading, time

address, port, log_name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
log = open(log_name, "a", buffering=1)
TYPES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 15: "MX", 16: "TXT", 28: "AAAA", 43: "DS", 48: "DNSKEY"}
A, CNAME, SOA, MX, TXT = 1, 5, 6, 15, 16


def wire(name):
    return b"".join(bytes([len(p)]) + p.encode("latin-1") for p in name.split(".") if p) + b"\0"


def record(name, kind, data, ttl=300):
    return wire(name) + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


def soa(zone, ttl):
    return record(zone, SOA, wire("ns." + zone) + wire("h." + zone) + struct.pack("!IIIII", 1, 3600, 600, 86400, ttl), ttl)


def message(number, question, answer=(), authority=(), additional=(), flags=0x8580, rcode=0):
    return (struct.pack("!HHHHHH", number, flags | rcode, 1, len(answer), len(authority), len(additional)) + question +
            b"".join(answer) + b"".join(authority) + b"".join(additional))


def plain(name, kind, ttl=300):
    if kind == A:
        return [record(name, A, bytes([127, 0, 0, 9 if name.startswith("victim") else 2]), ttl)]
    if kind == MX and not name.startswith("mx."):
        return [record(name, MX, b"\0\x0a" + wire("mx." + name), ttl)]
    return []


# The replies to one question; None among them: the connection is closed.
def replies(packet, tcp):
    number = struct.unpack("!H", packet[:2])[0]
    at, labels = 12, []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1").lower())
        at += 1 + packet[at]
    kind = struct.unpack("!H", packet[at + 1:at + 3])[0]
    question, name = packet[12:at + 5], ".".join(labels)
    log.write("%s %s %s\n" % ("tcp" if tcp else "udp", name, TYPES.get(kind, kind)))
    # mx.HOW...: the mail host of such a name is as good as any.
    how = labels[0] if labels else ""
    zone = ".".join(labels[1:]) or "."
    count = int(re.sub(r"\D", "", how) or 0)
    right = message(number, question, plain(name, kind))
    victim = record("victim." + zone, A, bytes([6, 6, 6, 6]))
    if how in ("wrongid", "late"):
        return [message(number ^ 1, question, [record(name, A, bytes([6, 6, 6, 6]))])] + [right] * (how == "late")
    if how == "othername":
        return [message(number, question, [victim])]
    if how == "otherquestion":
        return [message(number, wire("victim." + zone) + question[-4:], [victim])]
    if how == "poison":
        glue = record("test", 2, wire("victim." + zone))
        return [message(number, question, plain(name, kind) + [victim], [glue], [victim])]
    if how in ("tc", "tconly"):
        if not tcp:
            return [message(number, question, flags=0x8780)]
        return [None] if how == "tconly" else [right]
    if how == "loop":
        return [message(number, question, [record(name, CNAME, wire("loop." + name if len(labels) < 5 else ".".join(labels[-3:])))])]
    if how == "endless":
        return [message(number, question, [record(name, CNAME, wire("endless.a%d.%s" % (time.monotonic_ns(), ".".join(labels[-2:]))))])]
    if how.startswith("giant"):
        every = [record(name, A, struct.pack("!I", 0x0a000000 + i)) for i in range(count)] if kind == A else []
        return [message(number, question, every)] if tcp or not every else [message(number, question, flags=0x8780)]
    if how == "text" and kind == TXT:
        every = [record(name, TXT, (b"\xff" + bytes([1 + i]) * 255) * 8) for i in range(30)]
        return [message(number, question, every)] if tcp else [message(number, question, flags=0x8780)]
    if how == "garbage":
        return [b"\xff" * 40, packet[:2] + b"\x85\x80" + b"\xff" * 30]
    if how == "pointer":
        return [message(number, question, [b"\xc0" + bytes([len(question) + 12]) + struct.pack("!HHIH", kind, 1, 9, 4) + b"\x7f\0\0\2"])]
    if how == "short":
        return [right[:-3]]
    if how == "badrdata":
        return [message(number, question, [record(name, kind, b"\0\x0a\x09")])]
    if how == "silent":
        return []
    if how in ("formerr", "servfail", "notimp", "refused", "nxrrset"):
        return [message(number, question, rcode={"formerr": 1, "servfail": 2, "notimp": 4, "refused": 5, "nxrrset": 8}[how])]
    if how.startswith("ttl"):
        return [message(number, question, plain(name, kind, count), [] if plain(name, kind) else [soa(zone, count)])]
    if how.startswith("absent"):
        return [message(number, question, authority=[soa(zone, count)], rcode=3)]
    if how.startswith("empty"):
        return [message(number, question, authority=[soa(zone, count)])]
    return [right if plain(name, kind) else message(number, question, authority=[soa(zone, 60)])]


def answer_udp(packet, client):
    for reply in replies(packet, False):
        udp.sendto(reply, client)


def serve_tcp():
    while True:
        connection = tcp_socket.accept()[0]
        try:
            connection.settimeout(5)
            size = struct.unpack("!H", connection.recv(2))[0]
            for reply in replies(connection.recv(size), True):
                if reply is not None:
                    connection.sendall(struct.pack("!H", len(reply)) + reply)
        except (OSError, struct.error):
            pass
        connection.close()


udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
udp.bind((address, port))
tcp_socket = socket.socket()
tcp_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
tcp_socket.bind((address, port))
tcp_socket.listen(50)
threading.Thread(target=serve_tcp, daemon=True).start()
udp.settimeout(0.05)
waiting = []
while True:
    try:
        packet, client = udp.recvfrom(4096)
        # A question that waits must not hold up others.
        if packet[13:17] == b"slow":
            waiting.append((packet, client))
        else:
            answer_udp(packet, client)
    except TimeoutError:
        pass
    if waiting and os.path.exists(log_name + ".go"):
        for packet, client in waiting:
            answer_udp(packet, client)
        waiting = []
