"""A UCSPI-TLS server: ucspi_tls_server.py PORT CERTIFICATE PROGRAM… runs the program for each connection with SSLCTLFD, SSLREADFD and SSLWRITEFD, begins
TLS when it writes `y`, and then carries what goes between the two pipes and the client."""

import os
import socket
import ssl
import subprocess
import sys
import threading

port, certificate, program = int(sys.argv[1]), sys.argv[2], sys.argv[3:]


def serve(connection):
    control, theirs = socket.socketpair()
    from_client, to_us = os.pipe(), os.pipe()
    numbers = (theirs.fileno(), from_client[0], to_us[1])
    for number in numbers:
        os.set_inheritable(number, True)
    environment = dict(os.environ, TCPREMOTEIP="192.0.2.9", SSLCTLFD=str(numbers[0]), SSLREADFD=str(numbers[1]), SSLWRITEFD=str(numbers[2]))
    child = subprocess.Popen(program, stdin=connection, stdout=connection, env=environment, pass_fds=numbers)
    theirs.close()
    os.close(from_client[0])
    os.close(to_us[1])
    if control.recv(1) == b"y":
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        secured = tls.wrap_socket(connection, server_side=True)

        def to_program():
            while got := secured.recv(16384):
                os.write(from_client[1], got)
            os.close(from_client[1])

        threading.Thread(target=to_program, daemon=True).start()
        while got := os.read(to_us[0], 16384):
            secured.sendall(got)
        secured.unwrap()
    child.wait()
    connection.close()


listening = socket.create_server(("127.0.0.1", port))
while True:
    accepted, _ = listening.accept()
    threading.Thread(target=serve, args=(accepted,), daemon=True).start()
