"""Images as python-sane gives them, and its defects D18 to D29 done right (python-api 5)."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest

import sane
from sane import const, errors
from sane.backend import Parameters
from tests.compat.steps import finishes, set_up
from tests.fakes.device import Fake
from tests.support.old_pillow import refuse_buffers

if TYPE_CHECKING:
    from collections.abc import Callable

    from sane.backend import Device

    Opened = Callable[[Device], sane.SaneDev]

error = errors.error


class Frames(Fake):
    """Frames as they are given, again and again: parameters and bytes."""

    def __init__(self, *frames: tuple[Parameters, bytes]) -> None:
        super().__init__()
        self.frames = frames
        self.place = -1
        self.at = 0

    def parameters(self) -> Parameters:
        return self.frames[max(self.place, 0)][0]

    def start(self) -> None:
        self.note("start")
        self.place = (self.place + 1) % len(self.frames)
        self.at = 0

    def read_into(self, view: memoryview) -> int:
        self.note("read_into")
        piece = self.frames[self.place][1][self.at : self.at + len(view)]
        view[: len(piece)] = piece
        self.at += len(piece)
        return len(piece)


class Told:
    """A progress that notes its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []

    def __call__(self, row: int, rows: int) -> None:
        self.calls.append((row, rows))


# Kinds of frames


