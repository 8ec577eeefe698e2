"""The test backend's pictures against golden values and a reference, pixel by pixel.

Golden values and formulas: functional specification of the test backend, sections 3 and 4.
"""

from __future__ import annotations

import hashlib
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sane import errors
from sane.backends.test.picture import Picture, make_picture
from sane.backends.test.stream import PictureStream
from sane.const import FRAME_BLUE, FRAME_GRAY, FRAME_GREEN, FRAME_RED, FRAME_RGB
from sane.param import Parameters

NAMES = ("Solid black", "Solid white", "Color pattern", "Grid")
FORMATS = (FRAME_GRAY, FRAME_RGB, FRAME_RED, FRAME_GREEN, FRAME_BLUE)
BIG_ENDIAN = sys.byteorder == "big"
PADDING = None  # what the reference says of a random byte

# mode and depth | picture | dpi | tl_x,tl_y,br_x,br_y in mm, or a hand scanner | option | format,
# last_frame, bytes_per_line, pixels_per_line, lines | bytes | start of the SHA-256. The option is
# the pixels lost per line, or the order of three passes and the number of this one.
GOLDEN = """
Gray 8  |Solid black  |50  |0,0,80,100 |-          |0 1 157 157 196   |30772  |0aa57771bf75f077
Gray 8  |Solid white  |50  |0,0,80,100 |-          |0 1 157 157 196   |30772  |cfe0d23eeae8d7d2
Gray 8  |Color pattern|50  |0,0,80,100 |-          |0 1 157 157 196   |30772  |4add8807bc4ef30c
Gray 8  |Grid         |50  |0,0,80,100 |-          |0 1 157 157 196   |30772  |428a23fc54dd9484
Gray 1  |Solid black  |50  |0,0,80,100 |-          |0 1 20 157 196    |3920   |73e876ea32e26f55
Gray 1  |Solid white  |50  |0,0,80,100 |-          |0 1 20 157 196    |3920   |68759c7aeaec0873
Gray 1  |Color pattern|50  |0,0,80,100 |-          |0 1 20 157 196    |3920   |63b4a7c2a1b2c70a
Gray 1  |Grid         |50  |0,0,61,100 |-          |0 1 15 120 196    |2940   |8ebcbfa3ecba42b5
Gray 1  |Color pattern|37  |3,5,14,60  |-          |0 1 2 16 80       |160    |17b5a62bf0be8eab
Gray 16 |Color pattern|100 |0,0,80,100 |-          |0 1 628 314 393   |246804 |3114e270c1d748ee
Gray 16 |Color pattern|100 |0,0,80,100 |inverted   |0 1 628 314 393   |246804 |de1332d14cd5ed7c
Gray 16 |Grid         |75  |0,0,80,100 |-          |0 1 472 236 295   |139240 |5544ae05b5b13ce8
Color 8 |Color pattern|50  |0,0,80,100 |-          |1 1 471 157 196   |92316  |8f713271e4b67e39
Color 8 |Grid         |33  |0,0,80,100 |-          |1 1 309 103 129   |39861  |f8121ccda28a6df6
Color 8 |Color pattern|50  |0,0,80,100 |loss 5     |1 1 471 152 196   |92316  |8f713271e4b67e39
Color 8 |Color pattern|50  |80,100,0,0 |-          |1 1 471 157 196   |92316  |8f713271e4b67e39
Color 1 |Color pattern|77  |0,0,80,100 |-          |1 1 93 242 303    |28179  |80f35e053162c4d0
Color 1 |Grid         |50  |0,0,61,100 |-          |1 1 45 120 196    |8820   |c54e3d6ce60c3112
Color 1 |Solid black  |50  |0,0,80,100 |-          |1 1 60 157 196    |11760  |e9e907f66e3c2775
Color 16|Color pattern|300 |0,0,70,30  |-          |1 1 4956 826 354  |1754424|63ad4171d91481f9
Color 16|Color pattern|300 |0,0,70,30  |inverted   |1 1 4956 826 354  |1754424|6b2f17e4e156718a
Color 8 |Color pattern|50  |0,0,80,100 |order GRB 1|3 0 157 157 196   |30772  |e285fb65fed5a193
Color 8 |Color pattern|50  |0,0,80,100 |order GRB 2|2 0 157 157 196   |30772  |0965e69e53bf0fd7
Color 8 |Color pattern|50  |0,0,80,100 |order GRB 3|4 1 157 157 196   |30772  |4b20ba1cc01b4df7
Color 1 |Color pattern|50  |0,0,61,30  |order RGB 1|2 0 15 120 59     |885    |b1a5a3a0f3763199
Color 1 |Color pattern|50  |0,0,61,30  |order RGB 2|3 0 15 120 59     |885    |791e5570343d4632
Color 1 |Color pattern|50  |0,0,61,30  |order RGB 3|4 1 15 120 59     |885    |bc6592f7a7a911bb
Color 1 |Grid         |50  |0,0,61,30  |order RGB 1|2 0 15 120 59     |885    |d195b0e1e43e0eb2
Color 1 |Grid         |50  |0,0,61,30  |order RGB 2|3 0 15 120 59     |885    |d195b0e1e43e0eb2
Color 1 |Grid         |50  |0,0,61,30  |order RGB 3|4 1 15 120 59     |885    |d195b0e1e43e0eb2
Color 16|Color pattern|300 |0,0,70,30  |order BGR 1|4 0 1652 826 354  |584808 |7613f4c1832d8caa
Color 16|Color pattern|300 |0,0,70,30  |order BGR 2|3 0 1652 826 354  |584808 |7ab9a51fb0eb7f6e
Color 16|Color pattern|300 |0,0,70,30  |order BGR 3|2 1 1652 826 354  |584808 |0c9bdfe459fa69fb
Color 1 |Solid black  |50  |0,0,10,10  |order RGB 1|2 0 3 19 19       |57     |65a16cb7861335d5
Color 1 |Solid black  |50  |0,0,10,10  |order RGB 2|3 0 3 19 19       |57     |65a16cb7861335d5
Color 1 |Solid black  |50  |0,0,10,10  |order RGB 3|4 1 3 19 19       |57     |65a16cb7861335d5
Gray 8  |Grid         |30  |hand       |-          |0 1 129 129 -1    |25800  |950b8248d8ceb434
Color 8 |Color pattern|30  |hand       |-          |1 1 387 129 -1    |77400  |1b9ca6b157cc1e7a
Gray 8  |Grid         |1200|0,0,25,25  |-          |0 1 1181 1181 1181|1394761|85e13866f3f331a7
Gray 8  |Grid         |1   |0,0,200,200|-          |0 1 7 7 7         |49     |655e94d40672b39c
Gray 8  |Color pattern|1   |10,10,10,10|-          |0 1 1 1 1         |1      |a25513c7e0f6eaa8
Gray 8  |Color pattern|200 |0,0,200,20 |-          |0 1 1574 1574 157 |247118 |0822a138f5c8142f
"""


