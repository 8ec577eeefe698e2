"""Scanners that are found in several ways are listed once, by the best; others stay as they are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sane.backend import DeviceInfo
from sane.dll.device_identity import Identity, host_of
from sane.dll.merge import merge
from sane.usb.descriptors import Descriptors
from sane.usb.sysfs import BusDevice
from tests.support.registry import Stack, names, stack

__all__ = ["stack"]

USB = [
    "epson2:libusb:001:005",
    "epsonds:libusb:001:005",
    "utsushi:esci:usb:libusb:1:5",
]
HOST = [
    "epson2:net:10.0.0.2",
    "epsonds:net:10.0.0.2",
    "escl:https://10.0.0.2:443",
    "escl:http://10.0.0.2:80/eSCL/",
    "hpaio:/net/Officejet?ip=10.0.0.2",
    "xerox_mfp:tcp 10.0.0.2",
    "dell1600n_net:10.0.0.2",
    "pixma:MG5300_10.0.0.2",
]
UUID, OTHER_UUID = "1c852a4db8001f08abcd0123456789ab", "ab" * 16


def device(full: str, vendor: str = "V", model: str = "Model", **who: str) -> DeviceInfo:
    return DeviceInfo(full, vendor, model, who.pop("type", "T"), **who)


def known(full: str, **who: str) -> Identity:
    return Identity(full, device(full, **who))


# What a name tells


@pytest.mark.parametrize("name", USB)
def test_usb_names_give_bus_and_address(name: str) -> None:
    assert known(name).usb_place == (1, 5)


@pytest.mark.parametrize("name", HOST)
def test_network_names_give_the_host(name: str) -> None:
    assert known(name).hosts == {"10.0.0.2"}


@pytest.mark.parametrize(
    "name",
    [
        "test:0",
        "v4l:/dev/video0",
        "hpaio:/usb/Officejet?serial=AB12",
        "x:libusb:",
        "x:libusb:1",
        "x:libusb:a:b",
        "xerox_mfp:/dev/usb/lp0",
        "escl:http://",
        "epson2:net:",
        "airscan:e0:An MFP on 10.0.0.2",
        "",
        ":",
        "net:",
        "net:box",
        "net:[::1",
        "net:" * 1000,
    ],
)
def test_other_names_give_no_place(name: str) -> None:
    identity = known(name)
    assert identity.usb_place is None
    assert identity.hosts == set()
    assert not identity.is_told


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Printer.local.", "printer.local"),
        ("[FE80::1]", "fe80:0::1%eth0"),
        ("::ffff:10.0.0.2", "10.0.0.2"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
    ],
)
def test_one_host_has_one_spelling(one: str, other: str) -> None:
    assert host_of(one) == host_of(other)


@pytest.mark.parametrize(
    ("backend", "type", "hosts"),
    [
        ("airscan", "ip=10.0.0.2", {"10.0.0.2"}),
        ("airscan", "eSCL scanner ip=[fe80::1%2]", {"fe80::1"}),
        ("airscan", "ip=10.0.0.2, 127.0.0.1,fe80::1", {"10.0.0.2", "127.0.0.1", "fe80::1"}),
        ("airscan", "ip=, ,", set()),
        ("airscan", "ip=", set()),
        ("airscan", "zip=10.0.0.2", set()),
        ("other", "ip=10.0.0.2", set()),
        ("net:box:airscan", "ip=10.0.0.2", {"10.0.0.2"}),
    ],
)
def test_the_type_that_airscan_lists_gives_the_host(
    backend: str, type: str, hosts: set[str]
) -> None:
    identity = known(f"{backend}:e0:An MFP", type=type)
    assert identity.hosts == hosts
    assert identity.is_told == bool(hosts)


def test_names_of_pixma_give_ids_and_serial_number() -> None:
    identity = known("pixma:04A91912_0123AB")
    assert (identity.usb, identity.serial) == ("04a9:1912", "0123ab")


# Who is one device


def count(*listed: DeviceInfo, preferred: Sequence[str] | None = None) -> int:
    """Return how many are listed; the order in which they were found does not matter."""
    rows = [(one.name, one) for one in listed]
    found = {len(merge(order, preferred, ())) for order in (rows, rows[::-1])}
    assert len(found) == 1
    return found.pop()


ESCL = {"host": "10.0.0.2 printer.local fe80::1%eth0", "uuid": UUID, "serial": "VNB3X12345"}
SAME: list[tuple[DeviceInfo, DeviceInfo, bool]] = [
    # eSCL and WSD, by UUID or host
    (device("escl:a", **ESCL), device("wsd:b", uuid=UUID, host="10.9.9.9"), True),
    (device("escl:a", **ESCL), device("wsd:b", uuid=OTHER_UUID, host="10.0.0.2"), True),
    (device("escl:a", **ESCL), device("wsd:b", uuid=OTHER_UUID, host="10.0.0.3"), False),
    # beside drivers on the same host, by any of its names
    (device("escl:a", **ESCL), device("epson2:net:10.0.0.2", host="10.0.0.2"), True),
    (device("escl:a", **ESCL), device("epsonds:net:PRINTER.local", host="PRINTER.local"), True),
    (device("escl:a", **ESCL), device("pixma:mfnp://x", host="FE80::1"), True),
    (device("escl:a", **ESCL), device("pixma:bjnp://10.0.0.20", host="10.0.0.20"), False),
    # a C backend's name, beside who says it
    (device("escl:a", **ESCL), device("pixma:MG5300_10.0.0.2"), True),
    (device("escl:a", **ESCL), device("hpaio:/net/A?ip=10.0.0.2"), True),
    (device("escl:a", **ESCL), device("hpaio:/net/A?ip=10.0.0.2&serial=other"), False),
    (device("escl:a", **ESCL), device("hpaio:/net/A?ip=10.0.0.2&serial=vnb3x12345"), True),
    # a C airscan
    (device("escl:a", **ESCL), device("airscan:e0:X", type="ip=10.0.0.2"), True),
    (device("escl:a", **ESCL), device("airscan:w1:X", type="ip=10.0.0.3"), False),
    (device("pixma:MG5300_10.0.0.2"), device("airscan:e0:X", type="ip=10.0.0.2"), True),
    # ipp-usb, beside who drives it over USB
    (
        device("escl:a", usb="03f0:c511", serial="VN1234", host="127.0.0.1"),
        device("hp:libusb:001:005", usb="03f0:c511", serial="vn1234"),
        True,
    ),
    (
        device("escl:a", usb="03f0:c511", serial="VN1234", host="127.0.0.1"),
        device("hp:libusb:001:005", usb="03f0:c511", serial="VN9999"),
        False,
    ),
    (
        device("escl:a", usb="03f0:c511", host="127.0.0.1"),
        device("hp:libusb:001:005", usb="03f0:c511", serial="VN9999"),
        True,
    ),
    (
        device("escl:a", usb="04a9:1912", serial="0123AB", host="127.0.0.1"),
        device("pixma:04A91912_0123AB"),
        True,
    ),
    # this machine offers many devices: the model decides
    (
        device("escl:a", "HP", "LaserJet M28w", host="127.0.0.1"),
        device("airscan:e0:X", "eSCL", "HP LaserJet M28w (USB)", type="ip=127.0.0.1"),
        True,
    ),
    (
        device("escl:a", "HP", "LaserJet M28w", host="127.0.0.1"),
        device("airscan:e0:X", "eSCL", "Canon MF4400 (USB)", type="ip=127.0.0.1"),
        False,
    ),
    # a serial number is worth something together with the model
    (device("escl:a", serial="A1B2C3"), device("epsonds:b", serial="a1b2c3 "), True),
    (device("escl:a", serial="A1B2C3"), device("epsonds:b", model="X9", serial="A1B2C3"), False),
    (device("escl:a", uuid=UUID, serial="0000"), device("epsonds:b", serial="0000"), False),
    # on the USB
    (device("a:libusb:001:005", usb="1:2"), device("b:libusb:1:5"), True),
    (device("a:libusb:001:005", usb="1:2"), device("b:libusb:1:6", usb="1:2"), False),
    # another machine's device is not ours
    (device("escl:a", **ESCL), device("net:box:airscan:e0:X", type="ip=10.0.0.2"), False),
    (device("net:box:a:libusb:1:2"), device("net:box:airscan:e0:X", type="ip=1.1.1.1"), False),
    (
        device("net:box:epson2:net:10.0.0.2"),
        device("net:box:airscan:e0:X", type="ip=10.0.0.2"),
        True,
    ),
    (
        device("net:bax:epson2:net:10.0.0.2"),
        device("net:box:airscan:e0:X", type="ip=10.0.0.2"),
        False,
    ),
    # one backend lists them as two
    (device("escl:a", **ESCL), device("escl:b", **ESCL), False),
    # nothing is known
    (device("escl:a"), device("wsd:b"), False),
]


@pytest.mark.parametrize(("one", "other", "is_same"), SAME)
def test_two_entries_are_one_scanner_or_not(
    one: DeviceInfo, other: DeviceInfo, is_same: bool
) -> None:
    assert count(one, other) == 2 - is_same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("epson2:libusb:001:005", "epsonds:libusb:001:005", True),
        ("epson2:libusb:001:005", "epsonds:libusb:001:006", False),
        ("epson2:libusb:001:005", "epsonds:libusb:002:005", False),
        ("epson2:net:10.0.0.2", "escl:https://10.0.0.2:443", True),
        ("epson2:net:printer", "escl:https://PRINTER.:443", True),
        ("epson2:net:10.0.0.2", "escl:https://10.0.0.20:443", False),
        ("escl:http://[fe80::1]:80", "epson2:net:[FE80::1]", True),
        ("hpaio:/net/A?ip=10.0.0.2&serial=1234", "escl:http://10.0.0.2?serial=1234", True),
        ("hpaio:/net/A?ip=10.0.0.2&serial=1234", "escl:http://10.0.0.2?serial=2345", False),
        ("hpaio:/net/A?ip=10.0.0.2&serial=1234", "escl:http://10.0.0.2", True),
        ("net:box:epson2:libusb:001:005", "net:box:epsonds:libusb:001:005", True),
        ("net:box:epson2:libusb:001:005", "net:bax:epsonds:libusb:001:005", False),
        ("net:box:epson2:libusb:001:005", "net:box:test:0", False),
        ("net:box:epson2:libusb:001:005", "epsonds:libusb:001:005", False),
        ("net:box:epson2:net:10.0.0.2", "escl:http://10.0.0.2", False),
    ],
)
def test_names_alone_count_where_that_is_asked_for(one: str, other: str, same: bool) -> None:
    assert count(device(one), device(other)) == 2
    assert count(device(one), device(other), preferred=()) == 2 - same


def test_who_knows_both_sides_brings_them_together() -> None:
    sides = device("escl:a", host="fe80::1"), device("epson2:net:10.0.0.2", host="10.0.0.2")
    assert count(*sides) == 2
    assert count(*sides, device("wsd:b", host="10.0.0.2 fe80::1")) == 1


def test_several_devices_behind_one_host_find_their_like() -> None:
    server = [
        device("escl:a", "HP", "LaserJet", host="10.0.0.2"),
        device("escl:b", "Canon", "MF4400", host="10.0.0.2"),
    ]
    one = device("airscan:e0:b", "eSCL", "Canon MF4400", type="ip=10.0.0.2")
    listed = [(it.name, it) for it in (one, *server)]
    assert [it.name for it in merge(listed)] == ["escl:b", "escl:a"]
    assert count(*server, one) == 2
    assert count(*server, device("airscan:e0:c", "eSCL", "Xerox", type="ip=10.0.0.2")) == 3


def test_two_alike_on_the_usb_without_a_serial_number_stay_two() -> None:
    """Which of them ipp-usb offers cannot be told."""
    usb = [device(f"hp:libusb:001:00{n}", usb="03f0:c511") for n in (5, 6)]
    assert count(*usb, device("escl:a", usb="03f0:c511", host="127.0.0.1", model="X")) == 3


def bus_device(address: int, folder: Path, serial: str) -> BusDevice:
    (folder / "serial").write_text(serial)
    data = bytes.fromhex("12010002 00000040 f00311c5 00010102 0301")  # 03f0:c511
    return BusDevice(1, address, Descriptors(data), str(folder))


def test_a_place_on_the_usb_is_looked_up(tmp_path: Path) -> None:
    """A C backend names the place only, ipp-usb the ids and the serial number only."""
    on_usb = [bus_device(5, tmp_path, "VN1234")]
    assert (on_usb[0].vendor, on_usb[0].product) == (0x03F0, 0xC511)
    offered = device("escl:a", usb="03f0:c511", serial="vn1234", host="127.0.0.1")
    listed = [(it.name, it) for it in (device("hp:libusb:001:005"), offered)]
    assert [it.name for it in merge(listed, None, on_usb)] == ["escl:a"]
    assert len(merge(listed, None, ())) == 2


# Which of the ways is listed, and where


def merged(*listed: str, preferred: Sequence[str] | None = (), **aliases: str) -> list[str]:
    rows = [(name, device(aliases.get(name, name))) for name in listed]
    return [it.name for it in merge(rows, preferred, ())]


LIST = ("test:0", "epsonds:libusb:001:005", "pnm:0", "epson2:libusb:001:005", "net:box:test:0")


def test_the_first_of_several_stays_where_it_was() -> None:
    assert merged(*LIST) == [*LIST[:3], LIST[4]]
    assert merged(*LIST, preferred=None) == list(LIST)


def test_a_preferred_backend_takes_the_place_of_the_first() -> None:
    expected = ["test:0", "epson2:libusb:001:005", "pnm:0", "net:box:test:0"]
    assert merged(*LIST, preferred=("test", "epson2", "epsonds")) == expected


def test_a_name_that_the_user_gave_stays() -> None:
    rows = [(name, device(name)) for name in LIST]
    rows[3] = (rows[3][0], rows[3][1].renamed("Desk"))
    found = [it.name for it in merge(rows, ("epsonds",), ())]
    assert found == ["test:0", "Desk", "pnm:0", "net:box:test:0"]


def test_three_names_of_one_scanner_become_one() -> None:
    assert merged(*HOST) == [HOST[2], HOST[3]]  # escl lists two of its own
    assert merged(*USB) == [USB[0]]


@pytest.mark.parametrize(
    ("ways", "preferred", "best"),
    [
        (["airscan", "wsd", "epson2", "escl"], None, "escl"),
        (["airscan", "wsd", "epson2"], None, "epson2"),
        (["airscan", "wsd"], None, "wsd"),
        (["epson2", "pixma"], None, "epson2"),
        (["pixma", "epson2"], None, "pixma"),
        (["airscan", "wsd", "epson2", "escl"], ["wsd"], "wsd"),
        (["airscan", "wsd", "epson2", "escl"], ["nobody", "epson2", "wsd"], "epson2"),
    ],
)
def test_the_best_way_is_listed(ways: list[str], preferred: list[str] | None, best: str) -> None:
    rows = [(f"{way}:x", device(f"{way}:x", uuid=UUID)) for way in ways]
    assert [it.name for it in merge(rows, preferred, ())] == [f"{best}:x"]


def test_who_says_who_it_is_goes_before_who_does_not() -> None:
    rows = [(it.name, it) for it in (device("a:http://10.0.0.2"), device("b:x", host="10.0.0.2"))]
    assert [it.name for it in merge(rows, None, ())] == ["b:x"]


def test_a_hostile_list_takes_no_time() -> None:
    """Ten thousand devices of each of three backends, all at one host."""
    rows = [
        (f"{backend}:{n}", device(f"{backend}:{n}", model=f"M{n:05}", host="10.0.0.2"))
        for backend in ("a", "b", "c")
        for n in range(10_000)
    ]
    begin = time.monotonic()
    found = merge(rows, None, ())
    assert time.monotonic() - begin < 60
    assert 10_000 <= len(found) <= 30_000


def test_hostile_names_take_no_time() -> None:
    begin = time.monotonic()
    for name in ("net:a:" * 200_000, "x:" + "libusb:" * 200_000, "x:" + "?ip=" * 200_000):
        identity = known(name, serial="x" * 1_000_000, host="h " * 100_000)
        assert identity.has_model_of(identity)
    assert time.monotonic() - begin < 30


# In the registry


WAYS: dict[str, dict[str, Any]] = {
    "tstescl": {"uuid": UUID, "host": "10.0.0.2"},
    "tstepson": {"host": "10.0.0.2"},
    "tstother": {"host": "10.0.0.3"},
}


def with_ways(stack: Stack, pysane_conf: str = "", **variables: str) -> Any:
    for name, who in WAYS.items():
        texts = ", ".join(f"{key}={value!r}" for key, value in who.items())
        listed = f'return [DeviceInfo("x", "Acme", "M1", "scanner", {texts})]'
        opened = "note('open ' + self.name + ' ' + name); return Page()"
        stack.driver(name, list_devices=listed, open=opened)
    (stack.config / "pysane.conf").write_text(pysane_conf)
    return stack.registry("", *reversed(WAYS), **variables)  # the last one is asked first


def test_a_list_has_each_scanner_once_and_every_name_opens(
    stack: Stack, capfd: pytest.CaptureFixture[str]
) -> None:
    registry = with_ways(stack)
    assert names(registry) == ["tstescl:x", "tstother:x"]
    for name in WAYS:
        registry.open(f"{name}:x").close()
        assert f"open {name} x" in capfd.readouterr().err


def test_merging_may_be_switched_off(stack: Stack) -> None:
    assert names(with_ways(stack, "list-merge off\n")) == [f"{name}:x" for name in WAYS]


def test_another_way_may_be_preferred(stack: Stack) -> None:
    assert names(with_ways(stack, "list-merge tstepson\n")) == ["tstepson:x", "tstother:x"]


def test_a_kept_list_is_merged_alike(stack: Stack, tmp_path: Path) -> None:
    for _ in range(2):
        registry = with_ways(stack, "list-cache 300\n", XDG_CACHE_HOME=str(tmp_path / "cache"))
        assert names(registry) == ["tstescl:x", "tstother:x"]
    assert UUID in (tmp_path / "cache" / "pysane" / "devices").read_text()


@pytest.mark.parametrize("who", ["host=None", "uuid=7", "serial=b'x'"])
def test_a_driver_that_does_not_tell_texts_loses_its_device(
    stack: Stack, who: str, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = f'return [DeviceInfo("x", "Acme", "M1", "scanner", {who}), info("good")]'
    stack.driver("tstbad", list_devices=bad)
    stack.driver("tstgood")
    registry = stack.registry("", "tstgood", "tstbad")
    assert names(registry) == ["tstbad:good", "tstgood:one", "tstgood:two"]
    assert "who it is, is not told in texts" in capfd.readouterr().err
