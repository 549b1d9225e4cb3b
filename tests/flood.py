# Many clients that keep their places: flood.py PORT IDLE SLOW READY. IDLE connections say nothing; SLOW ones send a byte now and then, half of them
# in a command, half in a message; whoever is sent away comes again. READY is made when each has tried. Until it is killed.
import os, random, selectors, socket, sys, time
port, idle, slow, ready = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
BEGIN = b"EHLO slow.example\r\nMAIL FROM:<s@slow.example>\r\nRCPT TO:<alice@home.example>\r\nDATA\r\n"
selector = selectors.DefaultSelector()

class Client:
    def __init__(self, number):
        self.number, self.socket = number, None
        self.again = 0
    def connect(self):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        # Twenty of an address.
        self.socket.bind(("127.0.%d.%d" % (10 + self.number // 4000, 1 + self.number // 20 % 200), 0))
        self.socket.connect_ex(("127.0.0.1", port))
        self.script = [b"NOOP ", BEGIN][self.number % 2] if self.number >= idle else b""
        selector.register(self.socket, selectors.EVENT_READ, self)
    def close(self):
        selector.unregister(self.socket)
        self.socket.close()
        self.socket, self.again = None, time.monotonic() + 0.2
    def heard(self):
        try:
            if self.socket.recv(4096):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self.close()
    def talk(self):
        word, self.script = self.script or b"x", b""
        try:
            self.socket.send(word)
        except BlockingIOError:
            self.script = word
        except OSError:
            self.close()

clients = [Client(i) for i in range(idle + slow)]
for client in clients:
    client.connect()
open(ready, "w").close()
byte = time.monotonic()
while True:
    for key, _ in selector.select(0.1):
        key.data.heard()
    now = time.monotonic()
    for client in clients:
        if client.socket is None and client.again <= now:
            client.connect()
    if now >= byte:
        byte = now + 0.3
        for client in clients[idle:]:
            if client.socket is not None:
                client.talk()
