"""fujitsu on an emulated scanner: the original's commands, and every pixel."""

from __future__ import annotations

from typing import Any

import pytest

from sane import errors
from sane.testing.fujitsu import MODELS, Sheet, Slanted
from tests.backends import fujitsu_samples as samples
from tests.backends.fujitsu_samples import Desk, expected, read_side, scan_all

SMALL = "--page-width 60 --page-height 40 -x 60 -y 40"
VECTORS = samples.vectors()


def commands_of(desk: Desk) -> list[tuple[str, str]]:
    return [(c.cdb.hex().upper(), c.data.hex().upper()) for c in desk.scanner.log]


def check_commands(made: list[tuple[str, str]], wanted: list[tuple[str, str]]) -> None:
    assert [cdb for cdb, _data in made] == [cdb for cdb, _data in wanted]
    for (_cdb, data), (_other, beginning) in zip(made, wanted, strict=True):
        assert data.startswith(beginning)


def test_a_listing_asks_as_the_original_does() -> None:
    desk = Desk(VECTORS[0].model)
    found = desk.identify()
    check_commands(commands_of(desk), VECTORS[0].commands)
    assert (found.product, found.serial) == ("fi-7260", "962721")


@pytest.mark.parametrize("vector", VECTORS[1:], ids=lambda v: v.name)
def test_a_scan_asks_as_the_original_does(vector: samples.Vector) -> None:
    desk = Desk(vector.model)
    desk.identify()
    desk.scanner.log.clear()
    handle = desk.open(vector.options)
    if "Flatbed" in vector.options:
        handle.start()
        read_side(handle)
        handle.cancelled()
    else:
        scan_all(handle)
    handle.close()
    check_commands(commands_of(desk), vector.commands)


@pytest.mark.parametrize(
    ("model", "source", "mode", "dpi"),
    [
        ("M3091", "ADF Front", "Color", 150),
        ("M3091", "ADF Duplex", "Color", 75),
        ("M3091", "ADF Duplex", "Gray", 150),
        ("M3091", "ADF Duplex", "Lineart", 150),
        ("fi-4990", "ADF Duplex", "Color", 150),
        ("fi-5110EOX", "ADF Back", "Color", 75),
        ("fi-5950", "ADF Duplex", "Gray", 100),
        ("fi-6130", "ADF Front", "Halftone", 200),
        ("fi-7160", "ADF Duplex", "Color", 200),
        ("fi-800R", "Card Duplex", "Lineart", 100),
        ("iX500", "ADF Duplex", "Gray", 100),
        ("iX500", "ADF Front", "Lineart", 100),
        ("iX100", "ADF Front", "Gray", 300),
        ("S1500", "ADF Duplex", "Gray", 75),
    ],
)
@pytest.mark.parametrize("pads", [False, True])
def test_every_pixel_of_every_side(
    model: str, source: str, mode: str, dpi: int, pads: bool
) -> None:
    desk = Desk(model, sheets=3, buffer=20000)
    desk.scanner.pads = pads
    handle = desk.open(f'--source "{source}" --mode {mode} --resolution {dpi} {SMALL}')
    device: Any = handle.device
    is_duplex, is_soft = source.endswith("Duplex"), model == "iX500" and mode != "Color"
    for number in range(3):
        for back in (False, True) if is_duplex else (source.endswith("Back"),):
            handle.start()
            assert device.current_side() == back
            wanted = expected(handle, number, back=back, soft=is_soft)
            assert read_side(handle, 7001) == wanted
    with pytest.raises(errors.NoDocs):
        handle.start()
    handle.close()


# Sides that are received as a whole


def load(desk: Desk, *sheets: Sheet) -> None:
    desk.scanner.load(len(sheets), *sheets)


def test_blank_sides_are_left_out() -> None:
    blank, full = Slanted(slope=0, is_blank=True, ground=255, paper=255), Slanted(slope=0)
    desk = Desk(sheets=0)
    load(desk, Sheet(full, blank), Sheet(blank, blank), Sheet(blank, full))
    handle = desk.open(f'--source "ADF Duplex" --mode Gray --resolution 100 {SMALL} --swskip 2')
    device: Any = handle.device
    sides = []
    for _ in range(2):
        handle.start()
        sides.append(device.current_side())
        assert len(read_side(handle)) == handle.device.parameters().frame_bytes
    assert sides == [False, True]
    with pytest.raises(errors.NoDocs):
        handle.start()
    handle.close()


