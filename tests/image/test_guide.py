"""The code of docs/driver-guide.md, chapter "The image", as it is written there."""

from __future__ import annotations

import random
import re
from array import array
from typing import Any

from sane.backend import FRAME_RGB, Parameters, image
from tests.conftest import ROOT

from .devices import frame, picture, stream

TEXT = (ROOT / "docs" / "driver-guide.md").read_text(encoding="utf-8")
CHAPTER = TEXT[TEXT.index("## The image") :]
SCAN, CALIBRATION = re.findall(r"```python\n(.*?)```", CHAPTER, re.DOTALL)[:2]


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
    table = CHAPTER[CHAPTER.index("| the scanner") : CHAPTER.index("Too many bytes")]
    found = set(re.findall(r"[`, (](\w+)=", table)) - {"channels"}
    assert found < set(vars(image.Layout(4))), found
