"""scanimage on devices of a server, beside the same without a network."""

from __future__ import annotations

import re
from pathlib import Path

from tests.peers.frontends import OURS, Outcome, Scanimage
from tests.support.saned import Saned, configure

# scanimage shows what was in its buffer, which the original net backend clears.
UNREADABLE = re.compile(rb"--bool-hard-select\[=\(yes\|no\)\] \[\w+\]")
ADF = "--source=Automatic Document Feeder"
COLOR = "--mode=Color"
PATTERN = "--test-picture=Color pattern"
GRID = "--test-picture=Grid"
THREE = "--three-pass=yes"
EXTRA = "--enable-test-options=yes"


class Pair:
    """A server, and scanimage on it through the network and on its devices without."""

    def __init__(self, folder: Path, server: Saned, config: Path) -> None:
        self.server = server
        host = server.address
        self.prefix = f"net:{f'[{host}]' if ':' in host else host}:"
        remote = configure(folder / "client", "net\n", net_conf=f"{host}\n")
        self.remote = Scanimage(folder / "remote", remote)
        self.local = Scanimage(folder / "local", config)

    def through(self, device: str, *arguments: str, stdin: bytes = b"") -> Outcome:
        """Run scanimage on a device of the server."""
        return self.remote.theirs("-d", self.prefix + device, *arguments, stdin=stdin)

    def same(self, device: str, *arguments: str) -> Outcome:
        """Run it both ways, on the same device in the end; nothing but its name may differ."""
        far = self.through(device, *arguments)
        near = self.local.run(OURS, "-d", device, *arguments)
        assert far.status == near.status, (far.stderr, near.stderr)
        assert far.stderr.replace(self.prefix, "") == near.stderr
        shown = [UNREADABLE.sub(b"", done.stdout) for done in (far, near)]
        assert shown[0].replace(self.prefix.encode(), b"") == shown[1]
        assert list(far.files) == list(near.files)
        assert far.files == near.files
        return far


OPTIONS: tuple[list[str], ...] = (
    [],
    [COLOR, THREE],
    ["--depth=16", "--read-limit=yes", "--read-delay=yes"],
    ["--hand-scanner=yes"],
    [EXTRA],
    ["--resolution=99999", "-l", "300", "-t", "-5", "-x", "50.4", "-y", "1"],
    [EXTRA, "--int=-7", "--int-constraint-range=77", "--int-inexact=5", "--fixed=3.25"],
    [EXTRA, "--int-constraint-word-list=16", "--fixed-constraint-word-list=100"],
    [EXTRA, "--int-constraint-array-constraint-range=[0]4-[5]192"],
    [EXTRA, "--gamma-table=[0]255-[4095]0", "--red-gamma-table=1,2,3"],
    [EXTRA, "--string=Straße", "--string-constraint-string-list=second"],
    [EXTRA, "--bool-soft-select-soft-detect-auto=auto"],
    ["--mode=color", "--test-picture=grid", "--source=auto"],
)
MISTAKES = (
    ["--mode=Purple"],
    ["--mode="],
    ["--depth=seven"],
    ["--three-pass=yes"],
    ["--nonsense=1"],
    ["--int=1"],
    [EXTRA, "--bool-soft-detect=yes"],
)
PICTURES = (
    *([PATTERN], [GRID], ["--test-picture=Solid black"], ["--test-picture=Solid white"]),
    [GRID, "--depth=1", "-x", "61"],  # 120 pixels: no padding, which is random
    [PATTERN, "--depth=16", "--resolution=100"],
    [PATTERN, "--depth=16", "--invert-endianess=yes"],
    [COLOR, PATTERN],
    [COLOR, GRID, "-l", "3", "-t", "5.5", "-x", "61.2", "-y", "10"],
    [COLOR, PATTERN, "--depth=16"],
    [COLOR, PATTERN, THREE],
    [COLOR, GRID, THREE, "--three-pass-order=BRG"],
    [COLOR, PATTERN, THREE, "--resolution=1", "-x", "2", "-y", "2"],
    ["--hand-scanner=yes", GRID, "--resolution=30"],
    [COLOR, "--hand-scanner=yes", PATTERN, "--resolution=20"],
    [PATTERN, "--resolution=1", "-x", "1", "-y", "1"],
    [PATTERN, "--read-limit=yes", "--read-limit-size=7"],
    [COLOR, PATTERN, "--read-delay=yes", "--read-delay-duration=1000"],
    [PATTERN, "--non-blocking=yes", "--select-fd=yes"],
    [COLOR, PATTERN, "-x", "200", "-y", "200", "--resolution=300"],
)
STATUSES = (
    *("SANE_STATUS_UNSUPPORTED", "SANE_STATUS_CANCELLED", "SANE_STATUS_DEVICE_BUSY"),
    *("SANE_STATUS_INVAL", "SANE_STATUS_EOF", "SANE_STATUS_JAMMED", "SANE_STATUS_NO_DOCS"),
    *("SANE_STATUS_COVER_OPEN", "SANE_STATUS_IO_ERROR", "SANE_STATUS_NO_MEM"),
    "SANE_STATUS_ACCESS_DENIED",
)
