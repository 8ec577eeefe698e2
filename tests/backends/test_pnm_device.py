"""The pnm backend without C: options, files, conversions and states (specification, 7 and 8).

Numbers in comments are those of the compatibility checklist.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sane import const, errors
from sane.backend import Context
from sane.config import Environment
from sane.dll.registry import registry_for
from sane.handle import Handle

INEXACT, OPTIONS, PARAMS = 1, 2, 4
FILENAME, RESOLUTION, BRIGHTNESS, CONTRAST, GRAYIFY, THREE_PASS, HAND = 2, 3, 5, 6, 7, 8, 9
RESET, READ_ONLY, CUSTOM_GAMMA, GRAY_TABLE, RED_TABLE, STATUS = 10, 11, 13, 14, 15, 19
FORCED = {
    20: errors.EndOfFrame,
    21: errors.Jammed,
    22: errors.NoDocs,
    23: errors.CoverOpen,
    24: errors.DeviceIOError,
    25: errors.NoMemory,
    26: errors.AccessDenied,
}
IDENTITY = tuple(range(256))


def words(*values: int) -> bytes:
    return struct.pack(f"={len(values)}i", *values)


def pattern(size: int) -> bytes:
    return bytes(37 * i % 256 for i in range(size))


class Pnm:
    """The backend, its open handle, and a folder of images."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        environment = Environment({"SANE_CONFIG_DIR": str(folder)})
        self.registry: Any = registry_for("pnm", Context(environment))
        self.handle: Handle = self.registry.open("0")

    def load(self, content: bytes) -> None:
        """Write a file and choose it."""
        file = self.folder / "image"
        file.write_bytes(content)
        self.set(FILENAME, str(file).encode() + b"\0")

    def set(self, index: int, data: bytes | int) -> int:
        return self.handle.set(index, words(data) if isinstance(data, int) else data)[1]

    def read(self, size: int = 1 << 16) -> bytes:
        data = bytearray(size)
        return bytes(data[: self.handle.read(memoryview(data))])

    def read_all(self, size: int = 1 << 16) -> bytes:
        data = b""
        while True:
            try:
                data += self.read(size)
            except errors.EndOfFrame:
                return data

    def scan(self, content: bytes, size: int = 1 << 16) -> bytes:
        """Scan *content* as a job of its own."""
        self.load(content)
        self.handle.start()
        data = self.read_all(size)
        self.handle.cancelled()
        return data


@pytest.fixture
def pnm(tmp_path: Path) -> Iterator[Pnm]:
    found = Pnm(tmp_path)
    yield found
    found.handle.cancelled()
    found.handle.close()
    found.registry.exit()


def outcome(call: Callable[[], object]) -> object:
    try:
        call()
    except errors.SaneError as exc:
        return next(cls for cls in type(exc).__mro__ if cls in errors.BY_STATUS.values())
    return None


