"""pixma on an emulated scanner on the network: the commands of the original, and every pixel."""

from __future__ import annotations

from pathlib import Path

import pytest

from sane import errors
from sane.testing.esci2 import turbojpeg
from sane.testing.pixma.network import BJNP, MFNP
from tests.backends.pixma_samples import (
    DUPLEX,
    FEEDER,
    Bus,
    frame,
    is_right,
    names,
    opened,
    scanner_at,
    set_up,
)
from tests.conftest import ABSENT
from tests.support.handles import put

MP560_PAGE = [
    *("StartJob", "ModeShift", "DB20", "EE20", "EE20", "EE20", "D820", "D920", "DA20"),
    *("D420", "EF20", "EndJob"),
]
MP600_PAGE = ["DB20", "DD20", "EE20", "DE20", "F320", "D420", "EF20"]


@pytest.mark.parametrize(
    ("model", "mode", "dpi"),
    [
        ("MP150", "Color", 300),
        ("MP510", "Gray", 150),
        ("MP600", "Color", 600),
        ("MP610", "Color", 1200),
        ("MP560", "Gray", 75),
        ("MG6200", "Gray", 1200),
        ("LIDE300", "Color", 300),
        ("MP970", "Color", 600),
        ("MP990", "Gray", 150),
        ("9000F", "Color", 600),
        ("MP750", "Color", 300),
        ("MP780/790", "Gray", 150),
        ("MP730", "Color", 600),
        ("MP360", "Gray", 300),
        ("iR1020", "Gray", 75),
        ("MF4270", "Color", 300),
        ("MF4690", "Gray", 300),
        ("D480", "Color", 75),
        ("MF4410", "Color", 300),
        ("MF6100", "Gray", 150),
    ],
)
def test_every_pixel_from_the_glass(model: str, mode: str, dpi: int, tmp_path: Path) -> None:
    with scanner_at(model) as emulator, opened(emulator, tmp_path) as handle:
        emulator.scanner.block_bytes = 20_000
        set_up(handle, mode, dpi)
        assert is_right(frame(handle, 7001), model, dpi)
        assert emulator.scanner.problems == []


@pytest.mark.parametrize("method", [BJNP, MFNP])
def test_a_connection_for_each_page_or_for_all(method: str, tmp_path: Path) -> None:
    with scanner_at("MF4800", method) as emulator, opened(emulator, tmp_path) as handle:
        set_up(handle, "Color", 150)
        for _ in range(2):
            assert is_right(frame(handle), "MF4800", 150)
        assert len(emulator.tcp.connections) == (2 if method == BJNP else 1)
    codes = [packet.code for packet in emulator.log if packet.link == "udp"]
    assert codes.count(0x10) == codes.count(0x11) == len(emulator.tcp.connections)


@pytest.mark.parametrize(("model", "page"), [("MP560", MP560_PAGE), ("MP600", MP600_PAGE)])
def test_a_page_asks_as_the_original_does(model: str, page: list[str], tmp_path: Path) -> None:
    with scanner_at(model) as emulator, opened(emulator, tmp_path) as handle:
        set_up(handle, "Gray", 75)
        frame(handle)
        assert names(emulator) == page


@pytest.mark.parametrize(
    ("model", "source", "sheets"),
    [
        ("MX870", DUPLEX, 1),
        ("MP530", FEEDER, 2),
        ("MP730", FEEDER, 2),
        ("MP750", FEEDER, 2),
        ("iR1020", DUPLEX, 2),
        ("MF4690", FEEDER, 2),
        ("MF6100", FEEDER, 2),
        pytest.param("D480", DUPLEX, 2, marks=pytest.mark.long),  # rests for 8 s after each side
    ],
)
def test_every_sheet_of_a_feeder(model: str, source: str, sheets: int, tmp_path: Path) -> None:
    with scanner_at(model, sheets=sheets) as emulator, opened(emulator, tmp_path) as handle:
        set_up(handle, "Color", 150, source)
        for number in range(sheets * (2 if source == DUPLEX else 1)):
            side = number if source == DUPLEX else 2 * number
            assert is_right(frame(handle), model, 150, side), number
        with pytest.raises(errors.NoDocs):
            handle.start()
        assert emulator.scanner.problems == []
        emulator.scanner.load(1)  # and again
        assert is_right(frame(handle), model, 150)


