"""The code of docs/driver-guide.md, chapter "The image", as it is written there."""

from __future__ import annotations

import random
import re
import textwrap
from array import array
from typing import Any

import pytest

from sane import option
from sane.backend import FRAME_GRAY, FRAME_RGB, Device, Parameters, image
from sane.handle import Handle
from tests import ROOT

from .devices import frame, picture, stream
from .documents import png

TEXT = (ROOT / "docs" / "driver-guide.md").read_text(encoding="utf-8")
CHAPTER = TEXT[TEXT.index("## The image") :]
BLOCKS = re.findall(r"```python\n(.*?)```", CHAPTER, re.DOTALL)


def block(word: str) -> str:
    """Return the one block of the chapter that has *word*."""
    (found,) = [text for text in BLOCKS if word in text]
    return str(found)


SCAN, DEPTH, CALIBRATION = block("stagger="), block("option.depth"), block("shading.medians")


def test_the_scan() -> None:
    names: dict[str, Any] = {"image": image}
    exec(SCAN, names)
    rows = picture(9, 30, 3, 8)
    data = stream(rows, 8, channels=3, plane_lines=1, padding=2, stagger=(16, 8, 0))
    pieces = [data[at : at + 50] for at in range(0, len(data), 50)]

    class Device:
        start, read_into = names["start"], names["read_into"]

        def parameters(self) -> Parameters:
            return Parameters(FRAME_RGB, 9, 31)

        def receive(self) -> bytes:
            return pieces.pop(0) if pieces else b""

    device, out, view = Device(), b"", memoryview(bytearray(40))
    device.start()
    while n := device.read_into(view):
        out += view[:n]
    assert out == frame(rows, 8) + b"\xff" * 27


def test_the_page_in_a_file_format() -> None:
    pixels = [[(x * y,) for x in range(12)] for y in range(9)]
    data = png(pixels, 8, 0)
    pieces = [data[at : at + 20] for at in range(0, len(data), 20)]

    class Device:
        page: Any

        def receive(self) -> bytes:
            return pieces.pop(0) if pieces else b""

    device = Device()
    names: dict[str, Any] = {"image": image, "self": device, "width_px": 12, "lines": 9}
    exec(block("image.Document("), names | {"channels": 1, "depth": 8}, names)
    out, view = b"", memoryview(bytearray(40))
    while n := names["read_into"](device, view):
        out += view[:n]
    assert out == bytes(value for row in pixels for (value,) in row)


@pytest.mark.parametrize(("depth", "expected"), [(8, b"\x12\x34"), (16, array("H", [0x1234]))])
def test_the_depths(depth: int, expected: bytes | array[int]) -> None:
    head = (
        "class Told(Device):\n"
        "    resolution = option.resolution(100)\n"
        "    area = option.scan_area(width=10, height=10)\n"
        "    def read_into(self, view): return self.lines.read_into(view)\n"
        "    def close(self): pass\n"
    )
    names: dict[str, Any] = {"option": option, "Parameters": Parameters, "Device": Device}
    names |= {"FRAME_GRAY": FRAME_GRAY, "image": image}
    exec(head + textwrap.indent(DEPTH, "    "), names)
    device = names["Told"]()
    handle = Handle(device)
    (item,) = [one for one in handle.options.declared if one.name == "depth"]
    handle.set(item.index, item.encode(depth))
    handle.start()
    frame_bytes = handle.parameters().frame_bytes
    device.lines.feed(b"\x12\x34" * (frame_bytes // 2))
    view = memoryview(bytearray(frame_bytes))
    assert handle.read(view) > 0
    assert bytes(view[:2]) == bytes(expected)
    handle.close()


def test_the_calibration() -> None:
    source, width = random.Random(1), 40
    white = [source.randint(40000, 50000) for _ in range(3 * width)]
    names: dict[str, Any] = {
        "image": image,
        "width": width,
        "dark_lines": memoryview(array("H", [500] * 3 * width * 3).tobytes()),
        "white_lines": memoryview(array("H", white * 5).tobytes()),
        "rows": memoryview(bytearray(array("H", white).tobytes())),
    }
    exec(CALIBRATION, names)
    values = set(names["rows"].cast("H"))
    assert min(values) > 62000
    assert max(values) - min(values) < 20
    assert len(names["upload"]) == 6 * width


def test_the_table_names_what_layouts_take() -> None:
    table = CHAPTER[CHAPTER.index("| the scanner") : CHAPTER.index("Bytes beyond")]
    found = set(re.findall(r"[`, (](\w+)=", table)) - {"channels"}
    assert found < set(vars(image.Layout(4))), found