@pytest.mark.parametrize("mode", ["Gray", "Color"])
@pytest.mark.parametrize("depth", [1, 8, 16])
def test_the_image_is_the_array_in_8_bits(
    dev: sane.SaneDev, mode: str, depth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D18: at depth 16 the image has the height of the page, and the high byte of each sample."""
    refuse_buffers(monkeypatch)
    set_up(dev, mode=mode, depth=depth, test_picture="Color pattern")
    samples = 3 if mode == "Color" else 1
    array = dev.arr_scan()
    assert array.shape == (59, 157, samples)
    assert array.dtype == (np.uint16 if depth == 16 else np.uint8)
    assert array.flags.writeable and array.flags.c_contiguous
    image = dev.scan()
    assert (image.mode, image.size) == ("RGB" if samples == 3 else "L", (157, 59))
    assert image.format is None and image.info == {}
    expected = array >> 8 if depth == 16 else array
    assert (np.asarray(image).reshape(expected.shape) == expected).all()


def test_a_bit_that_is_set_is_0_in_both_modes(opened: Opened) -> None:
    gray = Parameters(const.FRAME_GRAY, 10, 2, 1)
    device = opened(Frames((gray, b"\xf0\x40\x00\x00")))
    assert device.arr_scan()[:, :, 0].tolist() == [[0] * 4 + [255] * 5 + [0], [255] * 10]
    rgb = Parameters(const.FRAME_RGB, 3, 1, 1)
    device = opened(Frames((rgb, b"\x80\x40\x20")))
    rows = [[[0, 255, 255], [255, 0, 255], [255, 255, 0]]]
    assert device.arr_scan().tolist() == rows
    assert np.asarray(device.scan()).tolist() == rows


PLANES = {
    const.FRAME_RED: b"\x10\x11\x12\x13\x14\x15",
    const.FRAME_GREEN: b"\x20\x21\x22\x23",  # a row less
    const.FRAME_BLUE: b"\x30\x31\x32\x33\x34\x35",
}


@pytest.mark.parametrize("order", [(2, 3, 4), (4, 3, 2), (3, 4, 2)])
def test_three_frames_are_one_image(opened: Opened, order: tuple[int, ...]) -> None:
    """D19: each into its channel, in whatever order; as high as the shortest."""
    frames = [
        (Parameters(format, 2, 3, last_frame=format == order[-1]), PLANES[format])
        for format in order
    ]
    told = Told()
    fake = Frames(*frames)
    array = opened(fake).arr_scan(told)
    assert array.tolist() == [
        [[0x10, 0x20, 0x30], [0x11, 0x21, 0x31]],
        [[0x12, 0x22, 0x32], [0x13, 0x23, 0x33]],
    ]
    assert told.calls == [(row, 9) for row in range(1, 9)]
    assert finishes(fake) == 1


def test_three_frames_of_the_test_device(
    dev: sane.SaneDev, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_buffers(monkeypatch)
    set_up(dev, mode="Color", test_picture="Color pattern")
    for depth in (8, 16):
        dev.depth = depth
        set_up(dev, three_pass=False)
        expected, image = dev.arr_scan(), dev.scan()
        set_up(dev, three_pass=True, three_pass_order="GBR")
        told = Told()
        array = dev.arr_scan(progress=told)
        assert array.shape == expected.shape
        assert told.calls == [(row, 177) for row in range(1, 178)]
        assert (array == expected).all()
        assert dev.scan().tobytes() == image.tobytes()


def test_a_second_frame_of_the_same_colour_is_an_error(opened: Opened) -> None:
    red = Parameters(const.FRAME_RED, 2, 1, last_frame=False)
    fake = Frames((red, b"ab"), (red, b"cd"))
    with pytest.raises(error, match="Invalid frame format"):
        opened(fake).arr_scan()
    assert finishes(fake) == 1


def test_a_frame_that_is_not_the_last_is_an_image_of_its_own(opened: Opened) -> None:
    """D33: as the infrared frame of a film scanner."""
    rgb = Parameters(const.FRAME_RGB, 1, 2, last_frame=False)
    gray = Parameters(const.FRAME_GRAY, 1, 2)
    fake = Frames((rgb, b"abcdef"), (gray, b"gh"))
    device = opened(fake)
    assert device.arr_scan().tobytes() == b"abcdef"
    assert finishes(fake) == 0
    assert device.arr_scan().tobytes() == b"gh"
    assert finishes(fake) == 1


@pytest.mark.parametrize("mode", ["Gray", "Color"])
@pytest.mark.parametrize("depth", [1, 8, 16])
def test_padding_is_dropped(dev: sane.SaneDev, mode: str, depth: int) -> None:
    """D20"""
    set_up(dev, mode=mode, depth=depth, test_picture="Color pattern")
    expected = dev.arr_scan()
    dev.ppl_loss = 9
    lossy = dev.arr_scan()
    assert lossy.shape == (59, 148, expected.shape[2])
    assert (lossy == expected[:, :148]).all()
    narrow = np.asarray(dev.scan()).reshape(lossy.shape)
    assert (narrow == (lossy >> 8 if depth == 16 else lossy)).all()


@pytest.mark.parametrize("lines", [-1, 2, 9])
def test_an_image_has_the_rows_that_have_come(opened: Opened, lines: int) -> None:
    """Whatever the driver promises; D21: the result is as long as they are."""
    params = Parameters(const.FRAME_RGB, 2, lines)
    data = bytes(range(6 * min(lines if lines > 0 else 5, 5) + 4 * (lines != 2)))
    told = Told()
    device = opened(Frames((params, data)))
    whole = len(data) // 6
    device.start()
    found, *shape = device.dev.snap(0, 0, told)
    assert type(found) is bytearray and found == data[: 6 * whole]
    assert shape == [2, whole, 3, 1] and told.calls == [(row, lines) for row in range(1, whole + 1)]
    assert device.arr_scan().shape == (whole, 2, 3)
    assert device.scan().tobytes() == data[: 6 * whole]


class Endless(Fake):
    """One that does not stop where it promised; its frames end where it says."""

    vouches_for_parameters = True
    frame_bytes = -1

    def start(self) -> None:
        self.note("start")
        self.left = 10 * 9


@pytest.mark.parametrize("lines", [0, 4, 8])
def test_more_rows_than_promised_are_kept(opened: Opened, lines: int) -> None:
    fake = Endless()
    fake.lines = lines
    device = opened(fake)
    assert device.arr_scan().shape == (9, 10, 1)
    assert device.scan().size == (10, 9)


class Wide(Endless):
    def parameters(self) -> Parameters:
        return Parameters(const.FRAME_RGB, 1, self.lines)


@pytest.mark.parametrize("lines", [0, 20, 29, 40])
def test_a_colour_image_has_the_rows_that_have_come(opened: Opened, lines: int) -> None:
    fake = Wide()
    fake.lines = lines
    assert opened(fake).scan().tobytes() == b"\x55" * 90


def test_progress_is_told_each_row_of_a_large_image_of_unknown_height(opened: Opened) -> None:
    params = Parameters(const.FRAME_GRAY, 3000, -1)
    device = opened(Frames((params, bytes(3000 * 200))))
    for call in (device.arr_scan, device.scan):
        told = Told()
        call(told)
        assert told.calls == [(row, -1) for row in range(1, 201)]


def test_a_cancel_after_the_last_row_leaves_the_image(dev: sane.SaneDev) -> None:
    def at(last: int) -> Callable[[int, int], None]:
        return lambda row, rows: dev.cancel() if row == last else None

    for _ in range(2):
        assert dev.arr_scan(at(59)).shape == (59, 157, 1)
        assert dev.scan(at(59)).size == (157, 59)
        with pytest.raises(error, match=r"^Operation was canceled$"):
            dev.scan(at(58))
    dev.mode = "Color"
    assert dev.scan(at(59)).size == (157, 59)


@pytest.mark.parametrize("data", [b"", b"abc"])
def test_no_row_at_all_is_told(opened: Opened, data: bytes) -> None:
    for call in ("scan", "arr_scan"):
        fake = Frames((Parameters(const.FRAME_RGB, 2, 3), data))
        device = opened(fake)
        with pytest.raises(RuntimeError, match="Scanner returned no data"):
            getattr(device, call)()
        assert finishes(fake) == 1


class Odd(Fake):
    """One whose parameters nobody has checked, as those of a C driver."""

    vouches_for_parameters = True
    params = Parameters(const.FRAME_GRAY, 10, 4)

    def parameters(self) -> Parameters:
        return self.params


@pytest.mark.parametrize(
    ("params", "text"),
    [
        (Parameters(const.FRAME_GRAY, 10, 4, 12), "Bad pixel depth"),
        (Parameters(11, 10, 4), "Invalid frame format"),
        (Parameters(const.FRAME_GRAY, 10, 4, bytes_per_line=9), "Error during device I/O"),
        (Parameters(const.FRAME_GRAY, 0, 4), "Error during device I/O"),
    ],
)
def test_a_frame_that_is_no_image_is_told(opened: Opened, params: Parameters, text: str) -> None:
    fake = Odd()
    fake.params = params
    device = opened(fake)
    known = 0 <= params.format < 5
    assert device.get_parameters()[0] == ("gray" if known else "unknown format")
    with pytest.raises(error, match=f"^{text}"):
        device.scan()
    assert finishes(fake) == 1


# Memory and parameters


class Large(Fake):
    def parameters(self) -> Parameters:
        return Parameters(const.FRAME_RGB, 2000, 3000)

    def start(self) -> None:
        self.left = 18_000_000

    def read_into(self, view: memoryview) -> int:
        n = min(self.left, len(view))
        self.left -= n
        return n


def test_the_array_is_the_only_copy(opened: Opened) -> None:
    """D22, as tracemalloc sees it: NumPy and bytearrays tell it what they have."""
    device = opened(Large())
    device.start()
    tracemalloc.start()
    try:
        array = device.arr_snap()
        assert tracemalloc.get_traced_memory()[1] < 1.05 * array.nbytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("exc", [MemoryError("no room"), errors.NoMemory("no room")])
def test_lack_of_memory_ends_the_job(opened: Opened, exc: Exception) -> None:
    """D23"""
    fake = Fake()
    device = opened(fake)
    fake.fails["read_into"] = exc
    with pytest.raises((MemoryError, error)):
        device.scan()
    assert finishes(fake) == 1
    fake.fails.clear()
    assert device.scan().size == (10, 4)


class OnlyOnce(Fake):
    """D24: one that tells the parameters of a frame once."""

    vouches_for_parameters = True
    asked = 0

    def start(self) -> None:
        super().start()
        self.asked = 0

    def parameters(self) -> Parameters:
        if self.left:
            self.asked += 1
            if self.asked > 1:
                raise errors.Invalid("asked again")
        return super().parameters()


def test_parameters_are_asked_for_once_in_a_frame(opened: Opened) -> None:
    device = opened(OnlyOnce())
    for _ in range(2):
        device.start()
        assert device.get_parameters() == device.get_parameters() == ("gray", 1, (10, 4), 8, 10)
        assert device.snap().size == (10, 4)