def parameters(mode: str, depth: int, dpi: float, box: str, option: str) -> tuple[Parameters, int]:
    """Return the frame's parameters and how many lines it really has, by section 3."""
    hand = box == "hand"
    x0, y0, x1, y1 = (0, 0, 110, 170) if hand else (int(mm) for mm in box.split(","))
    height = int(dpi * (max(y0, y1) - min(y0, y1)) / 25.4)
    height = height if hand else max(1, height)
    width = max(1, int(dpi * (max(x0, x1) - min(x0, x1)) / 25.4))
    format, last = (FRAME_GRAY if mode == "Gray" else FRAME_RGB), True
    if option.startswith("order"):
        _, order, number = option.split()
        letter = order[int(number) - 1]
        format = {"R": FRAME_RED, "G": FRAME_GREEN, "B": FRAME_BLUE}[letter]
        last = number == "3"
    loss = int(option.split()[1]) if option.startswith("loss") else 0
    params = frame_of(format, depth, width, -1 if hand else height, loss)
    params.last_frame = last
    return params, height


def frame_of(format: int, depth: int, width: int, lines: int, loss: int = 0) -> Parameters:
    row = (width + 7) // 8 if depth == 1 else width * ((depth + 7) // 8)
    bytes_per_line = row * (3 if format == FRAME_RGB else 1)
    return Parameters(format, max(1, width - loss), lines, depth, bytes_per_line=bytes_per_line)


