"""plustek on a bus of folders: which units are listed and opened, by which section."""

from __future__ import annotations

from pathlib import Path

import pytest

from sane import errors
from sane.backend import Context
from sane.backends.plustek import Backend, identity_of
from sane.config import Environment
from sane.usb import sysfs
from sane.usb.handle import Usb
from sane.usb.sysfs import BusDevice
from tests.fakes.usb import FakeLink, add_device, descriptor_bytes, fake_usb

CANON, LIDE_20, LIDE_30, N650U = 0x04A9, 0x220D, 0x220E, 0x2206


class FolderBus:
    """A bus of folders; a device that is opened has *answers*, none: it fails."""

    is_live = True

    def __init__(self, root: Path) -> None:
        self.root = root
        self.answers: list[bytes] = []

    def devices(self) -> list[BusDevice]:
        return sysfs.devices(str(self.root))

    def device(self, name: str) -> BusDevice:
        for found in self.devices():
            if found.name == name:
                return found
        raise errors.Invalid(name)

    def open(self, bus_device: BusDevice, interface: object) -> Usb:
        if not self.answers:
            raise errors.AccessDenied(bus_device.name)
        return fake_usb(FakeLink(*self.answers), descriptor_bytes(0x0017, vendor=0x07B3))


def plug(root: Path, address: int, product: int, vendor: int = CANON, serial: str = "") -> None:
    folder = add_device(root, address, raw=descriptor_bytes(product, vendor=vendor))
    if serial:
        (folder / "serial").write_text(f"{serial}\n")


def backend(tmp_path: Path, conf: str | None = None) -> Backend:
    (tmp_path / "bus").mkdir(exist_ok=True)
    if conf is not None:
        (tmp_path / "plustek.conf").write_text(conf)
    found = Backend("plustek", Context(Environment({"SANE_CONFIG_DIR": str(tmp_path)})))
    found.init()
    found.bus = FolderBus(tmp_path / "bus")  # type: ignore[assignment]
    return found


def names(found: Backend) -> list[tuple[str, str, str]]:
    return [(info.name, info.vendor, info.model) for info in found.list_devices(local_only=False)]


LIDE_20_LISTED = ("libusb:001:007", "Canon", "CanoScan N670U/N676U/LiDE20")


def test_without_a_file_the_first_unit_of_the_table_is_listed(tmp_path: Path) -> None:
    found = backend(tmp_path)
    plug(tmp_path / "bus", 5, LIDE_30)
    plug(tmp_path / "bus", 7, LIDE_20)
    plug(tmp_path / "bus", 9, 0x1234)
    assert names(found) == [LIDE_20_LISTED]


def test_each_section_has_a_unit_of_its_own_and_the_last_comes_first(tmp_path: Path) -> None:
    text = "[usb] 0x04a9 0x220e\ndevice auto\n[usb]\ndevice auto\n[usb]\ndevice auto\n[usb]\n"
    found = backend(tmp_path, text)
    for address, product in ((5, N650U), (6, LIDE_30), (7, LIDE_20)):
        plug(tmp_path / "bus", address, product)
    assert [name for name, _, _ in names(found)] == [
        *("libusb:001:007", "libusb:001:005", "libusb:001:006")
    ]
    assert found.find("").name == "libusb:001:007"


def test_a_section_may_want_a_device_by_its_name(tmp_path: Path) -> None:
    found = backend(tmp_path, "[usb]\noption lampOff 9\ndevice libusb:001:007\n")
    plug(tmp_path / "bus", 5, LIDE_20)
    assert names(found) == []
    plug(tmp_path / "bus", 7, LIDE_20)
    assert names(found) == [LIDE_20_LISTED]
    assert found._settings_of(found.find("libusb:001:007")).number("lampOff") == 9
    assert found._settings_of(found.find("libusb:001:005")).number("lampOff") == -1


def test_plusteks_own_units_are_asked_for_their_board_once(tmp_path: Path) -> None:
    found = backend(tmp_path, "[usb]\ndevice auto\n")
    plug(tmp_path / "bus", 3, 0x0017, 0x07B3)
    assert names(found) == []
    pins = b"\x22\x82\x88"
    found.bus.answers = [b"\x04", pins, b"\x10", pins]  # type: ignore[attr-defined]
    wanted = [("libusb:001:003", "Plustek", "OpticPro UT24")]
    assert names(found) == names(found) == wanted


def test_names_that_nothing_has_are_an_io_error_as_with_the_original(tmp_path: Path) -> None:
    found = backend(tmp_path)
    with pytest.raises(errors.Invalid, match="no USB device"):
        found.open("")
    for name in ("nonsense", "libusb:001:099"):
        with pytest.raises(errors.DeviceIOError, match="no device"):
            found.open(name)
    plug(tmp_path / "bus", 9, 0x1234)
    with pytest.raises(errors.DeviceIOError, match="no unit that is known"):
        found.open("libusb:001:009")


def test_a_unit_is_told_by_its_serial_number_or_its_port(tmp_path: Path) -> None:
    found = backend(tmp_path)
    plug(tmp_path / "bus", 5, LIDE_20, serial="A1")
    plug(tmp_path / "bus", 7, LIDE_20)
    assert list(map(identity_of, found.bus.devices())) == ["A1", "1-7"]
