"""Runs the original pixma and ours against an emulated Canon scanner, on a network and on a bus.

The scanner is made anew for each side, so that both find the same. Compared are what the calls
return, the pixels, and what went over the wire.
"""

from __future__ import annotations

import contextlib
import itertools
import operator
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sane.testing.pixma import VENDOR, Answer, Command, Model, Scanner
from sane.testing.pixma.network import BJNP, Emulator, Packet
from sane.testing.pixma.usb import UsbScanner
from sane.testing.usb.hosted import Device, Umockdev
from tests.peers.frontends import environment, peer
from tests.peers.fujitsu import Picture, read_pnm

USB = "usb"
SERIAL = "123456"
TIMEOUT = 60.0
INCH = 25.4
PERIOD = 256
# Sample = a * x + b * y + c + d * sheet + e * back, modulo 256.
COLORS = ((3, 5, 0, 40, 17), (7, 2, 50, 11, 29), (1, 11, 100, 23, 7))
GRAYS = ((5, 3, 7, 31, 13),)
WEIGHTS = {"mp800": (2126, 7152, 722), "mp750": (1, 1, 1)}  # of colours in gray
Answers = dict[str, tuple[Answer | None, ...]]
_numbers = itertools.count()


class Made(NamedTuple):
    """A scanner to be made: its model, how hosts reach it, sheets, attributes, answers."""

    model: Model | str = "MP560"
    link: str = BJNP
    sheets: int = 0
    attributes: dict[str, Any] = {}
    answers: Answers = {}
    prepare: Callable[[Emulator], None] | None = None


class Reached(NamedTuple):
    """A scanner that was made: its full name, pixma.conf, what programs need besides.

    call: a method of the scanner's, with arguments; get: an attribute. emulator, device: whichever
    it is.
    """

    name: str
    conf: str
    environment: dict[str, str]
    call: Callable[..., Any]
    get: Callable[[str], Any]
    emulator: Emulator | None = None
    device: Device | None = None


@contextlib.contextmanager
def reach(made: Made, bus: Umockdev | None = None, address: str = "") -> Iterator[Reached]:
    """Make a scanner, on *bus* or at an address of the loopback network."""
    found = _on_bus(made, bus) if made.link == USB else _on_network(made, address)
    with found as reached:
        reached.call("load", made.sheets)
        for name, answers in made.answers.items():
            reached.call("inject", name, *answers)
        yield reached


@contextlib.contextmanager
def _on_bus(made: Made, bus: Umockdev | None) -> Iterator[Reached]:
    assert bus is not None
    device = bus.plug(UsbScanner, made.model)
    for name, value in made.attributes.items():
        device.call("set_scanner", name, value)
    name = f"pixma:{VENDOR:04X}{device.get('product'):04X}_{SERIAL}"

    def call(method: str, *arguments: Any) -> Any:
        return device.call("call_scanner", method, *arguments)

    def get(attribute: str) -> Any:
        return device.call("get_scanner", attribute)

    try:
        yield Reached(name, "networking=no\n", bus.environment, call, get, device=device)
    finally:
        device.unplug()


@contextlib.contextmanager
def _on_network(made: Made, address: str) -> Iterator[Reached]:
    scanner = Scanner(made.model)
    for attribute, value in made.attributes.items():
        assert hasattr(scanner, attribute)
        setattr(scanner, attribute, value)
    host = address or f"127.0.0.{next(_numbers) % 250 + 2}"
    with Emulator(scanner, host, 0, made.link) as emulator:
        if made.prepare is not None:
            made.prepare(emulator)

        def call(method: str, *arguments: Any) -> Any:
            with emulator.lock:
                return getattr(scanner, method)(*arguments)

        name = f"pixma:{scanner.model.name}_{host}"
        conf = f"auto_detection=no\n{emulator.url}\n"
        yield Reached(
            name, conf, {}, call, lambda attribute: getattr(scanner, attribute), emulator=emulator
        )


class Scanned(NamedTuple):
    """What came of a scan: exit status, messages, pictures, what the scanner got."""

    status: int
    stderr: str
    pictures: list[Picture]
    log: list[Command]
    packets: list[Packet]
    problems: list[str]


def scan(
    made: Made,
    options: Sequence[str],
    folder: Path,
    bus: Umockdev | None = None,
    libraries: Path | None = None,
) -> Scanned:
    """Scan with the distribution's scanimage; *libraries*: None for the original backend."""
    folder.mkdir(parents=True, exist_ok=True)
    with reach(made, bus) as reached:
        (folder / "dll.conf").write_text("pixma\n")
        (folder / "pixma.conf").write_text(reached.conf)
        output = "--batch=page%02d.pnm" if made.sheets else "--output-file=page01.pnm"
        done = subprocess.run(
            [peer("scanimage"), "-d", reached.name, "--format=pnm", output, *options],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT,
            check=False,
            env=environment(folder, libraries) | reached.environment,
        )
        pages = [path for path in sorted(folder.glob("page*.pnm")) if path.stat().st_size]
        return Scanned(
            done.returncode,
            done.stderr,
            [read_pnm(path) for path in pages],
            reached.get("log"),
            reached.emulator.log if reached.emulator else [],
            reached.get("problems"),
        )


def expected(picture: Picture, left: int, top: int, side: int = 0, family: str = "") -> bytes:
    """Return the pixels of the page from there on, of the size of *picture*.

    family: of a scanner that makes gray of colours. The formulas are written down a second time.
    """
    is_gray = picture.kind == b"P5"
    factors = GRAYS if is_gray and not family else COLORS
    width, height = picture.size
    sheet, back = divmod(side, 2)
    rows: dict[int, bytes] = {}
    for y in range(top, top + min(height, PERIOD)):
        starts = [b * y + c + d * sheet + e * back for _, b, c, d, e in factors]
        steps = [a for a, *_ in factors]
        pixels = [
            [(step * x + start) % PERIOD for step, start in zip(steps, starts, strict=True)]
            for x in range(left, left + PERIOD)
        ]
        if is_gray and family:
            weights = WEIGHTS[family]
            pixels = [[sum(map(operator.mul, weights, pixel)) // sum(weights)] for pixel in pixels]
        period = bytes(itertools.chain.from_iterable(pixels))
        rows[y % PERIOD] = (period * (1 + width // PERIOD))[: width * len(pixels[0])]
    return b"".join(rows[y % PERIOD] for y in range(top, top + height))


def pixels_of(millimetres: float, dpi: int) -> int:
    """Return where a length ends, in pixels."""
    return int(millimetres / INCH * dpi + 0.5)
