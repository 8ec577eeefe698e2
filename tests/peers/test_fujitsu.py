"""The original fujitsu scans from the emulated scanner, by the commands that are known of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sane.testing.usb.hosted import Umockdev
from tests.peers import fujitsu
from tests.peers.fujitsu import Vector, after_attach, difference, read_vectors

WINDOW_AT = len("24000000000000004800 + ") + 2 * 8  # of the first descriptor, in hex digits
COLORS = ((3, 5, 0, 40, 17), (7, 2, 50, 11, 29), (1, 11, 100, 23, 7))  # of the page (F 12)


@pytest.mark.parametrize("vector", read_vectors(), ids=lambda vector: vector.name.split()[0])
def test_the_original_sends_what_is_known(
    vector: Vector, usb_bus: Umockdev, tmp_path: Path
) -> None:
    lines, pictures = fujitsu.run_vector(usb_bus, vector, tmp_path, fujitsu.scan_original)
    report = difference(after_attach(lines) if vector.size else lines, vector.lines)
    assert not report, f"\n{report}"
    backs = [True] if "ADF Back" in vector.options else [False, True]
    for is_back, picture in zip(backs, pictures, strict=False):
        assert picture == expected_picture(vector, is_back)
    sides = 2 if any("Duplex" in option for option in vector.options) else 1
    assert len(pictures) == (sides if vector.size else 0)


def expected_picture(vector: Vector, is_back: bool) -> bytes:
    """Return the PNM file of the first sheet's side, pixel by pixel from the formulas."""
    line = next(line for line in vector.lines if line.startswith("240000"))
    window = bytes.fromhex(line[WINDOW_AT : WINDOW_AT + 128])
    dpi, mode = (
        int.from_bytes(window[2:4], "big"),
        vector.options[vector.options.index("--mode") + 1],
    )
    left, top = (int.from_bytes(window[at : at + 4], "big") * dpi // 1200 for at in (6, 10))
    assert vector.size is not None
    width, height = vector.size
    data = bytearray()
    for y in range(top, top + height):
        rgb = (
            [(a * x + b * y + c + e * is_back) % 256 for a, b, c, _d, e in COLORS]
            for x in range(left, left + width)
        )
        if mode == "Color":
            data += bytes(value for pixel in rgb for value in pixel)
        elif mode == "Gray":
            data += bytes(
                (5 * x + 3 * y + 7 + 13 * is_back) % 256 for x in range(left, left + width)
            )
        else:
            black = (
                [sum(pixel) // 3 < window[0x17] for pixel in rgb]
                if vector.model == "iX500"
                else [(7 * x + 3 * y + 11 * is_back) % 16 < 5 for x in range(left, left + width)]
            )
            digits = "".join("01"[bit] for bit in black)
            data += int(digits, 2).to_bytes(width // 8, "big")
    kind, depth = {"Color": ("P6", "255\n"), "Gray": ("P5", "255\n")}.get(mode, ("P4", ""))
    return f"{kind}\n# SANE data follows\n{width} {height}\n{depth}".encode() + data
