"""`pysane share` as an eSCL scanner, and the programs that scan from it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.conftest import PREFIX
from tests.peers.escl import AIRSCAN, ORIGINAL, OWN, Image, Side, read_pnm, require
from tests.peers.frontends import OURS, environment, peer
from tests.support.share import Share, configure, needs_web

SIDES = (AIRSCAN, ORIGINAL, OWN)
STAGED = PREFIX / "lib" / "pysane"
TIMEOUT = 25.0  # of one scanimage
PICTURE = """
[https]
enabled = false
[[scanner]]
device = "test:.*"
options = { test-picture = "Color pattern" }
"""


class Pages(NamedTuple):
    """What one scanimage left."""

    status: int
    stderr: str
    pages: list[Image]


class SharedScanner:
    """A server, and programs that scan from it."""

    def __init__(self, share: Share, folder: Path) -> None:
        self.share = share
        self.folder = folder
        self.origin = f"http://127.0.0.1:{share.port}"
        self.url = f"{self.origin}/eSCL"

    def command(self, side: Side) -> list[str]:
        """Return scanimage with the shared scanner as *side* calls it."""
        require(side)
        conf = self.folder / side.name / "conf"
        side.configure(self, conf)  # type: ignore[arg-type]  # it has the addresses
        return [peer("scanimage"), "-d", side.device(self)]  # type: ignore[arg-type]

    def environment(self, side: Side) -> dict[str, str]:
        """Return the environment of *side*."""
        return environment(self.folder / side.name / "conf", side.library)

    def scan(self, side: Side, *arguments: str) -> Pages:
        """Scan in a batch; return the pages."""
        command = [*self.command(side), "--format=pnm", "--batch=page%d.pnm", *arguments]
        place = self.folder / side.name
        done = subprocess.run(
            command,
            capture_output=True,
            cwd=place,
            env=self.environment(side),
            timeout=TIMEOUT,
            check=False,
        )
        files = sorted(place.glob("page*.pnm"), key=lambda path: int(path.stem[4:]))
        pages = [read_pnm(path.read_bytes()) for path in files]
        for path in files:
            path.unlink()
        return Pages(done.returncode, done.stderr.decode("latin-1"), pages)

    @contextlib.contextmanager
    def scanning(self, side: Side, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Give a scan that runs; it is ended in the end."""
        command = [*self.command(side), "--format=pnm", "--output-file=endless.pnm", *arguments]
        place = self.folder / side.name
        with subprocess.Popen(
            command,
            cwd=place,
            env=self.environment(side),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        ) as program:
            try:
                yield program
            finally:
                program.kill()


@contextlib.contextmanager
def shared(
    folder: Path, settings: str = PICTURE, dll: str = "test\n", **variables: Any
) -> Iterator[SharedScanner]:
    """Give a server of the staged tree whose scanner is listed."""
    needs_web()
    config = configure(folder / "sane.d", settings, dll)
    with Share(config, folder / "state", tree=STAGED, **variables) as share:
        share.wait_for("is shared")
        yield SharedScanner(share, folder)


def local(folder: Path, *arguments: str) -> Image:
    """Return what the test device gives to a program beside it."""
    config = configure(folder / "local", "")
    command = [peer("scanimage"), "-d", "test:0", "--format=pnm"]
    done = subprocess.run(
        [*command, "--test-picture=Color pattern", *arguments],
        capture_output=True,
        env=environment(config, OURS),
        timeout=TIMEOUT,
        check=True,
    )
    return read_pnm(done.stdout)
