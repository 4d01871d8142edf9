"""Hosts that answer exactly as their rules say: every address routed to a TUN device is one.

    scripted-host.py <device> <JSON: {"rules": [...], "icmpIntervalMs": 0}>

Started by startScriptedHost(), whose types describe the rules. Speaks the line protocol of
helper-process.ts: {"rules": [...]} replaces the rules, and the answer is a list of all SYNs so far.
"""

import fcntl
import heapq
import ipaddress
import itertools
import json
import os
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
OWN_SEQUENCE = 1_000_000


def open_tun(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip_packet(source, target, protocol, payload):
    """An IP packet; `payload` has a zero checksum at the place that its protocol wants."""
    v4 = len(source) == 4
    if protocol == ICMP:
        pseudo = b""
    elif v4:
        pseudo = source + target + struct.pack("!BBH", 0, protocol, len(payload))
    else:
        pseudo = source + target + struct.pack("!II", len(payload), protocol)
    at = 16 if protocol == TCP else 2
    payload = payload[:at] + struct.pack("!H", checksum(pseudo + payload)) + payload[at + 2 :]
    if not v4:
        return struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64) + source + target + payload
    header = struct.pack("!BBHIBBH", 0x45, 0, 20 + len(payload), 0, 64, protocol, 0)
    header += source + target
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def timestamp_in(options):
    """The TSval of TCP's timestamp option (RFC 7323), or None."""
    while options and options[0] != 0:
        if options[0] == 1:
            options = options[1:]
        elif options[0] == 8:
            return options[2:6]
        else:
            options = options[max(2, options[1]) :]
    return None