def p6(data: bytes, width: int) -> bytes:
    return b"P6\n%d %d\n255\n" % (width, len(data) // 3 // width) + data


def p5(data: bytes, width: int) -> bytes:
    return b"P5\n%d %d\n255\n" % (width, len(data) // width) + data


# Devices and options


def test_there_are_two_names_for_one_device(pnm: Pnm) -> None:  # 51
    listed = pnm.registry.get_devices()
    rest = ("Noname", "PNM file reader", "virtual device")
    assert [(d.name, d.vendor, d.model, d.type) for d in listed] == [("0", *rest), ("1", *rest)]
    for name in ("", "0", "1"):
        assert outcome(partial(pnm.registry.open, name)) is errors.DeviceBusy
    from sane.backends.pnm import Backend

    assert Backend.version == (1, 0, 9)


@pytest.mark.parametrize("name", [None, "2", "00", "x", " 0"])
def test_other_names_are_invalid(pnm: Pnm, name: str | None) -> None:
    assert outcome(lambda: pnm.registry.open(name)) is errors.Invalid


def test_there_are_27_options(pnm: Pnm) -> None:  # 52
    assert pnm.handle.get(0) == words(27)
    assert len(pnm.handle.options) == 27
    groups = [o.index for o in pnm.handle.options.declared if o.type == const.TYPE_GROUP]
    assert groups == [1, 4, 12, 18]


SETS = [  # 52, 53
    (RESOLUTION, words(75), words(75), 0),
    (RESOLUTION, words(82), words(75), INEXACT),
    (RESOLUTION, words(83), words(90), INEXACT),
    (RESOLUTION, words(1000), words(300), INEXACT),
    (BRIGHTNESS, words(0), words(0), 0),
    (BRIGHTNESS, words(200 << 16), words(100 << 16), INEXACT),
    (GRAYIFY, words(0), words(0), OPTIONS | PARAMS),
    (GRAYIFY, words(1), words(1), OPTIONS | PARAMS),
    (THREE_PASS, words(0), words(0), PARAMS),
    (HAND, words(0), words(0), PARAMS),
    (CUSTOM_GAMMA, words(0), words(0), OPTIONS),
    (STATUS, words(1), words(1), OPTIONS),
    (FILENAME, b"\0", b"\0", PARAMS),
]


@pytest.mark.parametrize(("index", "given", "effective", "info"), SETS)
def test_set_reports_its_bits_even_without_a_change(
    pnm: Pnm, index: int, given: bytes, effective: bytes, info: int
) -> None:
    assert pnm.handle.set(index, given) == (effective, info)
    assert pnm.handle.get(index) == effective


def test_automatic_is_for_the_resolution(pnm: Pnm) -> None:  # 53
    pnm.set(RESOLUTION, 300)
    assert pnm.handle.set_auto(RESOLUTION) == PARAMS
    assert pnm.handle.get(RESOLUTION) == words(75)
    others = [index for index in range(27) if index != RESOLUTION]
    assert {outcome(partial(pnm.handle.set_auto, index)) for index in others} == {errors.Invalid}


@pytest.mark.parametrize("index", [0, 1, RESET])
def test_an_unknown_action_does_nothing(pnm: Pnm, index: int) -> None:  # 52
    assert pnm.handle.access(index, 7) is None


def test_a_file_name_that_is_too_long_is_no_memory(pnm: Pnm) -> None:
    before = pnm.handle.get(FILENAME)
    assert outcome(lambda: pnm.set(FILENAME, b"x" * 4096 + b"\0")) is errors.NoMemory
    assert pnm.handle.get(FILENAME) == before
    assert outcome(lambda: pnm.set(FILENAME, b"x" * 4095 + b"\0")) is None


def test_the_button_resets_the_enhancements(pnm: Pnm) -> None:
    pnm.set(BRIGHTNESS, 5 << 16)
    pnm.set(CONTRAST, -5 << 16)
    assert pnm.set(RESET, b"") == OPTIONS
    assert pnm.handle.get(BRIGHTNESS) == pnm.handle.get(CONTRAST) == words(0)


def test_gamma_tables_follow_two_switches(pnm: Pnm) -> None:  # 62
    def active() -> set[int]:
        return {o.index for o in pnm.handle.options.declared if pnm.handle.options.is_active(o)} & {
            14,
            15,
            16,
            17,
        }

    assert active() == set()
    pnm.set(CUSTOM_GAMMA, 1)
    assert (active(), pnm.handle.get(READ_ONLY)) == ({15, 16, 17}, words(100))
    pnm.set(GRAYIFY, 1)
    assert active() == {14}
    pnm.set(CUSTOM_GAMMA, 0)
    assert (active(), pnm.handle.get(READ_ONLY)) == (set(), words(0))
    assert outcome(lambda: pnm.set(READ_ONLY, 5)) is errors.Invalid


def test_forced_statuses_exclude_each_other(pnm: Pnm) -> None:  # 60
    def chosen() -> list[int]:
        return [index for index in range(STATUS, 27) if pnm.handle.get(index) == words(1)]

    assert chosen() == [STATUS]
    pnm.set(22, 1)
    assert chosen() == [22]
    pnm.set(26, 1)
    assert chosen() == [26]
    pnm.set(26, 0)
    assert chosen() == []


# Files and parameters

FILES = [  # 54
    (b"P4\n9 2\n" + b"\xaa" * 4, (0, True, 2, 9, 2, 1)),
    (b"P5\n3 2\n255\n" + b"abcdef", (0, True, 3, 3, 2, 8)),
    (b"P6\n2 1\n255\n" + b"abcdef", (1, True, 6, 2, 1, 8)),
    (b"# a\n#b\nP5 anything\n# c\n3 2 anything\n#d\nmaximum\nabcdef", (0, True, 3, 3, 2, 8)),
    (b"P5\n3 2\n65535\nabcdef", (0, True, 3, 3, 2, 8)),
]


@pytest.mark.parametrize(("content", "params"), FILES)
def test_a_file_has_parameters_and_data(pnm: Pnm, content: bytes, params: tuple[int, ...]) -> None:
    pnm.load(content)
    assert pnm.handle.parameters().as_tuple() == params
    rest = content[-4:] if params[5] == 1 else b"abcdef"
    assert pnm.scan(content) == rest


BROKEN = [
    *(b"P%d\n2 1\n255\n1 2 3 4 5 6\n" % kind for kind in (1, 2, 3, 7)),
    *(b"", b"\n", b" P5\n3 2\n255\nabcdef", b"GIF89a", b"P5", b"P5\n", b"P5\nwide\n255\n"),
    *(b"#only\n#comments\n", b"P", b"\0" * 100),
]


@pytest.mark.parametrize("content", BROKEN)
def test_what_is_no_image_is_invalid(pnm: Pnm, content: bytes) -> None:  # 54, 55
    pnm.load(content)
    with pytest.raises(errors.Invalid) as caught:
        pnm.handle.parameters()
    assert caught.value.parameters is not None
    assert caught.value.parameters.as_tuple() == (const.FRAME_RGB, False, 0, 0, 0, 8)
    assert outcome(pnm.handle.start) is errors.Invalid
    assert outcome(pnm.read) is errors.Cancelled


def test_a_missing_file_keeps_the_format_of_the_last(pnm: Pnm) -> None:  # 55
    pnm.load(b"P5\n3 2\n255\nabcdef")
    pnm.handle.parameters()
    pnm.set(FILENAME, b"/nowhere/at/all\0")
    with pytest.raises(errors.Invalid) as caught:
        pnm.handle.parameters()
    assert caught.value.parameters is not None
    assert caught.value.parameters.as_tuple() == (const.FRAME_GRAY, True, 0, 0, 0, 8)


@pytest.mark.parametrize("name", [".", "/dev/null", "/dev/zero"])
def test_only_regular_files_are_images(pnm: Pnm, name: str) -> None:
    pnm.set(FILENAME, name.encode() + b"\0")
    assert outcome(pnm.handle.start) is errors.Invalid


def test_everything_up_to_the_end_is_delivered(pnm: Pnm) -> None:  # 56
    assert pnm.scan(b"P5\n2 2\n255\n" + pattern(100)) == pattern(100)
    assert pnm.scan(b"P5\n50 2\n255\n" + pattern(30)) == pattern(30)
    assert pnm.scan(b"P5\n0 -5\n255\n" + pattern(30)) == pattern(30)


def test_a_hand_scanner_does_not_tell_the_height(pnm: Pnm) -> None:
    pnm.set(HAND, 1)
    pnm.load(p5(pattern(6), 3))
    assert pnm.handle.parameters().lines == -1


# States


def test_every_second_start_ends_the_job(pnm: Pnm) -> None:  # 57
    pnm.load(p6(pattern(30), 2))
    found = [outcome(pnm.handle.start) for _ in range(4)]
    assert found == [None, errors.EndOfFrame, None, errors.EndOfFrame]
    assert outcome(pnm.read) is errors.Cancelled


@pytest.mark.parametrize("content", [p6(pattern(30), 2), p5(pattern(30), 2)])
def test_three_passes_are_three_starts(pnm: Pnm, content: bytes) -> None:  # 57
    pnm.load(content)
    pnm.set(THREE_PASS, 1)
    found = [outcome(pnm.handle.start) for _ in range(6)]
    end = errors.EndOfFrame
    assert found == [None, None, None, end, None, end]
    pnm.handle.cancelled()
    assert [outcome(pnm.handle.start) for _ in range(4)] == [None, None, None, end]


def test_reads_without_a_file_are_cancelled(pnm: Pnm) -> None:  # 63
    assert outcome(pnm.read) is errors.Cancelled
    pnm.load(p5(pattern(30), 3))
    pnm.handle.start()
    pnm.read(5)
    pnm.handle.cancelled()
    for _ in range(2):
        assert outcome(pnm.read) is errors.Cancelled


def test_the_end_stays_until_cancel(pnm: Pnm) -> None:
    pnm.load(p5(pattern(30), 3))
    pnm.handle.start()
    assert pnm.read(30) == pattern(30)
    for _ in range(3):
        assert outcome(pnm.read) is errors.EndOfFrame


def test_a_read_of_no_bytes_is_an_io_error(pnm: Pnm) -> None:
    pnm.load(p5(pattern(30), 3))
    pnm.handle.start()
    assert outcome(lambda: pnm.read(0)) is errors.DeviceIOError
    assert pnm.read_all() == pattern(30)


def test_options_are_free_during_a_scan(pnm: Pnm) -> None:
    pnm.load(p5(pattern(30), 3))
    pnm.handle.start()
    pnm.read(5)
    assert pnm.set(BRIGHTNESS, 0) == 0
    assert pnm.handle.get(RESOLUTION) == words(75)
    assert pnm.read_all() == pattern(30)[5:]


@pytest.mark.parametrize("index", FORCED)
def test_a_forced_status_consumes_nothing(pnm: Pnm, index: int) -> None:  # 60
    pnm.set(index, 1)
    assert outcome(pnm.read) is errors.Cancelled
    pnm.load(p5(pattern(30), 3))
    pnm.handle.start()
    for _ in range(2):
        assert outcome(pnm.read) is FORCED[index]
    pnm.set(index, 0)
    assert pnm.read(30) == pattern(30)
    assert outcome(pnm.read) is errors.EndOfFrame
    pnm.set(index, 1)
    assert outcome(pnm.read) is errors.EndOfFrame


def test_a_scan_survives_close(pnm: Pnm) -> None:
    pnm.load(p5(pattern(30), 3))
    pnm.handle.start()
    assert pnm.read(10) == pattern(30)[:10]
    pnm.handle.close()
    pnm.handle = pnm.registry.open("1")
    assert pnm.read_all() == pattern(30)[10:]
    assert outcome(pnm.handle.start) is errors.EndOfFrame


def test_io_mode_and_select(pnm: Pnm) -> None:  # 65
    assert outcome(lambda: pnm.handle.set_io_mode(False)) is errors.Invalid
    assert outcome(lambda: pnm.handle.set_io_mode(True)) is errors.Invalid
    assert outcome(pnm.handle.select_fd) is errors.Unsupported
    pnm.load(p5(pattern(30), 3))
    pnm.handle.start()
    assert outcome(lambda: pnm.handle.set_io_mode(False)) is None
    assert outcome(lambda: pnm.handle.set_io_mode(True)) is errors.Unsupported
    assert outcome(pnm.handle.select_fd) is errors.Unsupported


# Conversions

COLOR = pattern(300)


@pytest.mark.parametrize("size", [1, 7, 100, 1 << 16])
def test_grayify_takes_the_mean(pnm: Pnm, size: int) -> None:  # 59
    pnm.set(GRAYIFY, 1)
    pnm.set(THREE_PASS, 1)
    expected = bytes(sum(COLOR[i : i + 3]) // 3 for i in range(0, 300, 3))
    assert pnm.scan(p6(COLOR, 10), size) == expected
    pnm.load(p6(COLOR, 10))
    assert pnm.handle.parameters().as_tuple() == (const.FRAME_GRAY, True, 10, 10, 10, 8)


@pytest.mark.parametrize("size", [1, 7, 1 << 16])
def test_three_frames_are_green_blue_red(pnm: Pnm, size: int) -> None:  # 58
    pnm.set(THREE_PASS, 1)
    pnm.load(p6(COLOR, 10))
    for channel, last in ((1, False), (2, False), (0, True)):
        pnm.handle.start()
        expected = (const.FRAME_RED + channel, last, 10, 10, 10, 8)
        assert pnm.handle.parameters().as_tuple() == expected
        assert pnm.read_all(size) == COLOR[channel::3]


@pytest.mark.parametrize("content", [p5(COLOR, 10), b"P4\n8 300\n" + COLOR])
def test_gray_files_are_not_converted(pnm: Pnm, content: bytes) -> None:  # 59
    pnm.set(GRAYIFY, 1)
    pnm.set(THREE_PASS, 1)
    assert pnm.scan(content) == COLOR


def enhanced(sample: int, brightness: int, contrast: int) -> int:
    """The formula of 7.7; both in raw words."""
    product = (sample - 128) * (contrast + 6553600)
    value = int(math.copysign(abs(product) // 6553600, product))
    return max(0, min(255, value + math.floor(brightness / 65536) + 128))


@pytest.mark.parametrize("brightness", [0, 1, -1, 65535, -65537, 30 << 16, -(100 << 16)])
@pytest.mark.parametrize("contrast", [0, 1, -1, 3276800, -3276801, 100 << 16, -(100 << 16)])
def test_brightness_and_contrast(pnm: Pnm, brightness: int, contrast: int) -> None:  # 61
    pnm.set(BRIGHTNESS, brightness)
    pnm.set(CONTRAST, contrast)
    samples = bytes(range(256))
    expected = bytes(enhanced(sample, brightness, contrast) for sample in samples)
    assert pnm.scan(p5(samples, 16)) == expected
    assert pnm.scan(b"P4\n8 256\n" + samples) == samples


def test_gamma_tables_of_each_kind_of_frame(pnm: Pnm) -> None:  # 62
    def table(add: int) -> bytes:
        return words(*((value + add) % 256 for value in IDENTITY))

    pnm.set(CUSTOM_GAMMA, 1)
    for index, add in ((RED_TABLE, 1), (RED_TABLE + 1, 2), (RED_TABLE + 2, 3)):
        pnm.set(index, table(add))
    expected = bytes((value + i % 3 + 1) % 256 for i, value in enumerate(COLOR))
    for size in (1, 7, 1 << 16):
        assert pnm.scan(p6(COLOR, 10), size) == expected
    assert pnm.scan(p5(COLOR, 10)) == COLOR
    pnm.set(GRAYIFY, 1)
    pnm.set(GRAY_TABLE, table(9))
    assert pnm.scan(p5(COLOR, 10)) == bytes((value + 9) % 256 for value in COLOR)


def test_gamma_tables_are_linear_again_after_open(pnm: Pnm) -> None:
    pnm.set(CUSTOM_GAMMA, 1)
    pnm.set(RED_TABLE, words(*[0] * 256))
    pnm.handle.close()
    pnm.handle = pnm.registry.open("0")
    assert pnm.handle.get(RED_TABLE) == words(*IDENTITY)
    assert pnm.handle.get(CUSTOM_GAMMA) == words(1)


def test_left_over_bytes_are_dropped(pnm: Pnm) -> None:  # 64
    """The original would shift the next scan by them; docs/deviations.md."""
    pnm.set(GRAYIFY, 1)
    assert pnm.scan(b"P6\n1 1\n255\n" + bytes((3, 3, 3, 90, 90))) == bytes((3,))
    assert pnm.scan(p6(bytes((6, 6, 6)), 1)) == bytes((6,))
