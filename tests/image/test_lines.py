"""Lines: rows of a frame out of a device's stream, cut anywhere; too much and too little of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sane.image.layout import Layout
from sane.image.lines import Lines

from .devices import cut, drain, frame, noise, picture, sizes, stream

COLOR: dict[str, Any] = {"channels": 3}

# Name of the device's habit -> depth, width, lines, layout.
HABITS: dict[str, tuple[int, int, int, dict[str, Any]]] = {
    "gray as it is": (8, 7, 5, {}),
    "status bytes behind each line": (8, 7, 5, {"padding": 2}),
    "colour as it is": (8, 5, 4, COLOR),
    "blue first": (8, 5, 4, {**COLOR, "colors": "BGR"}),
    "green first, 16 bits, high byte first": (
        *(16, 5, 4),
        {**COLOR, "colors": "GRB", "byteorder": "big"},
    ),
    "16 bits, low byte first": (16, 5, 4, COLOR),
    "14 bits in words": (16, 5, 4, {"bits": 14, "byteorder": "big"}),
    "10 bits in words, inverted": (16, 5, 4, {"bits": 10, "invert": True}),
    "a line of each colour": (8, 5, 4, {**COLOR, "plane_lines": 1}),
    "a line of each colour, green first, status bytes": (
        *(8, 5, 4),
        {**COLOR, "plane_lines": 1, "colors": "GBR", "padding": 2},
    ),
    "sensor rows apart, lines of one colour": (
        *(8, 5, 9),
        {**COLOR, "plane_lines": 1, "stagger": (4, 2, 0), "wire_width": 8, "left": 2},
    ),
    "sensor rows apart, pixel by pixel": (8, 5, 9, {**COLOR, "stagger": (0, 3, 6)}),
    "sensor rows apart, 16 bits": (
        *(16, 5, 9),
        {**COLOR, "stagger": (0, 1, 2), "byteorder": "big", "plane_lines": 1},
    ),
    "three lines of each colour": (8, 4, 7, {**COLOR, "plane_lines": 3, "stagger": (0, 2, 4)}),
    "whole planes": (8, 4, 6, {**COLOR, "plane_lines": 6}),
    "whole planes, 16 bits": (16, 4, 6, {**COLOR, "plane_lines": 6}),
    "green only": (8, 4, 6, {"colors": "RGB", "pick": "G"}),
    "green only, of lines of one colour": (
        *(8, 4, 6),
        {"colors": "RGB", "pick": "G", "plane_lines": 1, "stagger": (2,)},
    ),
    "infrared beside the colours": (8, 4, 6, {**COLOR, "colors": "RGBI"}),
    "odd pixels four lines later": (8, 6, 6, {"column_lines": (0, 4)}),
    "even pixels later, colour, cropped at an odd one": (
        *(8, 6, 6),
        {**COLOR, "column_lines": (3, 0), "stagger": (2, 1, 0), "left": 1, "wire_width": 9},
    ),
    "two halves, interleaved": (8, 6, 4, {"columns": [0, 3, 1, 4, 2, 5]}),
    "four phases, colour, 16 bits": (
        *(16, 5, 4),
        {**COLOR, "columns": [0, 2, 4, 6, 1, 3, 5, 7], "left": 2, "wire_width": 8},
    ),
    "mirrored": (8, 6, 4, {**COLOR, "columns": [5, 4, 3, 2, 1, 0]}),
    "something before the frame": (8, 5, 4, {"skip_bytes": 13, "skip_lines": 3}),
    "something before the frame, planes": (
        *(8, 5, 4),
        {**COLOR, "skip_bytes": 3, "skip_lines": 2, "plane_lines": 1, "padding": 1},
    ),
    "0 is white": (8, 5, 4, {**COLOR, "invert": True}),
    "0 is white, lines of one colour": (8, 5, 4, {**COLOR, "invert": True, "plane_lines": 1}),
    "line art as it is": (1, 16, 4, {}),
    "line art, 1 is white": (1, 16, 4, {"invert": True}),
    "line art, 1 is white, bits to spare": (1, 13, 4, {"invert": True, "padding": 1}),
    "line art, cropped between bytes": (1, 11, 4, {"left": 3, "wire_width": 16}),
    "line art, cropped, one byte": (1, 3, 4, {"left": 2, "wire_width": 5, "invert": True}),
    "line art, cropped at a byte": (1, 8, 4, {"left": 8, "wire_width": 24}),
    "line art, scaled": (1, 9, 4, {"columns": [0, 1, 1, 2, 3, 3, 4, 5, 5], "wire_width": 6}),
    "line art, mirrored, 1 is white": (1, 5, 3, {"columns": [4, 3, 2, 1, 0], "invert": True}),
    "four lines become three rows": (8, 5, 9, {"row_ratio": (4, 3)}),
    "seven lines become two rows, colour apart": (
        *(8, 5, 5),
        {**COLOR, "row_ratio": (7, 2), "stagger": (0, 1, 2), "plane_lines": 1},
    ),
}


def samples(depth: int, width: int, lines: int, layout: dict[str, Any]) -> tuple[bytes, bytes]:
    """Return what the device sends and the frame that it is."""
    channels = layout.get("channels", 1)
    bits = layout.get("bits", 16) if depth == 16 else depth
    rows = picture(width, lines, channels, bits)
    if "columns" in layout and len(set(layout["columns"])) < len(layout["columns"]):
        columns = layout["columns"]  # a pixel that is used twice has one value
        rows = [[row[columns.index(column)] for column in columns] for row in rows]
    return stream(rows, depth, **layout), frame(rows, depth, bits)


def new(depth: int, width: int, lines: int, layout: dict[str, Any]) -> Lines:
    return Lines(Layout(width, depth=depth, **layout), lines)


@pytest.mark.parametrize("room", [1, 3, 1000, "random"])
@pytest.mark.parametrize("piece", [1, 7, 100_000, "random"])
@pytest.mark.parametrize("habit", HABITS)
def test_a_frame_comes_out_whatever_the_pieces(habit: str, piece: Any, room: Any) -> None:
    data, expected = samples(*HABITS[habit])
    lines = new(*HABITS[habit])
    out = bytearray()
    rooms = sizes(room)
    for part in cut(data, sizes(piece)):
        lines.feed(part)
        drain(lines, rooms, out)
    assert out == expected
    assert (lines.is_done, lines.left_bytes, lines.taken) == (True, 0, len(expected))
    lines.end()
    assert lines.missing == 0
    assert lines.read_into(memoryview(bytearray(9))) == 0


@pytest.mark.parametrize("habit", HABITS)
def test_a_frame_may_be_fed_whole_and_read_later(habit: str) -> None:
    data, expected = samples(*HABITS[habit])
    lines = new(*HABITS[habit])
    for part in cut(data, sizes(11)):
        lines.feed(part)
    lines.end()
    out = bytearray()
    drain(lines, sizes(17), out)
    assert out == expected


@pytest.mark.parametrize("habit", HABITS)
def test_a_frame_of_unknown_height_ends_with_its_last_row(habit: str) -> None:
    depth, width, height, layout = HABITS[habit]
    data, expected = samples(depth, width, height, layout)
    lines = new(depth, width, -1, layout)
    out = bytearray()
    for part in cut(data, sizes("random")):
        lines.feed(part)
        drain(lines, sizes("random"), out)
    assert not lines.is_done
    assert lines.left_bytes == -1
    lines.end()
    drain(lines, sizes("random"), out)
    assert out[: len(expected)] == expected
    assert len(out) == lines.lines * lines.row_bytes
    assert lines.is_done
    assert lines.surplus == lines.missing == 0


@pytest.mark.parametrize("habit", HABITS)
def test_too_much_is_dropped_and_counted(habit: str) -> None:
    depth, width, height, layout = HABITS[habit]
    data, expected = samples(depth, width, height, layout)
    end = Layout(width, depth=depth, **layout).place(height - 1)[1] + layout.get("padding", 0)
    lines = new(depth, width, height, layout)
    for part in cut(data + noise(5), sizes(7)):
        lines.feed(part)
    assert lines.surplus == len(data) + 5 - end
    out = bytearray()
    drain(lines, sizes(100), out)
    assert out == expected
    lines.end()
    lines.feed(b"123")
    assert lines.surplus == len(data) + 8 - end
    assert lines.read_into(memoryview(bytearray(9))) == 0


@pytest.mark.parametrize("habit", HABITS)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.99])
def test_too_little_ends_white(habit: str, share: float) -> None:
    depth, width, height, layout = HABITS[habit]
    data, expected = samples(depth, width, height, layout)
    come = data[: int(len(data) * share)]
    lines = new(depth, width, height, layout)
    out = bytearray()
    for part in cut(come, sizes("random")):
        lines.feed(part)
        drain(lines, sizes("random"), out)
    whole = len(out) // lines.row_bytes
    assert out == expected[: len(out)]
    lines.end()
    lines.end()
    drain(lines, sizes("random"), out)
    assert len(out) == len(expected)
    end = Layout(width, depth=depth, **layout).place(height - 1)[1]
    assert lines.missing == max(0, end - len(come))
    white = bytes(lines.row_bytes) if depth == 1 else b"\xff" * lines.row_bytes
    rows = [out[at : at + lines.row_bytes] for at in range(0, len(out), lines.row_bytes)]
    assert all(row == white for row in rows[whole + 1 :])


@pytest.mark.parametrize(
    ("depth", "layout", "come", "expected"),
    [
        (8, {"channels": 1}, b"\x01\x02\x03\x04\x05", b"\x01\x02\x03\x04\x05\xff\xff\xff"),
        (8, {"padding": 1}, b"\x01\x02\x03\x04\x05\x06", b"\x01\x02\x03\x04\x06\xff\xff\xff"),
        (8, {"invert": True}, b"\x01", b"\xfe" + b"\xff" * 7),
        (8, {"invert": True, "padding": 1}, b"\x01", b"\xfe" + b"\xff" * 7),
        (1, {}, b"\xf0", b"\xf0\x00"),
        (1, {"invert": True}, b"\x0f", b"\xf0\x00"),
        (1, {"invert": True}, b"", b"\x00\x00"),
        (16, {"bits": 12}, b"\x34\x02", b"\x42\x23" + b"\xff" * 14),
    ],
)
def test_the_line_that_was_cut_is_completed_with_white(
    depth: int, layout: dict[str, Any], come: bytes, expected: bytes
) -> None:
    width = 4
    lines = Lines(Layout(width, depth=depth, **layout), 2)
    lines.feed(come)
    lines.end()
    out = bytearray()
    drain(lines, sizes(5), out)
    assert out == expected


def test_a_row_that_lacks_a_colour_is_white() -> None:
    lines = Lines(Layout(2, 3, plane_lines=1), 2)
    lines.feed(bytes(range(6)) + bytes(range(4)))
    lines.end()
    out = bytearray()
    drain(lines, sizes(100), out)
    assert out == bytes((0, 2, 4, 1, 3, 5)) + b"\xff" * 6
    assert lines.missing == 2


def test_a_frame_of_unknown_height_without_data_has_no_rows() -> None:
    lines = Lines(Layout(4), -1)
    lines.end()
    assert (lines.lines, lines.is_done) == (0, True)
    assert lines.read_into(memoryview(bytearray(9))) == 0


def test_a_frame_without_rows_takes_nothing() -> None:
    lines = Lines(Layout(4), 0)
    lines.feed(b"abc")
    assert (lines.surplus, lines.is_done) == (3, True)


def test_lines_that_only_pixels_beyond_the_frame_need_are_not_waited_for() -> None:
    lines = Lines(Layout(2, column_lines=(0, 1, 9)), 1)
    lines.feed(b"a..b")
    out = bytearray()
    drain(lines, sizes(9), out)
    assert out == b"ab"


def test_reading_with_no_room() -> None:
    lines = Lines(Layout(2, padding=1), 1)
    lines.feed(b"ab")
    assert lines.read_into(memoryview(bytearray())) == 0
    assert not lines.is_done


def test_white_is_made_in_pieces_of_limited_size() -> None:
    lines = Lines(Layout(1 << 19), 3)
    lines.end()
    buffer = bytearray(3 << 19)
    assert 0 < lines.read_into(memoryview(buffer)) < len(buffer)


# Bytes that pass by


def test_bytes_may_pass_by_where_nothing_is_to_be_done() -> None:
    lines = Lines(Layout(4), 2)
    assert lines.is_direct
    lines.passed(3)
    lines.feed(b"d123")
    assert not lines.is_direct
    out = bytearray()
    drain(lines, sizes(10), out)
    assert (out, lines.left_bytes) == (b"d123", 1)
    with pytest.raises(ValueError, match="2 bytes may not pass by, 1 are left"):
        lines.passed(2)
    lines.passed(1)
    assert lines.is_done


@pytest.mark.parametrize(
    "layout",
    [{"padding": 1}, {"invert": True}, {"skip_bytes": 1}, {"columns": [0, 1, 2, 3]}, {"left": 1}],
)
def test_bytes_may_not_pass_by_where_something_is_to_be_done(layout: dict[str, Any]) -> None:
    lines = Lines(Layout(4, wire_width=8, **layout), 2)
    assert not lines.is_direct
    with pytest.raises(ValueError, match="may not pass by"):
        lines.passed(1)


def test_nothing_passes_by_after_the_end() -> None:
    lines = Lines(Layout(4), 2)
    lines.end()
    assert not lines.is_direct


# The real size


@pytest.mark.parametrize("depth", [1, 8])
def test_a_size_that_is_known_late(depth: int) -> None:
    width = 16
    lines = Lines(Layout(width, depth=depth, padding=1), 9)
    size = lines.row_bytes + 1
    data = noise(3 * size)
    lines.feed(data)
    lines.fit(13, 2)
    lines.end()
    out = bytearray()
    drain(lines, sizes(5), out)
    if depth == 8:
        assert out == data[:13] + data[size : size + 13]
    else:
        assert out == bytes((data[0], data[1] & 0xF8, data[size], data[size + 1] & 0xF8))
    assert (lines.width_px, lines.lines, lines.missing) == (13, 2, 0)


def test_lines_of_which_the_real_width_is_told_late() -> None:
    """The device sends lines of 5 pixels where 8 were announced."""
    lines = Lines(Layout(8, 3, plane_lines=1, invert=True))
    lines.feed(bytes(range(30)))
    lines.fit(5, -1, 5)
    lines.end()
    assert (lines.lines, lines.missing) == (2, 0)
    out = bytearray()
    drain(lines, sizes(7), out)
    assert out[:6] == bytes(255 - x for x in (0, 5, 10, 1, 6, 11))


def test_a_size_that_is_told_too_late() -> None:
    lines = Lines(Layout(4), 3)
    lines.feed(b"abcd")
    with pytest.raises(ValueError, match="0 of 4 pixels"):
        lines.fit(0, 3)
    lines.read_into(memoryview(bytearray(1)))
    with pytest.raises(ValueError, match="3 x 3 pixels, but 1 bytes were read"):
        lines.fit(3, 3)


# Lines that are narrower than the frame


@pytest.mark.parametrize("habit", HABITS)
def test_what_a_line_lacks_at_its_right_is_white(habit: str) -> None:
    depth, width, height, layout = HABITS[habit]
    data, expected = samples(depth, width, height, layout)
    have = len(layout["columns"]) if "columns" in layout else layout.get("wire_width", width)
    layout = {"wire_width": have, **layout}
    wide = have - layout.get("left", 0) + 11
    lines = new(depth, wide, height, layout)
    out = bytearray()
    for part in cut(data, sizes("random")):
        lines.feed(part)
        drain(lines, sizes("random"), out)
    assert len(out) == height * lines.row_bytes
    size = len(expected) // height
    for row in range(height):
        mine = out[row * lines.row_bytes : (row + 1) * lines.row_bytes]
        due = expected[row * size : (row + 1) * size]
        if depth == 1:
            bits, wanted = (
                f"{int.from_bytes(part, 'big'):0{8 * len(part)}b}" for part in (mine, due)
            )
            assert bits[:width] == wanted[:width]
            assert set(bits[have - layout.get("left", 0) :]) == {"0"}
        else:
            assert mine[:size] == due
            pixel = lines.row_bytes // wide
            assert set(mine[-11 * pixel :]) == {0xFF}


# Chance


@st.composite
def layouts(draw: st.DrawFn) -> tuple[int, int, int, dict[str, Any]]:
    """Draw depth, width, lines and a layout."""
    depth = draw(st.sampled_from([1, 8, 16]))
    channels = 1 if depth == 1 else draw(st.sampled_from([1, 3]))
    width, left = draw(st.integers(1, 20)), draw(st.integers(0, 9))
    full = left + width + draw(st.integers(0, 3))
    layout: dict[str, Any] = {
        "channels": channels,
        "left": left,
        "wire_width": full,
        "padding": draw(st.integers(0, 3)),
        "skip_bytes": draw(st.integers(0, 5)),
        "skip_lines": draw(st.integers(0, 2)),
        "stagger": tuple(draw(st.integers(0, 3)) for _ in range(channels)),
        "plane_lines": draw(st.integers(0, 3)),
        "invert": draw(st.booleans()),
        "byteorder": draw(st.sampled_from(["little", "big"])),
    }
    if channels == 3:
        layout["colors"] = "".join(draw(st.permutations("RGB")))
    if depth == 16:
        layout["bits"] = draw(st.integers(9, 16))
    if draw(st.booleans()):
        layout["columns"] = draw(st.permutations(range(full)))
    if draw(st.booleans()):
        layout["column_lines"] = tuple(draw(st.lists(st.integers(0, 3), min_size=1, max_size=3)))
    if draw(st.booleans()):
        ratio = sorted(draw(st.tuples(st.integers(1, 5), st.integers(1, 5))), reverse=True)
        layout["row_ratio"] = tuple(ratio)
    return depth, width, draw(st.integers(1, 6)), layout


@settings(max_examples=150)
@given(layouts(), st.integers(0, 1 << 30))
@example((1, 8, 1, {"stagger": (1,)}), 0)  # nothing else in it is between the stream and the frame
def test_any_layout_in_any_pieces(habit: tuple[int, int, int, dict[str, Any]], seed: int) -> None:
    data, expected = samples(*habit)
    lines = new(*habit)
    out = bytearray()
    pieces, rooms = sizes("random", seed), sizes("random", seed + 1)
    for part in cut(data, pieces):
        lines.feed(memoryview(part))
        drain(lines, rooms, out)
    assert out == expected


# Layouts that cannot be


@pytest.mark.parametrize(
    ("width", "channels", "depth", "layout", "message"),
    [
        (4, 2, 8, {}, "2 channels of 8 bits"),
        (4, 1, 12, {}, "1 channels of 12 bits"),
        (4, 3, 1, {}, "colours RGB of 1 bit"),
        (0, 1, 8, {}, "0 of 0 pixels"),
        (1 << 21, 1, 8, {}, "pixels a line"),
        (4, 1, 8, {"wire_width": -3}, "4 of -3 pixels"),
        (4, 1, 8, {"left": -1}, "pixels from -1 on of 3"),
        (4, 1, 8, {"left": 5, "wire_width": 5}, "pixels from 5 on of 5"),
        (4, 1, 8, {"columns": []}, "pixels from 0 on of 0"),
        (4, 1, 8, {"columns": [0, 1, 2, 4]}, "columns 0 to 4 of 4"),
        (4, 1, 8, {"columns": [-1, 1, 2, 3]}, "columns -1 to 3"),
        (4, 3, 8, {"colors": "RGG"}, "one twice"),
        (4, 3, 8, {"colors": "RGK"}, "3 channels RGB of colours RGK"),
        (4, 1, 8, {"colors": "RGB", "pick": "I"}, "1 channels I of colours RGB"),
        (4, 1, 16, {"bits": 8}, "samples of 8 bits"),
        (4, 1, 16, {"bits": 17}, "samples of 17 bits"),
        (4, 1, 16, {"byteorder": "middle"}, "middle end first"),
        (4, 1, 8, {"row_ratio": (1, 2)}, "1 lines for 2 rows"),
        (4, 1, 8, {"row_ratio": (1, 0)}, "1 lines for 0 rows"),
        (4, 3, 8, {"stagger": (0, 1)}, "stagger"),
        (4, 3, 8, {"stagger": (0, 1, -1)}, "a distance of -1"),
        (4, 3, 8, {"stagger": (0, 1, 1 << 20)}, "or 1048576 lines"),
        (4, 1, 8, {"column_lines": ()}, "column lines"),
        (4, 1, 8, {"column_lines": (0, -4)}, "a distance of -4"),
        (4, 1, 8, {"padding": -1}, "-1 bytes behind lines"),
        (4, 1, 8, {"skip_bytes": 1 << 30}, "1073741824 before all"),
        (4, 1, 8, {"plane_lines": -1}, "planes of -1 lines"),
    ],
)
def test_layouts_that_cannot_be(
    width: int, channels: int, depth: int, layout: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Layout(width, channels, depth, **layout)


def test_lines_may_be_received_where_they_belong() -> None:
    lines = Lines(Layout(4, 3, plane_lines=1, invert=True), 3)
    lines.reserve(1 << 17)
    data = noise(36)
    for start in range(0, 36, 9):
        room = lines.room(9)
        room[:] = data[start : start + 9]
        lines.filled(9)
    lines.room(5)
    lines.filled(5)
    assert (lines.fed, lines.surplus) == (36, 5)
    fed = Lines(Layout(4, 3, plane_lines=1, invert=True), 3)
    fed.feed(data)
    out, wanted = bytearray(), bytearray()
    drain(lines, sizes(7), out)
    drain(fed, sizes(7), wanted)
    assert out == wanted
    lines.end()
    lines.room(1)
    lines.filled(1)
    assert lines.surplus == 6
