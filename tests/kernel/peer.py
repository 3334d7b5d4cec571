# SPDX-License-Identifier: GPL-2.0-or-later
"""A TCP peer made of raw packets, at the far end of a veth pair.

No kernel answers for it: every segment is chosen by the scenario, which
reads like the textbook:

    peer.expect(SYN)
    peer.send(SYN | ACK)
    peer.expect(ACK)

The peer keeps snd_nxt and rcv_nxt as an obedient TCP would, and everything
can be overridden. Every wait ends in an exception after its timeout.
"""

import enum
import ipaddress
import socket
import struct
import time

from wait import PATIENCE

_ETH_IPV4, _ETH_IPV6, _ETH_ALL = 0x0800, 0x86DD, 3
_MASK = 0xFFFFFFFF


class Flag(enum.IntFlag):
    FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))


FIN, SYN, RST, PSH, ACK = Flag.FIN, Flag.SYN, Flag.RST, Flag.PSH, Flag.ACK
_COMPARED = FIN | SYN | RST | ACK

# ICMP destination unreachable, (type, code) by family.
HOST_UNREACHABLE = {4: (3, 1), 6: (1, 3)}
PORT_UNREACHABLE = {4: (3, 3), 6: (1, 4)}


class Unexpected(Exception):
    """What the kernel sent is not what the scenario expects."""


class Segment:
    """A TCP segment as it was received."""

    def __init__(self, packet, header):
        self.packet = packet
        (self.sport, self.dport, self.seq, self.ack, offset, flags,
         self.window, _, _) = struct.unpack_from("!HHIIBBHHH", packet, header)
        data = header + (offset >> 4) * 4
        self.flags = Flag(flags)
        self.data = packet[data:]
        self.timestamp = _timestamp(packet[header + 20:data])

    @property
    def end(self):
        """The sequence number after this segment."""
        return (self.seq + len(self.data) + bool(self.flags & SYN) + bool(self.flags & FIN)) & _MASK

    def __str__(self):
        names = "|".join(flag.name for flag in Flag if flag in self.flags) or "no flags"
        return f"{names} seq {self.seq} ack {self.ack} len {len(self.data)} win {self.window}"


class Wire:
    """One end of a veth pair: IP packets in and out, of one address."""

    def __init__(self, mac, kernel_mac, address, kernel_address):
        self.address = ipaddress.ip_address(address)
        self.kernel_address = ipaddress.ip_address(kernel_address)
        self.family = self.address.version
        self._ethernet = (bytes.fromhex(kernel_mac.replace(":", "")) +
                          bytes.fromhex(mac.replace(":", "")) +
                          struct.pack("!H", _ETH_IPV4 if self.family == 4 else _ETH_IPV6))

    def open(self):
        """A packet socket of its own, which misses nothing from now on."""
        packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        packets.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        packets.bind(("veth0", _ETH_ALL))
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        raw.bind(("veth0", 0))
        return packets, raw

    def segment(self, packet):
        """The TCP segment in an IP packet from the kernel, or None."""
        if self.family == 4 and packet[0] >> 4 == 4 and packet[9] == socket.IPPROTO_TCP:
            length = struct.unpack_from("!H", packet, 2)[0]
            return Segment(packet[:length], (packet[0] & 15) * 4)
        if self.family == 6 and packet[0] >> 4 == 6 and packet[6] == socket.IPPROTO_TCP:
            length = 40 + struct.unpack_from("!H", packet, 4)[0]
            return Segment(packet[:length], 40)
        return None

    def frame(self, protocol, payload, checksum_at):
        """An Ethernet frame around a TCP or ICMP payload, checksummed."""
        pseudo = b""
        if protocol != socket.IPPROTO_ICMP:
            pseudo = (self.address.packed + self.kernel_address.packed +
                      struct.pack("!II", len(payload), protocol))
        payload = bytearray(payload)
        struct.pack_into("!H", payload, checksum_at, checksum(pseudo + payload))
        return self._ethernet + self._header(protocol, len(payload)) + payload

    def _header(self, protocol, length):
        if self.family == 6:
            return struct.pack("!IHBB", 6 << 28, length, protocol, 64) + \
                self.address.packed + self.kernel_address.packed
        header = bytearray(struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, protocol, 0) +
                           self.address.packed + self.kernel_address.packed)
        struct.pack_into("!H", header, 10, checksum(header))
        return header


