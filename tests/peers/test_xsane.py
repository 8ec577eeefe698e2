"""The distribution's xsane on our libsane.so.1, under Xvfb: preview, scan, feeder, cancel, quit."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.peers.desktop import PATIENCE, PAUSE, Desktop
from tests.peers.frontends import Scanimage, configure, peer
from tests.peers.xsane import XSane
from tests.support.timing import wait_until

SAVE = ("--save", "--no-mode-selection", "--force-filename", "page.pnm")
PATTERN = {"mode": "Color", "test-picture": '"Color pattern"', "resolution_min": "50"}
SLOW = PATTERN | {  # minutes, most of which every read is waiting
    "resolution_min": "1200",
    "read-delay": "true",
    "read-delay-duration": "200000",
}
FEEDER = PATTERN | {"scan-source": '"Automatic Document Feeder"'}
AT_ONCE = 3.0  # seconds until the window or the end that a click or a signal leads to
Start = Callable[..., XSane]


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    peer("xsane")
    found = Desktop(tmp_path_factory.mktemp("desktop"))
    yield found
    found.close()


@pytest.fixture
def start(desktop: Desktop, tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts xsane with settings for test.conf."""
    started: list[XSane] = []

    def run(
        settings: dict[str, str], *arguments: str, pages: int = 1, native: bool = False
    ) -> XSane:
        config = configure(tmp_path / "sane.d", pysane_conf="native test\n" if native else "")
        lines = "".join(f"{key} {value}\n" for key, value in settings.items())
        with (config / "test.conf").open("a") as file:
            file.write(lines)  # of two values the later one counts
        started.append(XSane(desktop, tmp_path, config, *arguments, pages=pages))
        return started[-1]

    yield run
    for xsane in started:
        xsane.close()


def image_of(pnm: bytes) -> tuple[list[int], bytes]:
    """Return the type, width, height and maximum of a PNM file, and its pixels."""
    match = re.match(rb"P([56])((?:\s|#.*\n)+\d+)((?:\s|#.*\n)+\d+)((?:\s|#.*\n)+\d+)\n", pnm)
    assert match, pnm[:100]
    numbers = [int(re.sub(rb"#.*\n|\s", b"", text)) for text in match.groups()]
    return numbers, pnm[match.end() :]


MODES: dict[str, dict[str, str]] = {
    "color": {},
    "gray": {"mode": "Gray"},
    "three passes": {"three-pass": "true"},
    "non-blocking": {"non-blocking": "true"},
    "select": {"non-blocking": "true", "select-fd": "true"},
    "slow select": {"non-blocking": "true", "select-fd": "true", "read-delay": "true"},
}


@pytest.mark.parametrize("mode", MODES)
def test_xsane_saves_what_scanimage_scans(start: Start, tmp_path: Path, mode: str) -> None:
    xsane = start(PATTERN | MODES[mode], *SAVE)
    xsane.scan()
    assert xsane.wait_for_filename().endswith("page.pnm"), xsane.log.read_text()
    scanimage = Scanimage(tmp_path / "run", tmp_path / "sane.d")
    reference = scanimage.theirs("-d", "test:0", "--format=pnm").stdout
    assert image_of(xsane.image.read_bytes()) == image_of(reference)
    assert xsane.quit() == 0


@pytest.mark.parametrize("mode", ["color", "slow select"])
def test_xsane_scans_with_a_c_backend(start: Start, tmp_path: Path, mode: str) -> None:
    xsane = start(PATTERN | MODES[mode], *SAVE, native=True)
    xsane.scan()
    assert xsane.wait_for_filename().endswith("page.pnm"), xsane.log.read_text()
    scanimage = Scanimage(tmp_path / "run", tmp_path / "sane.d")
    reference = scanimage.theirs("-d", "test:0", "--format=pnm").stdout
    assert image_of(xsane.image.read_bytes()) == image_of(reference)
    assert xsane.quit() == 0


def saturated(desktop: Desktop, window: str) -> int:
    """Return how many pure reds, greens and blues there are: the pattern's, not the logo's."""
    colours = desktop.look(window).colours()
    return sum(sorted(colour)[:2] == [0, 0] and max(colour) > 100 for colour in colours)


