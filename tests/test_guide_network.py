"""The network driver of docs/examples with its emulated scanner."""

from __future__ import annotations

import importlib.util
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import sane.backends
from sane import errors
from sane.api.scanner import Scanner
from sane.backend import Context, Device
from sane.config import Environment
from sane.handle import Handle
from sane.testing.net import Fault
from tests import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

EXAMPLES = ROOT / "docs" / "examples"
LINES = 150
LONG = 10.0
GROUP = "239.255.17.4"


def load(name: str, module_name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(module_name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[module_name]
    return module


DRIVER: Any = load("acmenet", f"{sane.backends.__name__}.acmenet")
MODEL: Any = load("emulated_n1", "emulated_n1")


@pytest.fixture
def scanner() -> Iterator[Any]:
    with MODEL.EmulatedN1() as found:
        yield found


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    made: list[Any] = []

    def backend(conf: str = "") -> Any:
        (tmp_path / "acmenet.conf").write_text(conf)
        environment = Environment({"SANE_CONFIG_DIR": str(tmp_path)})
        found = DRIVER.Backend("acmenet", Context(environment))
        found.init()
        made.append(found)
        return found

    yield backend
    for found in made:
        found.exit()


def name_of(scanner: Any) -> str:
    return f"acme://127.0.0.1:{scanner.address[1]}"


def opened(backend: Any, scanner: Any) -> Scanner:
    device: Device = backend.open(name_of(scanner))
    return Scanner.around(Handle(device), "acmenet")


def small(found: Scanner, **values: object) -> Scanner:
    for name, value in {"br_x": 25.4, "br_y": 12.7, "resolution": 150, **values}.items():
        found.options[name].value = value
    return found


def commands(scanner: Any) -> list[str]:
    return bytes(scanner.connections[-1].received).decode().splitlines()


def test_the_example_is_short_and_uses_the_contract_alone() -> None:
    lines = (EXAMPLES / "acmenet.py").read_text().splitlines()
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= 100
    imported = {line.split()[1] for line in lines if line.startswith(("from", "import"))}
    assert imported == {"..backend", "struct", "types"}


@pytest.mark.parametrize(("mode", "channels"), [("Color", 3), ("Gray", 1)])
def test_a_page(scanner: Any, make: Any, mode: str, channels: int) -> None:
    with small(opened(make(), scanner), mode=mode) as found:
        page = found.scan()
    assert (page.width, page.height, page.channels) == (150, 75, channels)
    row = bytes(x * 255 // 150 for x in range(150) for _ in range(channels))
    assert bytes(page.rows()) == row * 75
    assert commands(scanner) == ["HELLO -", f"SCAN {mode} RAW 150 0 0 150 75"]


def test_two_pages_and_a_document_over_one_connection(scanner: Any, make: Any) -> None:
    with small(opened(make(), scanner)) as found:
        found.scan()
        assert found.document() == MODEL.JPEG
        found.scan()
    assert len(scanner.connections) == 1


def test_a_configured_scanner_is_listed_and_a_silent_one_costs_no_more(
    scanner: Any, make: Any
) -> None:
    with MODEL.EmulatedN1() as silent:
        silent.faults.add(Fault("silence"))
        backend = make(f"{name_of(silent)}\n{name_of(scanner)}\n")
        backend.list_seconds = 1.0
        begun = time.monotonic()
        (listed,) = backend.list_devices(local_only=False)
        assert time.monotonic() - begun < LONG
    assert (listed.name, listed.vendor, listed.model) == (name_of(scanner), "Acme", "N1")
    assert backend.list_devices(local_only=True) == []


def test_the_pin_of_a_line_reaches_the_scanner(scanner: Any, make: Any) -> None:
    scanner.pin = "1234"
    with pytest.raises(errors.AccessDenied):
        make().open(name_of(scanner))
    opened(make(f"{name_of(scanner)} pin=1234\n"), scanner).close()


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (b"FAIL OPEN\n", errors.CoverOpen),
        (b"FAIL ?\n", errors.DeviceIOError),
        (b"garbage\n", errors.DeviceIOError),
        (b"x" * 300, errors.DeviceIOError),
    ],
)
def test_an_answer_that_is_no_consent_is_an_error(
    scanner: Any, make: Any, failure: bytes, error: type[Exception]
) -> None:
    scanner.failure = failure
    with small(opened(make(), scanner)) as found, pytest.raises(error):
        found.scan()


def test_a_greeting_of_something_else_is_refused(scanner: Any, make: Any) -> None:
    scanner.serial = "and more words"
    with pytest.raises(errors.DeviceIOError, match="no N1"):
        make().open(name_of(scanner))


@pytest.mark.parametrize(
    "fault",
    [
        Fault("cut", after=2, size=10),
        Fault("close", after=2),
        Fault("garbage", after=2, data=b"\xff" * 8),
    ],
    ids=["cut", "close", "garbage"],
)
def test_an_image_that_breaks_off_is_an_error(scanner: Any, make: Any, fault: Fault) -> None:
    scanner.faults.add(fault)
    with small(opened(make(), scanner)) as found:
        for _ in range(2):  # nor is the next one believed
            with pytest.raises(errors.DeviceIOError):
                found.scan()


def test_a_busy_scanner_is_asked_again(
    scanner: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanner.busy = 1
    with small(opened(make(), scanner)) as found:
        assert found.scan().height == 75
    assert sum(line.startswith("SCAN") for line in commands(scanner)) == 2


def test_a_cancelled_scan_is_stopped_and_the_next_one_works(scanner: Any, make: Any) -> None:
    scanner.stuck_after = 3000
    with small(opened(make(), scanner)) as found:
        timer = threading.Timer(0.2, found.cancel)
        timer.start()
        begun = time.monotonic()
        with pytest.raises(errors.Cancelled):
            found.scan()
        assert time.monotonic() - begun < LONG
        timer.join()
        scanner.stuck_after = 0
        assert found.scan().height == 75
    assert "STOP" in commands(scanner)


def test_a_scanner_that_answers_a_broadcast_is_found(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question goes to a group of this machine: what else is there is not asked."""
    with (
        MODEL.EmulatedN1("0.0.0.0") as scanner,
        MODEL.Announcer("0.0.0.0", 0, [GROUP]) as announcer,
    ):
        port = announcer.address[1]
        backend = make("discovery on\n")
        backend.list_seconds = LONG
        search = backend.network.search

        def here(questions: Any, wait: Any, seconds: float) -> Any:
            asked = [(text, port) for text, _ in questions]
            return search(asked, wait, seconds, to=(GROUP,), with_loopback=True)

        monkeypatch.setattr(backend.network, "search", here)
        monkeypatch.setattr(DRIVER, "PORT", scanner.address[1])
        (listed,) = backend.list_devices(local_only=False)
    assert (listed.vendor, listed.model, listed.serial) == ("Acme", "N1", "S4711")
