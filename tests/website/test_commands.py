"""Commands and snippets of the pages that no other test runs, with emulated scanners beside them.

Addresses and ports of a page are replaced by free ones of this machine.
"""

from __future__ import annotations

import gzip
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT, TREE
from tests.conftest import ABSENT, PREFIX
from tests.support.ports import free_ports
from tests.website.blocks import block

pytestmark = pytest.mark.process
TIMEOUT = 60


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return variables with which programs are those of the tree, and have the test device."""
    if not (PREFIX / "lib" / "libsane.so.1").exists():
        pytest.fail(f"nothing staged in {PREFIX}: make build")
    programs, config = tmp_path / "bin", tmp_path / "sane.d"
    programs.mkdir()
    config.mkdir()
    (programs / "scanimage").symlink_to(PREFIX / "bin" / "pysane-scanimage")
    for name in ("python", "python3"):
        (programs / name).symlink_to(sys.executable)
    (config / "dll.conf").write_text("test\n")
    return {
        "PATH": f"{programs}:{PREFIX / 'bin'}:{os.defpath}",
        "PYTHONPATH": str(TREE),
        "PYTHONUNBUFFERED": "1",
        "SANE_CONFIG_DIR": str(config),
        "HOME": str(tmp_path),
        "LC_ALL": "C",
    }


def configure(environment: dict[str, str], **files: str) -> None:
    for name, text in files.items():
        (Path(environment["SANE_CONFIG_DIR"]) / f"{name}.conf").write_text(text)


def run(environment: dict[str, str], folder: Path, text: str) -> str:
    """Run *text* by the shell; return what it printed."""
    done = subprocess.run(
        ["bash", "-ec", text],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, (text, done.stdout, done.stderr)
    return done.stdout


@contextmanager
def served(environment: dict[str, str], folder: Path, command: str) -> Iterator[str]:
    """Let a server run that says on stderr or stdout that it is ready; yield what it said."""
    # The virtual environment's Python finds its packages by its own name.
    words = command.replace("python3 ", "python ").replace("python ", f"{sys.executable} ", 1)
    with subprocess.Popen(
        ["bash", "-c", f"exec {words}"],
        stdin=subprocess.PIPE,
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline()
            assert process.poll() is None, process.stdout.read()
        finally:
            process.kill()


def python(environment: dict[str, str], folder: Path, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# README and backends.md


def test_the_readme_scans_a_page(environment: dict[str, str], tmp_path: Path) -> None:
    printed = python(environment, tmp_path, block("README.md", "import sane").text)
    assert re.fullmatch(r"\(\d+, \d+, 3\)\n", printed)
    assert (tmp_path / "page.png").stat().st_size > 100


def test_the_driver_of_the_readme_is_one(environment: dict[str, str]) -> None:
    from sane import backend, option

    del environment
    names: dict[str, Any] = {"option": option, **vars(backend)}
    exec(block("README.md", "class Gradient(Device)").text, names)
    device = names["Gradient"]()
    assert device.parameters().pixels_per_line == device.resolution * 100 // 25.4


def test_native_is_a_line_of_pysane_conf(environment: dict[str, str], tmp_path: Path) -> None:
    configure(environment, pysane=block("backends.md", "native epson2").text)
    environment = {**environment, "SANE_DEBUG_DLL": "1"}
    done = run(environment, tmp_path, "scanimage -d epson2:x -n 2>&1 || true")
    assert "pysane.conf" not in done
    assert "epson2" in done


# Scanners on the network


@pytest.fixture
def port() -> int:
    return free_ports(1)


@pytest.fixture
def address() -> str:
    """Return an address of this machine for servers whose port is fixed."""
    return f"127.{os.getpid() % 250 + 1}.{os.getpid() // 250 % 250}.9"


def test_a_network_session_is_recorded_and_replayed(
    environment: dict[str, str], tmp_path: Path, address: str
) -> None:
    page, place = "net-sessions.md", address
    record, replay = block(page, "PYSANE_NET_RECORD").text.replace("192.0.2.7", place).splitlines()
    configure(environment, dll="epson2\n", epson2=f"net {place}\n")
    with served(environment, tmp_path, f"python -m sane.testing.esci --host {address}"):
        run(environment, tmp_path, record)
    first = (tmp_path / "page.png").read_bytes()
    (tmp_path / "page.png").unlink()
    run(environment, tmp_path, replay)
    assert (tmp_path / "page.png").read_bytes() == first

    code = block(page, "from sane.config").text.replace("tests/data/net/scan.net", "scan.net")
    code = code.replace("192.0.2.7", address)
    code += "view = memoryview(bytearray(2))\nstream.receive_exactly(view)\nprint(bytes(view))\n"
    assert python(environment, tmp_path, code) == "b'IS'\n"


@pytest.mark.parametrize(
    ("page", "start"),
    [
        ("pixma.md", "python -m sane.testing.pixma"),
        ("testing-network.md", "python -m sane.testing.pixma"),
    ],
)
def test_the_emulated_canon_unit_is_found(
    environment: dict[str, str], tmp_path: Path, page: str, start: str, address: str
) -> None:
    configure(environment, dll="pixma\n", pixma=f"bjnp://{address}\n")
    server, *clients = block(page, start).text.replace("127.0.0.5", address).splitlines()
    with served(environment, tmp_path, server):
        assert "pixma:MP560" in run(environment, tmp_path, "scanimage -L")
        for client in clients:
            run(environment, tmp_path, f"{client} --resolution=75 --format=pnm -o page.pnm")
            assert (tmp_path / "page.pnm").stat().st_size > 10_000


def test_the_emulated_escl_device_scans_by_a_name_of_airscan(
    environment: dict[str, str], tmp_path: Path, port: int
) -> None:
    lines = block("testing-network.md", "python -m sane.testing.escl").text.splitlines()
    server, client = (line.replace("8095", str(port)) for line in lines)
    configure(environment, dll="escl\n", escl="discovery off\n")
    with served(environment, tmp_path, f"{server} --port {port}"):
        run(environment, tmp_path, f"{client} --resolution=75 --format=pnm > page.pnm")
    assert (tmp_path / "page.pnm").stat().st_size > 10_000


def test_the_configuration_of_the_emulator_is_one(
    environment: dict[str, str], tmp_path: Path, port: int
) -> None:
    (tmp_path / "knobs.json").write_text(block("testing-network.md", '{"model"').text)
    server = f"python -m sane.testing.escl --preset feeder --port {port} --config knobs.json"
    configure(environment, dll="escl\n", escl=f"discovery off\nhttp://127.0.0.1:{port}\n")
    with served(environment, tmp_path, server):
        assert "X" in run(environment, tmp_path, "scanimage -L")


def test_a_scanner_is_asked_and_named_by_its_address(
    environment: dict[str, str], tmp_path: Path, port: int
) -> None:
    if shutil.which("curl") is None:
        pytest.skip(f"{ABSENT}curl")
    page, place = "scanner-not-found.md", f"127.0.0.1:{port}"
    ask, options, line = (
        block(page, start).text.replace("192.168.1.20", place)
        for start in ("curl -k", "scanimage -d escl", "http://192")
    )
    configure(environment, dll="escl\n", escl="discovery off\n")
    with served(environment, tmp_path, f"python -m sane.testing.escl --port {port}"):
        assert "<scan:ScannerCapabilities" in run(environment, tmp_path, ask)
        assert "--resolution" in run(environment, tmp_path, options)
        configure(environment, escl=f"discovery off\n{line}")
        assert place in run(environment, tmp_path, "scanimage -L")


def test_the_test_of_the_page_scans_from_a_scanner_of_your_own(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "acmenet.py").write_bytes((ROOT / "docs/examples/acmenet.py").read_bytes())
    variables = {
        **environment,
        "PYSANE_BACKEND_PATH": str(tmp_path),
        "PYTHONPATH": f"{TREE}:{ROOT / 'docs' / 'examples'}",
    }
    python(variables, tmp_path, block("testing-network.md", "import subprocess").text)


def scan_with_your_driver(url: str) -> list[bytes]:
    """Stand for a driver in the snippets: ask, begin a job of two pages, fetch them."""
    import sane

    backend = "escl" if "/eSCL" in url else "wsd"
    files = {"dll.conf": backend, "escl.conf": "discovery off", "wsd.conf": "discovery off"}
    with sane.Session(config=files) as session, session.scanner(f"{backend}:{url}") as scanner:
        scanner.configure(mode="color", resolution=75, source="feeder", area=(0, 0, 215.7, 297.02))
        with scanner.pages(limit=2) as pages:
            return [bytes(page.raw) for page in pages]


@pytest.mark.parametrize("module", ["escl", "wsd"])
def test_the_emulated_scanner_of_the_page_scans(
    environment: dict[str, str], tmp_path: Path, module: str
) -> None:
    code = block("testing-network.md", f"from sane.testing.{module}").text
    # Our driver takes JPEG, which is near to the reference of the page.
    code = code.replace("pages[1] == reference", "len(pages[1]) == len(reference")
    code = re.sub(r"side=1\)", "side=1))", code)
    compiled = {**environment, "PYTHONPATH": str(PREFIX / "lib" / "pysane")}  # it reads JPEG
    python(compiled, tmp_path, inspect.getsource(scan_with_your_driver) + code)


def test_what_the_emulated_escl_scanner_can_be_told() -> None:
    from sane.testing.escl import Delivery, Emulator, Scanner, announced, feeder_model
    from sane.testing.mdns import Responder
    from sane.testing.net import Fault

    scanner = Scanner(feeder_model(), sheets=3)
    names: dict[str, Any] = {"scanner": scanner, "Delivery": Delivery, "Fault": Fault}
    with Emulator(scanner) as device:
        exec(block("testing-network.md", "scanner.script").text, {**names, "device": device})
        assert scanner.pages.form == "dnl-65535"
        compile(block("testing-network.md", "with Responder").text, "page", "exec")
        assert Responder is not None
        assert announced.service(device) is not None


def test_a_usb_session_is_opened_from_a_file(environment: dict[str, str], tmp_path: Path) -> None:
    with gzip.open(ROOT / "tests" / "data" / "usb" / "page-session.usb.gz") as packed:
        (tmp_path / "scan.usb").write_bytes(packed.read())
    code = block("usb-sessions.md", "from sane.config").text
    code = code.replace("tests/data/usb/scan.usb", "scan.usb").replace('"epson2"', '"page"')
    assert "libusb:" in python(environment, tmp_path, code + "print(bus.devices()[0].name)\n")


def test_the_settings_behind_a_proxy_are_taken(tmp_path: Path) -> None:
    from sane.web import config

    (tmp_path / "pysane-share.toml").write_text(block("share.md", "[server]").text)
    assert config.read(str(tmp_path / "pysane-share.toml"))


SERVER = """
import sys
from pathlib import Path
from tests.support.api import ApiServer
from tests.support.web import FakeScanner

