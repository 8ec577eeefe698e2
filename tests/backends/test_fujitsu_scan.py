"""fujitsu on an emulated scanner: the original's commands, and every pixel."""

from __future__ import annotations

from typing import Any

import pytest

from sane import errors
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
