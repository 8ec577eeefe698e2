"""Run in a network of its own: scanimage on our libsane finds announced scanners, and scans.

escl_namespace.py FOLDER prints what scanimage -L said, and what each device was asked.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sane.testing.escl import Emulator, announced
from sane.testing.escl.certificates import server_context
from sane.testing.escl.presets import PRESETS
from sane.testing.mdns import Responder
from tests.peers.escl import scanner
from tests.peers.frontends import OURS, environment, peer

ADDRESS = "10.99.0.1"
SHOWN = ("GET jobs", "POST jobs", "GET document")


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [peer("scanimage"), *words],
        capture_output=True,
        text=True,
        errors="replace",
        env=environment(folder, OURS) | {"XDG_CACHE_HOME": str(folder)},
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def main(folder: Path) -> None:
    (folder / "dll.conf").write_text("escl\n")
    office = scanner()
    office.model.name = "Acme Office 1"
    proxied = PRESETS["ipp-usb"]()
    proxied.model.name, proxied.model.uuid = "Acme Home 2", "11111111-2222-3333-4444-555555555555"
    with (
        Emulator(office, ADDRESS) as plain,
        Emulator(office, ADDRESS, tls=server_context("self-signed", folder, ADDRESS)) as secret,
        Emulator(proxied) as usb,
        Responder([announced.service(device) for device in (plain, secret, usb)]),
    ):
        for line in sorted(run(folder, "-L").stdout.splitlines()):
            print(line)
        for uuid in (office.model.uuid, proxied.model.uuid):
            run(folder, "-d", f"escl:{uuid}", "--format=pnm", "--resolution=75", "-y", "20")
        for device in (plain, secret, usb):
            asked = [name for name in device.log.names() if name.startswith("GET document 200")]
            print(len(asked), "pages by", device.scheme)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
