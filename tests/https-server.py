#!/usr/bin/env python3
"""An HTTPS server for tests: https-server.py ADDRESS PORT DIRECTORY

A host is DIRECTORY/HOST/: pem (certificate and key, chosen by SNI; the first host's otherwise), and, read anew for each
request, status (default 200), headers (default Content-Type: text/plain), body, stall (while that file is there nothing is
answered). What is posted is DIRECTORY/HOST/posted.N, its header fields posted.N.headers. DIRECTORY/log gets
"HOST METHOD PATH" for each request, and "tls failed" for each handshake that is none."""
import http.server, os, socket, ssl, sys, time

address, port, directory = sys.argv[1], int(sys.argv[2]), sys.argv[3]
log = open(directory + "/log", "a", buffering=1)
contexts = {}
for host in sorted(h for h in os.listdir(directory) if os.path.exists(f"{directory}/{h}/pem")):
    contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    contexts[host].load_cert_chain(f"{directory}/{host}/pem")
default = next(iter(contexts.values()))


def choose(connection, name, _context):
    if name in contexts:
        connection.context = contexts[name]


default.sni_callback = choose


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def part(self, name, otherwise=""):
        try:
            with open(f"{directory}/{self.host}/{name}", newline="") as file:
                return file.read()
        except OSError:
            return otherwise

    def answer(self):
        self.host = self.headers["Host"].split(":")[0]
        log.write(f"{self.host} {self.command} {self.path}\n")
        if os.path.exists(f"{directory}/{self.host}/stall"):
            while os.path.exists(f"{directory}/{self.host}/stall"):
                time.sleep(0.05)
        if self.command == "POST":
            number = len([n for n in os.listdir(f"{directory}/{self.host}") if n.endswith(".headers")])
            name = f"{directory}/{self.host}/posted.{number}"
            with open(name, "wb") as file:
                file.write(self.rfile.read(int(self.headers["Content-Length"])))
            with open(name + ".headers", "w") as file:
                file.write(str(self.headers))
        body = self.part("body").encode()
        self.send_response(int(self.part("status", "200")))
        for line in self.part("headers", "Content-Type: text/plain").splitlines():
            self.send_header(*line.split(": ", 1))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
    daemon_threads = True

    def finish_request(self, request, client):
        request.settimeout(60)
        try:
            request = default.wrap_socket(request, server_side=True)
        except (ssl.SSLError, OSError):
            log.write("tls failed\n")
            return
        super().finish_request(request, client)

    def handle_error(self, request, client):
        pass


Server((address, port), Handler).serve_forever()
