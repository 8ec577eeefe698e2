"""epson2: its data, arithmetic, configuration and listing; what no original can be asked."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sane import errors
from sane.backend import Context
from sane.backends.epson2 import Backend, models
from sane.backends.epson2.matrix import matrix_bytes, matrix_values
from sane.backends.epson2.scan import Buffered
from sane.config import Environment
from sane.debug import Debug
from sane.testing.epson_net import Server
from sane.testing.esci import Model, Scanner
from sane.usb import sysfs
from sane.usb.sysfs import BusDevice
from tests.fakes.scanner import host, on_usb, scan, set_options, small
from tests.fakes.usb import add_device

QUIET = Debug("epson2", Environment({}))


def made(folder: Path, *lines: str) -> Backend:
    """Return a backend with these lines in its configuration."""
    (folder / "epson2.conf").write_text("".join(f"{line}\n" for line in lines))
    backend = Backend("epson2", Context(Environment({"SANE_CONFIG_DIR": str(folder)})))
    backend.init()
    return backend


# Data


def test_the_table_names_every_product_once() -> None:
    ids = models.usb_ids()
    assert len({product for _vendor, product, _maker, _model in ids}) == len(ids) == 182
    assert (0x04B8, 0x012C, "Epson", "GT-X900") in ids
    assert (0x04B8, 0x08D1, "Epson", "L360 Series") in ids
    assert all(maker == "Epson" and model for _vendor, _product, maker, model in ids)
    long = next(row for row in models.rows(models.USB) if row.startswith("0847"))
    assert long.endswith("Stylus SX600FW, WorkForce 600")


def test_every_matrix_keeps_white_white() -> None:
    """The nine bytes of each model mean rows that add up to 1."""
    rows = models.rows(models.MATRICES)
    assert len(rows) == 58
    for row in rows:
        data, _, names = row.partition(" ")
        values = matrix_values(bytes.fromhex(data))
        assert [sum(values[i : i + 3]) for i in (0, 3, 6)] == [1, 1, 1]
        assert all(models.matrix(name) == bytes.fromhex(data) for name in names.split(", "))


def test_an_unknown_model_has_no_matrix_of_its_own() -> None:
    assert matrix_values(models.matrix("GT-EMU")) == (1, 0, 0, 0, 1, 0, 0, 0, 1)


def test_every_quirk_is_known_to_some_code() -> None:
    folder = Path(models.__file__).parent
    code = "".join(path.read_text() for path in folder.glob("*.py") if path.name != "models.py")
    assert {quirk for _prefix, quirk in models.QUIRKS if f'"{quirk}"' not in code} == set()


# Arithmetic


WITH_LOSS = (0.9864, 0.0248, -0.0112, 0.0021, 1.01, -0.0112, 0.0139, -0.1249, 1.111)


@pytest.mark.parametrize(
    ("values", "data"),
    [
        ((1, 0, 0, 0, 1, 0, 0, 0, 1), "200000002000000020"),
        (WITH_LOSS, "200184001f00000024"),
        ((0,) * 9, "000000000000000000"),
        ((1.1, 0, 0, 0, 1, 0, 0, 0, 1), "208200002300000020"),
        ((-1 / 32, 40 / 32, 0, 0, 1, 0, 0, 0, 1), "202800008300000020"),
        ((-0.5 / 32, 10.5 / 32, 40 / 32, 0, 1, 0, 0, 0, 1), "200a00008100002820"),
    ],
)
def test_matrices_are_rounded_as_by_the_original(values: tuple[float, ...], data: str) -> None:
    """All as the original sends them; in the second 32 times 1.111 is 35.55."""
    assert matrix_bytes(values).hex() == data


def test_bytes_of_a_matrix_become_the_same_bytes() -> None:
    for row in models.rows(models.MATRICES):
        data = bytes.fromhex(row.split()[0])
        assert matrix_bytes(matrix_values(data)) == data


# Samples


class Blocks(Buffered):
    """Blocks that came, each with the order of its colours."""

    def __init__(self, blocks: list[tuple[bytes, str]], **plan: Any) -> None:
        usual = {"width": 2, "bits": 8, "is_color": True, "color": 0x13, "margin": 0}
        super().__init__(SimpleNamespace(**{**usual, **plan}))  # type: ignore[arg-type]
        self.blocks = blocks

    def next(self) -> bool:
        if not self.blocks:
            return False
        block, colors = self.blocks.pop(0)
        self.take(memoryview(block), colors)
        return True

    def image(self, room: int = 5) -> bytes:
        view, found = memoryview(bytearray(room)), b""
        while n := self.read_into(view):
            found += view[:n]
        return found


def test_bits_are_turned_over() -> None:
    blocks = Blocks([(bytes(range(256)), "")], width=64, lines=32, bits=1, is_color=False)
    assert blocks.image() == bytes(range(255, -1, -1))


def test_green_and_red_change_places_in_the_blocks_that_say_so() -> None:
    blocks = [(b"GRBgrb", "GRB"), (b"RGBrgb", "RGB"), (b"GRBgrb" * 2, "GRB")]
    assert Blocks(blocks, lines=4).image() == b"RGBrgb" * 4


@pytest.mark.skipif(sys.byteorder == "big", reason="the image is in native order")
def test_green_and_red_of_16_bits_change_places() -> None:
    assert Blocks([(b"GgRrBb", "GRB")], width=1, lines=1, bits=12).image() == b"RrGgBb"


def test_lines_of_distant_colors_come_together() -> None:
    lines = bytes(range(6 * 5))  # five lines of two pixels
    blocks = [(lines[at : at + 12], "RGB") for at in range(0, 30, 12)]
    joined = Blocks(blocks, lines=3, margin=1).image()
    for line in range(3):
        for i in range(6):
            assert joined[6 * line + i] == lines[6 * (line + i % 3) + i]


def test_lines_that_nobody_asked_for_are_dropped() -> None:
    assert Blocks([(b"RGBrgb" * 3, "RGB")], lines=2).image() == b"RGBrgb" * 2


@pytest.mark.parametrize("level", ["B2", "B3", "B4", "A2", "B1"])
@pytest.mark.parametrize("mode", ["Lineart", "Gray", "Color"])
def test_scanners_that_send_line_by_line(level: str, mode: str) -> None:
    """The original cannot drive these; a B5 sends the same page in blocks."""
    if level == "A2" and mode == "Color":
        return  # it has no colour
    images = []
    for one in (level, "B5"):
        scanner = Scanner(Model(one, is_extended=False, depth=8))
        with on_usb(scanner) as (handle, _link):
            small(handle, mode=mode)
            images.append(scan(handle))
            assert scan(handle) == images[-1]
    assert images[0] == images[1]


def test_a_line_of_the_wrong_color_is_an_error() -> None:
    scanner = Scanner(Model("B4", is_extended=False, depth=8))
    scanner.faults["head 5"] = lambda data: data[:1] + b"\x04" + data[2:]
    with on_usb(scanner) as (handle, _link):
        small(handle, mode="Color")
        with pytest.raises(errors.DeviceIOError, match="colour 04 where 08 was due"):
            scan(handle)
        scanner.faults.clear()
        assert scan(handle)


# Areas


@pytest.mark.parametrize(
    ("corners", "size"),
    [
        ((0, 0, 20, 109.4), (72, 429)),  # the original loses the fraction of a millimetre: 2.11
        ((0, 0, 20, 109), (72, 429)),
        ((10, 20, 40, 50), (112, 118)),
        ((0, 0, 2.1, 2.1), (8, 8)),
    ],
)
def test_areas_in_pixels(corners: tuple[float, ...], size: tuple[int, int]) -> None:
    names = ("tl_x", "tl_y", "br_x", "br_y")
    with on_usb(Scanner(Model("B8"))) as (handle, _link):
        set_options(handle, resolution=100, **dict(zip(names, corners, strict=True)))
        parameters = handle.parameters()
        assert (parameters.pixels_per_line, parameters.lines) == size


@pytest.mark.parametrize("corners", [(50, 0, 20, 50), (0, 60, 20, 50), (0, 0, 1, 50)])
def test_an_area_without_pixels_is_told_at_start(corners: tuple[float, ...]) -> None:
    names = ("tl_x", "tl_y", "br_x", "br_y")
    with on_usb(Scanner(Model("B8"))) as (handle, _link):
        set_options(handle, **dict(zip(names, corners, strict=True)))
        assert handle.parameters().frame_bytes > 0
        with pytest.raises(errors.Invalid, match="an area of"):
            handle.start()


@pytest.mark.parametrize(("name", "lines"), [("Perfection1650", 196), ("GT-EMU", 98)])
def test_a_surface_wider_than_high(name: str, lines: int) -> None:
    model = Model("B7", name, flatbed=(14040, 10200))
    with on_usb(Scanner(model)) as (handle, _link):
        set_options(handle, resolution=100, br_y=25.0, br_x=50.0)
        assert handle.device.make_plan().lines == lines


# Configuration and listing


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("usb 0x1234 0x0001", "vendor 0x1234 is not 0x04b8"),
        ("usb 0x04b8", "usb wants a vendor and a product id"),
        ("usb 0x04b8 printer", "'printer' is not a number"),
        ("net", "'net' is neither"),
        ("nonsense", "'nonsense' is neither"),
    ],
)
def test_lines_that_are_not_understood_are_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], line: str, told: str
) -> None:
    backend = made(tmp_path, line, "net 127.0.0.1")
    stderr = capfd.readouterr().err
    assert f"epson2.conf:1: {told}" in stderr
    assert [place.host for place in backend.places] == ["127.0.0.1"]


def test_what_the_shipped_configuration_switches_on(tmp_path: Path) -> None:
    from tests import ROOT

    backend = made(tmp_path, *(ROOT / "etc" / "epson2.conf").read_text().splitlines())
    assert backend.discovers
    assert backend.places == []
    assert backend._auto


class FakeBus:
    """A bus of folders on which nothing can be opened."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def devices(self) -> list[BusDevice]:
        return sysfs.devices(str(self.root))


