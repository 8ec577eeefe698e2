"""python -m sane.testing.escl: an eSCL scanner on the network, to try drivers and frontends.

It ends with Ctrl-C. What hosts ask is shown with --trace.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..esci.page import Picture
from . import configuration
from .emulator import Emulator, Exchange
from .pixels import grid
from .presets import PRESETS

if TYPE_CHECKING:
    from .scanner import Scanner


class Traced(Emulator):
    """An emulator that shows what hosts ask, on stderr."""

    def noted(self, exchange: Exchange) -> None:
        body = exchange.request.body.decode("utf-8", "replace")
        place = f"{exchange.request.target} {exchange.status} {exchange.sent} bytes"
        print(f"{exchange.request.method} {place}", body, sep="\n" if body else "", file=sys.stderr)


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python -m sane.testing.escl", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to bind, or a Unix socket")
    parser.add_argument("--port", type=int, default=8095)
    parser.add_argument("--preset", choices=PRESETS, default="example", help="which scanner")
    parser.add_argument("--sheets", type=int, help="sheets in the feeder")
    parser.add_argument("--page", type=Path, help="a PPM file that lies on the glass, at 300 dpi")
    parser.add_argument("--grid", action="store_true", help="a grid of 10 mm lies on the glass")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds for a page")
    parser.add_argument("--config", type=Path, help="a JSON file with knobs, by group")
    parser.add_argument("--trace", action="store_true", help="show what hosts ask")
    options = parser.parse_args()
    try:
        scanner = made(options)
    except (OSError, ValueError) as exc:
        print(f"sane.testing.escl: {exc}", file=sys.stderr)
        return 2
    kind = Traced if options.trace else Emulator
    with kind(scanner, options.host, options.port) as device:
        print(device.url, file=sys.stderr, flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0


def made(options: argparse.Namespace) -> Scanner:
    """Return the scanner that the command line describes; raises ValueError or OSError."""
    scanner = PRESETS[options.preset]()
    if options.sheets is not None:
        scanner.load(options.sheets)
    if options.page is not None:
        scanner.page = Picture.from_ppm(options.page)
    elif options.grid:
        scanner.page = grid
    scanner.timing.page = options.pace or scanner.timing.page
    if options.config is not None:
        configuration.apply(scanner, json.loads(options.config.read_text()))
    return scanner


if __name__ == "__main__":
    sys.exit(main())
