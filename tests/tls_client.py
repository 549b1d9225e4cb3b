"""An SMTP client that begins TLS when the test says so. For tests of postern-tlsd."""

import socket
import ssl


def context(least=None, most=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    if least:
        made.minimum_version = least
    if most:
        made.maximum_version = most
    return made


class Client:
    def __init__(self, port, timeout=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.buffer = b""

    def send(self, text):
        self.socket.sendall(text.encode())

    def line(self):
        while b"\n" not in self.buffer:
            got = self.socket.recv(65536)
            if not got:
                raise EOFError(self.buffer)
            self.buffer += got
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.decode().rstrip("\r")

    def reply(self):
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return lines

    def say(self, text):
        self.send(text + "\r\n")
        return self.reply()

    def expect(self, text, code):
        reply = self.say(text)
        assert reply[-1].startswith(code), (text, reply)
        return reply

    def greet(self):
        assert self.reply()[-1].startswith("220")
        return self.expect("EHLO client.example", "250")

    def starttls(self, tls=None, name=None, session=None):
        self.expect("STARTTLS", "220")
        return self.shake(tls, name, session)

    def shake(self, tls=None, name=None, session=None):
        assert not self.buffer, self.buffer
        self.socket = (tls or context()).wrap_socket(self.socket, server_hostname=name, session=session)
        return self

    def certificate(self):
        return self.socket.getpeercert(True)

    def ended(self):
        try:
            return not self.buffer and self.socket.recv(1000) == b""
        except (ConnectionError, ssl.SSLError):
            return True

    def close(self):
        self.socket.close()


def connected(port, **how):
    client = Client(port)
    client.greet()
    client.starttls(**how)
    client.expect("EHLO client.example", "250")
    return client
