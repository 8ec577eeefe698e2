"""plustek on an emulated scanner: pictures, options, lamp, buttons, cache."""

from __future__ import annotations

import stat
import time
from pathlib import Path
from typing import Any

import pytest

from sane import errors
from sane.backends.plustek.idle import LampTimer
from sane.testing.plustek import USED, Scanner
from tests.backends.plustek_samples import (
    AREA,
    SMALL,
    cancel,
    device_of,
    opened,
    page,
    read_page,
    set_up,
)
from tests.support.handles import put

# Unit, mode, depth, dpi, pixels at (0, 0), (w - 1, 0), (0, h - 1), (w / 2, h / 2), (100, 50).
# Source: specification plustek 9.3. The last column of the third is white there by mistake.
PICTURES = [
    ("220d", "Color", 8, 300, "81 103 92, 175 103 144, 81 150 120, 136 129 133, 101 111 106"),
    ("220d", "Gray", 8, 125, "105, 105, 149, 129, 122"),
    ("220d", "Gray", 16, 300, "11306, 11306, 22614, 16960, 12848"),
    ("2206", "Color", 8, 300, "85 105 95, 173 105 143, 85 149 121, 136 129 133, 103 112 108"),
]


def pixels(data: bytes, width: int, height: int, channels: int, depth: int) -> str:
    """Return the pixels of PICTURES."""
    samples = memoryview(data).cast("H") if depth > 8 else data
    places = ((0, 0), (width - 1, 0), (0, height - 1), (width // 2, height // 2), (100, 50))
    starts = [(y * width + x) * channels for x, y in places]
    return ", ".join(" ".join(map(str, samples[i : i + channels])) for i in starts)


@pytest.mark.parametrize(("unit", "mode", "depth", "dpi", "wanted"), PICTURES)
def test_pictures_are_those_of_the_original(
    unit: str, mode: str, depth: int, dpi: int, wanted: str
) -> None:
    with opened(unit) as (handle, scanner, _):
        set_up(handle, mode, depth, dpi, AREA)
        parameters, data = page(handle)
        channels = 3 if mode == "Color" else 1
        size = parameters.pixels_per_line, parameters.lines
        assert pixels(data, *size, channels, depth) == wanted
        cancel(handle)
        assert scanner.problems == []
        assert scanner.is_home


@pytest.mark.parametrize(
    ("unit", "mode", "depth", "dpi"),
    [
        ("220d", "Color", 16, 50),
        ("220d", "Color", 8, 1000),
        ("220d", "Lineart", 8, 175),
        ("2207", "Gray", 14, 2400),
        ("220e", "Color", 16, 600),
        ("2220", "Lineart", 8, 100),
    ],
)
def test_all_modes_and_resolutions_have_their_size(
    unit: str, mode: str, depth: int, dpi: int
) -> None:
    with opened(unit, scanner=Scanner(unit, USED)) as (handle, scanner, _):
        set_up(handle, mode, depth, dpi, (20.0, 30.0, 10.0, 3.0), brightness=64)
        parameters, data = page(handle, 7_001)
        assert len(data) == parameters.bytes_per_line * parameters.lines
        assert len(set(data)) > 1
        assert scanner.problems == []


def test_the_next_page_of_the_same_kind_is_not_calibrated_anew() -> None:
    with opened() as (handle, scanner, _):
        set_up(handle)
        _, first = page(handle)
        cancel(handle)
        before = len(scanner.deeds)
        _, second = page(handle)
        cancel(handle)
        assert second == first
        assert len(scanner.deeds) - before <= 3
        set_up(handle, dpi=300)
        page(handle)
        assert len(scanner.deeds) - before > 10
        assert scanner.problems == []


def test_a_head_that_was_left_somewhere_is_brought_home_first() -> None:
    with opened() as (handle, _, _):
        set_up(handle)
        _, wanted = page(handle)
    scanner = Scanner("220d")
    scanner.put(2400)
    with opened(scanner=scanner) as (handle, _, _):
        set_up(handle)
        _, data = page(handle)
        assert data == wanted
        assert scanner.problems == []


def test_brightness_contrast_and_tables_change_the_picture() -> None:
    with opened() as (handle, _, _):
        set_up(handle, "Gray")
        _, plain = page(handle)
        set_up(handle, "Gray", brightness=40)
        _, bright = page(handle)
        set_up(handle, "Gray", brightness=0, contrast=50)
        _, contrasted = page(handle)
        put(handle, "contrast", 0)
        put(handle, "custom_gamma", True)
        put(handle, "gamma_table", tuple(range(4095, -1, -1)))
        _, inverted = page(handle)
    assert sum(bright) > sum(plain) != sum(contrasted)
    assert inverted.count(255) > len(plain) // 2  # values above 255 are cut


# Options


def test_the_options_are_the_originals() -> None:
    with opened() as (handle, _, _):
        options = handle.options.declared
        names = [option.name for option in options]
        assert len(options) == 45
        assert names[1:16] == [
            *("", "mode", "depth", "source", "resolution", "preview", "", "tl-x", "tl-y", "br-x"),
            *("br-y", "", "brightness", "contrast", "custom-gamma"),
        ]
        assert names[40:] == [f"button {number}" for number in range(5)]
        assert {option.size for option in options if not option.name} == {4}
        assert [options[i].size for i in (2, 4, 16, 17)] == [8, 13, 16384, 16384]
        inactive = [
            option.name
            for option in options
            if not handle.options.is_active(option) and option.name
        ]
        assert inactive == [
            *("source", "gamma-table", "red-gamma-table", "green-gamma-table", "blue-gamma-table"),
            *("warmup-time", "lamp-off-during-dcal", "speedup-switch", "calibrate"),
            *("button 3", "button 4"),
        ]


@pytest.mark.parametrize(
    ("dpi", "wanted"), [(50, 50), (112, 100), (113, 125), (62, 50), (63, 75), (1200, 1200)]
)
def test_the_resolution_is_the_nearest_of_those_that_the_original_has(
    dpi: int, wanted: int
) -> None:
    with opened() as (handle, _, _):
        put(handle, "resolution", dpi)
        assert device_of(handle).resolution == wanted


def test_what_the_configuration_says_is_preset() -> None:
    with opened(
        "2206", "lampOff 7", "lOffOnEnd 1", "red_gain 12", "redGamma 1.5", "cacheCalData 1"
    ) as (
        handle,
        _,
        _,
    ):
        device = device_of(handle)
        assert (device.lampoff_time, device.lamp_off_at_exit, device.red_gain) == (7, True, 12)
        assert device.calibration_cache
        assert device.red_gamma_table[2048] < device.green_gamma_table[2048]


def test_gains_offsets_and_lamp_times_of_the_options_are_taken() -> None:
    with opened() as (handle, scanner, _):
        fixed: dict[str, Any] = {f"{color}_gain": 9 for color in ("red", "green", "blue")}
        fixed |= {f"{color}_offset": 3 for color in ("red", "green", "blue")}
        fixed |= {f"{color}lamp_off": 1500 for color in ("red", "green", "blue")}
        set_up(handle, **fixed)
        page(handle)
        assert bytes(scanner.registers[0x38:0x3E]) == bytes((3, 3, 3, 9, 9, 9))
        assert bytes(scanner.registers[0x2C:0x38]).hex() == "001705dc" * 3
        assert scanner.problems == []


# Lamp and buttons


def is_dark(scanner: Scanner) -> bool:
    return not scanner.registers[0x29] & 3


def test_the_lamp_is_switched_by_hand_and_goes_off_at_the_end() -> None:
    with opened("220d", "lOffOnEnd 1") as (handle, scanner, _):
        put(handle, "lamp_switch", True)
        assert not is_dark(scanner)
        put(handle, "lamp_switch", False)
        assert is_dark(scanner)
        set_up(handle)
        page(handle)
        assert not is_dark(scanner)
    assert is_dark(scanner)


def test_the_lamp_goes_off_after_a_while() -> None:
    with opened() as (handle, scanner, _):
        put(handle, "lampoff_time", 1)
        set_up(handle)
        page(handle)
        cancel(handle)
        end = time.monotonic() + 10
        while not is_dark(scanner) and time.monotonic() < end:
            time.sleep(0.05)
        assert is_dark(scanner)
        _, data = page(handle)
        assert data
        assert scanner.problems == []


def test_a_timer_that_is_stopped_does_nothing() -> None:
    done: list[int] = []
    timer = LampTimer(lambda: done.append(1))
    timer.begin(3600)
    timer.begin(3600)
    timer.stop()
    timer.stop()
    assert done == []


def test_buttons_are_kept_until_they_are_read() -> None:
    with opened() as (handle, scanner, _):
        device = device_of(handle)
        scanner.press(2)
        assert [device.take_press(f"button_{n}") for n in range(3)] == [False, True, False]
        scanner.release()
        device.take_press("button_0")
        assert not device.take_press("button_1")
        with pytest.raises(errors.SaneError):
            put(handle, "button_0", True)


# The cache


def caches(home: Path) -> tuple[Path, Path]:
    stem = home / ".sane" / "Canon_CanoScan_N670U_N676U_LiDE20"
    return Path(f"{stem}-coarse.cal"), Path(f"{stem}-fine.cal")


def test_calibrations_are_kept_in_the_originals_files(tmp_path: Path) -> None:
    (tmp_path / ".sane").mkdir()
    coarse, fine = caches(tmp_path)
    with opened(home=tmp_path) as (handle, _, _):
        set_up(handle, dpi=50)
        _, wanted = page(handle)
    assert not coarse.exists()
    with opened("220d", "cacheCalData 1", home=tmp_path, serial="A1") as (handle, scanner, _):
        set_up(handle, dpi=50)
        _, data = page(handle)
        assert data == wanted
        assert scanner.problems == []
    lines = coarse.read_text().splitlines()
    assert lines[0] == "version=0x0002"
    assert lines[1].startswith("#pysane unit=A1 since=")
    assert lines[2] == "color8=10,0,10,0,10,0,23,1439,23,1251,23,1026,0"
    assert stat.S_IMODE(coarse.stat().st_mode) == 0o600
    keys = [line.partition("=")[0] for line in fine.read_text().splitlines()[2:]]
    assert keys == ["color:50:dark:dim", "color:50:white:dim"]
    assert fine.read_text().splitlines()[2].startswith("color:50:dark:dim=1275:34820,34820,")
    with opened("220d", "cacheCalData 1", home=tmp_path, serial="A1") as (handle, scanner, _):
        set_up(handle, dpi=50)
        _, data = page(handle)
        assert data == wanted
        assert sum(deed.command == 3 for deed in scanner.deeds) == 1


@pytest.mark.parametrize("harm", ["other unit", "half", "old", "zeros", "version", "rubbish"])
def test_a_file_that_is_not_good_is_made_anew(
    harm: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".sane").mkdir()
    coarse, fine = caches(tmp_path)
    form = {"home": tmp_path, "serial": "A1", "SANE_DEBUG_PLUSTEK": "1"}
    with opened("220d", "cacheCalData 1", **form) as (handle, _, _):  # type: ignore[arg-type]
        set_up(handle, dpi=50)
        _, wanted = page(handle)
    for path in (coarse, fine):
        text = path.read_text()
        if harm == "other unit":
            text = text.replace("unit=A1", "unit=B2")
        elif harm == "half":
            text = text[: len(text) // 2]
        elif harm == "old":
            today = time.strftime("%Y")
            text = text.replace(f"since={today}", f"since={int(today) - 1}")
        elif harm == "zeros":
            text = "\n".join(text.splitlines()[:2]) + "\ncolor8=1,2\ncolor:50:dark:dim=3:0,0,0\n"
        elif harm == "version":
            text = text.replace("0x0002", "0x0003")
        else:
            text = "\xff\x00" * 99
        path.write_text(text)
    capfd.readouterr()
    with opened("220d", "cacheCalData 1", **form) as (handle, scanner, _):  # type: ignore[arg-type]
        set_up(handle, dpi=50)
        _, data = page(handle)
        assert data == wanted
        assert sum(deed.command == 3 for deed in scanner.deeds) > 2
    assert str(tmp_path) in capfd.readouterr().err
    assert "color8=10,0" in coarse.read_text()


@pytest.mark.long
def test_calibrating_for_all_fills_the_files(tmp_path: Path) -> None:
    (tmp_path / ".sane").mkdir()
    coarse, fine = caches(tmp_path)
    with opened(home=tmp_path) as (handle, scanner, _):
        put(handle, "calibration_cache", True)
        index = type(device_of(handle)).calibrate.index
        handle.set(index, b"")
        with pytest.raises(errors.DeviceBusy):
            put(handle, "lamp_switch", True)
        set_up(handle, area=SMALL)
        handle.start()
        assert scanner.problems == []
        read_page(handle)
    keys = {line.partition("=")[0] for line in coarse.read_text().splitlines()[2:]}
    assert keys == {"gray1", "gray8", "gray16", "color8", "color16"}
    dpi = {line.split(":")[1] for line in fine.read_text().splitlines()[2:]}
    assert dpi == {"50", "75", "100", "150", "200", "300", "400", "600"}
