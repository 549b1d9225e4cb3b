#!/usr/bin/python3
"""An SMTP server that counts: counting-sink.py ADDRESS PORT LOG [--delay SECONDS] [--reply WHEN=TEXT]

LOG gets a line for each connection, recipient and end, with the time (seconds of CLOCK_MONOTONIC) and how many connections are open:
"connect T N", "rcpt T ADDRESS", "end T N". --delay: before the reply to each message. --reply mail="421 4.3.2 busy" and so on.
counting-sink.py --most LOG SECONDS prints the most connections at once, the most recipients within any window of that length, and the
sum of recipients."""
import argparse
import asyncio
import sys
import time


def most(log, seconds):
    at_once, times = 0, []
    with open(log) as lines:
        for line in lines:
            what, when, rest = line.split(maxsplit=2)
            if what == "connect":
                at_once = max(at_once, int(rest))
            elif what == "rcpt":
                times.append(float(when))
    times.sort()
    first = within = 0
    for number, when in enumerate(times):
        while times[first] <= when - seconds:
            first += 1
        within = max(within, number - first + 1)
    print(at_once, within, len(times))


class Sink:
    def __init__(self, options):
        self.options, self.open = options, 0
        self.replies = dict(reply.split("=", 1) for reply in options.reply)
        self.log = open(options.log, "a", buffering=1)

    def note(self, what, rest):
        self.log.write(f"{what} {time.monotonic():.6f} {rest}\n")

    async def serve(self, reader, writer):
        self.open += 1
        self.note("connect", self.open)
        try:
            await self.converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        self.open -= 1
        self.note("end", self.open)
        writer.close()

    async def converse(self, reader, writer):
        def say(when, text):
            writer.write(self.replies.get(when, text).encode() + b"\r\n")
        say("greeting", "220 sink.test ESMTP")
        while line := await reader.readline():
            verb = line.split(b" ")[0].split(b":")[0].strip().lower().decode("latin-1")
            if verb == "rcpt":
                self.note("rcpt", line.split(b"<")[1].split(b">")[0].decode())
                say(verb, "250 2.1.5 ok")
            elif verb == "data":
                say(verb, "354 go on")
                while await reader.readline() != b".\r\n":
                    pass
                await asyncio.sleep(self.options.delay)
                say("dot", "250 2.0.0 taken")
            elif verb == "quit":
                return say(verb, "221 2.0.0 bye")
            else:
                say(verb, "250-sink.test\r\n250-PIPELINING\r\n250 8BITMIME" if verb == "ehlo" else "250 2.0.0 ok")


async def listen(options):
    server = await asyncio.start_server(Sink(options).serve, options.address, options.port, backlog=1000)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "--most":
        most(sys.argv[2], float(sys.argv[3]))
        sys.exit(0)
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("log")
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--reply", action="append", default=[])
    asyncio.run(listen(parser.parse_args()))