def test_usb_is_listed_without_being_opened(tmp_path: Path) -> None:
    for address, product in ((4, 0x012C), (5, 0x9999)):
        add_device(tmp_path / "bus", address, product)
    backend = made(tmp_path, "usb")
    backend.bus = FakeBus(tmp_path / "bus")  # type: ignore[assignment]
    listed = [(d.name, d.vendor, d.model, d.type) for d in backend.list_devices(local_only=True)]
    assert listed == [("libusb:001:004", "Epson", "GT-X900", "flatbed scanner")]


def test_only_what_is_configured_is_listed(tmp_path: Path) -> None:
    address = host()
    with Server(Scanner(Model("B8", "GT-X900")), address):
        backend = made(tmp_path, f"net {address}", f"net {address}", "scsi EPSON", "pio 0x378")
        assert list(map(repr, backend.list_devices(local_only=True))) == []
        (found,) = backend.list_devices(local_only=False)
        assert (found.name, found.model) == (f"net:{address}", "GT-X900")


def test_the_first_scanner_is_opened_without_a_name(tmp_path: Path) -> None:
    address = host()
    with Server(Scanner(Model("B8")), address):
        device = made(tmp_path, f"net {address}").open("")
        device.close()
    with pytest.raises(errors.Invalid, match="no scanner found"):
        made(tmp_path, f"net {address}").open("")


@pytest.mark.parametrize("name", ["net:", "net:127.0.0.250", "libusb:999:999", "nonsense"])
def test_names_that_mean_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(errors.Invalid):
        made(tmp_path).open(name)


# The search


def test_a_host_that_never_answers_is_cancelled_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It listens and says nothing; the thread that asked it ends too (conftest looks)."""
    address = host()
    with socket.create_server((address, 1865)):
        backend = made(tmp_path, f"net {address}")
        monkeypatch.setattr(backend, "list_seconds", 0.2)
        start = time.monotonic()
        assert backend.list_network() == []
        assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("line", "discovers"),
    [
        ("net autodiscovery", True),
        ("net autodiscovery # in the office", True),
        ("net autodiscovery# in the office", False),
        ("# net autodiscovery", False),
    ],
)
def test_a_comment_may_follow_autodiscovery(tmp_path: Path, line: str, discovers: bool) -> None:
    assert made(tmp_path, line).discovers == discovers
