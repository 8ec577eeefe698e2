"""eSCL scanners in lists, in escl.conf and by name; rows of specification escl 10."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sane import errors
from sane.backend import Context
from sane.backends.escl import Backend
from sane.config import Environment
from sane.discovery.service import Service
from sane.dll.config import successor
from sane.dll.registry import registry_for
from sane.network_backend import Place
from sane.testing.escl import Emulator, Scanner
from tests import ROOT, TREE
from tests.support.escl import png_model

UUID = "1c852a4d-b800-1f08-abcd-0123456789ab"
OTHER = "2c852a4d-b800-1f08-abcd-0123456789ab"


class Announced(Backend):
    """The backend on a network where *services* are announced."""

    services: list[Service]

    def discover(self, _wait: Callable[[float, int], bool]) -> list[Place]:
        return list(self.places_at(self.services))


def service(
    address: str = "198.51.100.7", instance: str = "Box", port: int = 80, **texts: str
) -> Service:
    found = Service("box.local", port, address, instance, {"ty": "Acme S1", **texts})
    found.type = "_uscan._tcp"
    return found


def made(folder: Path, conf: str = "", *services: Service) -> Announced:
    (folder / "escl.conf").write_text(conf)
    environment = Environment({"SANE_CONFIG_DIR": str(folder), "SANE_DEBUG_ESCL": "0"})
    backend = Announced("escl", Context(environment))
    backend.services = list(services)
    backend.init()
    return backend


@pytest.fixture
def device() -> Iterator[Emulator]:
    with Emulator(Scanner(png_model())) as found:
        yield found


def here(device: Emulator, **texts: str) -> Service:
    """Return what *device* would announce."""
    return service(*device.address[:1], "My Box", device.address[1], **texts)


def listed(backend: Backend, local_only: bool = False) -> list[str]:
    return [device.name for device in backend.list_devices(local_only)]


# Lists


def test_row_1_and_3_announced_scanners_are_listed_without_being_asked(tmp_path: Path) -> None:
    backend = made(tmp_path, "", service(uuid=UUID), service("198.51.100.8", "Other", uuid=OTHER))
    backend.services[0].texts["is"] = "platen,adf"
    first, second = backend.list_devices(local_only=False)
    assert (first.name, first.vendor, first.model) == (UUID, "Acme", "S1")
    assert first.type == "flatbed or ADF scanner" and second.name == OTHER
    assert first.uuid == UUID.replace("-", "")
    backend.exit()


def test_row_7_a_scanner_of_the_configuration_without_discovery(
    tmp_path: Path, device: Emulator
) -> None:
    conf = f"discovery off\ndevice {device.url}\nhttp://192.0.2.1:1/x model=Acme_S2\n"
    backend = made(tmp_path, conf, service(uuid=UUID))
    first, second = backend.list_devices(local_only=False)
    assert (first.name, first.vendor, first.model) == (device.url, "Example", "ScanBox 100")
    assert first.type == "flatbed or ADF scanner"
    assert (second.name, second.model) == ("http://192.0.2.1:1/x", "Acme_S2")
    assert device.log.names() == ["GET capabilities 200"]
    opened = backend.open_device(first.name)
    opened.close()
    backend.exit()


def test_row_8_lines_of_the_original(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    conf = (
        "# comment\n; comment\n"
        'device http://192.0.2.1:8080 "Acme S1"\n'
        "device https://192.0.2.2:443 S2 hack=localhost\n"
        "[device]\nmodel S3\ntype https\nip 192.0.2.3\nport 9443\n"
        "[device]\nip 192.0.2.4\n"
        "pdfblacklist Acme_S1\n"
        "what is this\nhttp://\ndevice\nhttps never mind\n"
    )
    backend = made(tmp_path, conf)
    places: list[Any] = backend.places
    assert [(place.name, place.model) for place in places] == [
        ("http://192.0.2.1:8080", "Acme S1"),
        ("https://192.0.2.2", "S2"),
        ("https://192.0.2.3:9443", "S3"),
        ("http://192.0.2.4", ""),
    ]
    assert [place.settings["host"] for place in places[:2]] == ["default", "localhost"]
    told = capfd.readouterr().err
    for number in (13, 14, 15, 16):
        assert f"escl.conf:{number}" in told
    backend.exit()


def test_the_lines_that_the_shipped_file_shows_are_understood(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shipped = (ROOT / "etc" / "escl.conf").read_text().splitlines()
    shown = [line[1:] for line in shipped if line[:1] == "#" and line[1:2] not in ("", " ")]
    assert len(shown) > 20
    backend = made(tmp_path, "\n".join(shown))
    assert "escl.conf" not in capfd.readouterr().err
    assert len(backend.places) == 5
    backend.exit()


def test_row_8_the_blacklist_does_not_count_for_scanners_that_are_named(
    tmp_path: Path, device: Emulator
) -> None:
    conf = f"blacklist model *\nblacklist ip 127.0.0.0/8\n{device.url}\n"
    backend = made(tmp_path, conf, here(device, uuid=UUID))
    assert listed(backend) == [device.url]
    backend.exit()


def test_a_scanner_of_the_configuration_that_announces_itself_is_listed_once(
    tmp_path: Path, device: Emulator
) -> None:
    backend = made(tmp_path, f"{device.url} model=Acme\n", here(device, uuid=UUID))
    assert listed(backend) == [device.url]
    for name in (UUID, "airscan:e0:My Box", device.url):
        backend.open_device(name).close()
    backend.exit()


def test_row_9_local_scanners_alone(tmp_path: Path, device: Emulator) -> None:
    services = service(uuid=UUID), here(device, uuid=OTHER)
    backend = made(tmp_path, "http://192.0.2.1 model=x\n", *services)
    assert listed(backend, local_only=True) == [OTHER]
    assert len(listed(backend)) == 3
    backend = made(tmp_path, "pretend-local on\n", *services)
    assert listed(backend, local_only=True) == [UUID, OTHER]
    backend.exit()


def test_row_10_names_do_not_depend_on_the_order_of_announcements(tmp_path: Path) -> None:
    one, two = service(), service("198.51.100.8", "Other")
    assert listed(made(tmp_path, "", one, two)) == listed(made(tmp_path, "", two, one))[::-1]


def test_ten_thousand_announcements(tmp_path: Path) -> None:
    many = [service(instance=f"box {number}", port=1 + number) for number in range(10_000)]
    assert 0 < len(listed(made(tmp_path, "", *many))) <= 256


def test_names_with_control_characters_do_not_reach_a_list(tmp_path: Path) -> None:
    backend = made(tmp_path, "", service(instance="a\nb\x1b[31m", ty="Evil\x07\n\tS1" * 100))
    (found,) = backend.list_devices(local_only=False)
    for text in (found.name, found.vendor, found.model, found.type):
        assert text.isprintable() and len(text) < 200


def test_a_scanner_that_its_quirk_disables_is_not_listed(tmp_path: Path, device: Emulator) -> None:
    usb = here(device, ty="HP Laser MFP 131 133 135-138")
    network = service(ty="HP Laser MFP 131 133 135-138", uuid=UUID)
    assert listed(made(tmp_path, "", usb, network)) == [UUID]


def test_a_list_imports_neither_h11_nor_ssl(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from tests.backends.test_escl_listing import UUID, listed, made, service\n"
        "for name in [n for n in sys.modules if n.partition('.')[0] in ('h11', 'ssl', '_ssl')]:\n"
        "    del sys.modules[name]\n"
        "assert listed(made(Path(sys.argv[1]), '', service(uuid=UUID))) == [UUID]\n"
        "print(sorted({n.partition('.')[0] for n in sys.modules} & {'h11', 'ssl'}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), str(TREE)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert done.stdout == "[]\n"


# Opening by name


def test_names_that_open_an_announced_scanner(tmp_path: Path, device: Emulator) -> None:
    backend = made(tmp_path, "", here(device, uuid=UUID, rs="/eSCL"), service(uuid=OTHER))
    for name in (
        *(UUID, f"uuid:{UUID}", UUID.replace("-", "").upper()),
        *("airscan:e0:My Box", "e7f:my box", f"escl:Any name:{device.url}", device.url),
        device.origin,
    ):
        backend.open_device(name).close()
    backend.exit()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("uuid:00000000-0000-0000-0000-000000000000", "not found"),
        ("airscan:e0:Nobody", "not found"),
        ("airscan:w0:My Box", "WS-Scan"),
        ("airscan:e0:Twin", f"{UUID} or {OTHER}"),
        ("http://", "names no host"),
        ("libusb:001:002", "no device of escl"),
    ],
)
def test_names_that_open_nothing(tmp_path: Path, name: str, reason: str) -> None:
    twins = service(instance="Twin", uuid=UUID), service("198.51.100.8", "Twin", uuid=OTHER)
    backend = made(tmp_path, "", *twins)
    with pytest.raises(errors.Invalid, match=reason):
        backend.open_device(name)
    backend.exit()


def test_a_name_to_be_found_where_discovery_is_off(tmp_path: Path, device: Emulator) -> None:
    conf = f'discovery off\n{device.url} name="My Box"\n'
    backend = made(tmp_path, conf)
    backend.open_device("airscan:e0:My Box").close()
    with pytest.raises(errors.Invalid, match="discovery is off"):
        backend.open_device(UUID)
    backend.exit()


def test_row_5_the_next_way_is_tried_when_one_fails(tmp_path: Path, device: Emulator) -> None:
    closed = here(device, uuid=UUID)
    closed.port = 9  # where nobody listens
    secure = here(device, uuid=UUID)
    secure.type, secure.port = "_uscans._tcp", 9
    backend = made(tmp_path, "", closed, secure, here(device, uuid=UUID))
    backend.open_device(UUID).close()
    backend = made(tmp_path, "https require\n", secure)
    with pytest.raises(errors.SaneError):
        backend.open_device(UUID)
    backend.exit()


def test_row_32_http_may_be_forced(tmp_path: Path, device: Emulator) -> None:
    secure = here(device, uuid=UUID)
    secure.type, secure.port = "_uscans._tcp", 9
    backend = made(tmp_path, 'quirk model="Acme*" force-http\n', secure, here(device, uuid=UUID))
    backend.open_device(UUID).close()
    assert [way.url.scheme for way in backend.discover(lambda _s, _f: False)[0].endpoints] == [  # type: ignore[attr-defined]
        "https",
        "http",
    ]
    backend.exit()


def test_names_of_airscan_open_here_where_it_is_not_installed(
    tmp_path: Path, device: Emulator
) -> None:
    (tmp_path / "escl.conf").write_text(f'discovery off\n{device.url} name="My Box"\n')
    (tmp_path / "dll.conf").write_text("escl\n")
    environment = Environment({"SANE_CONFIG_DIR": str(tmp_path), "LD_LIBRARY_PATH": str(tmp_path)})
    registry = registry_for("pysane", Context(environment))
    registry.open("airscan:e3:My Box").close()
    registry.open(f"airscan:escl:Box:{device.url}").close()
    assert successor("airscan", "w0:Box") == successor("airscan", "wsd:Box:http://x") == "wsd"
    assert successor("epson2", "e0:x") == ""
    registry.exit()


def test_a_host_that_only_a_name_says_is_told(tmp_path: Path, device: Emulator) -> None:
    backend = made(tmp_path, f"{device.url}\n", service(uuid=UUID))
    assert backend.reaches("http://192.0.2.99/eSCL") == "192.0.2.99"
    assert backend.reaches(device.url) == backend.reaches(UUID) == ""
    backend.exit()