def test_a_cancelled_feeder_is_left_in_order(tmp_path: Path) -> None:
    """The original leaves the session open, so that nobody else can scan."""
    with scanner_at("MX870", sheets=3) as emulator, opened(emulator, tmp_path) as handle:
        set_up(handle, "Gray", 75, FEEDER)
        frame(handle)
        assert names(emulator)[-1] == "D420"
        handle.cancel_request.set()
        handle.cancelled()
        assert names(emulator)[-2:] == ["EF20", "EndJob"]
        assert is_right(frame(handle), "MX870", 75, 2)


@pytest.mark.parametrize("lines", [-20, 20])
def test_a_page_of_another_length_has_its_size(lines: int, tmp_path: Path) -> None:
    """What is missing is white, what is too much is cut."""
    with scanner_at("MF4410") as emulator, opened(emulator, tmp_path) as handle:
        emulator.scanner.more_lines = lines
        set_up(handle, "Gray", 150)
        picture = frame(handle)
        width, height = picture.size
        assert len(picture.data) == width * height
        if lines < 0:
            assert set(picture.data[lines * width :]) == {255}
        assert is_right(picture, "MF4410", 150) == (lines > 0)


@pytest.mark.parametrize("model", ["MF4410", "MP560"])
def test_line_art_of_a_short_page_ends_white(model: str, tmp_path: Path) -> None:
    with scanner_at(model) as emulator, opened(emulator, tmp_path) as handle:
        emulator.scanner.more_lines = -20
        set_up(handle, "Lineart", 150)
        put(handle, "threshold", 100)
        picture = frame(handle)
        row = (picture.size[0] + 7) // 8
        assert len(picture.data) == row * picture.size[1]
        assert set(picture.data[-20 * row :]) == {0}
        assert picture.data[: row * 3].count(255) > row


def test_reads_of_any_size_give_the_same(tmp_path: Path) -> None:
    with scanner_at("MF4410") as emulator, opened(emulator, tmp_path) as handle:
        set_up(handle, "Lineart", 150)
        assert frame(handle, 1).data == frame(handle, 1 << 20).data


@pytest.mark.parametrize("mode", ["Color", "Gray", "Lineart"])
def test_a_feeder_that_sends_jpeg(mode: str) -> None:
    """The picture is wider than the frame; one with too few lines is an error."""
    pytest.importorskip("sane.image.jpeg", reason="this tree is not compiled")
    if not turbojpeg.is_there():
        pytest.skip(f"{ABSENT}libturbojpeg0")
    with Bus("MB5100", sheets=2) as bus:
        set_up(bus.handle, mode, 150, FEEDER)
        picture = frame(bus.handle)
        width, lines = picture.size
        depth = {"Color": 24, "Gray": 8, "Lineart": 1}[mode]
        assert len(picture.data) == (width * depth + 7) // 8 * lines
        assert len(set(picture.data)) > 16
        bus.scanner.more_lines = -20
        with pytest.raises(errors.DeviceIOError, match="JPEG with 20 lines too few"):
            frame(bus.handle)


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [(("Gray", 600), ("Gray", 600)), (("Lineart", 1200), ("Lineart", 75))],
)
def test_another_source_keeps_mode_and_resolution_if_it_has_them(
    chosen: tuple[str, int], kept: tuple[str, int], tmp_path: Path
) -> None:
    with scanner_at("MX920") as emulator, opened(emulator, tmp_path) as handle:
        put(handle, "mode", chosen[0])
        put(handle, "resolution", chosen[1])
        put(handle, "source", DUPLEX)
        device = handle.device
        assert tuple(getattr(device, name) for name in ("mode", "resolution")) == kept
