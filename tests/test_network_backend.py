"""NetworkBackend: lines, names, lists within one deadline, discovery, opening one host alone."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sane import errors
from sane.backend import (
    CancelOf,
    Context,
    Device,
    DeviceInfo,
    NetworkBackend,
    Parameters,
    Place,
    Target,
    UsbNetworkBackend,
)
from sane.config import Environment
from sane.discovery import dnssd, mdns
from sane.discovery.search import HOSTS
from sane.discovery.service import Service
from sane.network_backend import distinct
from sane.testing.net import Connection, Fault, TcpEmulator, UdpEmulator
from sane.transport.streams import ByteStream
from tests.support.avahi import program

if TYPE_CHECKING:
    from sane.cancel import Cancels

LONG = 10.0


class Flatbed(TcpEmulator):
    """Tells its model, each answer a line; the protocol is made up."""

    def serve(self, connection: Connection) -> None:
        while connection.receive_until(b"\n"):
            connection.send(b"Acme\tN1\t1C852A4D-B800-1F08-ABCD-0123456789AB\n")


class Beacon(UdpEmulator):
    """Answers a search with where its scanner is."""

    said = b""

    def answers(self, data: bytes) -> Iterable[bytes]:
        return [b"garbage", self.said, self.said] if data == b"who" else []


class N1(Device):
    def __init__(self, stream: ByteStream, cancel: Cancels | None) -> None:
        self.stream = stream
        stream.cancel = CancelOf(self, cancel)
        try:
            stream.send(b"who\n", LONG)
            data = bytearray()
            view = memoryview(bytearray(100))
            while not data.endswith(b"\n"):
                n = stream.receive_into(view, LONG)
                if not n:
                    raise errors.DeviceIOError(f"{stream.peer}: is no N1")
                data += view[:n]
            self.vendor, self.model, self.uuid = data.decode().split()
        except BaseException:
            stream.close()
            raise

    def parameters(self) -> Parameters:
        raise errors.Unsupported

    def close(self) -> None:
        self.stream.close()


def speed(text: str) -> int:
    if text not in ("1", "2"):
        raise ValueError("1 or 2")
    return int(text)


class Backend(NetworkBackend):
    methods = {"acme": 4711, "acmes": 0}
    settings = {"speed": (speed, 1), "note": (str, "")}
    service_types = ("_acme._tcp",)
    list_seconds = 3.0
    beacon: tuple[str, int] | None = None

    def connect(self, place: Place, cancel: Cancels | None) -> N1:
        return N1(self.network.open(Target(place.host, place.port), LONG, cancel), cancel)

    def probe(self, place: Place, cancel: Cancels | None) -> DeviceInfo:
        if place.settings["note"] == "mistake":
            raise TypeError("a mistake of the driver")
        return super().probe(place, cancel)

    def place_at(self, service: Service) -> Place | None:
        if "acme" not in service.texts:
            return None
        return Place("acme", service.address, service.port)

    def broadcast(self, wait: Callable[[float, int], bool]) -> Iterator[Place]:
        if self.beacon is None:
            return
        host, port = self.beacon
        for answer in self.network.search([(b"who", port)], wait, 0.2, to=[host], rounds=1):
            if answer.data.startswith(b"acme"):
                yield Place("acme", answer.host, int(answer.data.split()[1]))


class Both(UsbNetworkBackend, Backend):
    usb_ids = ((0x1234, 0x0001, "Acme", "U1"),)


@pytest.fixture(autouse=True)
def nobody_announces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dnssd, "PROGRAM", "/bin/false")
    monkeypatch.setattr(mdns, "GROUPS", ())
    monkeypatch.setattr(mdns, "ROUND_SECONDS", 0.01)


def made(tmp_path: Path, *lines: str, kind: type[Any] = Backend, **variables: str) -> Any:
    (tmp_path / "acme.conf").write_text("".join(f"{line}\n" for line in lines))
    environment = Environment({"SANE_CONFIG_DIR": str(tmp_path), **variables})
    backend = kind("acme", Context(environment))
    backend.init()
    return backend


@pytest.fixture
def flatbed() -> Iterator[Flatbed]:
    with Flatbed() as device:
        yield device


def url(device: TcpEmulator) -> str:
    return f"acme://{device.address[0]}:{device.address[1]}"


def names(backend: Any) -> list[str]:
    return [device.name for device in backend.list_devices(local_only=False)]


# Lines and names


def test_network_lines_give_places_with_their_settings(tmp_path: Path) -> None:
    backend = made(
        tmp_path,
        "acme://one",
        "acme://192.0.2.7:80/tray2 speed=2 note=upstairs  # the old one",
        "acmes://[fe80::1%25eth0]:9",
        "discovery on",
    )
    assert [(p.method, p.host, p.port, p.path) for p in backend.places] == [
        ("acme", "one", 4711, ""),
        ("acme", "192.0.2.7", 80, "/tray2"),
        ("acmes", "fe80::1%eth0", 9, ""),
    ]
    assert [p.settings["speed"] for p in backend.places] == [1, 2, 1]
    assert backend.places[1].settings["note"] == "upstairs"
    assert backend.discovers
    for place in backend.places:
        again = backend.place_of(backend.name_of(place))
        assert (again.method, again.host, again.port, again.path) == (
            *(place.method, place.host, place.port, place.path),
        )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("acme://", "names no host"),
        ("acme://a:99999", "port '99999' is not"),
        ("acme://user@a", "names no host"),
        ("acme://a speed=3", "'speed=3': 1 or 2"),
        ("acme://a colour=blue", "'colour=blue': speed, note may be set"),
        ("acme://a upstairs", "'upstairs': speed, note may be set"),
        ("discovery perhaps", "is not understood"),
        ("bjnp://a", "is not understood"),
        ('"', "is not understood"),
    ],
)
def test_network_lines_that_are_wrong_are_told_with_their_place(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], line: str, told: str
) -> None:
    backend = made(tmp_path, line, "acme://good")
    assert [place.host for place in backend.places] == ["good"]
    stderr = capfd.readouterr().err
    assert "acme.conf:1: " in stderr
    assert told in stderr


def test_network_a_new_init_reads_the_lines_anew(tmp_path: Path) -> None:
    backend = made(tmp_path, "acme://one", "discovery on")
    (tmp_path / "acme.conf").write_text("acme://two\n")
    backend.init()
    assert [place.host for place in backend.places] == ["two"]
    assert not backend.discovers


# Lists


def test_network_a_list_has_what_answers_with_who_it_is(tmp_path: Path, flatbed: Flatbed) -> None:
    backend = made(tmp_path, url(flatbed), url(flatbed), "acme://127.0.0.1:1")
    (device,) = backend.list_devices(local_only=False)
    assert (device.name, device.vendor, device.model) == (url(flatbed), "Acme", "N1")
    assert (device.type, device.host) == ("flatbed scanner", "127.0.0.1")
    assert backend.list_devices(local_only=True) == []
    assert len(flatbed.connections) == 1
    backend.exit()


@pytest.mark.parametrize("kind", ["silence", "garbage", "close", "surplus"])
def test_network_hosts_that_fail_cost_the_others_nothing(
    tmp_path: Path, flatbed: Flatbed, kind: str
) -> None:
    with Flatbed() as broken:
        broken.faults.add(Fault(kind, times=9, data=b"?" * 200))
        backend = made(tmp_path, url(broken), url(flatbed), "acme://127.0.0.1:1")
        backend.list_seconds = 1.0
        begin = time.monotonic()
        assert url(flatbed) in names(backend)
        assert time.monotonic() - begin < LONG


def test_network_many_silent_hosts_cost_one_deadline(tmp_path: Path, flatbed: Flatbed) -> None:
    with Flatbed() as silent:
        silent.faults.add(Fault("silence", times=99))
        silents = [f"acme://127.0.0.{n}:{silent.address[1]}" for n in range(2, 20)]
        silent_one = url(silent)
        backend = made(tmp_path, *silents, silent_one, url(flatbed))
        backend.list_seconds = 1.0
        begin = time.monotonic()
        assert names(backend) == [url(flatbed)]
        assert time.monotonic() - begin < LONG / 2


def test_network_a_mistake_of_the_driver_is_told_and_costs_one_host(
    tmp_path: Path, flatbed: Flatbed, capfd: pytest.CaptureFixture[str]
) -> None:
    backend = made(tmp_path, "acme://127.0.0.1:1 note=mistake", url(flatbed))
    assert names(backend) == [url(flatbed)]
    stderr = capfd.readouterr().err
    assert "probe of acme://127.0.0.1:1: TypeError: a mistake of the driver (" in stderr
    assert "test_network_backend.py" in stderr


def test_network_nothing_configured_asks_nobody(tmp_path: Path) -> None:
    backend = made(tmp_path)
    assert names(backend) == []
    assert backend._network is None


# Discovery


def announce(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: Flatbed, count: int = 1
) -> None:
    rows = [
        f'=;lo;IPv4;N{n};_acme._tcp;local;a.local;127.0.0.1;{device.address[1] + n};"acme=1"'
        for n in range(count)
    ]
    rows.append(f'=;lo;IPv4;N0;_acme._tcp;local;a.local;127.0.0.1;{device.address[1]};"acme=1"')
    rows.append('=;lo;IPv4;Other;_acme._tcp;local;a.local;127.0.0.1;1;"else=1"')
    program(tmp_path, monkeypatch, "cat <<'END'\n" + "\n".join(rows) + "\nEND\n")


def test_network_services_tell_by_which_type_they_were_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Safe(Backend):
        service_types = ("_acme._tcp", "_acmes._tcp", "_none._tcp")  # type: ignore[assignment]
        told: list[tuple[str, str]] = []

        def place_at(self, service: Service) -> Place | None:
            self.told.append((service.instance, service.type))
            return None

    rows = "".join(
        f"=;lo;IPv4;N;{type};local;a.local;127.0.0.1;1;\n" for type in Safe.service_types[:2]
    )
    program(tmp_path, monkeypatch, f"grep \";$2;\" <<'END'\n{rows}END\n")
    assert made(tmp_path, "discovery on", kind=Safe).list_devices(False) == []
    assert Safe.told == [("N", "_acme._tcp"), ("N", "_acmes._tcp")]


def test_network_a_device_is_listed_with_all_names_of_its_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flatbed: Flatbed
) -> None:
    row = f'=;lo;IPv4;N1;_acme._tcp;local;a.local;127.0.0.1;{flatbed.address[1]};"acme=1"\n'
    more = "".join(
        row.replace("127.0.0.1", address).replace("acme=1", "else=1").replace(";N1;", ";Other;")
        for address in ("192.0.2.7", "2001:db8::7", "fe80::7")
    )
    program(tmp_path, monkeypatch, f"cat <<'END'\n{row}{more}END\n")
    (device,) = made(tmp_path, "discovery on").list_devices(False)
    assert device.name == url(flatbed)
    assert device.host.split()[0] == "127.0.0.1"
    assert set(device.host.split()) == {
        *("127.0.0.1", "a.local", "192.0.2.7", "2001:db8::7", "fe80::7%lo")
    }


def test_network_a_host_that_is_configured_by_name_is_known_by_its_address(
    tmp_path: Path, flatbed: Flatbed
) -> None:
    (device,) = made(tmp_path, f"acme://localhost:{flatbed.address[1]}").list_devices(False)
    assert device.name == f"acme://localhost:{flatbed.address[1]}"
    assert device.host.split()[0] == "localhost"
    assert "127.0.0.1" in device.host.split()


def test_network_texts_of_the_network_can_be_shown(tmp_path: Path) -> None:
    listed = made(tmp_path).listed(Place("acme", "one", 4711), "A\x1b[2J", " \n")
    assert (listed.vendor, listed.model) == ("A?[2J", "unknown")


def test_network_what_dns_sd_tells_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flatbed: Flatbed
) -> None:
    announce(tmp_path, monkeypatch, flatbed)
    backend = made(tmp_path, "discovery on")
    assert names(backend) == [url(flatbed)]
    assert backend.known_place(url(flatbed)).texts == {"acme": "1"}
    assert backend.reaches(url(flatbed)) == ""
    backend.open(url(flatbed)).close()
    assert names(made(tmp_path, "discovery off")) == []


def test_network_a_flood_of_announcements_is_limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flatbed: Flatbed
) -> None:
    announce(tmp_path, monkeypatch, flatbed, 3 * HOSTS)
    asked: list[str] = []
    backend = made(tmp_path, "discovery on")

    def probe(place: Place, _cancel: object) -> DeviceInfo:
        asked.append(place.host)
        return DeviceInfo(backend.name_of(place), "Acme", "N1", "scanner")

    monkeypatch.setattr(backend, "probe", probe)
    assert len(names(backend)) == HOSTS == len(asked)


def test_network_what_answers_a_broadcast_is_listed_behind_the_configured(
    tmp_path: Path, flatbed: Flatbed
) -> None:
    with Flatbed() as other, Beacon() as beacon:
        beacon.said = b"acme %d" % flatbed.address[1]
        backend = made(tmp_path, url(other), "discovery on")
        backend.beacon = beacon.address
        assert names(backend) == [url(other), url(flatbed)]


def test_network_a_broadcast_that_fails_loses_nothing_else(
    tmp_path: Path, flatbed: Flatbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_wait: object) -> Iterable[Place]:
        raise OSError(101, "Network is unreachable")

    backend = made(tmp_path, url(flatbed), "discovery on")
    monkeypatch.setattr(backend, "broadcast", fail)
    assert names(backend) == [url(flatbed)]


def test_network_a_broadcast_without_end_ends_with_the_list(
    tmp_path: Path, flatbed: Flatbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(wait: Callable[[float, int], bool]) -> Iterator[Place]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            while True:
                wait(60.0, sock.fileno())

    backend = made(tmp_path, url(flatbed), "discovery on")
    backend.list_seconds = 0.5
    monkeypatch.setattr(backend, "broadcast", endless)
    begin = time.monotonic()
    assert names(backend) == [url(flatbed)]
    assert time.monotonic() - begin < LONG / 2


def test_network_what_a_broadcast_heard_before_it_failed_is_listed(
    tmp_path: Path, flatbed: Flatbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_wait: object) -> Iterator[Place]:
        yield Place("acme", *flatbed.address)
        raise errors.DeviceIOError("the network went away")

    backend = made(tmp_path, "discovery on")
    monkeypatch.setattr(backend, "broadcast", broken)
    assert names(backend) == [url(flatbed)]


def test_network_the_same_scanner_is_listed_once() -> None:
    def device(name: str, uuid: str = "", serial: str = "") -> DeviceInfo:
        return DeviceInfo(name, "Acme", "N1", "scanner", uuid=uuid, serial=serial)

    devices = [
        *(device("a", "1"), device("b", "1", "2"), device("c", "", "2"), device("d", "3")),
        *(device("e"), device("f")),
    ]
    assert [it.name for it in distinct(devices)] == ["a", "d", "e", "f"]
    again = device("a", "1", "2").renamed("acme:a")
    assert (again.name, again.identity()) == ("acme:a", ("1", "2", "", ""))


# Opening


def test_network_open_asks_that_host_alone(tmp_path: Path, flatbed: Flatbed) -> None:
    with Flatbed() as other:
        backend = made(tmp_path, url(other), f"{url(flatbed)} speed=2", "discovery on")
        backend.open(url(flatbed)).close()
        assert (len(other.connections), len(flatbed.connections)) == (0, 1)
        assert backend.known_place(url(flatbed)).settings["speed"] == 2
        backend.open("").close()
        assert len(other.connections) == 2


@pytest.mark.parametrize("name", ["nonsense", "bjnp://127.0.0.1", "acme://", "acme://a b", ""])
def test_network_names_that_mean_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(errors.Invalid):
        made(tmp_path).open(name)


def test_network_where_a_name_leads(tmp_path: Path) -> None:
    backend = made(tmp_path, "acme://one", "acme://two:80")
    assert [backend.reaches(name) for name in ("acme://one", "acme://one:4711", "")] == [""] * 3
    assert backend.reaches("acme://two:80") == ""
    assert backend.reaches("acme://two") == "two"
    assert backend.reaches("acme://192.0.2.9:22/x") == "192.0.2.9"
    assert [backend.reaches(name) for name in ("nonsense", "acme://", "libusb:001:002")] == [""] * 3


def test_network_a_list_is_recorded_and_replayed(
    tmp_path: Path, flatbed: Flatbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(tmp_path, monkeypatch, flatbed)
    path = str(tmp_path / "session.net")
    lines = ("acme://127.0.0.1:1", "discovery on")
    backend = made(tmp_path, *lines, PYSANE_NET_RECORD=path)
    assert names(backend) == [url(flatbed)]
    backend.open(url(flatbed)).close()
    backend.exit()
    flatbed.close()
    backend = made(tmp_path, *lines, PYSANE_NET_REPLAY=path)
    monkeypatch.setattr(dnssd, "PROGRAM", "/bin/false")
    assert names(backend) == [url(flatbed)]
    backend.open(url(flatbed)).close()


class Slow(N1):
    """Lets a minute pass before it can be used, as a scanner that warms up."""

    def __init__(self, stream: ByteStream, cancel: Cancels | None) -> None:
        super().__init__(stream, cancel)
        try:
            self.wait(self.seconds)
        except BaseException:
            stream.close()
            raise

    seconds = 0.0


class SlowBackend(Backend):
    def connect(self, place: Place, cancel: Cancels | None) -> Slow:
        return Slow(self.network.open(Target(place.host, place.port), LONG, cancel), cancel)


def test_network_a_replay_does_not_wait_in_the_constructor(
    tmp_path: Path, flatbed: Flatbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "session.net")
    backend = made(tmp_path, url(flatbed), kind=SlowBackend, PYSANE_NET_RECORD=path)
    assert names(backend) == [url(flatbed)]
    device = backend.open_device(url(flatbed))
    assert device.is_live
    device.close()
    backend.exit()
    monkeypatch.setattr(Slow, "seconds", 6 * LONG)
    begin = time.monotonic()
    backend = made(tmp_path, url(flatbed), kind=SlowBackend, PYSANE_NET_REPLAY=path)
    assert names(backend) == [url(flatbed)]
    device = backend.open_device(url(flatbed))
    device.wait(6 * LONG)
    device.close()
    assert time.monotonic() - begin < LONG


# Beside USB


@pytest.fixture
def both(tmp_path: Path, flatbed: Flatbed, monkeypatch: pytest.MonkeyPatch) -> Any:
    backend = made(tmp_path, url(flatbed), kind=Both)
    bus_device = DeviceInfo("libusb:001:002", "Acme", "U1", "flatbed scanner", usb="1234:0001")

    def listed(_self: object, _local_only: bool) -> list[DeviceInfo]:
        return [bus_device]

    monkeypatch.setattr("sane.usb_backend.UsbBackend.list_devices", listed)
    return backend


def test_usb_and_network_list_both(both: Any, flatbed: Flatbed) -> None:
    assert names(both) == ["libusb:001:002", url(flatbed)]
    assert [it.usb for it in both.list_devices(local_only=True)] == ["1234:0001"]
    assert both.reaches(url(flatbed)) == ""
    assert both.reaches("acme://elsewhere") == "elsewhere"
    both.open(url(flatbed)).close()


@pytest.mark.parametrize(("is_exclusive", "is_auto"), [(True, False), (False, True)])
def test_usb_and_network_lines_in_one_file(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    is_exclusive: bool,
    is_auto: bool,
) -> None:
    class Strict(Both):
        places_switch_off_auto = is_exclusive

    backend = made(tmp_path, "acme://one", "nonsense", kind=Strict)
    assert backend._auto == is_auto
    assert "'nonsense' is neither usb nor a device name" in capfd.readouterr().err
    backend = made(tmp_path, "acme://one", "usb 0x1234 0x0002", kind=Strict)
    assert backend.configured == [(0x1234, 2)]
    assert [place.host for place in backend.places] == ["one"]