class Packet:
    """A received IP packet. `protocol` is None for what has no rules here."""

    def __init__(self, data):
        self.data = data
        self.v4 = data[0] >> 4 == 4
        self.protocol = data[9] if self.v4 else data[6]
        addresses = data[12:20] if self.v4 else data[8:40]
        self.source = addresses[: len(addresses) // 2]
        self.target = addresses[len(addresses) // 2 :]
        body = data[(data[0] & 15) * 4 :] if self.v4 else data[40:]
        if self.protocol not in (TCP, UDP):
            self.protocol = None
            return
        self.source_port, self.target_port = struct.unpack("!HH", body[:4])
        self.address = str(ipaddress.ip_address(self.target))
        if self.protocol == TCP:
            self.sequence, self.acknowledged = struct.unpack("!II", body[4:12])
            self.flags = body[13]
            self.content = body[(body[12] >> 4) * 4 :]
            self.timestamp = timestamp_in(body[20 : (body[12] >> 4) * 4])
            self.connection = (self.source, self.source_port, self.target, self.target_port)


class Host:
    def __init__(self, device, config):
        self.fd = open_tun(device)
        self.rules = config["rules"]
        self.icmp_interval = config.get("icmpIntervalMs", 0) / 1000
        self.last_icmp = 0.0
        self.seen = []  # every SYN
        self.attempts = {}  # connection -> its rule, the number of SYNs and their sequence number
        self.connections = {}  # established connection -> the answer that opened it
        self.counts = {}  # (address, port) -> number of connections so far
        self.later = []  # (due, number, action)
        self.numbers = itertools.count()

    def rule_of(self, packet, number):
        protocol = "tcp" if packet.protocol == TCP else "udp"
        for rule in self.rules:
            if (
                rule.get("protocol", "tcp") == protocol
                and rule.get("address", packet.address) == packet.address
                and rule.get("port", packet.target_port) == packet.target_port
                and rule.get("family", 4 if packet.v4 else 6) == (4 if packet.v4 else 6)
                and rule.get("afterConnections", 0) <= number
            ):
                return rule
        return {"answers": ["nothing"]}

    def send(self, packet):
        try:
            os.write(self.fd, packet)
        except OSError:  # the device is down or removed: the packet is lost, as on a wire
            pass

    def send_segment(self, packet, flags, content=b"", offset=0):
        """Sends a TCP segment back to the sender of `packet`, `offset` bytes after its ACK."""
        length = len(packet.content) + bool(packet.flags & SYN) + bool(packet.flags & FIN)
        sequence = OWN_SEQUENCE if packet.flags & SYN else packet.acknowledged + offset
        if flags & RST and packet.flags & SYN:
            sequence = 0
        options = struct.pack("!BBH", 2, 4, 1400) if flags & SYN else b""
        if packet.timestamp is not None and not flags & RST:
            now = int(time.monotonic() * 1000) & 0xFFFFFFFF
            options += struct.pack("!BBBBI", 1, 1, 8, 10, now) + packet.timestamp
        header = struct.pack(
            "!HHIIBBHHH",
            packet.target_port,
            packet.source_port,
            sequence & 0xFFFFFFFF,
            (packet.sequence + length) & 0xFFFFFFFF,
            (20 + len(options)) // 4 << 4,
            flags,
            64000,
            0,
            0,
        )
        self.send(ip_packet(packet.target, packet.source, TCP, header + options + content))

    def send_icmp(self, packet, answer):
        now = time.monotonic()
        if now - self.last_icmp < self.icmp_interval:
            return
        self.last_icmp = now
        source = ipaddress.ip_address(answer["from"]).packed if "from" in answer else packet.target
        kind, code, rest = answer["type"], answer["code"], answer.get("rest", 0)
        quoted = packet.data[: 28 if packet.v4 else 1000]
        payload = struct.pack("!BBHI", kind, code, 0, rest) + quoted
        self.send(ip_packet(source, packet.source, ICMP if packet.v4 else ICMPV6, payload))

    def answer(self, packet, answer):
        answer = {"send": answer} if isinstance(answer, str) else answer
        self.act_after(answer.get("delayMs", 0) / 1000, packet, answer)

    def act_after(self, delay, packet, answer):
        if delay == 0:
            self.act(packet, answer)
        else:
            due = time.monotonic() + delay
            heapq.heappush(self.later, (due, next(self.numbers), packet, answer))

    def act(self, packet, answer):
        kind = answer["send"]
        if kind == "icmp":
            self.send_icmp(packet, answer)
        elif kind == "reset" and packet.protocol == TCP:
            self.send_segment(packet, RST | ACK, offset=answer.get("offset", 0))
        elif kind == "syn-ack" and packet.protocol == TCP:
            self.connections[packet.connection] = {**answer, "isNew": True}
            self.send_segment(packet, SYN | ACK)

    def receive_syn(self, packet):
        endpoint = (packet.address, packet.target_port)
        attempt = self.attempts.get(packet.connection)
        if attempt is None or attempt["sequence"] != packet.sequence:
            number = self.counts.get(endpoint, 0)
            self.counts[endpoint] = number + 1
            rule = self.rule_of(packet, number)
            attempt = {"rule": rule, "syns": 0, "sequence": packet.sequence}
            self.attempts[packet.connection] = attempt
        answers = attempt["rule"]["answers"]
        self.answer(packet, answers[min(attempt["syns"], len(answers) - 1)])
        attempt["syns"] += 1
        address, port = endpoint
        at_ms = time.monotonic() * 1000
        self.seen.append({"address": address, "port": port, "syn": attempt["syns"], "atMs": at_ms})

    def receive_segment(self, packet):
        opened = self.connections.get(packet.connection)
        if opened is None or packet.flags & RST:
            self.connections.pop(packet.connection, None)
            return
        if opened.pop("isNew", False):
            content = opened.get("banner", "").encode()
            if content:
                self.send_segment(packet, PSH | ACK, content)
            if opened.get("end") == "reset":
                end = {"send": "reset", "offset": len(content)}
                self.act_after(opened.get("endDelayMs", 0) / 1000, packet, end)
                del self.connections[packet.connection]
            elif opened.get("end") == "close":
                self.send_segment(packet, FIN | ACK, offset=len(content))
        elif packet.flags & FIN:
            self.send_segment(packet, ACK if opened.get("end") == "close" else FIN | ACK)
        elif packet.content:
            self.send_segment(packet, ACK)

    def receive(self, packet):
        if packet.protocol == UDP:
            for answer in self.rule_of(packet, 0)["answers"][:1]:
                self.answer(packet, answer)
        elif packet.protocol == TCP and packet.flags & (SYN | ACK) == SYN:
            self.receive_syn(packet)
        elif packet.protocol == TCP:
            self.receive_segment(packet)

    def receive_all(self):
        while True:
            try:
                data = os.read(self.fd, 65536)
            except OSError:  # nothing left to read, or the device is down
                return
            self.receive(Packet(data))

    def act_on_time(self):
        while self.later and self.later[0][0] <= time.monotonic():
            _, _, packet, answer = heapq.heappop(self.later)
            self.act(packet, answer)

    def run(self):
        print("true", flush=True)
        while True:
            timeout = max(0, self.later[0][0] - time.monotonic()) if self.later else None
            readable = select.select([self.fd, 0], [], [], timeout)[0]
            if 0 in readable:
                line = sys.stdin.readline()
                if not line:
                    return
                self.rules = json.loads(line).get("rules", self.rules)
                print(json.dumps(self.seen), flush=True)
            if self.fd in readable:
                self.receive_all()
            self.act_on_time()


Host(sys.argv[1], json.loads(sys.argv[2])).run()