def test_a_blank_page_on_the_glass_is_delivered() -> None:
    desk = Desk()
    desk.scanner.page = Slanted(slope=0, is_blank=True, ground=255, paper=255)
    handle = desk.open("--source Flatbed --mode Gray --resolution 100 -x 60 -y 40 --swskip 50")
    handle.start()
    assert set(read_side(handle)) == {255}
    handle.close()


@pytest.mark.parametrize("mode", ["Gray", "Color", "Lineart"])
def test_a_scanner_that_cuts_to_the_sheet_tells_its_size_late(mode: str) -> None:
    desk = Desk(sheets=0)
    load(desk, Sheet(size=(1236, 1000)))
    handle = desk.open(
        f'--source "ADF Front" --mode {mode} --resolution 100 {SMALL} --hwdeskewcrop=yes'
    )
    handle.start()
    p = handle.parameters()
    assert (p.pixels_per_line, p.lines) == (103, 83)
    wanted = expected(handle, 0)
    assert read_side(handle) == wanted
    handle.close()


@pytest.mark.parametrize("source", ["ADF Front", "ADF Back", "ADF Duplex"])
def test_a_sheet_that_is_drawn_in_waits_for_the_size_of_the_one_before(source: str) -> None:
    desk = Desk(sheets=0)
    sizes = [(1200 - 120 * n, 960 - 120 * n) for n in range(4)]
    load(desk, *(Sheet(size=size) for size in sizes))
    handle = desk.open(
        f'--source "{source}" --mode Gray --resolution 100 {SMALL} --hwdeskewcrop=yes'
    )
    for width, length in sizes:
        for _ in range(2 if source == "ADF Duplex" else 1):
            handle.start()
            p = handle.parameters()
            assert (p.pixels_per_line, p.lines) == (width // 12, length // 12)
            read_side(handle)
    handle.close()


@pytest.mark.parametrize("buffered", [False, True])
def test_the_length_of_a_sheet_is_found(buffered: bool) -> None:
    """Without a buffer the height is unknown until the end."""
    desk = Desk(sheets=0)
    load(desk, Sheet(size=(3000, 1000)))
    more = "--swdespeck 1" if buffered else ""
    handle = desk.open(
        f'--source "ADF Front" --mode Color --resolution 100 {SMALL} --ald=yes {more}'
    )
    assert handle.parameters().lines == (156 if buffered else -1)
    handle.start()
    p = handle.parameters()
    assert p.lines == (83 if buffered else -1)
    assert len(read_side(handle)) == 83 * p.bytes_per_line
    handle.close()


# JPEG: what is sent, and the pixels of it where a decoder is there


def close_to(one: bytes, other: bytes) -> bool:
    """Tell whether two pictures are the same but for what JPEG makes of such a pattern."""
    far = sum(min(abs(a - b), 256 - abs(a - b)) for a, b in zip(one, other, strict=True))
    return far / len(one) < 4


@pytest.mark.parametrize("joins", [False, True])
def test_jpeg_is_decoded(joins: bool) -> None:
    pytest.importorskip("sane.image.jpeg", reason="this tree is not compiled")
    desk = Desk(MODELS["iX500"].changed(joins_jpeg=joins), sheets=2, buffer=20000)
    handle = desk.open(
        f'--source "ADF Duplex" --mode Color --resolution 100 {SMALL} --compression JPEG'
    )
    for number in range(2):
        for back in (False, True):
            handle.start()
            wanted = expected(handle, number, back=back)
            assert close_to(read_side(handle), wanted)
    with pytest.raises(errors.NoDocs):
        handle.start()
    handle.close()


@pytest.mark.parametrize("joins", [False, True])
def test_jpeg_is_passed_through(joins: bool) -> None:
    """The option compression need not be set: who asks for the document wants a JPEG."""
    desk = Desk(MODELS["iX500"].changed(joins_jpeg=joins), sheets=1, buffer=20000)
    handle = desk.open(f'--source "ADF Duplex" --mode Color --resolution 100 {SMALL}')
    for _ in range(2):
        handle.start("image/jpeg")
        document = read_side(handle)
        assert document[:2] == b"\xff\xd8" and document[-2:] == b"\xff\xd9"
        frame = document.index(b"\xff\xc0")
        assert document[frame + 5 : frame + 9] == bytes((0, 152, 0, 232))
    handle.close()


def test_what_is_no_jpeg_is_not_passed_through() -> None:
    desk = Desk("iX500")
    handle = desk.open(f'--source "ADF Front" --mode Gray --resolution 100 {SMALL}')
    with pytest.raises(errors.Unsupported, match="Gray is not sent as image/jpeg"):
        handle.start("image/jpeg")
    handle.close()
