"""A program that uses sane.usb on the devices that it sees: python client.py TREE SCENE.

It prints what the tests compare. Scenes talk to the device of tests/fakes/loopback.py.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING

sys.path.insert(0, sys.argv[1])

from sane.cancel import Cancel
from sane.config import Environment
from sane.errors import Cancelled, SaneError, status_of
from sane.usb.bus import Bus
from sane.usb.handle import TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable

    from sane.usb.handle import Usb

IN, OUT, EVENTS = 0x81, 0x02, 0x83
CANCEL_SECONDS = 0.05


class Owner:
    """Stands for the Device that a handle belongs to; cancels itself after a moment."""

    is_live = True
    waits_in_c = False

    def __init__(self, usb: Usb) -> None:
        self.cancel_request = Cancel()
        usb.belongs_to(self)
        self.timer = threading.Timer(CANCEL_SECONDS, self.cancel_request.set)

    def cancels(self, call: Callable[[], object]) -> str:
        """Return whether *call* ended by the cancel, and soon after it."""
        begin = time.monotonic()
        self.timer.start()
        try:
            call()
        except Cancelled:
            late = time.monotonic() - begin - CANCEL_SECONDS
            return "cancelled" if late < 1 else f"cancelled after {late} s"
        finally:
            self.timer.join()
            self.cancel_request.clear()
        return "not cancelled"


def tried(call: Callable[[], object]) -> str:
    """Return the result of *call*, or its failure."""
    try:
        return repr(call())
    except SaneError as exc:
        return f"{type(exc).__name__} {status_of(exc)}: {exc}"


def echo(usb: Usb) -> None:
    usb.write(OUT, b"Ehello")
    print(usb.read(IN, 512))


def sizes(usb: Usb) -> None:
    for size in (1, 511, 513, 16385, 65537, 1 << 20):
        usb.write(OUT, b"L%d" % size)
        expected = bytes(range(256)) * (size // 256) + bytes(range(size % 256))
        room = size if not size % 512 else size + 512 - size % 512
        print(size, usb.read(IN, room) == expected)
    usb.write(OUT, b"S" + bytes(100000))


def empty(usb: Usb) -> None:
    usb.write(OUT, b"Z" + bytes(512))
    print(len(usb.read(IN, 512)), usb.read(IN, 512))
    usb.write(OUT, b"")


def timeout(usb: Usb) -> None:
    print(tried(lambda: usb.read(IN, 512, 0.1)))
    echo(usb)


def hang(usb: Usb) -> None:
    usb.write(OUT, b"Ehello")
    print(tried(lambda: usb.read(IN, 512, 0.1)))
    usb.reset()
    echo(usb)


def partial(usb: Usb) -> None:
    """A full packet without end: the part comes at once or with the next read, never not."""
    usb.write(OUT, b"L512")
    got = b""
    for _ in range(3):
        try:
            got += usb.read(IN, 512 if got else 1024, 0.1)
        except TimedOut:
            got += usb.read(IN, 512, 0.1) if not got else b""
    print(len(got))
    echo(usb)


def stall(usb: Usb) -> None:
    usb.write(OUT, b"?")
    print(tried(lambda: usb.read(IN, 512)))
    print(tried(lambda: usb.control(0xC0, 0x77, 0, 0, 8)))
    echo(usb)


def babble(usb: Usb) -> None:
    usb.write(OUT, b"E" + bytes(100))
    print(tried(lambda: usb.read(IN, 14)))
    usb.reset()
    echo(usb)


def control(usb: Usb) -> None:
    print(usb.control(0xC0, 1, 0, 0, 64))
    usb.control(0x40, 2, 0, 0, b"abc")
    print(usb.control(0xC0, 1, 0, 0, 64))


def button(usb: Usb) -> None:
    print("waiting", flush=True)
    print(usb.read(EVENTS, 8))


def cancel(usb: Usb) -> None:
    owner = Owner(usb)
    print(owner.cancels(lambda: usb.read(IN, 512)))
    echo(usb)
    owner.cancel_request.close()


def cancel_stream(usb: Usb) -> None:
    owner = Owner(usb)
    room = memoryview(bytearray(4096))
    with usb.stream(IN, 512, 4) as stream:
        print(owner.cancels(lambda: stream.read_into(room)))
    echo(usb)
    owner.cancel_request.close()


def stream(usb: Usb) -> None:
    for size, transfers in ((100000, 4096), (512, 1024), (1, 512), (0, 512), (65536, 16384)):
        usb.write(OUT, b"L%d" % size)
        data = bytearray(size)
        done = 0
        with memoryview(data) as view, usb.stream(IN, transfers, 3, size) as source:
            while n := source.read_into(view[done : done + 3000] if size else view[:0]):
                done += n
        print(size, data == bytes(range(256)) * (size // 256) + bytes(range(size % 256)))
    echo(usb)


def stream_stalls(usb: Usb) -> None:
    room = memoryview(bytearray(4096))
    with usb.stream(IN, 1024, 3) as source:
        usb.write(OUT, b"E" + b"x" * 700)
        print(source.read_into(room))
        usb.write(OUT, b"?")
        print(tried(lambda: source.read_into(room)))
        print(tried(lambda: source.read_into(room)))
    echo(usb)


def stream_rest(usb: Usb) -> None:
    """What a stream had got when it was closed belongs to the next read."""
    room = memoryview(bytearray(2))
    usb.write(OUT, b"Ehello")
    with usb.stream(IN, 512, 2) as source:
        print(source.read_into(room), bytes(room))
    print(usb.read(IN, 512))
    echo(usb)


def pending(usb: Usb) -> None:
    """Read until the plug is pulled."""
    print("reading", flush=True)
    print(tried(lambda: usb.read(IN, 512)))
    print(tried(lambda: usb.write(OUT, b"x")))
    print([bus_device.name for bus_device in Bus(Environment({})).devices()])


def hold(usb: Usb) -> None:
    print("claimed", flush=True)
    sys.stdin.readline()


def turns(usb: Usb) -> None:
    """Open the device while another handle of it is closed a moment later."""
    bus = Bus(Environment.current())
    (bus_device,) = bus.devices()
    threading.Timer(0.1, usb.close).start()
    begin = time.monotonic()
    second = bus.open(bus_device)
    print(time.monotonic() - begin >= 0.05)
    second.close()


def several() -> None:
    """Let all devices echo, each in its own thread."""
    bus = Bus(Environment.current())
    handles = [bus.open(bus_device) for bus_device in bus.devices()]
    answers = []

    def talk(usb: Usb) -> None:
        for _ in range(5):
            usb.write(OUT, b"E" + usb.name.encode())
            answers.append(usb.read(IN, 512).decode() == usb.name)

    threads = [threading.Thread(target=talk, args=(usb,)) for usb in handles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for usb in handles:
        usb.close()
    print(len(answers), all(answers))


def cycles() -> None:
    """Open and close again and again: what the first left is all that stays."""
    bus = Bus(Environment.current())
    counts = []
    for _ in range(8):
        usb = bus.open(bus.devices()[0])
        usb.write(OUT, b"Ehello")
        stream = usb.stream(IN, 512, 4)  # left open: the handle closes it
        usb.close()
        stream.close()
        counts.append((len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))))
    print(len(set(counts)))


def listing() -> None:
    for bus_device in Bus(Environment.current()).devices():
        print(bus_device.name, bus_device.text("manufacturer"), bus_device.text("product"))


def main(scene: str) -> None:
    """Play one scene on the first device, unless the scene finds its own."""
    if scene in ("several", "listing", "cycles"):
        globals()[scene]()
        return
    bus = Bus(Environment.current())
    try:
        usb = bus.open(bus.devices()[0])
    except SaneError as exc:
        print(f"{type(exc).__name__} {status_of(exc)}: {exc}")
        return
    globals()[scene](usb)
    usb.close()


main(sys.argv[2])
