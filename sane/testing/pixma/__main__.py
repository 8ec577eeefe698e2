"""python -m sane.testing.pixma: a Canon scanner on the network, to try drivers and frontends.

It ends with Ctrl-C. What hosts send is shown with --trace.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from ..esci.page import Picture
from .models import MODELS
from .network import BJNP, MFNP, PORTS, Emulator, Packet
from .scanner import Scanner

SHOWN = 96  # bytes of a packet
ENDS = {signal.SIGINT, signal.SIGTERM}


def show(packet: Packet, answer: bytes) -> bytes:
    """Show a packet on stderr; return its answer."""
    print(
        f"{packet.link} {packet.code:02x} #{packet.sequence} {packet.payload[:SHOWN].hex()}"
        f" -> {answer[:SHOWN].hex()}",
        file=sys.stderr,
    )
    return answer


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python -m sane.testing.pixma", description=__doc__)
    parser.add_argument("--model", choices=MODELS, default="MP560", metavar="NAME")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind")
    parser.add_argument("--port", type=int, default=-1, help="instead of 8612 (MFNP: 8610)")
    parser.add_argument("--mfnp", action="store_true", help="speak MFNP instead of BJNP")
    parser.add_argument("--broadcast", action="append", default=[], help="hear searches there")
    parser.add_argument("--page", type=Path, help="a PPM file that lies on the glass, at 300 dpi")
    parser.add_argument("--sheets", type=int, default=0, help="sheets in the feeder")
    parser.add_argument("--press", type=int, choices=(1, 2), help="press a button")
    parser.add_argument("--trace", action="store_true", help="show what hosts send")
    options = parser.parse_args()
    scanner = Scanner(options.model, options.sheets)
    method = MFNP if options.mfnp else BJNP
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)  # in the threads, too: they are waited for
    try:
        if options.page is not None:
            scanner.page = Picture.from_ppm(options.page)
        device = Emulator(scanner, options.host, options.port, method, options.broadcast)
    except (OSError, ValueError) as exc:
        print(f"sane.testing.pixma: {exc}", file=sys.stderr)
        return 2
    with device:
        if options.trace:
            device.tamper = show
        if options.press:
            scanner.press(options.press)
        is_usual = device.address[1] == PORTS[method]
        place = device.url.rpartition(":")[0] if is_usual else device.url
        print(f"pixma.conf: {place}", file=sys.stderr, flush=True)
        signal.sigwait(ENDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
