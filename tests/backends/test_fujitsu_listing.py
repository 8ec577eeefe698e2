"""fujitsu: what is listed, by which name, and what fujitsu.conf says of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sane import errors
from sane.backend import Context
from sane.backends.fujitsu import Backend, models
from sane.config import Environment
from sane.testing.fujitsu import Answer, Scanner
from sane.usb import sysfs
from tests.fakes.scanner import MachineLink
from tests.fakes.usb import add_device, descriptor_bytes, fake_usb

ROOT = Path(__file__).parents[2]
FUJITSU = 0x04C5


class Bus:
    """A bus of folders, at whose ends are emulated scanners."""

    is_live = True

    def __init__(self, root: Path) -> None:
        self.root = root
        self.scanners: dict[str, Scanner] = {}
        self.failures: dict[str, Exception] = {}
        self.opened: list[str] = []

    def plug(self, address: int, model: str, *, vendor: int = FUJITSU, class_: int = 0) -> Scanner:
        scanner = self.scanners[f"libusb:001:{address:03d}"] = Scanner(model)
        raw = descriptor_bytes(scanner.model.product, vendor=vendor, class_=class_)
        add_device(self.root, address, raw=raw)
        return scanner

    def devices(self) -> list[Any]:
        return sysfs.devices(str(self.root))

    def device(self, name: str) -> Any:
        return next(device for device in self.devices() if device.name == name)

    def open(self, bus_device: Any, interface: object) -> Any:
        name = bus_device.name
        if name in self.failures:
            raise self.failures[name]
        self.opened.append(name)
        usb = fake_usb(MachineLink(self.scanners[name]), bus_device.descriptors.raw)
        usb.name = name
        return usb


def backend(tmp_path: Path, conf: str | None = None) -> tuple[Backend, Bus]:
    folder = tmp_path / "etc"
    folder.mkdir()
    if conf is not None:
        (folder / "fujitsu.conf").write_text(conf)
    owner = Backend("fujitsu", Context(Environment({"SANE_CONFIG_DIR": str(folder)})))
    owner.init()
    bus: Any = Bus(tmp_path / "bus")
    owner.bus = bus
    return owner, bus


def test_scanners_are_listed_by_model_and_serial_number(tmp_path: Path) -> None:
    owner, bus = backend(tmp_path)
    bus.plug(4, "fi-7260")
    bus.plug(5, "iX500").inject("read diagnostic", Answer(sense=(5, 0x20, 0)))
    bus.plug(6, "fi-6130", vendor=0x1234)
    bus.plug(7, "S1500", class_=7)
    found = owner.list_devices(local_only=True)
    assert [(d.name, d.vendor, d.model, d.type) for d in found] == [
        ("fi-7260:962721", "FUJITSU", "fi-7260", "scanner"),
        ("libusb:001:005", "FUJITSU", "ScanSnap iX500", "scanner"),
    ]
    assert bus.opened == ["libusb:001:004", "libusb:001:005"]
    owner.list_devices(local_only=True)
    assert len(bus.opened) == 2  # what they said is kept


def test_what_has_gone_is_asked_anew_when_it_comes_back(tmp_path: Path) -> None:
    owner, bus = backend(tmp_path)
    bus.plug(4, "fi-7260")
    assert owner.list_devices(local_only=True)
    devices, bus.devices = bus.devices, lambda: []  # type: ignore[method-assign]
    assert not owner.list_devices(local_only=True)
    bus.devices = devices  # type: ignore[method-assign]
    assert owner.list_devices(local_only=True)
    assert len(bus.opened) == 2


@pytest.mark.parametrize("name", ["", "fi-7260:962721", "libusb:001:004"])
def test_a_scanner_is_opened_by_each_of_its_names(tmp_path: Path, name: str) -> None:
    owner, bus = backend(tmp_path)
    scanner = bus.plug(4, "fi-7260")
    device = owner.open(name)
    assert bus.opened[-1] == "libusb:001:004"
    device.close()
    assert scanner.log[-1].cdb[0] == 0x15


def test_a_name_that_nobody_has(tmp_path: Path) -> None:
    owner, bus = backend(tmp_path)
    bus.plug(4, "fi-7260")
    with pytest.raises(errors.Invalid, match="no device 'fi-7260:1'"):
        owner.open("fi-7260:1")


@pytest.mark.parametrize("failure", [errors.AccessDenied("not yours"), errors.DeviceBusy("held")])
def test_why_a_scanner_cannot_be_listed_is_told_when_it_is_opened(
    tmp_path: Path, failure: Exception
) -> None:
    owner, bus = backend(tmp_path)
    bus.plug(4, "fi-7260")
    bus.failures["libusb:001:004"] = failure
    assert not owner.list_devices(local_only=True)
    with pytest.raises(type(failure)):
        owner.open("fi-7260:962721")


def test_a_device_of_the_id_that_speaks_another_protocol_is_not_listed(tmp_path: Path) -> None:
    owner, bus = backend(tmp_path)
    bus.plug(4, "fi-7260").inject("inquiry", Answer(size=40))
    assert not owner.list_devices(local_only=True)
    assert owner.list_devices(local_only=True)  # it was a bad moment


CONF = """
# as the distribution ships it
option buffer-size 65536
scsi FUJITSU
usb 0x04c5 0x114f
option buffer-size 262144
usb 0x04c5 0x132f
"""


def test_the_distributions_configuration_is_understood(tmp_path: Path) -> None:
    owner, bus = backend(tmp_path, CONF)
    for address, model in ((4, "fi-6130"), (5, "fi-7260"), (6, "iX500")):
        bus.plug(address, model)
    names = [device.model for device in owner.list_devices(local_only=True)]
    assert names == ["fi-6130", "fi-7260"]
    assert [owner.buffer_bytes(device) for device in bus.devices()[:2]] == [65536, 262144]


@pytest.mark.parametrize(
    ("conf", "sizes"),
    [
        ("", [65536, 262144]),
        ("usb\n", [65536, 262144]),
        ("option buffer-size 100000\nusb\n", [100000, 100000]),
        ("option buffer-size 4095\nusb\n", [65536, 262144]),
        ("option buffer-size many\nusb auto\n", [65536, 262144]),
        ("option buffer-size 999999999\nusb\n", [0xFFFFFF, 0xFFFFFF]),
    ],
)
def test_how_much_is_asked_for_at_once(tmp_path: Path, conf: str, sizes: list[int]) -> None:
    owner, bus = backend(tmp_path, conf)
    bus.plug(4, "fi-5110EOX")
    bus.plug(5, "fi-7260")
    assert [owner.buffer_bytes(device) for device in bus.devices()] == sizes


def test_the_shipped_configuration_changes_nothing(tmp_path: Path) -> None:
    owner, bus = backend(tmp_path, (ROOT / "etc" / "fujitsu.conf").read_text())
    bus.plug(4, "fi-7260")
    assert len(owner.list_devices(local_only=True)) == 1
    assert owner.buffer_bytes(bus.devices()[0]) == 262144


def test_every_model_is_in_the_list_of_models() -> None:
    text = (ROOT / "docs" / "fujitsu.md").read_text()
    ranges = {"fi-7125", "fi-7130", "fi-7225", "fi-7230", "fi-7235"}  # 7120 to 7135, 7220 to 7240
    for _id, name, _status in (*models.MODELS, *models.RICOH_MODELS):
        short = name.removeprefix("ScanSnap ").removeprefix("fi-").removeprefix("ScanPartner ")
        short = {"5110EOX/2": "5110EOX2", "6800-CGA": "6800"}.get(short, short)
        assert name in ranges or re.search(rf"\b{re.escape(short)}\b", text), name
