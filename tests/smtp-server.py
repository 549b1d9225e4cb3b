#!/usr/bin/python3
# A scripted SMTP server for tests: smtp-server.py ADDRESS PORT LOG [WHEN=REPLY]...
#
# WHEN: greeting, ehlo, helo, mail, rcpt, rcpt:ADDRESS, data, dot, bdat, rset, quit; mail2, dot2 and so on hold for the second such
# command of a connection alone. REPLY: the text sent (\r\n is added, "\n" in it stands for one, "\0" for NUL); CLOSE: the
# connection ends without a word; TEXT|CLOSE: it ends after the text; STALL and TEXT|STALL: nothing is said or read any more;
# TEXT|DRIP: sent a byte at a time, ten in a second; SILENT: nothing is said, and the next command read.
# TLS (RFC 3207), where tls=FILE names a certificate with its key: STARTTLS is announced and done. tlsversion=1.2: that and no other;
# tlsclient=FILE: a client certificate of these authorities is required; tlsfail=yes: the handshake is answered with nonsense. WHEN
# may be starttls: a refusal is one; more lines than one are an injection. LOG then gets "tls VERSION NEW|RESUMED SNI SUBJECT".
# LOG gets a line for each thing: "connect", "read N" (one recv of N bytes), "< COMMAND", "message N" (N bytes before the final
# dot, or of a BDAT) and "end"; LOG.messages gets the messages themselves.
import socket, ssl, sys, threading, time

address, port, log_name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
script = dict(a.split("=", 1) for a in sys.argv[4:])
defaults = {"greeting": "220 sink.test ESMTP", "ehlo": "250-sink.test\n250-PIPELINING\n250-8BITMIME\n250 SIZE 10000000",
            "helo": "250 sink.test", "mail": "250 2.1.0 ok", "rcpt": "250 2.1.5 ok", "data": "354 go on",
            "dot": "250 2.0.0 taken", "bdat": "250 2.0.0 taken", "rset": "250 2.0.0 ok", "quit": "221 2.0.0 bye"}
log = open(log_name, "a", buffering=1)
if "tls" in script:
    defaults["ehlo"] = "250-sink.test\n250-PIPELINING\n250-8BITMIME\n250-STARTTLS\n250 SIZE 10000000"
    defaults["starttls"] = "220 2.0.0 go ahead"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(script["tls"])
    if "tlsversion" in script:
        context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, "TLSv" + script["tlsversion"].replace(".", "_"))
    if "tlsclient" in script:
        context.load_verify_locations(script["tlsclient"])
        context.verify_mode = ssl.CERT_REQUIRED
    names = {}  # by connection: what SNI asked for
    context.sni_callback = lambda connection, name, _context: names.__setitem__(connection, name)


class Conversation:
    def __init__(self, connection):
        self.connection, self.pending, self.counts = connection, bytearray(), {}

    def note(self, text):
        log.write(text + "\n")

    def fill(self):
        bytes_read = self.connection.recv(1 << 16)
        self.note("read %d" % len(bytes_read))
        if not bytes_read:
            raise EOFError
        self.pending += bytes_read

    def until(self, mark):
        looked = 0
        while (at := self.pending.find(mark, looked)) < 0:
            looked = max(0, len(self.pending) - len(mark))
            self.fill()
        part = bytes(self.pending[:at])
        del self.pending[:at + len(mark)]
        return part

    def reply(self, when, detail=""):
        count = self.counts[when] = self.counts.get(when, 0) + 1
        text = script.get("%s:%s" % (when, detail)) or script.get("%s%d" % (when, count)) or script.get(when)
        text = text or defaults.get(when, "500 5.5.1 what?")
        text, _, way = text.rpartition("|") if text.endswith(("|CLOSE", "|STALL", "|DRIP")) else (text, "", "")
        if text in ("CLOSE", "STALL", "SILENT"):
            text, way = "", text
        if text:
            said = text.replace("\\n", "\n").replace("\n", "\r\n").replace("\\0", "\0").encode("utf-8", "surrogateescape") + b"\r\n"
            for part in [said[i:i + 1] for i in range(len(said))] if way == "DRIP" else [said]:
                self.connection.sendall(part)
                if way == "DRIP":
                    time.sleep(0.1)
        if way == "CLOSE":
            raise EOFError
        if way == "STALL":
            self.note("stall")
            threading.Event().wait()
        return text

    def keep(self, message):
        with open(log_name + ".messages", "ab") as file:
            file.write(message)

    def start_tls(self):
        if script.get("tlsfail"):
            self.connection.sendall(b"this is no TLS\r\n" * 10)
            raise EOFError
        self.pending.clear()
        plain = self.connection
        try:
            self.connection = context.wrap_socket(plain, server_side=True)
        except (ssl.SSLError, OSError) as error:
            self.note("tls failed: %s" % error)
            raise EOFError
        subject = dict(pair[0] for pair in (self.connection.getpeercert() or {}).get("subject", ()))
        self.note("tls %s %s %s %s" % (self.connection.version(), "RESUMED" if self.connection.session_reused else "NEW",
                                       names.pop(self.connection, None) or "-", subject.get("commonName", "-")))

    def run(self):
        self.reply("greeting")
        while True:
            line = self.until(b"\r\n").decode("latin-1")
            self.note("< " + line)
            verb = line.split(" ")[0].split(":")[0].lower()
            if verb == "rcpt":
                self.reply("rcpt", line.split("<", 1)[1].split(">")[0])
            elif verb == "data":
                if not self.reply("data").startswith("354"):
                    continue
                self.pending[:0] = b"\r\n"
                message = self.until(b"\r\n.\r\n")
                self.note("message %d" % len(message))
                self.keep(message[2:] + b"\r\n")
                self.reply("dot")
            elif verb == "starttls":
                if self.reply("starttls").startswith("220"):
                    self.start_tls()
            elif verb == "bdat" and not script.get("bdat", "").startswith(("500", "502")):
                size = int(line.split(" ")[1])
                while len(self.pending) < size:
                    self.fill()
                message = bytes(self.pending[:size])
                del self.pending[:size]
                self.note("message %d" % len(message))
                self.keep(message)
                self.reply("bdat")
            else:
                self.reply(verb)
                if verb == "quit":
                    return


def serve(connection):
    conversation = Conversation(connection)
    try:
        conversation.note("connect")
        conversation.run()
    except (EOFError, OSError):
        pass
    conversation.note("end")
    try:
        conversation.connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    conversation.connection.close()


listening = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
# Little room, so that a server that stalls is felt soon.
if any(value.endswith("STALL") for value in script.values()):
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
listening.bind((address, port))
listening.listen(50)
log.write("listening\n")
while True:
    threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()
