"""python -m sane.testing.wsd: a WS-Scan device on the network, to try drivers and frontends.

It ends with Ctrl-C.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys

from .beacon import Beacon
from .emulator import Emulator
from .multipart import MULTIPART
from .scanner import Scanner

ENDS = {signal.SIGINT, signal.SIGTERM}


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python -m sane.testing.wsd", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to bind")
    parser.add_argument("--port", type=int, default=5358)
    parser.add_argument("--sheets", type=int, default=0, help="sheets in the feeder")
    parser.add_argument("--multipart", choices=MULTIPART, default="usual", help="how images come")
    parser.add_argument(
        "--announce", action="store_true", help="answer WS-Discovery, on the loopback interface"
    )
    options = parser.parse_args()
    scanner = Scanner(sheets=options.sheets)
    scanner.knobs.multipart = options.multipart
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)  # in the threads, too: they are waited for
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(Emulator(scanner, options.host, options.port))
        if options.announce:
            stack.enter_context(Beacon(device))
        print(device.url, file=sys.stderr, flush=True)
        signal.sigwait(ENDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