scanner = FakeScanner()
with ApiServer([scanner], state=Path("state")) as api:
    print(api.port, scanner.id, flush=True)
    sys.stdin.read()
"""


def test_curl_scans_through_the_server(environment: dict[str, str], tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip(f"{ABSENT}curl")
    order, events, fetch = block("share-api.md", "curl").text.splitlines()
    (tmp_path / "server.py").write_text(SERVER)
    # A process of its own: the threads of the server's library outlive it by ten seconds.
    beside = {**environment, "PYTHONPATH": f"{ROOT}:{TREE}"}
    with served(beside, tmp_path, "python server.py") as said:
        port, scanner = said.split()
        place = f"127.0.0.1:{port}"
        made = run(environment, tmp_path, order.replace("ID", scanner).replace("host:8090", place))
        job = json.loads(made)
        heard = f"timeout 1 {events} || true".replace("host:8090", place)
        assert ":" in run(environment, tmp_path, heard)
        deadline = time.monotonic() + TIMEOUT
        while job["state"] != "done" and time.monotonic() < deadline:
            ask = f"curl -s http://{place}/api/v1/jobs/{job['id']}"
            job = json.loads(run(environment, tmp_path, ask))
        fetch = fetch.replace("host:8090", place).replace("DOCUMENT", job["document"])
        run(environment, tmp_path, fetch.replace("&ocr=1", ""))
    assert list(tmp_path.glob("*.pdf"))


USBIP = (ROOT / "docs" / "testing-usb.md").read_text().splitlines()


@pytest.mark.parametrize(
    "command", [line.strip() for line in USBIP if line.startswith("    python3 -m sane.testing")]
)
def test_an_emulated_usb_device_is_exported(
    environment: dict[str, str], tmp_path: Path, port: int, command: str
) -> None:
    (tmp_path / "page.ppm").write_bytes(b"P6 30 40 255\n" + bytes(30 * 40 * 3))
    words = re.sub(
        r"(sane\.testing\.usb\.usbip|sane\.testing\.plustek)", rf"\1 --port {port}", command
    )
    with served(environment, tmp_path, words) as said:
        assert said
