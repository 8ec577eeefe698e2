"""Avahi over D-Bus: what its cache holds is found at once, and how its failures end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sane.cancel import Cancel
from sane.config import Environment
from sane.debug import Debug
from sane.discovery import avahi, dbus, dnssd, mdns
from sane.discovery.service import Service
from sane.errors import Cancelled, DeviceIOError
from tests.conftest import ABSENT

pytest.importorskip("jeepney", reason=f"{ABSENT}jeepney")

from tests.fakes.avahi import Announced, FakeAvahi

TYPE = "_uscan._tcp"
LONG = 10.0
QUIET = Debug("net", Environment({}))
LOUD = Debug("net", Environment({"SANE_DEBUG_NET": "2"}))
TWO = (Announced("Büro 2.Stock"), Announced("Other", "fe80::1", "other.local"))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return where the bus is; nobody else can be asked, and the network says one thing."""
    monkeypatch.setattr(dbus, "SOCKET", str(tmp_path / "bus"))
    monkeypatch.setattr(dnssd, "PROGRAM", "/nonexistent")
    elsewhere = [Service("network.local", 80, "192.0.2.99", "network", {})]
    monkeypatch.setattr(mdns, "browse_all", lambda types, *_, **__: {types[0]: elsewhere})
    yield tmp_path / "bus"


def found(seconds: float = LONG, debug: Debug = QUIET) -> list[tuple[str, str]]:
    return [(it.instance, it.address) for it in dnssd.services(TYPE, debug, seconds)]


NETWORK = [("network", "192.0.2.99")]
BOTH = [("Büro 2.Stock", "192.0.2.7"), ("Other", "fe80::1%lo")]


def test_avahi_what_is_in_the_cache_is_found_at_once(path: Path) -> None:
    with FakeAvahi(path, TWO) as daemon:
        begin = time.monotonic()
        services = dnssd.services(TYPE, QUIET, LONG)
        assert time.monotonic() - begin < LONG / 4
    assert [it.row() for it in services] == [
        ["printer.local", "8080", "192.0.2.7", "Büro 2.Stock", "rs=eSCL"],
        ["other.local", "8080", "fe80::1%lo", "Other", "rs=eSCL"],
    ]
    assert daemon.calls[:4] == ["Hello", "AddMatch", "GetNameOwner", "ServiceBrowserNew"]


def test_avahi_who_has_found_one_type_does_not_wait_for_another(path: Path) -> None:
    other = "_uscans._tcp"
    with FakeAvahi(path, [*TWO, Announced("Safe", type=other)]):
        begin = time.monotonic()
        found = dnssd.services_of((other, TYPE, "_none._tcp"), QUIET, LONG)
        assert time.monotonic() - begin < LONG / 4
    names = {type: [it.instance for it in services] for type, services in found.items()}
    assert names == {other: ["Safe"], TYPE: ["Büro 2.Stock", "Other"], "_none._tcp": []}


def test_avahi_with_a_cold_cache_it_waits_until_no_more_comes(path: Path) -> None:
    with FakeAvahi(path, TWO, "cold"):
        begin = time.monotonic()
        assert found() == BOTH
        assert avahi.QUIET_SECONDS <= time.monotonic() - begin < LONG / 2


def test_avahi_that_knows_of_nothing_is_believed(path: Path) -> None:
    with FakeAvahi(path):
        assert found() == []


def test_avahi_a_scanner_that_is_switched_off_holds_up_nobody(path: Path) -> None:
    with FakeAvahi(path, (Announced("Off", ""), *TWO)):
        begin = time.monotonic()
        assert found() == BOTH
        assert time.monotonic() - begin < LONG / 2


