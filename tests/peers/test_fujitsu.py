"""The original fujitsu scans from the emulated scanner, by the commands that are known of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from sane.testing.usb.hosted import Umockdev
from tests.peers.fujitsu import (
    Picture,
    Scanned,
    Vector,
    after_attach,
    difference,
    lines_of,
    read_vectors,
    scan_original,
)
from tests.support.distribution import sane_version

COLORS = ((3, 5, 0, 40, 17), (7, 2, 50, 11, 29), (1, 11, 100, 23, 7))  # of the page (F 12)


SMALL = ("--page-width", "60", "--page-height", "40", "-x", "60", "-y", "40")
SCANS = (
    ("M3091", "ADF Front", "Color", 150),
    ("M3091", "ADF Duplex", "Color", 75),
    ("M3091", "ADF Duplex", "Gray", 100),
    ("M3091", "ADF Duplex", "Lineart", 150),
    ("fi-4990", "ADF Duplex", "Color", 150),
    ("fi-5110EOX", "ADF Back", "Color", 75),
    ("fi-5950", "ADF Duplex", "Gray", 100),
    ("fi-6130", "ADF Front", "Halftone", 200),
    ("fi-7160", "ADF Duplex", "Color", 300),
    ("iX500", "ADF Duplex", "Gray", 150),
    ("iX100", "ADF Front", "Gray", 600),
    ("iX1500", "ADF Back", "Lineart", 150),
    ("S1500", "ADF Duplex", "Gray", 75),
    ("fi-7260", "Flatbed", "Color", 300),
)


@pytest.mark.parametrize("vector", read_vectors(), ids=lambda vector: vector.name.split()[0])
def test_the_original_sends_what_is_known(
    vector: Vector, usb_bus: Umockdev, tmp_path: Path
) -> None:
    outcome = scan_original(usb_bus, vector.model, vector.options, tmp_path)
    lines = lines_of(outcome.log)
    expected = vector.lines
    lines = after_attach(lines) if vector.size else lines
    if sane_version() >= (1, 3):  # its scanimage reads more at once: the sides interleave otherwise
        lines, expected = backs_last(lines), backs_last(expected)
    report = difference(lines, expected)
    assert not report, f"\n{report}"
    assert [picture.size for picture in outcome.pictures] == (
        [vector.size] * outcome.sides if vector.size else []
    )
    check_pictures(outcome)


def backs_last(lines: Sequence[str]) -> list[str]:
    """Return *lines* with the READs of pixels of the back behind all others."""
    return sorted(lines, key=lambda line: line.startswith("28000000008"))


@pytest.mark.parametrize(("model", "source", "mode", "dpi"), SCANS)
def test_the_original_scans_from_every_model(
    model: str, source: str, mode: str, dpi: int, usb_bus: Umockdev, tmp_path: Path
) -> None:
    area = ("-x", "60", "-y", "40") if source == "Flatbed" else SMALL
    choice = ("--source", source, "--mode", mode, "--resolution", str(dpi))
    outcome = scan_original(usb_bus, model, (*choice, *area), tmp_path, sheets=2)
    assert len(outcome.pictures) == (1 if source == "Flatbed" else 2 * outcome.sides)
    check_pictures(outcome)


def check_pictures(outcome: Scanned) -> None:
    """Compare each picture with the formulas, pixel by pixel."""
    for number, picture in enumerate(outcome.pictures):
        sheet, is_back = divmod(number, outcome.sides)
        if outcome.is_back_only:
            is_back = 1
        assert picture.data == expected_pixels(outcome, picture, sheet, is_back), number


def expected_pixels(outcome: Scanned, picture: Picture, sheet: int, is_back: int) -> bytes:
    """Return what the formulas of the page say, written down a second time."""
    window = outcome.window
    dpi = int.from_bytes(window[2:4], "big")
    left, top = (int.from_bytes(window[at : at + 4], "big") * dpi // 1200 for at in (6, 10))
    width, height = picture.size
    is_soft = outcome.model == "iX500"  # which scans colour only
    data = bytearray()
    for y in range(top, top + height):
        columns = range(left, left + width)
        rgb = (
            [(a * x + b * y + c + d * sheet + e * is_back) % 256 for a, b, c, d, e in COLORS]
            for x in columns
        )
        if picture.kind == b"P6":
            data += bytes(value for pixel in rgb for value in pixel)
        elif picture.kind == b"P5" and is_soft:
            data += bytes(sum(pixel) // 3 for pixel in rgb)
        elif picture.kind == b"P5":
            data += bytes((5 * x + 3 * y + 7 + 31 * sheet + 13 * is_back) % 256 for x in columns)
        else:
            black = (
                [sum(pixel) // 3 < window[0x17] for pixel in rgb]
                if is_soft
                else [(7 * x + 3 * y + 5 * sheet + 11 * is_back) % 16 < 5 for x in columns]
            )
            digits = "".join("01"[bit] for bit in black)
            data += int(digits, 2).to_bytes(width // 8, "big")
    return bytes(data)
