#!/usr/bin/env python3
"""Stands between gdb and QEMU so that breakpoints work in user programs under paging=2level.

    (gdb) target remote | tools/gdb-proxy.py SOCKET

There the user code segment has a base: QEMU reports a user's EIP without it, which is what symbols want, but compares breakpoints with
EIP plus base. So each breakpoint on a user address is planted a second time, where the mirror of the code is. Everything else passes
through untouched.
"""
import re
import selectors
import signal
import socket
import sys
import time

# The base of the user code segment, which is also the end of user space in this mode (see mm/pt_2level.c).
MIRROR = 0x60000000

PACKET = re.compile(rb"\$([^#]*)#..", re.DOTALL)
BREAKPOINT = re.compile(rb"([Zz][01]),([0-9a-f]+),(.*)", re.DOTALL)
CHUNK = 65536
START_SECONDS = 60


def packet(body):
    """The remote protocol's frame around a body."""
    return b"$%s#%02x" % (body, sum(body) % 256)


def twin(body):
    """The packet that does at the mirror what this one does at its own address; None if it needs none."""
    match = BREAKPOINT.fullmatch(body)
    if not match or int(match[2], 16) >= MIRROR:
        return None
    return packet(b"%s,%x,%s" % (match[1], int(match[2], 16) + MIRROR, match[3]))


def plant(target, request):
    """Sends a packet of our own and consumes its reply. The target stands still meanwhile, so that nothing else can arrive."""
    target.sendall(request)
    reply = b""
    while not PACKET.search(reply):
        reply += target.recv(CHUNK)
    if reply.startswith(b"+"):
        target.sendall(b"+")


def pass_on(target, pending):
    """Passes what gdb sent to QEMU, packet by packet; returns the incomplete rest."""
    while pending:
        if not pending.startswith(b"$"):
            # An acknowledgement, or the interrupt of ^C.
            target.sendall(pending[:1])
            pending = pending[1:]
            continue
        match = PACKET.match(pending)
        if not match:
            break
        if request := twin(match[1]):
            plant(target, request)
        target.sendall(match[0])
        pending = pending[match.end():]
    return pending


def connect(path):
    """A socket has its name in the file system a moment before QEMU listens at it."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        target = socket.socket(socket.AF_UNIX)
        try:
            target.connect(path)
            return target
        except ConnectionRefusedError:
            target.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def main():
    # ^C is for gdb, which then asks the target to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    target = connect(sys.argv[1])
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin.buffer.raw, selectors.EVENT_READ)
    selector.register(target, selectors.EVENT_READ)
    pending = b""
    while True:
        for key, _ in selector.select():
            data = target.recv(CHUNK) if key.fileobj is target else sys.stdin.buffer.raw.read(CHUNK)
            if not data:
                return
            if key.fileobj is target:
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
            else:
                pending = pass_on(target, pending + data)


main()