@pytest.mark.parametrize("fault", ["dies", "closes", "garbage", "endless"])
def test_avahi_what_was_known_when_it_failed_counts(
    path: Path, fault: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with FakeAvahi(path, TWO, fault):
        assert found(debug=LOUD) == BOTH[:1]
    assert capfd.readouterr().err.count(f"discovery of {TYPE}: ") == 1


@pytest.mark.parametrize("fault", ["greeting", "refused", "gone", "hangs", "failure", "dies"])
def test_avahi_that_tells_nothing_is_replaced_by_the_network(
    path: Path, fault: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with FakeAvahi(path, [Announced("Off", "")], fault):
        begin = time.monotonic()
        assert found(debug=LOUD) == NETWORK
        assert time.monotonic() - begin < LONG / 2
    assert (
        capfd.readouterr().err.count("org.freedesktop.Avahi: ") + (fault in ("greeting", "refused"))
        == 1
    )


def test_avahi_that_hangs_is_not_asked_again_by_its_program(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "avahi-browse"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr(dnssd, "PROGRAM", str(program))
    with FakeAvahi(path, TWO, "hangs"):
        assert found(1.2) == NETWORK
    assert not (tmp_path / "asked").exists()


def test_avahi_without_a_bus_fails_at_once(path: Path) -> None:
    with pytest.raises(DeviceIOError, match="bus: connect"):
        avahi.browse([TYPE], QUIET, LONG)
    assert found() == NETWORK


def test_avahi_that_was_cancelled_ends(path: Path) -> None:
    cancel = Cancel()
    with FakeAvahi(path, [Announced("Off", "")]):
        timer = threading.Timer(0.1, cancel.set)
        timer.start()
        begin = time.monotonic()
        with pytest.raises(Cancelled):
            dnssd.services(TYPE, QUIET, LONG, cancel)
        assert time.monotonic() - begin < LONG / 2
        timer.join()
    cancel.close()


def test_avahi_ten_thousand_announcements_are_limited_and_told_once(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Those of one address do not hide a scanner behind them."""
    flood = [Announced(f"N{number}", "192.0.2.66") for number in range(1500)]
    late = [Announced(f"M{number}", "192.0.2.66") for number in range(8500)]
    with FakeAvahi(path, [*flood, TWO[0], *late]):
        begin = time.monotonic()
        services = found(60.0, LOUD)
        assert time.monotonic() - begin < 60
    assert len(services) <= avahi.FINDINGS
    assert services[:2] == [("N0", "192.0.2.66"), BOTH[0]]
    said = capfd.readouterr().err
    assert said.count(f"discovery of {TYPE}: ") == 1
    assert "7953 findings are left out" in said


def test_avahi_host_names_are_unescaped(path: Path) -> None:
    with FakeAvahi(path, [Announced("x", host=r"B\195\188ro\045PC.local")]):
        (service,) = dnssd.services(TYPE, QUIET, LONG)
    assert service.name == "Büro-PC.local"


@pytest.mark.parametrize(
    "bad",
    [
        Announced("x", host="a\nb"),
        Announced("x", host="a\x1b[31mb.local"),
        Announced("x", host="a b"),
        Announced("x", host="user@printer.local"),
        Announced("x", host=""),
        Announced("x", host="é" * 128),
        Announced("x", address="224.0.0.251"),
        Announced("x", address="0.0.0.0"),
        Announced("x", address="255.255.255.255"),
        Announced("x", address="::"),
        Announced("x", address="ff02::1"),
        Announced("x", address="nonsense"),
        Announced("x", address="fe80::1", interface=99999),
        Announced("x", port=0),
    ],
)
def test_avahi_what_is_no_service_is_left_out(path: Path, bad: Announced) -> None:
    with FakeAvahi(path, [bad, *TWO]):
        assert found() == BOTH


def test_avahi_any_bytes_are_the_texts_and_the_name_of_a_service(path: Path) -> None:
    texts = (b"ty=\x1b[2J\xff", b"=no key", b"", b"rs", b"RS=second", b"x" * 5000)
    with FakeAvahi(path, [Announced("a\x01\u202eb", texts=texts)]):
        (service,) = dnssd.services(TYPE, QUIET, LONG)
    assert service.instance == "a\x01\u202eb"
    assert service.texts == {"ty": "\x1b[2J\ufffd", "rs": "", "x" * 5000: ""}
