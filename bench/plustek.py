"""Register scanner rows: pages of an emulated LiDE 20, calibrated and with a kept calibration.

The unit is emulated, in Python, behind umockdev; its cost is the same beside both libraries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sane.testing.plustek.usb import UsbScanner
from sane.testing.usb.hosted import Umockdev, missing_for_umockdev

from .fujitsu import gains, shown
from .measure import ABSENT, UNMEASURED, alternate, at_least, both, times
from .report import Section

if TYPE_CHECKING:
    from .setting import Bench, Library, Sample

UNIT = "LiDE 20"
DPI, WIDTH, LOW, HIGH = 300, 100, 5, 60  # mm
MEGABYTES = WIDTH * (HIGH - LOW) * (DPI / 25.4) ** 2 * 3 / 1e6
CONF = "[usb]\noption cacheCalData {}\ndevice auto\n"


def measure_plustek(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure a page with its calibration, and one whose calibration is kept."""
    section = Section(
        "Scanners that the host drives",
        f"scanimage, colour at {DPI} dpi from an emulated {UNIT} behind umockdev. CPU seconds of "
        f"scanimage / wall seconds / resident memory. Calibration: a page of {LOW} mm, of which "
        f"nearly all is calibration. Page: {MEGABYTES:.1f} MB beyond such a page, with a kept "
        f"calibration, so that neither starting Python nor calibrating is in its figures. {rounds} "
        "rounds.",
        ("program", "ours", "original", "CPU saved", "gain wall", "goal", "verdict"),
    )
    missing = missing_for_umockdev() if bench.scanimage else "scanimage"
    if missing:
        section.add("page", ABSENT, ABSENT, "-", "-", "", UNMEASURED)
        return section
    (bench.folder / "dll.conf").write_text("plustek\n")
    try:
        for title, keeps, heights in (
            ("calibration", 0, (LOW,)),
            (f"page, {MEGABYTES:.1f} MB", 1, (LOW, HIGH)),
        ):
            (bench.folder / "plustek.conf").write_text(CONF.format(keeps))
            add_row(section, title, rounds, bench, heights)
    finally:
        (bench.folder / "dll.conf").write_text("test\n")
        (bench.folder / "plustek.conf").unlink()
    return section


def add_row(
    section: Section, title: str, rounds: int, bench: Bench, heights: tuple[int, ...]
) -> None:
    """Add a row: the page of the last height, less that of the first if there are two."""
    pair = alternate(bench, rounds, lambda library: difference(bench, library, heights))
    saved, gain = gains(pair)
    is_page = len(heights) > 1
    met = at_least(gain, 1.0)
    met = both(at_least(saved, 1.0), met) if is_page else met
    goal = ">= 1x both" if is_page else ">= 1x wall"
    section.add(title, *shown(pair), times(saved), times(gain), goal, pair.judge(met), pair=pair)


def difference(bench: Bench, library: Library, heights: tuple[int, ...]) -> Sample:
    """Return what the last page costs beyond the first."""
    home = bench.folder / f"home of {library.name}"
    if len(heights) > 1 and not home.exists():
        (home / ".sane").mkdir(parents=True)
        page(bench, library, heights[0])  # from now on its calibration is kept
    samples = [page(bench, library, height) for height in heights]
    found = dict(samples[-1])
    if len(samples) > 1:
        for name in ("cpu", "wall"):
            found[name] = max(0.001, found[name] - samples[0][name])
    return found


def page(bench: Bench, library: Library, height: int) -> Sample:
    """Scan a page of a unit of its own."""
    with Umockdev() as bus:
        device = bus.plug(UsbScanner, UNIT)
        sink = bench.folder / "page.pnm"
        command = [str(bench.scanimage), "-d", f"plustek:{device.name}", "--format=pnm"]
        command += ["--mode", "Color", "--resolution", str(DPI), "-x", str(WIDTH)]
        command += ["-y", str(height), "-o", str(sink)]
        home = bench.folder / f"home of {library.name}"
        variables = {**bus.environment, "HOME": str(home)}
        return bench.launch(library, command, **variables)
