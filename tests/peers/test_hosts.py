"""The desktop's scanning programs on our libsane.so.1, with a Python and with a C device."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.peers.desktop import Desktop
from tests.peers.frontends import Scanimage, configure, peer
from tests.peers.hosts import GImageReader, Gscan2pdf, Host, Scantpaper, SimpleScan, Skanlite
from tests.support.distribution import package_version

PATTERN = """
mode Color
test-picture "Color pattern"
resolution_min 50
resolution_max 100
"""
SLOW = "read-delay true\nread-delay-duration 200000\n"
AT_ONCE = 8.0  # seconds until a program is gone; mostly it takes half of one
Start = Callable[..., Host]

# The host, and how scanimage gets the same page.
HOSTS: list[tuple[type[Host], tuple[str, ...]]] = [
    (SimpleScan, ("--resolution=100", "-x", "200", "-y", "200")),
    (Skanlite, ("--resolution=100", "-x", "200", "-y", "200")),
    (GImageReader, ("--resolution=100", "-x", "200", "-y", "200")),
    (Scantpaper if package_version("gscan2pdf") >= (3,) else Gscan2pdf, ()),
]


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    peer("Xvfb")
    found = Desktop(tmp_path_factory.mktemp("desktop"))
    yield found
    found.close()


@pytest.fixture
def start(desktop: Desktop, tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a host with our device test, or the original's."""
    started: list[Host] = []

    def run(kind: type[Host], native: bool, settings: str = "") -> Host:
        peer(kind.program)
        config = configure(tmp_path / "sane.d", pysane_conf="native test\n" if native else "")
        with (config / "test.conf").open("a") as file:
            file.write(PATTERN + settings)
        try:
            started.append(kind(desktop, tmp_path / "host", config))
        except pytest.fail.Exception:  # a click that came too early on a busy machine
            started.append(kind(desktop, tmp_path / "again", config))
        return started[-1]

    yield run
    for host in started:
        host.close()


def pixels(path: Path | None) -> bytes:
    """Return the samples of an image file, b"" while it is not whole."""
    if path is None:
        return b""
    if path.suffix == ".pixels":
        return path.read_bytes()
    command = [peer("convert"), str(path), "-depth", "8", "rgb:-"]
    return subprocess.run(command, capture_output=True, timeout=30, check=False).stdout


def is_like(page: bytes, expected: bytes, host: Host) -> bool:
    """Tell whether the page that *host* has is the one expected, as far as it keeps pages."""
    if not host.loss or len(page) != len(expected):
        return page == expected
    differences = (abs(ours - theirs) for ours, theirs in zip(page, expected, strict=True))
    return sum(differences) <= host.loss * len(expected)


def reference(tmp_path: Path, arguments: tuple[str, ...]) -> bytes:
    """Return the samples that the original gives scanimage."""
    scanimage = Scanimage(tmp_path / "reference", tmp_path / "sane.d")
    done = scanimage.theirs("-d", "test:0", "--format=pnm", *arguments)
    path = tmp_path / "reference.pnm"
    path.write_bytes(done.stdout)
    return pixels(path)


@pytest.mark.parametrize("native", [False, True], ids=["python", "native"])
@pytest.mark.parametrize(("kind", "arguments"), HOSTS, ids=[kind.program for kind, _ in HOSTS])
def test_a_host_lists_scans_and_quits(
    start: Start, tmp_path: Path, kind: type[Host], arguments: tuple[str, ...], native: bool
) -> None:
    host = start(kind, native)
    where = "/libsane-test.so.1" if native else "/backends/test/__init__.py"
    assert host.said("get_devices: 2 devices") is host.lists
    host.scan()
    expected = reference(tmp_path, arguments)
    host.wait_for(lambda: is_like(pixels(host.page()), expected, host), "no page, or another one")
    assert f"{where}\n" in host.log.read_text(errors="replace").partition("backend test is ")[2]
    assert host.quit() == 0
    assert not host.said("Traceback") and not host.said("Fatal Python error")


@pytest.mark.parametrize("native", [False, True], ids=["python", "native"])
@pytest.mark.parametrize("kind", [kind for kind, _ in HOSTS], ids=lambda kind: kind.program)
def test_a_host_is_left_in_mid_scan(start: Start, kind: type[Host], native: bool) -> None:
    """The page takes eleven seconds; each host closes or cancels in a way of its own."""
    host = start(kind, native, SLOW)
    host.await_scanning()
    begin = time.monotonic()
    assert host.quit() == 0
    assert time.monotonic() - begin < AT_ONCE
    assert host.page() is None
    assert not host.said("Traceback") and not host.said("Fatal Python error")


@pytest.mark.parametrize("native", [False, True], ids=["python", "native"])
def test_simple_scan_stops_and_scans_again(start: Start, native: bool) -> None:
    host = start(SimpleScan, native, SLOW)
    assert isinstance(host, SimpleScan)
    for count in (1, 2):
        host.await_scanning()
        host.press_stop()
        host.wait_for(lambda: host.count("sane_close ()") == count, "it does not stop")  # noqa: B023
        host.desktop.wait_until_still()
    assert host.quit() == 0
    assert host.said("sane_exit ()")


@pytest.mark.parametrize("native", [False, True], ids=["python", "native"])
def test_simple_scan_empties_the_feeder(start: Start, native: bool) -> None:
    """It starts page after page without cancel, until there are no documents."""
    host = start(SimpleScan, native)
    assert isinstance(host, SimpleScan)
    host.press_scan_all()
    host.wait_for(lambda: host.said("SANE_STATUS_NO_DOCS"), "the feeder has no end")
    host.wait_for(lambda: len(host.pages()) == 10, "not all ten pages")
    # A file may be there before it is whole.
    host.wait_for(lambda: len({path.read_bytes() for path in host.pages()}) == 1, "pages differ")
    assert host.quit() == 0


@pytest.mark.parametrize("native", [False, True], ids=["python", "native"])
def test_skanlite_previews_and_scans(start: Start, tmp_path: Path, native: bool) -> None:
    """A preview changes options and changes them back."""
    host = start(Skanlite, native)
    assert isinstance(host, Skanlite)
    assert saturated(host) < 50
    host.press_preview()
    host.wait_for(lambda: saturated(host) >= 50, "no preview")
    host.desktop.wait_until_still()
    host.scan()
    expected = reference(tmp_path, ("--resolution=100", "-x", "200", "-y", "200"))
    host.wait_for(lambda: pixels(host.page()) == expected, "no page, or another one")
    assert host.quit() == 0


def saturated(host: Host) -> int:
    """Return how many pure reds, greens and blues the screen shows: the pattern's."""
    colours = host.desktop.look().colours()
    return sum(sorted(colour)[:2] == [0, 0] and max(colour) > 100 for colour in colours)
