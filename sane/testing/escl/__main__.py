"""python -m sane.testing.escl: an eSCL scanner on the network, to try drivers and frontends.

It ends with Ctrl-C. What hosts ask is shown with --trace.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..esci.page import Picture
from ..mdns import Responder
from . import announced, configuration
from .certificates import KINDS, server_context
from .emulator import Emulator, Exchange
from .pixels import grid
from .presets import PRESETS

if TYPE_CHECKING:
    from .scanner import Scanner


ENDS = {signal.SIGINT, signal.SIGTERM}


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
    parser.add_argument("--tls", choices=KINDS, help="speak https, with such a certificate")
    parser.add_argument("--announce", action="store_true", help="tell of it by multicast DNS")
    parser.add_argument("--config", type=Path, help="a JSON file with knobs, by group")
    parser.add_argument(
        "--control",
        action="store_true",
        help="read lines of JSON from stdin, each as --config; answer with what hosts asked since; "
        "end with the input",
    )
    parser.add_argument("--trace", action="store_true", help="show what hosts ask")
    options = parser.parse_args()
    try:
        scanner = made(options)
    except (OSError, ValueError) as exc:
        print(f"sane.testing.escl: {exc}", file=sys.stderr)
        return 2
    kind = Traced if options.trace else Emulator
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)  # in the threads, too: they are waited for
    with contextlib.ExitStack() as stack:
        tls = None
        if options.tls:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            tls = server_context(options.tls, Path(folder), options.host)
        device = stack.enter_context(kind(scanner, options.host, options.port, tls))
        if options.announce:
            stack.enter_context(Responder([announced.service(device)]))
        print(device.url, file=sys.stderr, flush=True)
        for line in sys.stdin if options.control else ():
            print(controlled(device, line), flush=True)
        if not options.control:
            signal.sigwait(ENDS)
    return 0


def controlled(device: Emulator, line: str) -> str:
    """Change knobs as a line of JSON says; return what hosts asked since the last one, as JSON."""
    try:
        configuration.apply(device.scanner, json.loads(line))
    except (ValueError, TypeError, AttributeError) as exc:
        return json.dumps({"error": str(exc)})
    told = [
        {
            "request": f"{e.request.method} {e.request.target}",
            "headers": e.request.headers,
            "body": e.request.body.decode("utf-8", "replace"),
            "status": e.status,
            "at": e.at,
            "replied": e.replied,
            "began": e.began,
            "done": e.done,
            "sent": e.sent,
        }
        for e in list(device.log.exchanges)
    ]
    device.log.clear()
    return json.dumps({"log": told, "feeder_waits": device.scanner.feeder_waits})


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
