"""python -m sane.testing.plustek: a flatbed on USB/IP, to try drivers and frontends.

It shows how to attach it, and ends with Ctrl-C. What hosts send is shown with --trace; what would
harm a real unit is always told, and ends the scan.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..esci.page import Picture
from ..usb.usbip import add_options, serve
from .models import MODELS
from .optics import NEW, USED
from .usb import UsbScanner

SHOWN = 32  # bytes of a command


class Traced(UsbScanner):
    """A scanner that shows what it gets on stderr."""

    def on_out(self, endpoint: int, data: bytes) -> None:
        """Show one command of the host and obey it."""
        more = "..." if len(data) > SHOWN else ""
        print(f"{data[:SHOWN].hex(' ')}{more}", file=sys.stderr)
        super().on_out(endpoint, data)


def main(arguments: list[str] | None = None) -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python -m sane.testing.plustek", description=__doc__)
    parser.add_argument("--model", choices=MODELS, default="LiDE 20", metavar="NAME")
    parser.add_argument("--page", type=Path, help="a PPM file that lies on the glass, at 300 dpi")
    parser.add_argument("--used", action="store_true", help="uneven light, noise and dust")
    parser.add_argument("--press", type=int, choices=(1, 2, 3), help="hold a button down")
    parser.add_argument("--position", type=float, default=0, help="of the carriage, in inches")
    parser.add_argument("--pace", type=float, default=0, help="1: lines come as fast as in a unit")
    parser.add_argument("--trace", action="store_true", help="show what hosts send")
    add_options(parser)
    options = parser.parse_args(arguments)
    kind = Traced if options.trace else UsbScanner
    device = kind(options.model, USED if options.used else NEW)
    scanner = device.scanner
    try:
        if options.page is not None:
            scanner.page = Picture.from_ppm(options.page)
        if options.press:
            scanner.press(options.press)
        scanner.put(options.position * scanner.model.steps)
    except (OSError, ValueError) as exc:
        print(f"sane.testing.plustek: {exc}", file=sys.stderr)
        return 2
    if options.used:
        scanner.wear_out(USED, dust=40)
    scanner.pace = options.pace
    return serve(device, options.model, options)


if __name__ == "__main__":
    sys.exit(main())
