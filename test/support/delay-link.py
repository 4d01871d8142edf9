"""A link with a fixed delay: a packet sent into one of two TUN devices leaves the other later.

    delay-link.py <one-way delay in ms> <device> <device>

Started by Lab.delayLink(), which moves the second device to another namespace. Writes a line when
both devices exist, and ends when its stdin ends. (For machines without the netem discipline.)
"""

import collections
import contextlib
import fcntl
import gc
import os
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
SPIN_NS = 200_000  # select() oversleeps by about 0.1 ms, so the end of a wait is spent polling


def open_tun(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def read_all(fd):
    while True:
        try:
            yield os.read(fd, 65536)
        except OSError:  # nothing left to read, or the device is being removed
            return


delay_ns = int(float(sys.argv[1]) * 1e6)
ends = [open_tun(sys.argv[2]), open_tun(sys.argv[3])]
other = {ends[0]: ends[1], ends[1]: ends[0]}
in_flight = collections.deque()  # (due, fd, packet); the delay is fixed, so they are in order
gc.disable()
with contextlib.suppress(OSError):
    os.nice(-10)
print("true", flush=True)

while True:
    timeout = None
    if in_flight:
        timeout = max(0, in_flight[0][0] - time.monotonic_ns() - SPIN_NS) / 1e9
    readable = select.select([*ends, 0], [], [], timeout)[0]
    if 0 in readable and not os.read(0, 4096):
        break
    for fd in ends:
        if fd in readable:
            due = time.monotonic_ns() + delay_ns
            in_flight.extend((due, other[fd], packet) for packet in read_all(fd))
    while in_flight and in_flight[0][0] <= time.monotonic_ns():
        _, fd, packet = in_flight.popleft()
        try:
            os.write(fd, packet)
        except OSError:  # the device is down or removed: the packet is lost, as on a wire
            pass
