#!/usr/bin/env python3
"""Clients that mean no good, each on a connection of its own: hostile-clients.py HOST PORT HOME

Prints the most memory in KiB (VmHWM) that any postern-smtpd of that home has used, as /proc shows it while the client is
still there.
"""
import os
import socket
import sys
import time

MEGABYTE = b"x" * 1048576
BEGIN = [b"EHLO client.example\r\n", b"MAIL FROM:<s@client.example>\r\nRCPT TO:<a@example.org>\r\n"]


def connect(address):
    client = socket.create_connection(address, 20)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not client.recv(1000).startswith(b"220"):
        sys.exit("no greeting")
    return client


def read_until(client, what):
    came = b""
    while what not in came:
        more = client.recv(65536)
        if not more:
            sys.exit("the server closed; it said %r, not %r" % (came[-200:], what))
        came += more
    return came


def begin(client):
    for group, last in zip(BEGIN, (b"250 SIZE", b"recipient ok\r\n")):
        client.sendall(group)
        read_until(client, last)


def memory(home, highest):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/environ" % pid, "rb") as file:
                if ("POSTERN_HOME=%s\0" % home).encode() not in file.read():
                    continue
            with open("/proc/%s/status" % pid, encoding="ascii") as file:
                status = dict(line.split(":", 1) for line in file)
        except OSError:
            continue
        if status["Name"].strip() == "postern-smtpd":
            highest = max(highest, int(status["VmHWM"].split()[0]))
    return highest


def command_line_of_a_megabyte(client):
    client.sendall(BEGIN[0])
    read_until(client, b"250 SIZE")
    client.sendall(b"MAIL FROM:<" + MEGABYTE[:1000000])
    read_until(client, b"500 5.5.2 line too long")
    client.sendall(b">\r\nRSET\r\n")
    read_until(client, b"250 2.0.0 flushed")


def header_line_of_a_megabyte(client):
    begin(client)
    client.sendall(b"DATA\r\n")
    read_until(client, b"354")
    client.sendall(b"Subject: " + MEGABYTE + b"\r\n\r\nbody\r\n.\r\n")
    read_until(client, b"552 5.3.4")


def header_of_many_lines(client):
    begin(client)
    client.sendall(b"DATA\r\n")
    read_until(client, b"354")
    client.sendall(b"X: y\r\n" * 500000 + b"\r\nbody\r\n.\r\n")
    read_until(client, b"552 5.3.4")


def nul_everywhere(client):
    client.sendall(b"\0" * 100000 + b"\r\n")
    read_until(client, b"500 5.5.2")
    begin(client)
    client.sendall(b"DATA\r\n")
    read_until(client, b"354")
    client.sendall(b"Subject: \0\r\n\r\n" + b"\0" * 1000000 + b"\r\n.\r\n")
    read_until(client, b"250 2.0.0 ok")


def chunks_of_one_byte(client):
    begin(client)
    client.sendall(b"BDAT 1\r\nx" * 20000 + b"BDAT 0 LAST\r\n")
    read_until(client, b"250 2.0.0 ok")


def recipients_without_end(client):
    begin(client)
    for _ in range(30):
        client.sendall(b"RCPT TO:<a@example.org>\r\n" * 1000)
    read_until(client, b"452 4.5.3")


def never_reads(client):
    """Sends until nobody takes it any more; the server must give up by itself."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    begin(client)
    client.settimeout(0.2)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            client.sendall(b"RCPT TO:<a@example.org>\r\n" * 2000)
        except socket.timeout:
            continue
        except OSError:
            return
    sys.exit("the server goes on with a client that never reads")


def main(host, port, home):
    highest = 0
    for hostile in (command_line_of_a_megabyte, header_line_of_a_megabyte, header_of_many_lines, nul_everywhere,
                    chunks_of_one_byte, recipients_without_end, never_reads):
        client = connect((host, int(port)))
        before = memory(home, 0)
        hostile(client)
        highest = max(highest, before, memory(home, highest))
        client.close()
        print("%s: %d KiB" % (hostile.__name__, highest), file=sys.stderr)
    print(highest)


main(*sys.argv[1:])
