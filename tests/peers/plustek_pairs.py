"""The same scan with ours and with the original plustek, each with a scanner of its own.

Both run at once, since the original sleeps more than it works. Compared are exit status, picture,
and what the chip was told at each move and scan.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sane.testing.plustek import USED, Deed
from sane.testing.plustek.models import CONTACT
from tests.peers.frontends import OURS
from tests.peers.fujitsu import Picture
from tests.peers.plustek import Case, Made, Scanned, scan, wire

INCH = 25.4
MOST_SAMPLES = 120_000  # of a picture, so that no scan takes long in the emulated unit
LINE_ART, PADDED = b"P4", 2  # columns
LOWEST, STEP = 50, 25  # dpi
BED = (215.0, 297.0)  # mm
KEYS = ("red_gain", "green_gain", "blue_gain", "red_offset", "green_offset", "blue_offset")
LIGHTS = ("red_lampoff", "green_lampoff", "blue_lampoff")
GAMMAS = ("grayGamma", "redGamma", "greenGamma", "blueGamma")


def random_case(seed: int) -> Case:
    """Return a scan with random options of a random unit."""
    rng = random.Random(seed)
    unit = rng.choice(CONTACT)
    made = Made(unit, conf=_random_conf(rng))
    if rng.random() < 0.5:
        made = made._replace(wear=USED._replace(seed=seed), dust=rng.choice((0, 60)))
    return Case(made, _random_options(rng, made))


def _random_conf(rng: random.Random) -> str:
    lines = ["[usb]"]
    for key in rng.sample(KEYS, rng.choice((0, 0, 0, 1, 6))):
        lines.append(f"option {key} {rng.randrange(64 if 'gain' in key else 20)}")
    if rng.random() < 0.1:
        lines += [f"option {key} {rng.randrange(300, 3000)}" for key in LIGHTS]
    if rng.random() < 0.2:
        lines += [f"option {key} {rng.choice((1.0, 1.5, 2.2))}" for key in GAMMAS]
    if rng.random() < 0.2:
        lines += [
            f"option posOffX {rng.randrange(-20, 1)}",
            f"option posOffY {rng.randrange(-9, 9)}",
        ]
    for key in ("skipFine", "skipFineWhite"):
        if rng.random() < 0.1:
            lines.append(f"option {key} 1")
    return "\n".join([*lines, "device auto", ""])


def _random_options(rng: random.Random, made: Made) -> list[str]:
    model = made.model
    mode = rng.choice(("Color", "Color", "Gray", "Lineart"))
    depth = rng.choice((8, 8, 16 if model.bits == 16 else 14))
    dpi = rng.randrange(LOWEST, 2 * model.optical + 1, STEP)
    if rng.random() < 0.5:
        dpi = rng.choice((75, 150, 300, 600))
    options = ["--mode", mode, "--resolution", str(dpi)]
    if mode != "Lineart":
        options += ["--depth", str(depth)]
    if rng.random() < 0.4:
        options += ["--brightness", str(rng.choice((-40, 10, 33)))]
        if mode != "Lineart" and rng.random() < 0.5:
            options += ["--contrast", str(rng.choice((-20, 15)))]
    channels = 3 if mode == "Color" else 1
    side = (MOST_SAMPLES / channels) ** 0.5 / dpi * INCH
    width = min(BED[0], rng.uniform(0.3, 1.7) * side)
    height = min(BED[1], side * side / width)
    left, top = rng.uniform(0, BED[0] - width), rng.uniform(0, BED[1] - height)
    area = zip("ltxy", (left, top, width, height), strict=True)
    return options + [part for name, mm in area for part in (f"-{name}", f"{mm:.2f}")]


def scan_both(case: Case, folder: Path) -> tuple[Scanned, Scanned]:
    """Scan with ours and with the original; return both."""
    with ThreadPoolExecutor(2) as pool:
        ours = pool.submit(scan, case._replace(libraries=OURS), folder / "ours")
        theirs = pool.submit(scan, case._replace(libraries=None), folder / "theirs")
        return ours.result(), theirs.result()


def difference(ours: Scanned, theirs: Scanned) -> str:
    """Return the first difference of two scans, "" if there is none."""
    if ours.problems:
        return f"refused: {ours.problems[0]}"
    if ours.status != theirs.status:
        return f"status {ours.status}, not {theirs.status}: {ours.stderr[-300:]}"
    found = wire_difference(ours.deeds, theirs.deeds)
    if found:
        return found
    if ours.picture != theirs.picture:
        return _picture_difference(ours, theirs)
    return "" if ours.is_home else "the carriage is not at home"


def _picture_difference(ours: Scanned, theirs: Scanned) -> str:
    if ours.picture is None or theirs.picture is None:
        return "one has no picture"
    if ours.picture.size != theirs.picture.size:
        return f"size {ours.picture.size}, not {theirs.picture.size}"
    if ours.picture.kind != LINE_ART and trimmed(ours.picture) == trimmed(theirs.picture):
        return ""
    pairs = zip(ours.picture.data, theirs.picture.data, strict=False)
    place = next((n for n, (mine, right) in enumerate(pairs) if mine != right), -1)
    count = sum(map(int.__ne__, ours.picture.data, theirs.picture.data))
    return f"{count} of {len(theirs.picture.data)} bytes differ, the first is {place}"


def trimmed(picture: Picture) -> list[bytes]:
    """Return rows without what a filling pixel may be stretched to.

    The original gives it no shading, and so a black column at the right edge.
    """
    width, height = picture.size
    row = len(picture.data) // height
    kept = row - PADDED * row // width
    return [picture.data[y * row : y * row + kept] for y in range(height)]


def wire_difference(ours: Sequence[Deed], theirs: Sequence[Deed]) -> str:
    """Return the first difference of two lists of moves and scans."""
    pairs = itertools.zip_longest(wire(ours), wire(theirs), fillvalue="nothing")
    for number, (mine, right) in enumerate(pairs):
        if mine != right:
            return f"deed {number} of {len(wire(theirs))}:\n  ours   {mine}\n  theirs {right}"
    return ""


def check_all(seeds: Sequence[int], folder: Path, at_once: int = 3) -> str:
    """Scan with random options; return the reports of those scans that differ."""

    def one(seed: int) -> str:
        case = random_case(seed)
        found = difference(*scan_both(case, folder / str(seed)))
        told = f"seed {seed}: {case.made.unit} {' '.join(case.options)}"
        return f"{told}\n  {found}" if found else ""

    with ThreadPoolExecutor(at_once) as pool:
        return "\n\n".join(filter(None, pool.map(one, seeds)))