def wait_for_pattern(desktop: Desktop, window: str) -> None:
    shows = wait_until(lambda: saturated(desktop, window) >= 50, PATIENCE, PAUSE)
    assert shows, "the picture does not appear"


def test_xsane_shows_a_preview(start: Start, desktop: Desktop) -> None:
    xsane = start(PATTERN, *SAVE)
    assert saturated(desktop, xsane.preview_window) < 20
    xsane.preview()
    wait_for_pattern(desktop, xsane.preview_window)
    assert xsane.quit() == 0


def test_xsane_shows_a_scan_in_its_viewer(start: Start, desktop: Desktop) -> None:
    xsane = start(PATTERN, "--viewer")
    xsane.scan()
    wait_for_pattern(desktop, desktop.wait_for_window("^Viewer"))
    assert xsane.process.poll() is None


def test_xsane_draws_all_its_windows(start: Start, desktop: Desktop) -> None:
    xsane = start(PATTERN, *SAVE)
    for title in ("^xsane 0.999", "^Preview", "^Histogram", "^Standard options"):
        assert len(desktop.look(desktop.wait_for_window(title)).colours()) > 20
    assert xsane.quit() == 0


def test_xsane_empties_the_feeder(start: Start) -> None:
    """It starts page after page without cancel, until there are no documents."""
    xsane = start(FEEDER, *SAVE, pages=20)
    xsane.scan()
    assert [Path(xsane.wait_for_filename()).name for _ in range(10)] == ["page.pnm"] * 10
    assert xsane.process.poll() is None


@pytest.mark.parametrize("native", [False, True], ids=["python", "native"])
def test_xsane_cancels_a_scan_at_once_and_scans_again(
    start: Start, desktop: Desktop, native: bool
) -> None:
    xsane = start(SLOW, *SAVE, native=native)
    for _ in range(2):
        scanning(xsane)
        if native and is_stuck(xsane):
            pytest.skip("the original's driver has killed its thread inside the dynamic linker")
        before = time.monotonic()
        xsane.cancel()
        desktop.wait_for_window("^Warning")  # "Operation was canceled."
        assert time.monotonic() - before < AT_ONCE
        desktop.dismiss("^Warning")
        desktop.wait_until_still()
        assert not xsane.image.exists()
    assert xsane.quit() == 0


def scanning(xsane: XSane) -> None:
    """Start a scan and wait until it waits for data: the file that it writes grew, and rests.

    Not earlier: a signal while it talks to the X server blocks xsane, which does so again in its
    handler. It also returns when sane_start is stuck.
    """
    xsane.scan()
    deadline = time.monotonic() + PATIENCE
    size = 0
    while True:
        before, size = size, xsane.image.stat().st_size if xsane.image.exists() else 0
        if (size and size == before) or is_stuck(xsane):
            return
        assert time.monotonic() < deadline, "the scan does not start"
        time.sleep(PAUSE)


def is_stuck(xsane: XSane) -> bool:
    """Whether xsane waits in pthread_create for a lock, for good.

    The original's test driver ends its reader by a signal whose handler exits the thread: once in
    300 cancels the thread dies with a lock of the dynamic linker, and no other can be started.
    That happens under the original libsane as well. Nothing else in xsane waits for a lock long.
    """
    waits = Path(f"/proc/{xsane.process.pid}/wchan")
    return not wait_until(lambda: "futex" not in waits.read_text(), AT_ONCE, PAUSE)


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "scanning"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_xsane_closes_the_device_in_a_signal_handler(start: Start, name: str, busy: bool) -> None:
    """sane_close and sane_exit run in the handler, in mid-scan inside an interrupted sane_read."""
    xsane = start(SLOW, *SAVE)
    if busy:
        scanning(xsane)
    before = time.monotonic()
    assert xsane.kill(signal.Signals[name]) == 0
    assert time.monotonic() - before < AT_ONCE
    messages = xsane.log.read_text()
    assert "Fatal Python error" not in messages and "Traceback" not in messages
