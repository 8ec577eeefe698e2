"""UsbBackend: which devices are listed, what configuration lines do, what open opens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sane import errors, option
from sane.backend import Context, Device, Usb, UsbBackend
from sane.config import Environment
from sane.usb import sysfs
from tests.fakes.usb import (
    BULK_PAIR,
    PRINTER,
    FakeLink,
    add_device,
    descriptor_bytes,
    fake_usb,
    interface_bytes,
)

if TYPE_CHECKING:
    from sane.usb.descriptors import Interface
    from sane.usb.sysfs import BusDevice


class S1(Device):
    """A device of the backend under test."""

    mode = option.mode("Gray")

    def __init__(self, usb: Usb) -> None:
        if usb.product == 0xDEAD:
            raise errors.DeviceIOError("it does not answer")
        self.usb = usb


class FakeBus:
    """A bus of folders, on which open gives scripted handles."""

    is_live = True

    def __init__(self, root: Path) -> None:
        self.root = root
        self.opened: list[tuple[BusDevice, Interface | None]] = []
        self.links: list[FakeLink] = []

    def devices(self) -> list[BusDevice]:
        return sysfs.devices(str(self.root))

    def device(self, name: str) -> BusDevice:
        for bus_device in self.devices():
            if bus_device.name == name:
                return bus_device
        raise errors.Invalid(name)

    def open(self, bus_device: BusDevice, interface: Interface | None) -> Usb:
        self.opened.append((bus_device, interface))
        self.links.append(FakeLink())
        return fake_usb(self.links[-1], bus_device.descriptors.raw)


class S1Backend(UsbBackend):
    """Drives one product and one interface class."""

    usb_ids = ((0x04B8, 0x011E, "Acme", "S1"), (0x04B8, 0xDEAD, "Acme", "Dead"))
    usb_classes = ((0x06, 0, 1),)
    device = S1


@pytest.fixture
def backend(tmp_path: Path) -> Any:
    """Return a function that gives the backend with lines of configuration."""

    def make(*lines: str, cls: type[UsbBackend] = S1Backend) -> tuple[UsbBackend, FakeBus]:
        folder = tmp_path / "conf"
        folder.mkdir()
        if lines:
            (folder / "s1.conf").write_text("\n".join(lines))
        found = cls("s1", Context(Environment({"SANE_CONFIG_DIR": str(folder)})))
        bus = FakeBus(tmp_path / "bus")
        found.bus = bus  # type: ignore[assignment]
        found.init()
        return found, bus

    (tmp_path / "bus").mkdir()
    return make


CAMERA = interface_bytes(0, 6, BULK_PAIR, protocol=1)


def add_all(bus: FakeBus) -> None:
    add_device(bus.root, 2)
    add_device(bus.root, 3, 0x0001, manufacturer="EPSON", product="GT-9999")
    add_device(bus.root, 4, raw=descriptor_bytes(2, CAMERA))
    add_device(bus.root, 5, raw=descriptor_bytes(3, PRINTER))


def listed(backend: UsbBackend) -> dict[str, str]:
    return {item.name[7:]: f"{item.vendor} {item.model}" for item in backend.list_devices(False)}


KNOWN = {"001:002": "Acme S1", "001:004": "unknown 04b8:0002"}
NAMED = {"001:003": "EPSON GT-9999"}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), KNOWN),
        (("# nothing", ""), KNOWN),
        (("usb",), KNOWN),
        (("usb auto",), KNOWN),
        (("usb # all", "usb auto # all"), KNOWN),
        (("usb 0x04b8 0x0001 # the old one",), NAMED),
        (("usb 0x04b8 0x0001# the old one",), NAMED),
        (("usb 0x04b8 0x0001",), NAMED),
        (("usb 1208 1",), NAMED),
        (("usb 0x04b8 0x0001", "usb auto"), {**KNOWN, **NAMED}),
        (("libusb:001:003",), NAMED),
        (("libusb:001:002",), {"001:002": "Acme S1"}),
        (("usb 0x04b8 0x7777",), {}),
    ],
)
def test_lines_say_what_is_listed(
    backend: Any, lines: tuple[str, ...], expected: dict[str, str]
) -> None:
    found, bus = backend(*lines)
    add_all(bus)
    assert listed(found) == dict(sorted(expected.items()))


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("usb 0x04b8", "s1.conf:1: usb wants a vendor and a product id"),
        ("usb 0x04b8 scanner", "s1.conf:1: 'scanner' is not a number"),
        ("usb 0x14b80 1", "usb ids are 0 to 0xffff"),
        ("/dev/usb/scanner0", "neither usb nor a device name"),
    ],
)
def test_a_wrong_line_is_named_and_the_others_count(
    backend: Any, line: str, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    found, bus = backend(line, "usb 0x04b8 0x0001")
    add_all(bus)
    assert listed(found) == NAMED
    assert text in capfd.readouterr().err


def test_a_vendor_that_is_not_the_drivers_is_refused(
    backend: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    class Epson(S1Backend):
        usb_vendors = (0x04B8,)

    found, bus = backend("usb 0x1234 0x0001", cls=Epson)
    add_all(bus)
    assert listed(found) == KNOWN
    assert "vendor 0x1234 is not 0x04b8" in capfd.readouterr().err


def test_a_device_that_is_unplugged_is_no_longer_listed(backend: Any) -> None:
    found, bus = backend()
    folder = add_device(bus.root, 2)
    assert list(listed(found)) == ["001:002"]
    folder.rename(bus.root.parent / "gone")
    assert listed(found) == {}


def test_open_makes_the_device_from_its_handle(backend: Any) -> None:
    found, bus = backend()
    add_all(bus)
    device = found.open("libusb:001:003")
    assert isinstance(device, S1)
    assert device.usb.product == 1
    assert bus.opened[0][0].name == "libusb:001:003"


def test_an_empty_name_is_the_first_that_is_wanted(backend: Any) -> None:
    found, bus = backend("usb 0x04b8 0x0001")
    add_all(bus)
    assert found.open("").usb.product == 1


@pytest.mark.parametrize("name", ["", "libusb:001:009", "scanner"])
def test_what_is_not_there_is_invalid(backend: Any, name: str) -> None:
    found, _ = backend()
    with pytest.raises(errors.Invalid):
        found.open(name)


def test_a_device_that_cannot_be_made_leaves_nothing_open(backend: Any) -> None:
    found, bus = backend()
    add_device(bus.root, 6, 0xDEAD)
    with pytest.raises(errors.DeviceIOError):
        found.open("libusb:001:006")
    assert bus.links[0].closed == 1


def test_the_interface_of_the_wanted_class_is_claimed(backend: Any) -> None:
    found, bus = backend()
    mixed = interface_bytes(0, 0xFF, BULK_PAIR) + interface_bytes(1, 6, BULK_PAIR, protocol=1)
    add_device(bus.root, 2, raw=descriptor_bytes(1, mixed))
    add_device(bus.root, 3)
    found.open("libusb:001:002")
    found.open("libusb:001:003")
    numbers = [interface and interface.number for _, interface in bus.opened]
    assert numbers == [1, None]
