"""python -m sane.testing.esci2: an ESC/I-2 scanner on the network, to try drivers and frontends.

It ends with Ctrl-C. What the host sends is shown with --trace.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from ..epson_net import Server
from ..esci.page import Picture, pattern
from . import Bed, Model, Scanner

FEATURES = ("DPLX", "SKEW", "CRP", "LOAD", "EJCT")


class Traced(Scanner):
    """A scanner that shows what it gets on stderr."""

    def take(self, data: bytes) -> None:
        """Show one message of the host and handle it."""
        print(data[:96], file=sys.stderr)
        super().take(data)


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python -m sane.testing.esci2")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind; the port is 1865")
    parser.add_argument("--name", default="DS-EMU", help="model name")
    parser.add_argument("--page", type=Path, help="a PPM file that lies on the glass, at 300 dpi")
    parser.add_argument("--sheets", type=int, default=0, help="sheets in a document feeder")
    parser.add_argument("--jpeg", action="store_true", help="offer no raw images")
    parser.add_argument("--trace", action="store_true", help="show what the host sends")
    options = parser.parse_args()
    model = Model(options.name, formats=("JPG",) if options.jpeg else ("RAW", "JPG"))
    if options.sheets:
        model.feeder = Bed(850, 1400, features=FEATURES)
    scanner = (Traced if options.trace else Scanner)(model, options.sheets)
    scanner.page = pattern if options.page is None else Picture.from_ppm(options.page)
    with Server(scanner, options.host) as server:
        print(f"scanimage -d epsonds:net:{server.address[0]}", file=sys.stderr)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0


if __name__ == "__main__":
    sys.exit(main())
