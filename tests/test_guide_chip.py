"""The driver of docs/examples whose chip does nothing by itself, on a chip that does as little."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sane.backends
from sane import errors
from sane.chips.calibration import CalibrationFile
from sane.config import Environment
from sane.debug import Debug
from sane.errors import EndOfFrame
from sane.handle import Handle
from sane.testing.machine import Machine
from tests import ROOT
from tests.fakes.scanner import CountingLink
from tests.fakes.usb import fake_usb
from tests.support.handles import put

EXAMPLE = ROOT / "docs" / "examples" / "acmechip.py"
COLORS = (0.5, 0.7, 0.9)  # how much light there is of each
DARK, FULL = 700, 60_000
GRAY = 0.4  # of the page
DEAD = 1200  # a pixel with dust above it


class Chip(Machine):
    """Registers, a motor that arrives at the second look, and a page that is gray all over."""

    def __init__(self) -> None:
        super().__init__()
        self.registers = bytearray(128)
        self.tables: dict[int, bytearray] = {}
        self.place = 0
        self.scans = 0
        self.lamp_works = True
        self.is_stuck = False
        self._looks = 0

    def message(self, data: bytes) -> None:
        kind, register, count = data[0], data[1], int.from_bytes(data[2:4], "big")
        if kind & 1:
            self.reply(self._read(register, count))
        elif register == 6:
            self.tables[self.registers[3]] += data[4:]
        else:
            self.registers[register : register + count] = data[4:]
            if register <= 3 < register + count:
                self.tables[self.registers[3]] = bytearray()
            if register <= 7 < register + count:
                self._command(self.registers[7])

    def _word(self, register: int) -> int:
        return int.from_bytes(self.registers[register : register + 2], "big")

    def _command(self, value: int) -> None:
        self._looks = 0
        if value == 3:
            self.scans += 1
            self._image = b"".join(self._line(n) for n in range(self._word(0x24)))

    def _read(self, register: int, count: int) -> bytes:
        if register == 0:
            data, self._image = self._image[:count], self._image[count:]
            return data
        if register == 2:
            return bytes((self.place == 0,))
        if register == 7 and self.registers[7] in (2, 5) and not self.is_stuck:
            self._looks += 1
            if self._looks > 1:
                self.place = self._word(0x4A) if self.registers[7] == 5 else 0
                self.registers[7] = 0
        return bytes(self.registers[register : register + count])

    def _line(self, number: int) -> bytes:
        """Return the lines of all colours: of 16 bits without gains, else corrected of 8."""
        is_raw = not self.tables.get(1)
        width, left, out = self._word(0x22), self._word(0x20), b""
        for color in range(3 if self.registers[0x26] else 1):
            light = COLORS[color] * FULL * (self.registers[0x29] and self.lamp_works)
            light *= 1.0 if is_raw else GRAY
            for x in range(left, left + width):
                value = int(DARK + light * (0.5 if x == DEAD and is_raw else 1))
                out += (
                    value.to_bytes(2, "big") if is_raw else self._corrected(value, x - left, color)
                )
            out += b"\xaa\xaa"
        return out

    def _corrected(self, value: int, x: int, color: int) -> bytes:
        channels = 3 if self.registers[0x26] else 1
        at = 2 * (x * channels + color)
        offset, gain = (int.from_bytes(self.tables[i][at : at + 2], "big") for i in (0, 1))
        sample = min(65535, max(0, value - offset) * gain >> 14)
        return self.tables[2][4096 * color + (sample >> 4)].to_bytes(1, "big")


class ChipLink(CountingLink):
    is_live = False


@pytest.fixture
def module() -> dict[str, Any]:
    """Return the example as a module among the backends."""
    names: dict[str, Any] = {"__package__": sane.backends.__name__, "__name__": "acmechip"}
    exec(compile(EXAMPLE.read_text(), str(EXAMPLE), "exec"), names)
    return names


def opened(module: dict[str, Any], chip: Chip, kept: CalibrationFile | None = None) -> Handle:
    handle = Handle(module["C1"](fake_usb(ChipLink(chip)), kept))
    for name, value in {"br_x": 110.0, "br_y": 3.0, "tl_x": 95.0}.items():
        put(handle, name, value)
    return handle


def page(handle: Handle) -> bytes:
    handle.start()
    data = bytearray()
    view = memoryview(bytearray(5000))
    while True:
        try:
            n = handle.read(view)
        except EndOfFrame:
            return bytes(data)
        data += view[:n]


def test_a_page_is_even_though_lamps_and_pixels_are_not(module: dict[str, Any]) -> None:
    chip = Chip()
    handle = opened(module, chip)
    assert set(page(handle)) == {int(GRAY * 255)}
    assert set(page(handle)) == {int(GRAY * 255)}
    assert chip.scans == 4  # white and dark only once
    put(handle, "mode", "Gray")
    assert set(page(handle)) == {int(GRAY * 255)}
    handle.close()
    assert not chip.registers[0x29]
    slope = chip.tables[3]
    assert int.from_bytes(slope[-2:], "big") == 4000
    assert len(slope) < 100


def test_what_is_kept_is_used(module: dict[str, Any], tmp_path: Path) -> None:
    debug = Debug("acme", Environment({}))
    for scans in (3, 1):
        chip = Chip()
        kept = CalibrationFile(str(tmp_path / "a.cal"), "acme 1", "A1", debug)
        handle = opened(module, chip, kept)
        assert set(page(handle)) == {int(GRAY * 255)}
        assert chip.scans == scans
        handle.close()


def test_a_dead_lamp_and_a_stuck_motor_are_told(module: dict[str, Any]) -> None:
    chip = Chip()
    handle = opened(module, chip)
    chip.lamp_works = False
    with pytest.raises(errors.DeviceIOError, match="the white strip is dark"):
        handle.start()
    chip.lamp_works = True
    module["MOVE_SECONDS"], chip.is_stuck = 0.05, True
    with pytest.raises(errors.DeviceIOError, match="is still"):
        handle.start()
    assert chip.registers[7] in (0, 2)
    handle.close()
