"""Both sides of a sheet out of one stream; segments of a line; what sane.image offers by name."""

from __future__ import annotations

from typing import Any

import pytest

from sane import image
from sane.image import Layout, Lines, Sides, interleaved

from .devices import cut, drain, frame, noise, picture, sizes, stream


def dealt(front: bytes, back: bytes, size: int, lead: int) -> bytes:
    """Return the lines of both sides in the order of specification fujitsu 7.5."""
    fronts = [front[at : at + size] for at in range(0, len(front), size)]
    backs = [back[at : at + size] for at in range(0, len(back), size)]
    out = fronts[:lead]
    del fronts[:lead]
    while fronts and backs:
        out += [fronts.pop(0), backs.pop(0)]
    return b"".join(out + fronts + backs)


@pytest.mark.parametrize("piece", [1, 5, 1000, "random"])
@pytest.mark.parametrize("lead", [0, 1, 3, 6])
@pytest.mark.parametrize("layout", [{}, {"plane_lines": 1, "stagger": (0, 1, 2)}, {"padding": 2}])
def test_both_sides_of_a_sheet(layout: dict[str, Any], lead: int, piece: Any) -> None:
    spare = max(layout.get("stagger", (0,)))
    rows = [picture(4, 6 - spare, 3, 8, seed) for seed in (1, 2)]
    sent = [stream(side, 8, channels=3, **layout) for side in rows]
    size = len(sent[0]) // 6
    front, back = (Lines(Layout(4, 3, **layout), 6 - spare) for _ in "fb")
    sides = Sides(front, back, size, 6, lead)
    for part in cut(dealt(sent[0], sent[1], size, lead), sizes(piece)):
        sides.feed(part)
    for side, expected in zip(sides.sides, rows, strict=True):
        out = bytearray()
        drain(side, sizes(13), out)
        assert out == frame(expected, 8)
        assert side.surplus == 0


def test_too_much_of_both_sides_is_counted_as_the_backs() -> None:
    sides = Sides(Lines(Layout(2), 2), Lines(Layout(2), 2), 2, 2)
    sides.feed(noise(8) + b"abc")
    sides.feed(b"d")
    assert [side.surplus for side in sides.sides] == [0, 4]


def test_too_little_of_both_sides_ends_white() -> None:
    sides = Sides(Lines(Layout(2), 2), Lines(Layout(2), 2), 2, 2)
    sides.feed(b"abABc")
    sides.end()
    found = []
    for side in sides.sides:
        out = bytearray()
        drain(side, sizes(10), out)
        found.append(bytes(out))
    assert found == [b"abc\xff", b"AB\xff\xff"]


@pytest.mark.parametrize(("line_bytes", "lines", "lead"), [(0, 4, 0), (4, 4, -1), (4, 4, 5)])
def test_sides_that_cannot_be(line_bytes: int, lines: int, lead: int) -> None:
    with pytest.raises(ValueError, match="before those of the back"):
        Sides(Lines(Layout(2)), Lines(Layout(2)), line_bytes, lines, lead)


# Segments


@pytest.mark.parametrize(
    ("arguments", "columns"),
    [
        ((6, 1), [0, 1, 2, 3, 4, 5]),
        ((6, 2), [0, 3, 1, 4, 2, 5]),
        ((6, 2, (1, 0)), [3, 0, 4, 1, 5, 2]),
        ((8, 4, (0, 2, 1, 3)), [0, 4, 2, 6, 1, 5, 3, 7]),
        ((4, 2, (0, 1), 10), [0, 10, 1, 11]),
    ],
)
def test_segments_that_hold_every_other_pixel(arguments: Any, columns: list[int]) -> None:
    assert interleaved(*arguments) == columns


@pytest.mark.parametrize(
    "arguments", [(5, 2), (4, 0), (4, 2, (0, 0)), (4, 2, (1, 2)), (4, 2, (0,))]
)
def test_segments_that_cannot_be(arguments: Any) -> None:
    with pytest.raises(ValueError, match="pixels in"):
        interleaved(*arguments)


def test_names_and_modules_that_image_has() -> None:
    for name in image.PLACES:
        assert getattr(image, name).__name__ == name
    for name in image.MODULES:
        assert getattr(image, name).__name__ == f"sane.image.{name}"


def test_a_name_that_image_does_not_have() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Line'"):
        image.Line  # noqa: B018