def all_bytes(picture: Picture, size: int) -> bytes:
    data = bytearray(size)
    assert PictureStream(picture, size, -1).read_into(memoryview(data)) == size
    return bytes(data)


def show(name: str, params: Parameters, dpi: float, lines: int, *, low_first: bool = True) -> bytes:
    picture = make_picture(name, params, dpi, swap_bytes=low_first == BIG_ENDIAN)
    return all_bytes(picture, lines * params.bytes_per_line)


def lines_of(data: bytes, params: Parameters) -> list[bytes]:
    return [data[i : i + params.bytes_per_line] for i in range(0, len(data), params.bytes_per_line)]


# The reference: every byte of a line by itself, from the tables of sections 4.1 to 4.3.

Line = list[int | None]


def reference(name: str, params: Parameters, dpi: float, y: int, *, low_first: bool = True) -> Line:
    if name == "Grid":
        return grid_line(params, dpi, y)
    if name == "Color pattern":
        by_depth = {1: pattern_1, 8: pattern_8, 16: pattern_16}
        return by_depth[params.depth](params, y, low_first)
    value = 0xFF if name == "Solid white" else 0
    if params.format == FRAME_GRAY and params.depth == 1:
        value = 0xFF - value
    return [value] * params.bytes_per_line


def grid_line(params: Parameters, dpi: float, y: int) -> Line:
    s = 10.0 * dpi / 25.4
    m = y % int(2 * s + 0.5)
    row = 1 if m > int(s + 0.5) else 0
    line: Line = []
    if params.depth == 1:
        for group in range(params.bytes_per_line // params.channels):
            if 8 * group + 8 > params.pixels_per_line:
                line += [PADDING] * params.channels
                continue
            byte = 0
            for x in range(8 * group, 8 * group + 8):
                dark = int(x / s) % 2 ^ row
                byte = 2 * byte + (1 - dark if params.format == FRAME_RGB else dark)
            line += [byte] * params.channels
        return line
    step = params.channels * (2 if params.depth == 16 else 1)
    for x in range(params.bytes_per_line // step):
        dark = int(x / s) % 2 ^ row
        pixel = 0x00 if dark else 0xFF
        line += [pixel if x < params.pixels_per_line else PADDING] * step
    return line


def pattern_1(params: Parameters, y: int, low_first: bool) -> Line:
    m = y % 32
    line: Line = []
    for b in range(params.bytes_per_line // params.channels):
        if params.format == FRAME_GRAY:
            line.append(0xFF if (b // 2 + (1 if m >= 16 else 0)) % 2 else 0x00)
            continue
        k = b // 2
        c = k % 8 if m < 16 else (7 - k) % 8
        red, green, blue = (0xFF if c & bit else 0 for bit in (4, 2, 1))
        line += {
            FRAME_RGB: [red, green, blue],
            FRAME_RED: [red],
            FRAME_GREEN: [green],
            FRAME_BLUE: [blue],
        }[params.format]
    return line


def pattern_8(params: Parameters, y: int, low_first: bool) -> Line:
    m = y % (10 if params.format == FRAME_GRAY else 30)
    line: Line = []
    for x in range(params.bytes_per_line // params.channels):
        pixel = [0, 0, 0]
        k = (x // 5) & 255
        pixel[m // 10] = 255 - k if m // 5 % 2 else k
        if x % 5 == 0 or m % 5 == 0:
            pixel = [0x55] * 3
        line += own_channels(params.format, pixel)
    return line


def pattern_16(params: Parameters, y: int, low_first: bool) -> Line:
    m = y % 260
    line: Line = []
    for x in range(params.bytes_per_line // (2 * params.channels)):
        pixel = [0, 0, 0]
        channel = 0 if params.format == FRAME_GRAY else x // 260 % 3
        pixel[channel] = 256 * (x % 260 - 4) + (m - 4)
        if x % 260 < 4 or m < 4:
            pixel = [0x5555] * 3
        for sample in own_channels(params.format, pixel):
            line += sample.to_bytes(2, "little" if low_first else "big")
    return line


def own_channels(format: int, pixel: list[int]) -> list[int]:
    if format == FRAME_RGB:
        return pixel
    return [pixel[{FRAME_GRAY: 0, FRAME_RED: 0, FRAME_GREEN: 1, FRAME_BLUE: 2}[format]]]


def same(line: bytes, expected: Line) -> bool:
    return len(line) == len(expected) and all(
        want is PADDING or got == want for got, want in zip(line, expected, strict=True)
    )


@pytest.mark.parametrize("row", GOLDEN.strip().splitlines())
def test_picture_has_the_golden_bytes(row: str) -> None:
    kind, name, dpi, box, option, described, size, digest = (x.strip() for x in row.split("|"))
    mode, depth = kind.split()
    params, lines = parameters(mode, int(depth), float(dpi), box, option)
    fields = (params.format, params.last_frame, params.bytes_per_line, params.pixels_per_line)
    assert [*map(int, fields), params.lines] == [int(x) for x in described.split()]
    data = show(name, params, float(dpi), lines, low_first=option != "inverted")
    assert len(data) == int(size)
    assert hashlib.sha256(data).hexdigest()[:16] == digest


@settings(max_examples=150)
@given(
    name=st.sampled_from(NAMES),
    format=st.sampled_from(FORMATS),
    depth=st.sampled_from((1, 8, 16)),
    dpi=st.one_of(st.integers(1, 1200), st.floats(0.64, 1200)),
    width=st.integers(1, 1700),
    loss=st.integers(-3, 20),
    lines=st.lists(st.integers(0, 2100), min_size=1, max_size=4),
    low_first=st.booleans(),
)
def test_picture_agrees_with_the_formulas(
    name: str,
    format: int,
    depth: int,
    dpi: float,
    width: int,
    loss: int,
    lines: list[int],
    low_first: bool,
) -> None:
    params = frame_of(format, depth, width, 2101, loss)
    shown = lines_of(show(name, params, dpi, max(lines) + 1, low_first=low_first), params)
    for y in lines:
        assert same(shown[y], reference(name, params, dpi, y, low_first=low_first)), y


# Widths at which the columns (k + 1) * s fall on, or next to, a whole pixel.
@pytest.mark.parametrize("dpi", [0.64, 1, 2.54, 25.4, 127, 254, 300, 635, 1016, 1200, 32767])
def test_grid_columns_follow_the_unrounded_square(dpi: float) -> None:
    params = frame_of(FRAME_GRAY, 8, int(dpi * 200 / 25.4), 1)
    shown = show("Grid", params, dpi, 1)
    assert same(shown, reference("Grid", params, dpi, 0))


@pytest.mark.parametrize("depth", [1, 8, 16])
@pytest.mark.parametrize("format", FORMATS)
def test_grid_without_padding_is_not_random(format: int, depth: int) -> None:
    params = frame_of(format, depth, 64, 40)
    for y, line in enumerate(lines_of(show("Grid", params, 40, 40), params)):
        assert bytes(x for x in grid_line(params, 40, y) if x is not None) == line


@pytest.mark.parametrize(
    ("format", "depth", "width", "loss"),
    [
        (FRAME_GRAY, 1, 157, 0),
        (FRAME_RGB, 1, 157, 0),
        (FRAME_RGB, 1, 6, 0),
        (FRAME_GRAY, 1, 160, 37),
        (FRAME_GRAY, 8, 100, 99),
        (FRAME_RED, 8, 100, 5),
        (FRAME_RGB, 8, 100, 5),
        (FRAME_GRAY, 16, 100, 5),
        (FRAME_RGB, 16, 100, 128),
    ],
)
def test_grid_padding_repeats_with_the_grid(format: int, depth: int, width: int, loss: int) -> None:
    params = frame_of(format, depth, width, 60, loss)
    period = 31  # trunc(2 * 15.748 + 0.5) at 40 dpi
    lines = lines_of(show("Grid", params, 40, 3 * period), params)
    assert lines[:period] == lines[period : 2 * period] == lines[2 * period :]


@pytest.mark.parametrize("depth", [1, 8, 16])
@pytest.mark.parametrize("format", FORMATS)
def test_grid_padding_differs_by_line_and_by_frame(format: int, depth: int) -> None:
    params = frame_of(format, depth, 200, 31, 100)
    first = lines_of(show("Grid", params, 40, 31), params)
    again = lines_of(show("Grid", params, 40, 31), params)
    assert len(set(first)) == 31
    assert first != again


@pytest.mark.parametrize("loss", range(8))
def test_grid_padding_of_one_bit_starts_at_the_pixel(loss: int) -> None:
    params = frame_of(FRAME_GRAY, 1, 16, 31, loss)
    kept = 0xFFFF << loss
    whole = frame_of(FRAME_GRAY, 1, 16, 31)
    pairs = zip(
        lines_of(show("Grid", params, 40, 31), params),
        lines_of(show("Grid", whole, 40, 31), whole),
        strict=True,
    )
    for line, plain in pairs:
        assert int.from_bytes(line, "big") & kept == int.from_bytes(plain, "big") & kept


@pytest.mark.parametrize(("depth", "pixel_bytes"), [(1, 3), (8, 3), (16, 6)])
def test_grid_padding_is_gray_in_colour_frames(depth: int, pixel_bytes: int) -> None:
    params = frame_of(FRAME_RGB, depth, 64, 31, 20)
    for line in lines_of(show("Grid", params, 40, 31), params):
        pixels = [line[i : i + pixel_bytes] for i in range(0, len(line), pixel_bytes)]
        assert all(len(set(pixel)) == 1 for pixel in pixels)


@pytest.mark.parametrize("depth", [12, 15, 24])
def test_grid_of_an_odd_depth_is_random_right_of_pixels_per_line_bytes(depth: int) -> None:
    params = frame_of(FRAME_RGB, depth, 50, 31)
    for y, line in enumerate(lines_of(show("Grid", params, 40, 31), params)):
        assert same(line, grid_line(params, 40, y))
        assert len(set(line[150:])) > 2


@pytest.mark.parametrize("depth", [4, 12])
def test_solid_works_at_every_depth(depth: int) -> None:
    params = frame_of(FRAME_GRAY, depth, 50, 3)
    assert set(show("Solid white", params, 50, 3)) == {0xFF}


@pytest.mark.parametrize("name", NAMES)
def test_line_without_bytes_is_refused(name: str) -> None:
    params = Parameters(FRAME_GRAY, 1, 1, 0, bytes_per_line=0)
    with pytest.raises(errors.Invalid, match="line of 0 bytes"):
        make_picture(name, params, 50, swap_bytes=False)


@pytest.mark.parametrize("depth", [4, 12])
def test_color_pattern_of_an_odd_depth_is_refused(depth: int) -> None:
    with pytest.raises(errors.Invalid, match=f"depth {depth}"):
        make_picture("Color pattern", frame_of(FRAME_GRAY, depth, 9, 1), 50, swap_bytes=False)


@pytest.mark.parametrize("dpi", [50 / 65536, 0.634, 0.0, -50.0])
def test_grid_without_lines_is_refused(dpi: float) -> None:
    with pytest.raises(errors.Invalid, match="pixels per square"):
        make_picture("Grid", frame_of(FRAME_GRAY, 8, 1, 1), dpi, swap_bytes=False)
