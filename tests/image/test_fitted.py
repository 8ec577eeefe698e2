"""Pictures of devices as the frames that were promised: size, colours, resolution."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sane.image import Document, Fitted
from sane.image.png import PngEncoder
from tests.image.documents import png, read_from

WHITE = {1: b"\0", 8: b"\xff", 16: b"\xff\xff"}


def picture(width: int, lines: int, channels: int = 1, depth: int = 8) -> bytes:
    """Return a PNG whose samples tell where they are."""
    data = bytearray()
    for y in range(lines):
        row = [(x * 3 + y * 5 + c * 50) & 255 for x in range(width) for c in range(channels)]
        if depth == 1:
            bits = "".join(str(value & 1) for value in row) + "0" * (-len(row) % 8)
            data += int(bits, 2).to_bytes(len(bits) // 8, "big")
        elif depth == 16:
            data += b"".join((value * 257).to_bytes(2, sys.byteorder) for value in row)
        else:
            data += bytes(row)
    maker = PngEncoder(width, lines, channels, depth)
    return maker.feed(bytes(data)) + maker.end()


def fit(data: bytes, *form: int, piece: int = 97, room: int = 1 << 16, **more: Any) -> Any:
    """Return the frame's bytes, and the Fitted that made it."""
    more.setdefault("sent", form[:2])
    document = Document(max(4, form[0]), form[1])
    fitted = Fitted(document, *form, **more)
    return read_from(fitted, document, data, piece, room), fitted


def sample(x: int, y: int, c: int = 0) -> int:
    return (x * 3 + y * 5 + c * 50) & 255


FORMS = [(1, 1), (1, 8), (1, 16), (3, 8), (3, 16)]