class Peer:
    """One connection's far end: address:port towards the kernel's to_port.

    As a server it learns to_port from the first SYN that it expects.
    """

    def __init__(self, wire, port, to_port=None, isn=1000, timestamps=False):
        self.wire, self.port, self.to_port = wire, port, to_port
        self.snd_nxt, self.rcv_nxt = isn, 0
        self.isn, self.irs = isn, None
        self.timestamps, self._last_tsval = timestamps, 0
        self.last = None
        self._in, self._out = wire.open()

    # -- the textbook ------------------------------------------------------

    def connect(self):
        """The active side of the three-way handshake."""
        self.send(SYN)
        self.expect(SYN | ACK)
        self.send(ACK)
        return self

    def accept(self):
        """The passive side of the three-way handshake."""
        self.expect(SYN)
        self.send(SYN | ACK)
        self.expect(ACK)
        return self

    def send(self, flags, data=b"", *, seq=None, ack=None, window=65535, sack=()):
        """Send one segment; seq and ack are what is next unless given.

        With seq given nothing moves on: it is something sent again, or wrong.
        """
        if flags & SYN and seq is None:
            self.isn = self.snd_nxt
        if ack is None:
            ack = self.rcv_nxt if flags & ACK else 0
        options = self._options(flags, sack)
        header = struct.pack("!HHIIBBHHH", self.port, self.to_port,
                             (self.snd_nxt if seq is None else seq) & _MASK, ack & _MASK,
                             (5 + len(options) // 4) << 4, flags, window, 0, 0)
        self._out.send(self.wire.frame(socket.IPPROTO_TCP, header + options + data, 16))
        if seq is None:
            self.snd_nxt = (self.snd_nxt + len(data) + bool(flags & SYN) + bool(flags & FIN)) & _MASK

    def expect(self, flags, data=None, timeout=PATIENCE):
        """The next segment, which must have these flags (PSH, ECE and CWR
        do not count) and, if given, this data."""
        segment = self._next(time.monotonic() + timeout)
        wanted = f"{Flag(flags).name or Flag(flags)}{'' if data is None else f' with {data!r}'}"
        if segment is None:
            raise Unexpected(f"expected {wanted}, nothing came for {timeout} s")
        if segment.flags & _COMPARED != flags or data not in (None, segment.data):
            raise Unexpected(f"expected {wanted}, got {segment} {segment.data[:40]!r}")
        return segment

    def expect_nothing(self, seconds):
        segment = self._next(time.monotonic() + seconds)
        if segment is not None:
            raise Unexpected(f"expected silence, got {segment}")

    def wait(self, seconds):
        """Take in whatever comes within this time, if anything does."""
        self._next(time.monotonic() + seconds)

    def wait_for(self, flags, timeout=PATIENCE):
        """The next segment with these flags; others are acknowledged by no
        one and forgotten."""
        deadline = time.monotonic() + timeout
        while segment := self._next(deadline):
            if segment.flags & _COMPARED == flags:
                return segment
        raise Unexpected(f"{Flag(flags)!r} never came")

    def unreachable(self, kind=HOST_UNREACHABLE):
        """Answer the last segment with ICMP destination unreachable."""
        number, code = kind[self.wire.family]
        message = struct.pack("!BBHI", number, code, 0, 0) + self.last.packet[:128]
        protocol = socket.IPPROTO_ICMP if self.wire.family == 4 else socket.IPPROTO_ICMPV6
        self._out.send(self.wire.frame(protocol, message, 2))

    def close(self):
        self._in.close()
        self._out.close()

    # -- beneath -----------------------------------------------------------

    def _next(self, deadline):
        """The next segment of this connection, or None at the deadline."""
        while (left := deadline - time.monotonic()) > 0:
            self._in.settimeout(left)
            try:
                packet, (_, _, kind, *_) = self._in.recvfrom(65536)
            except TimeoutError:
                break
            if kind == socket.PACKET_OUTGOING:
                continue
            segment = self.wire.segment(packet)
            if segment and segment.dport == self.port and self.to_port in (None, segment.sport):
                self._receive(segment)
                return segment
        return None

    def _receive(self, segment):
        self.last = segment
        self.to_port = segment.sport
        if segment.timestamp is not None:
            self._last_tsval = segment.timestamp
        if segment.flags & SYN:
            self.irs = segment.seq
            self.rcv_nxt = segment.end
        elif segment.seq == self.rcv_nxt:
            self.rcv_nxt = segment.end

    def _options(self, flags, sack):
        options = b""
        if flags & SYN:
            options += struct.pack("!BBH", 2, 4, 1460) + b"\x01\x01\x04\x02"
        if self.timestamps:
            now = time.monotonic_ns() // 1_000_000 & _MASK
            options += b"\x01\x01" + struct.pack("!BBII", 8, 10, now, self._last_tsval)
        if sack:
            blocks = b"".join(struct.pack("!II", left & _MASK, right & _MASK) for left, right in sack)
            options += b"\x01\x01" + struct.pack("!BB", 5, 2 + len(blocks)) + blocks
        return options


def _timestamp(options):
    """TSval among the options of a segment, or None."""
    at = 0
    while at < len(options) and options[at] != 0:
        if options[at] == 1:
            at += 1
            continue
        if options[at] == 8:
            return struct.unpack_from("!I", options, at + 2)[0]
        at += max(2, options[at + 1])
    return None


def checksum(data):
    data = bytes(data) + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
