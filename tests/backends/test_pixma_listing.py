"""pixma: lines of pixma.conf, names of units, and lists of those that answer."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import pytest

from sane import errors
from sane.backends.pixma import short_host
from sane.config import Line
from sane.handle import Handle
from sane.network_backend import Place
from sane.testing.pixma import Scanner
from sane.testing.pixma.network import MFNP, Emulator
from tests.backends.pixma_samples import backend, frame, is_right, scanner_at, set_up
from tests.fakes.usb import add_device, descriptor_bytes

CANON = 0x04A9


def test_lines_about_the_network(tmp_path: Path) -> None:
    found = backend(
        tmp_path,
        *("bjnp://192.0.2.1", "bjnp-timeout=500", "mfnp://scanner.example:9000", "# comment"),
        *("bjnp://[fe80::1%25eth0]/timeout=2500", "auto_detection=no"),
    )
    places = [(p.method, p.host, p.port, p.settings["timeout"]) for p in found.places]
    assert places == [
        ("bjnp", "192.0.2.1", 8612, 10.0),
        ("mfnp", "scanner.example", 9000, 0.5),
        ("bjnp", "fe80::1%eth0", 8612, 2.5),
    ]
    assert not found.discovers


def test_without_a_network_nobody_is_asked(tmp_path: Path) -> None:
    found = backend(tmp_path, "networking=no", "bjnp://127.0.0.1")
    assert (found.places, found.discovers) == ([], False)
    assert found.list_devices(local_only=False) == []


@pytest.mark.parametrize(
    "text",
    [
        *("http://host", "bjnp://", "bjnp://host:0", "bjnp://host/timeout=x", "bjnp-timeout=-1"),
        *("bjnp-timeout=", "networking=no", "nonsense", "usb 0x04b8 0x0001"),
    ],
)
def test_a_wrong_line_is_told_with_its_place(
    text: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found = backend(tmp_path, "auto_detection=no", text, "bjnp://127.0.0.9")
    assert "pixma.conf:2: " in capfd.readouterr().err
    assert [place.host for place in found.places] == ["127.0.0.9"]


def test_a_wrong_line_raises_what_is_wrong(tmp_path: Path) -> None:
    found = backend(tmp_path)
    with pytest.raises(errors.Invalid, match=r"x\.conf:7: 'x' are no"):
        found.read_place(Line("x.conf", 7, "bjnp-timeout=x"))


@pytest.mark.parametrize(
    ("host", "short"),
    [
        ("office.example.org.or.longer", "office"),
        ("192.168.1.45", "192.168.1.45"),
        ("fifteen-letters", "fifteen-letters"),
        ("a-name-of-twenty-four-xx", "001e8f36b64a"),
        ("sixteen-letters-.example", "001e8f36b64a"),
    ],
)
def test_hosts_in_names(host: str, short: str) -> None:
    place = Place("bjnp", host, 8612)
    place.texts["mac"] = "001e8f36b64a"
    assert short_host(place) == short


def test_a_unit_among_silent_hosts(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        silent = []
        for number in range(5):
            sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sock.bind((f"127.0.2.{number + 1}", 0))
            silent.append(f"bjnp://127.0.2.{number + 1}:{sock.getsockname()[1]}")
        emulator = stack.enter_context(scanner_at("MP560"))
        found = backend(tmp_path, "auto_detection=no", *silent, emulator.url)
        (info,) = found.list_devices(local_only=False)
        host = emulator.address[0]
        assert (info.name, info.vendor, info.model) == (
            *(f"MP560_{host}", "CANON"),
            "Canon PIXMA MP560",
        )
        assert (info.type, info.host.split()[0]) == ("multi-function peripheral", host)


def test_a_unit_is_opened_by_name_without_a_list(tmp_path: Path) -> None:
    with scanner_at("MF4800", MFNP) as emulator:
        found = backend(tmp_path, "auto_detection=no", emulator.url)
        handle = Handle(found.open_device(f"MF4800_{emulator.address[0]}"))
        set_up(handle, "Gray", 150)
        assert is_right(frame(handle), "MF4800", 150)
        handle.close()
        for name in ("MP560_127.0.0.1", "MF4800_127.9.9.9", "04A9173E", "nonsense"):
            with pytest.raises(errors.Invalid):
                found.open_device(name)


def test_a_unit_is_opened_by_address(tmp_path: Path) -> None:
    with scanner_at("MP560") as emulator:
        found = backend(tmp_path, "auto_detection=no")
        found.open_device(emulator.url).close()
        assert found.reaches(emulator.url) == emulator.address[0]
        assert found.reaches("MP560_127.0.0.1") == ""


def test_a_unit_is_open_once(tmp_path: Path) -> None:
    with scanner_at("MP560") as emulator:
        found = backend(tmp_path, "auto_detection=no", emulator.url)
        device = found.open_device(emulator.url)
        with pytest.raises(errors.DeviceBusy):
            found.open_device(emulator.url)
        device.close()
        found.open_device(emulator.url).close()
        found.exit()


def test_one_unit_with_two_lines_is_listed_once(tmp_path: Path) -> None:
    with scanner_at("MP560") as emulator:
        found = backend(tmp_path, "auto_detection=no", emulator.url, f"{emulator.url}/timeout=900")
        assert len(found.list_devices(local_only=False)) == 1


def test_other_devices_are_not_listed(tmp_path: Path) -> None:
    with scanner_at("MP560") as emulator:
        emulator.tamper = lambda packet, answer: answer.replace(b"MDL:MP560", b"MDL:XY123")
        found = backend(tmp_path, "auto_detection=no", emulator.url)
        assert found.list_devices(local_only=False) == []
        with pytest.raises(errors.Invalid, match="'XY123' is no model"):
            found.open_device(emulator.url)


def test_an_ipv6_unit(tmp_path: Path) -> None:
    try:
        emulator = Emulator(Scanner("MF4410"), "::1", 0)
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with emulator:
        found = backend(tmp_path, "auto_detection=no", emulator.url)
        (info,) = found.list_devices(local_only=False)
        handle = Handle(found.open_device(info.name))
        set_up(handle, "Color", 75)
        assert is_right(frame(handle), "MF4410", 75)
        handle.close()


def test_units_on_the_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = descriptor_bytes(0x27E1, vendor=CANON)
    add_device(tmp_path / "usb", 4, raw=raw, serial="A" * 30)
    add_device(tmp_path / "usb", 5, raw=descriptor_bytes(0x173E, vendor=CANON))
    add_device(tmp_path / "usb", 6, raw=descriptor_bytes(0x0001, vendor=CANON), serial="1")
    found = backend(tmp_path, "networking=no")
    monkeypatch.setattr(found.bus, "devices", lambda: list_of(tmp_path / "usb"))
    listed = [(info.name, info.model) for info in found.list_devices(local_only=True)]
    assert listed == [
        ("04A9173E", "Canon PIXMA MP560"),
        (f"04A927E1_{'A' * 21}", "Canon i-SENSYS MF630 Series"),
    ]


def list_of(folder: Path) -> list[object]:
    from sane.usb.sysfs import devices

    return list(devices(str(folder)))