@pytest.mark.parametrize(("channels", "depth"), FORMS)
@pytest.mark.parametrize("old", FORMS)
def test_fitted_every_form_becomes_every_other(
    old: tuple[int, int], channels: int, depth: int
) -> None:
    width, lines = 11, 6
    rows, fitted = fit(picture(width, lines, *old), width, lines, channels, depth)
    bits = old[1] == 1
    size = max(1, depth // 8)
    row_bytes = 2 if depth == 1 else width * channels * size
    assert len(rows) == lines * row_bytes
    assert fitted.received == (width, lines)
    for y in range(lines):
        for x in range(width):
            values = [sample(x, y, c) for c in range(old[0])]
            if bits:
                values = [0 if values[0] & 1 else 255]
            if channels == 1 and old[0] == 3:
                values = [(299 * values[0] + 587 * values[1] + 114 * values[2]) // 1000]
            values = values * channels if len(values) < channels else values
            for c in range(channels):
                if depth == 1:
                    got = rows[y * row_bytes + x // 8] >> (7 - x % 8) & 1
                    assert got == (values[0] < 128)
                else:
                    at = (y * width + x) * channels * size + c * size
                    got = int.from_bytes(rows[at : at + size], sys.byteorder)
                    due = values[c] * 257 if depth == 16 else values[c]
                    assert abs(got - due) <= (256 if depth == 16 and old[0] > channels else 0)


@pytest.mark.parametrize("depth", [1, 8, 16])
@pytest.mark.parametrize("size", [(21, 9), (20, 8), (20, 12), (19, 9), (24, 14)])
def test_fitted_always_has_the_promised_size(depth: int, size: tuple[int, int]) -> None:
    data = picture(*size, 1, depth)
    rows, fitted = fit(data, 20, 10, 1, depth, sent=size)
    whole, _ = fit(data, *size, 1, depth)
    step = 3 if depth == 1 else 20 * depth // 8
    whole_step = len(whole) // size[1]
    assert len(rows) == 10 * step
    assert fitted.received == size
    for y in range(10):
        row = rows[y * step : (y + 1) * step]
        if y >= size[1]:
            assert row == WHITE[depth] * (step // len(WHITE[depth]))
            continue
        theirs = whole[y * whole_step : (y + 1) * whole_step]
        if depth == 1:
            bits = "".join(f"{value:08b}" for value in theirs)[: min(20, size[0])]
            assert "".join(f"{value:08b}" for value in row)[:20] == bits.ljust(20, "0")
        else:
            assert row == theirs[:step].ljust(step, b"\xff")


@pytest.mark.parametrize("room", [1, 7, 1 << 16])
def test_fitted_skips_what_lies_before_the_frame(room: int) -> None:
    rows, _ = fit(picture(20, 12), 10, 5, 1, 8, sent=(20, 12), left=3, top=4, room=room)
    assert rows == bytes(sample(x + 3, y + 4) for y in range(5) for x in range(10))


def test_fitted_beyond_the_picture_is_white() -> None:
    rows, _ = fit(picture(20, 12), 10, 5, 1, 8, sent=(20, 12), left=20)
    assert rows == b"\xff" * 50
    rows, _ = fit(picture(20, 12), 10, 5, 1, 8, sent=(20, 12), top=11)
    assert rows[:10] == bytes(sample(x, 11) for x in range(10))
    assert rows[10:] == b"\xff" * 40


def test_fitted_takes_as_many_rows_as_come() -> None:
    rows, fitted = fit(picture(20, 12), 20, -1, 1, 8, sent=(20, 30), is_feeder=True)
    assert (len(rows), fitted.lines) == (240, 12)
    rows, fitted = fit(picture(20, 12), 20, -1, 1, 8, sent=(20, 30), top=2)
    assert (len(rows), fitted.lines) == (200, 10)


@pytest.mark.parametrize(
    ("size", "sent", "is_feeder", "is_rescaled"),
    [
        ((100, 100), (100, 100), False, False),
        ((102, 102), (100, 100), False, False),
        ((103, 103), (100, 100), False, True),
        ((50, 50), (100, 100), False, True),
        ((50, 100), (100, 100), False, False),
        ((50, 51), (100, 100), False, True),
        ((50, 53), (100, 100), False, False),
        ((50, 100), (100, 100), True, True),
        ((100, 50), (100, 100), False, False),
        ((50, 50), (100, -1), False, True),
    ],
)
def test_fitted_knows_another_resolution(
    size: tuple[int, int], sent: tuple[int, int], is_feeder: bool, is_rescaled: bool
) -> None:
    rows, fitted = fit(picture(*size), 100, 100, 1, 8, sent=sent, is_feeder=is_feeder)
    assert fitted.is_rescaled is is_rescaled
    assert len(rows) == 100 * 100


def ramp(width: int, lines: int, scale: int = 2) -> bytes:
    return png([[(min(255, x * scale),) for x in range(width)] for _ in range(lines)], 8, 0)


def test_fitted_a_smaller_picture_is_mixed_from_neighbours() -> None:
    rows, _ = fit(ramp(50, 40, 4), 100, 80, 1, 8)
    assert all(abs(rows[x] - (2 * x - 1)) <= 1 for x in range(1, 99))
    assert rows[:100] * 80 == rows


def test_fitted_a_larger_picture_is_averaged() -> None:
    rows, _ = fit(png([[(0,), (100,), (20,), (40,)]] * 2 + [[(8,)] * 4] * 2, 8, 0), 2, 2, 1, 8)
    assert rows == bytes((50, 30, 8, 8))
    data = picture(40, 20, 3, 16)
    rows, _ = fit(data, 20, 10, 3, 16)
    due = [sample(x, y) for y in (0, 1) for x in (0, 1)]
    assert abs(int.from_bytes(rows[:2], sys.byteorder) - sum(due) * 257 / 4) <= 1


def test_fitted_line_art_takes_the_nearest_pixel() -> None:
    rows, _ = fit(png([[(0,), (1,)] * 4, [(1,), (0,)] * 4] * 4, 1, 0), 16, 16, 1, 1)
    assert rows == (b"\xcc\xcc" * 2 + b"\x33\x33" * 2) * 4


def test_fitted_samples_are_scaled_before_they_become_line_art() -> None:
    rows, _ = fit(png([[(0,), (255,)] * 8] * 16, 8, 0), 8, 8, 1, 1, threshold=127)
    assert rows == b"\0" * 8
    rows, _ = fit(png([[(0,), (255,)] * 8] * 16, 8, 0), 8, 8, 1, 1, threshold=129)
    assert rows == b"\xff" * 8


def test_fitted_tone_changes_samples_but_no_padding() -> None:
    def darker(rows: memoryview) -> None:
        rows[:] = bytes(value // 2 for value in rows)

    rows, _ = fit(picture(4, 2), 6, 3, 1, 8, sent=(4, 2), tone=darker)
    assert rows[:6] == bytes(sample(x, 0) // 2 for x in range(4)) + b"\xff\xff"
    assert rows[12:] == b"\xff" * 6
    rows, _ = fit(png([[(0,), (255,)]], 1, 0), 2, 1, 1, 1, tone=darker)
    assert rows == b"\x80"  # the device's own line art
    rows, _ = fit(png([[(0,), (255,)]], 8, 0), 2, 1, 1, 1, tone=darker)
    assert rows == b"\xc0"


def test_fitted_a_document_that_is_cut_off_ends_white() -> None:
    data = png([[(7,)] * 50 for _ in range(60)], 8, 0, filters=(0,))
    rows, fitted = fit(data[: len(data) * 3 // 4], 50, 60, 1, 8)
    assert fitted.document.is_cut
    assert rows[:50] == b"\x07" * 50
    assert rows[-50:] == b"\xff" * 50


@settings(max_examples=60)
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    frame=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    sent=st.tuples(st.integers(1, 40), st.integers(-1, 40)),
    place=st.tuples(st.integers(0, 50), st.integers(0, 50)),
    old=st.sampled_from(FORMS),
    new=st.sampled_from(FORMS),
    is_feeder=st.booleans(),
    piece=st.integers(1, 400),
    room=st.integers(1, 400),
)
def test_fitted_any_picture_becomes_any_frame(
    size: Any, frame: Any, sent: Any, place: Any, old: Any, new: Any, is_feeder: bool, piece: int,
    room: int,
) -> None:  # fmt: skip
    data = picture(*size, *old)
    more = {"sent": sent, "left": place[0], "top": place[1], "is_feeder": is_feeder}
    rows, fitted = fit(data, *frame, *new, piece=piece, room=room, **more)
    row_bytes = (frame[0] + 7) // 8 if new[1] == 1 else frame[0] * new[0] * new[1] // 8
    assert len(rows) == frame[1] * row_bytes
    assert fitted.is_done
    again, _ = fit(data, *frame, *new, **more)
    assert rows == again
