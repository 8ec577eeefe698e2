"""python -m tests.peers.epson_search FOLDER...: who finds an emulated scanner by asking all.

It runs in a network of its own, where port 3289 and broadcasts are nobody else's. For each folder
of libraries ("" for the system's) it prints what scanimage -L says; then what the
scanner was asked.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sane.backends._epson.network import DISCOVERY_PORT
from sane.testing.epson_net import Responder, Server, discovery_answer
from sane.testing.esci import Model, Scanner


def main(folders: list[str]) -> None:
    """Run the searches."""
    with tempfile.TemporaryDirectory() as name:
        Path(name, "dll.conf").write_text("epson2\n")
        Path(name, "epson2.conf").write_text("net autodiscovery\n")
        responder = Responder("0.0.0.0", DISCOVERY_PORT, (discovery_answer("GT-EMU"),))
        with Server(Scanner(Model("B8")), "0.0.0.0"):
            for folder in folders:
                environment = {**os.environ, "LD_LIBRARY_PATH": folder, "SANE_CONFIG_DIR": name}
                command = ["scanimage", "-L"]
                done = subprocess.run(
                    command, env=environment, capture_output=True, text=True, check=False
                )
                print(done.stdout.strip())
        for query in responder.received:
            print(query.hex())
        responder.close()


if __name__ == "__main__":
    main(sys.argv[1:])
