"""python3 -m sane.cli.session CAPTURE: write a USB capture as a readable session.

It reads what PYSANE_USB_REPLAY reads: our own sessions, XML of the original SANE, usbmon.
"""

from __future__ import annotations

import sys

from ..record import BadSession
from ..usb.formats import load
from ..usb.session import CONVERTED, MAGIC, device_lines, record_lines
from .ending import ended

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..usb.session import RecordedDevice


def lines(devices: Sequence[RecordedDevice], path: str) -> Iterator[str]:
    """Yield the lines of a session with *devices*, which were read from *path*."""
    yield MAGIC
    mark = "" if all(device.is_native for device in devices) else f" {CONVERTED}"
    yield f"process 0{mark} from {path}"
    for device in devices:
        place = f"{device.bus:03}:{device.address:03}"
        yield from device_lines(device)
        for record, by in zip(device.records, device.by, strict=True):
            note = f"interface 0 by {by}" if record.what == "open" and by else ""
            yield from record_lines(0.0, place, record, note)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    return ended("sane.cli.session", lambda: run(sys.argv[1:] if arguments is None else arguments))


def run(words: Sequence[str]) -> int:
    """Do what the command line says; return the exit status."""
    if len(words) != 1 or words[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        devices = load(words[0])
    except BadSession as exc:
        print(exc, file=sys.stderr)
        return 1
    except OSError as exc:
        print(f"{words[0]}: {exc.strerror}", file=sys.stderr)
        return 1
    for line in lines(devices, words[0]):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
