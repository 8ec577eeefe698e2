"""pysane-scan: list scanners, show options, scan a page into a PNG or PNM file.

A small frontend over the Python API, for tests and for systems without scanimage; it needs no
NumPy.
"""

from __future__ import annotations

import argparse
import struct
import sys
import zlib

from .. import const, get_devices
from .. import exit as end_backends
from .. import open as open_device
from ..errors import SaneError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..param import Parameters
    from ..scanner import Scanner

TYPES = ("yes|no", "number", "number", "text", "button")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status: 0, 1 for a SANE error, 2 for wrong usage."""
    options = parse(arguments)
    try:
        if options.list:
            return list_devices()
        with open_device(options.device) as scanner:
            for setting in options.option:
                set_option(scanner, setting)
            if options.options:
                return show_options(scanner)
            scan_to(scanner, options.output)
    except SaneError as exc:
        print(f"pysane-scan: {exc}", file=sys.stderr)
        return 1
    finally:
        end_backends()
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(prog="pysane-scan", description="Scan a page.")
    parser.add_argument("-L", "--list", action="store_true", help="list the scanners")
    parser.add_argument("-A", "--options", action="store_true", help="show the options")
    parser.add_argument("-d", "--device", default="", help="its name (default: the first)")
    parser.add_argument("-o", "--output", default="scan.png", help="a .png, .pgm or .ppm file")
    parser.add_argument("option", nargs="*", help="options of the scanner: NAME=VALUE")
    return parser.parse_args(arguments)


def list_devices() -> int:
    """Print a line for each scanner."""
    devices = get_devices()
    for device in devices:
        print(f"{device.name}: {device.vendor} {device.model} {device.type}")
    if not devices:
        print("no scanner found; is its backend named in dll.conf?", file=sys.stderr)
    return 0 if devices else 1


def show_options(scanner: Scanner) -> int:
    """Print name, kind and value of every active option."""
    for name, option in scanner.options.items():
        try:
            value = getattr(scanner, name)
        except SaneError:
            continue
        if option.length <= 1:
            print(f"{name} = {value}  ({TYPES[option.type]}) {option.title}")
    return 0


def set_option(scanner: Scanner, setting: str) -> None:
    """Carry out NAME=VALUE; raises SaneError with the reason if it cannot be."""
    name, _, text = setting.partition("=")
    option = scanner.options.get(name)
    if option is None:
        raise SaneError(f"this scanner has no option {name!r}; -A shows those it has")
    value: object = text
    try:
        if option.type == const.TYPE_BOOL:
            value = {"yes": True, "no": False, "1": True, "0": False}[text]
        elif option.type in (const.TYPE_INT, const.TYPE_FIXED):
            value = float(text)
    except (KeyError, ValueError):
        raise SaneError(f"{name}: {text!r} is not {TYPES[option.type]}") from None
    setattr(scanner, name, value)


def scan_to(scanner: Scanner, path: str) -> None:
    """Scan one frame into *path*; its ending says how."""
    params, data = scanner.scan_frame()
    lines = len(data) // params.bytes_per_line
    image = png(params, lines, data) if path.endswith(".png") else pnm(params, lines, data)
    with open(path, "wb") as file:
        file.write(image)
    print(f"{path}: {params.pixels_per_line} x {lines} pixels")


def png(params: Parameters, lines: int, data: bytes | bytearray) -> bytes:
    """Return the frame as a PNG file (RFC 2083)."""
    colour = 2 if params.channels > 1 else 0
    header = struct.pack(">IIBBBBB", params.pixels_per_line, lines, params.depth, colour, 0, 0, 0)
    samples = bytes(data)
    if params.depth == 1 and colour:
        raise SaneError("a PNG file cannot hold colour at depth 1")
    if params.depth == 1:  # PNG: 1 is white
        samples = samples.translate(bytes(range(255, -1, -1)))
    elif params.depth > 8 and sys.byteorder == "little":
        swapped = bytearray(samples)
        swapped[::2], swapped[1::2] = samples[1::2], samples[::2]
        samples = bytes(swapped)
    size = params.bytes_per_line
    used = (params.pixels_per_line * params.channels * params.depth + 7) // 8
    rows = b"".join(b"\0" + samples[y * size : y * size + used] for y in range(lines))
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def pnm(params: Parameters, lines: int, data: bytes | bytearray) -> bytes:
    """Return the frame as a PNM file, 8 bits only."""
    if params.depth != 8:
        raise SaneError(f"depth {params.depth} needs a .png file")
    kind = "P6" if params.channels > 1 else "P5"
    return f"{kind}\n{params.pixels_per_line} {lines}\n255\n".encode() + bytes(data)


if __name__ == "__main__":
    sys.exit(main())
