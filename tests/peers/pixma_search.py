"""python -m tests.peers.pixma_search: what scanimage finds by broadcast, by the original and ours.

It runs in a network of its own (test_pixma_search), and prints what was listed with each library,
then of each scanner which kinds of questions it was asked.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path

from sane.testing.pixma import Scanner
from sane.testing.pixma.network import BJNP, MFNP, Emulator
from tests.peers.frontends import OURS, environment, peer

ALL = ("10.99.0.255",)
UNITS = (("MP560", "10.99.0.2", BJNP), ("MF4800", "10.99.0.3", MFNP))


def main() -> None:
    """Run it."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        (folder / "dll.conf").write_text("pixma\n")
        (folder / "pixma.conf").write_text("")
        units = [
            stack.enter_context(Emulator(Scanner(model), host, method=method, broadcast=ALL))
            for model, host, method in UNITS
        ]
        for libraries in (None, OURS):
            done = subprocess.run(
                [peer("scanimage"), "-L"],
                capture_output=True,
                text=True,
                env=environment(folder, libraries),
                timeout=30,
                check=False,
            )
            print(*sorted(done.stdout.splitlines()), sep="\n")
            sys.stderr.write(done.stderr)
        for unit in units:
            print(unit.method, *sorted({f"{packet.code:02x}" for packet in unit.log}))


if __name__ == "__main__":
    main()
