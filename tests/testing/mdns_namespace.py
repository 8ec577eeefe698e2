"""Run in a network of its own: an emulated scanner is announced, found by name, and says goodbye.

mdns_namespace.py prints "all is well", or raises.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import time

from sane.cancel import NeverCancelled
from sane.config import Environment
from sane.debug import Debug
from sane.discovery import dns, mdns
from sane.testing.escl import Emulator, Scanner, announced, feeder_model
from sane.testing.mdns import GROUP, PORT, Responder
from sane.transport.network import Network

TYPE = "_uscan._tcp"
LONG = 10.0


def listener() -> socket.socket:
    """Return a socket that hears what everybody is told."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((GROUP, PORT))
    request = socket.inet_aton(GROUP) + struct.pack("=Ii", 0, socket.if_nametoindex("lo"))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
    sock.settimeout(LONG)
    return sock


def announcements(heard: socket.socket) -> list[dns.Record]:
    """Return the next datagram's records that name the service."""
    while True:
        found = [r for r in dns.parse(heard.recv(1 << 16)) if r.type == dns.PTR]
        if found:
            return found


def main() -> None:
    debug = Debug("test", Environment({}))
    begin = time.monotonic()
    assert mdns.browse(TYPE, debug, 10 * LONG) == []  # there is no network: nobody is waited for
    search = Network(Environment({}), "test").search
    assert list(search([(b"?", 1)], NeverCancelled().wait, 10 * LONG, rounds=9)) == []
    assert time.monotonic() - begin < LONG
    subprocess.run(["ip", "link", "set", "lo", "up", "multicast", "on"], check=True)
    route = ["ip", "route", "add", "224.0.0.0/4", "dev", "lo"]
    subprocess.run(route, check=True)
    assert mdns.browse(TYPE, debug, 0.5) == []
    with Emulator(Scanner(feeder_model())) as device, listener() as heard:
        with Responder([announced.service(device, "Büro")]) as responder:
            assert announcements(heard)[0].value == tuple(
                "Büro._uscan._tcp.local".encode().split(b".")
            )
            (found,) = mdns.browse(TYPE, debug, LONG)
            assert (found.instance, found.address, found.port) == ("Büro", *device.address)
            assert found.texts["uuid"] == device.scanner.model.uuid
            assert found.texts["is"] == "platen,adf"
            assert found.texts["duplex"] == "T" and found.texts["rs"] == "eSCL"
            assert responder.asked
            heard.settimeout(0.1)
            try:
                while True:
                    heard.recv(1 << 16)
            except TimeoutError:
                heard.settimeout(LONG)
        goodbye = heard.recv(1 << 16)
        (pointer,) = (r for r in dns.parse(goodbye) if r.name[0] == b"_uscan")
        start = goodbye.index(b"\x06_uscan\x04_tcp\x05local\0")
        assert struct.unpack_from(">2HI", goodbye, start + 19)[2] == 0, pointer
        assert mdns.browse(TYPE, debug, 0.5) == []
    print("all is well")


if __name__ == "__main__":
    main()
