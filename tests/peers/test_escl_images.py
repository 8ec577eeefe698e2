"""Odd images from an emulated eSCL scanner, through our backend and scanimage, pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sane.testing.escl import Emulator
from sane.testing.escl.model import JPEG, PNG
from sane.testing.escl.pixels import reference
from tests.peers.escl import AIRSCAN, OWN, Image, scan, scanner

AREA = ("--resolution=75", "-l", "0", "-t", "0", "-x", "101.6", "-y", "50.8", "--batch-count=1")
COLOR, GRAY = "RGB24", "Grayscale8"
WIDTH, LINES = 300, 150  # of the area in pixels
LOSS = 12  # how far a sample of a JPEG is off at most, on the average
Scan = Callable[..., Image]


@pytest.fixture(params=[COLOR, GRAY], ids=["colour", "gray"])
def mode(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def page(mode: str, tmp_path: Path) -> Iterator[Scan]:
    """Return a function that scans one page in a form of a format."""
    with Emulator(scanner()) as device:

        def run(mime: str, form: str = "", side: object = OWN, **knobs: object) -> Image:
            platen = device.scanner.model.platen
            assert platen is not None
            platen.profiles[0].formats = (mime,)
            device.scanner.pages.form = form
            for name, value in knobs.items():
                setattr(device.scanner.pages, name, value)
            word = "--mode=Color" if mode == COLOR else "--mode=Gray"
            outcome = scan(side, device, tmp_path, word, *AREA)  # type: ignore[arg-type]
            assert len(outcome.pages) == 1, outcome.stderr
            assert outcome.pages[0][:3] == (6 if mode == COLOR else 5, WIDTH, LINES)
            return outcome.pages[0]

        yield run


def picture(mode: str) -> bytes:
    return reference(mode, 75, (0, 0, WIDTH, LINES))


def distance(one: bytes, other: bytes) -> float:
    assert len(one) == len(other)
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)


@pytest.mark.parametrize("form", ["garbage", "no-end", "dnl-0", "dnl-65535"])
def test_jpeg_with_an_odd_frame_around_it(page: Scan, mode: str, form: str) -> None:
    """Where its height is not known in advance, the last row has its colours from itself alone."""
    odd, plain = page(JPEG, form).data, page(JPEG).data
    last = -WIDTH * (3 if mode == COLOR else 1)
    assert odd[:last] == plain[:last]
    assert distance(odd[last:], plain[last:]) < LOSS


@pytest.mark.parametrize("form", ["", "444", "422", "progressive"])
def test_jpeg_as_sane_airscan_shows_it(page: Scan, form: str) -> None:
    assert page(JPEG, form).data == page(JPEG, form, AIRSCAN).data


@pytest.mark.parametrize("form", ["gray", "color", "cmyk"])
def test_jpeg_in_another_colour_space(page: Scan, mode: str, form: str) -> None:
    shown = page(JPEG, form).data
    if form == "gray" and mode == COLOR:
        assert shown[0::3] == shown[1::3] == shown[2::3]
        assert distance(shown[1::3], picture(COLOR)[1::3]) < LOSS
    else:
        assert distance(shown, picture(mode)) < LOSS


def test_half_a_jpeg_is_shown_and_filled_up(page: Scan) -> None:
    whole, half = page(JPEG), page(JPEG, "truncated")
    shown = len(whole.data) // 3
    assert half.data[:shown] == whole.data[:shown]
    assert half.data != whole.data


@pytest.mark.parametrize("form", ["", "alpha", "interlaced"])
def test_png_of_every_kind(page: Scan, mode: str, form: str) -> None:
    assert page(PNG, form).data == picture(mode)


def test_png_with_a_palette(page: Scan, mode: str) -> None:
    expected = bytearray(picture(mode))
    if mode == COLOR:  # three bits of red and green are kept, and two of blue
        for channel, mask in enumerate((0xE0, 0xE0, 0xC0)):
            kept = bytes(value & mask for value in range(256))
            expected[channel::3] = bytes(expected[channel::3]).translate(kept)
    assert page(PNG, "palette").data == bytes(expected)


@pytest.mark.parametrize(("more", "lines"), [(1, -1), (-30, 40), (17, 0)])
def test_a_page_of_another_size_is_cropped_and_padded(
    page: Scan, mode: str, more: int, lines: int
) -> None:
    shown = page(PNG, more_px=more, more_lines=lines).data
    step = 3 if mode == COLOR else 1
    width, height = min(WIDTH, WIDTH + more), min(LINES, LINES + lines)
    sent = reference(mode, 75, (0, 0, width, height))
    white = b"\xff" * (WIDTH - width) * step
    rows = [sent[y * width * step : (y + 1) * width * step] + white for y in range(height)]
    rows += [b"\xff" * WIDTH * step] * (LINES - height)
    assert shown == b"".join(rows)


@pytest.mark.parametrize("scale", [2.0, 0.5])
def test_a_page_of_another_resolution_is_scaled(page: Scan, mode: str, scale: float) -> None:
    shown = page(PNG, scale=scale).data
    plain = reference(mode, round(75 * scale), (0, 0, round(WIDTH * scale), round(LINES * scale)))
    mean = sum(plain) / len(plain)
    assert abs(sum(shown) / len(shown) - mean) < 4  # nothing of it is white
