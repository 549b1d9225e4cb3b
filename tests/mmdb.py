#!/usr/bin/env python3
"""Writes a small database of countries in MaxMind's form (version 2.0): mmdb.py FILE 4|6 NETWORK=CC...

With 6 the tree holds IPv4 networks in ::/96, and 2002::/16 as another way to them, as the databases of MaxMind do.
"""
import ipaddress
import struct
import sys


def encode(value):
    if isinstance(value, str):
        data = value.encode()
        return (bytes([2 << 5 | len(data)]) if len(data) < 29 else bytes([2 << 5 | 29, len(data) - 29])) + data
    if isinstance(value, dict):
        return bytes([7 << 5 | len(value)]) + b"".join(encode(k) + encode(v) for k, v in value.items())
    if isinstance(value, list):
        return bytes([len(value), 11 - 7]) + b"".join(encode(v) for v in value)
    kind, size = value[0], value[1]  # (number, bytes): an unsigned number
    data = kind.to_bytes(8, "big")[8 - size:].lstrip(b"\0")
    types = {2: 5, 4: 6, 8: 9}
    if types[size] > 7:
        return bytes([len(data), types[size] - 7]) + data
    return bytes([types[size] << 5 | len(data)]) + data


def main(path, version, entries):
    nodes, data, offsets = [[None, None]], b"", {}
    for entry in entries:
        network, _, code = entry.partition("=")
        network = ipaddress.ip_network(network)
        bits = format(int(network.network_address), "0%db" % network.max_prefixlen)[:network.prefixlen]
        if version == 6 and network.version == 4:
            bits = "0" * 96 + bits
        if code not in offsets:
            offsets[code] = len(data)
            data += encode({"country": {"iso_code": code}})
        node = 0
        for bit in bits[:-1]:
            if nodes[node][int(bit)] is None:
                nodes.append([None, None])
                nodes[node][int(bit)] = len(nodes) - 1
            node = nodes[node][int(bit)]
        nodes[node][int(bits[-1])] = ("data", offsets[code])
    if version == 6:
        four = 0
        for _ in range(96):
            four = nodes[four][0]
        node = 0
        for bit in format(0x2002, "016b")[:-1]:
            if nodes[node][int(bit)] is None:
                nodes.append([None, None])
                nodes[node][int(bit)] = len(nodes) - 1
            node = nodes[node][int(bit)]
        nodes[node][0] = four
    tree = b""
    for node in nodes:
        for record in node:
            number = len(nodes) if record is None else record if isinstance(record, int) else len(nodes) + 16 + record[1]
            tree += struct.pack(">I", number)
    metadata = {
        "node_count": (len(nodes), 4), "record_size": (32, 2), "ip_version": (version, 2), "database_type": "Test-Country",
        "languages": ["en"], "binary_format_major_version": (2, 2), "binary_format_minor_version": (0, 2),
        "build_epoch": (1, 8), "description": {"en": "a test"}}
    with open(path, "wb") as file:
        file.write(tree + b"\0" * 16 + data + b"\xab\xcd\xefMaxMind.com" + encode(metadata))


main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
