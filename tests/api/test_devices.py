"""Lists of devices and what went wrong, find, watch, sessions, configure, passwords."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import sane
from sane import authorization, errors
from sane.api import listing, signs, watch
from sane.cancel import Wake
from tests.fakes.sheets import SECONDS

DRIVER = """
import time
from ..backend import Backend as _Backend, DeviceInfo, errors

class Backend(_Backend):
    def list_devices(self, local_only):
        with open(self.read_config()[0].text) as file:
            text = file.read()
        if text == "fail":
            raise errors.DeviceIOError("the bus is on fire")
        if text == "slow":
            time.sleep(0.4)
        return [DeviceInfo(word, "Acme", word.upper(), "flatbed scanner") for word in text.split()]

    def open(self, name):
        return self.context.authorize("acme:" + name + "$MD5$1234")
"""


class Acme:
    """A backend whose list a test writes to a file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "devices"
        self.list("one")
        drivers = folder / "drivers"
        drivers.mkdir()
        (drivers / "acme.py").write_text(DRIVER)
        os.environ["PYSANE_BACKEND_PATH"] = str(drivers)

    def list(self, text: str) -> None:
        self.path.write_text(text)


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Acme:
    monkeypatch.setenv("PYSANE_BACKEND_PATH", "")
    return Acme(tmp_path)


@pytest.fixture
def session(acme: Acme) -> Any:
    config = {"dll.conf": "test\nacme", "acme.conf": str(acme.path)}  # the last one comes first
    with sane.Session(config=config) as found:
        yield found


def names(devices: Any) -> list[str]:
    return [device.name for device in devices]


def test_a_backend_that_fails_costs_its_own_devices(acme: Acme, session: sane.Session) -> None:
    found = session.devices()
    assert names(found) == ["acme:one", "test:0", "test:1"]
    assert found.problems == []
    acme.list("fail")
    found = session.devices()
    assert names(found) == ["test:0", "test:1"]
    ((backend, error),) = found.problems
    assert (backend, str(error)) == ("acme", "the bus is on fire")
    acme.list("two")
    assert session.devices().problems == []
    assert names(session.devices(backend="acme")) == ["acme:two"]


@pytest.mark.parametrize("backend", [None, "acme"])
def test_a_backend_that_is_late_is_a_problem(
    acme: Acme, session: sane.Session, backend: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    session.devices()
    acme.list("slow")
    found = session.devices(timeout=0.1, backend=backend)
    assert names(found) == ([] if backend else ["test:0", "test:1"])
    ((name, error),) = found.problems
    assert name == "acme"
    assert isinstance(error, errors.ScanTimeout)
    time.sleep(0.5)  # its thread ends
    capfd.readouterr()


def test_a_timeout_that_makes_no_sense(session: sane.Session) -> None:
    with pytest.raises(errors.Invalid):
        session.devices(timeout=0)


def test_find_knows_a_device_by_parts(acme: Acme, session: sane.Session) -> None:
    acme.list("one laser-1")
    assert session.find("LASER").name == "acme:laser-1"
    assert session.find("frontend").name == "test:0"
    assert session.find(vendor="acme", model="one").name == "acme:one"
    assert session.find(type="virtual").name == "test:0"
    assert session.find(backend="test").name == "test:0"
    assert session.find().name == "acme:one"
    for ask in ({"text": "nothing"}, {"vendor": "acme", "text": "test"}):
        with pytest.raises(LookupError, match=r"there are acme:one.*test:1") as caught:
            session.find(**ask)
        assert isinstance(caught.value, errors.DeviceNotFound)


# Sessions


def test_a_session_has_its_own_devices(session: sane.Session) -> None:
    with sane.Session(backends=["test"]) as other:
        assert names(other.devices()) == ["test:0", "test:1"]
        with session.scanner("test:0") as one, other.scanner("test:0") as two:
            assert one.scan().height == two.scan().height
        scanner = other.scanner("test:1", settings={"mode": "color"})
        assert scanner.options.mode == "Color"
    assert scanner.closed
    for ask in (other.devices, other.find, other.scanner, other.watch):
        with pytest.raises(errors.Closed):
            ask()
    other.close()


def test_a_scanner_that_cannot_be_configured_is_closed(session: sane.Session) -> None:
    with pytest.raises(errors.Unsupported):
        session.scanner("test:0", settings={"mode": "sepia"})
    session.scanner("test:0").close()


def test_files_of_a_session_stay_in_its_folder() -> None:
    for name in ("../x", "/etc/x", "a/b"):
        with pytest.raises(errors.Invalid, match="no name of a configuration file"):
            sane.Session(config={name: ""})
    with pytest.raises(errors.Invalid, match="cannot both"):
        sane.Session(config={}, config_dir="/")
    with pytest.raises(errors.Invalid, match="no such folder"):
        sane.Session(config_dir="/nonexistent")


def test_the_library_is_configured_before_its_first_use(tmp_path: Path) -> None:
    sane.exit()
    (tmp_path / "dll.conf").write_text("pnm\n")
    try:
        sane.configure(config_dir=tmp_path, backends=["test"], debug={"test": 0})
        assert names(sane.devices()) == ["test:0", "test:1"]
        with pytest.raises(errors.Invalid, match="in use"):
            sane.configure()
        sane.exit()
        sane.configure(config_dir=tmp_path)
        assert [item.backend for item in sane.devices()] == ["pnm", "pnm"]
        with sane.Scanner("pnm:0") as scanner:
            assert scanner.info.vendor == "Noname"
            assert repr(scanner) == "<sane.Scanner 'pnm:0' Noname PNM file reader, idle>"
    finally:
        sane.exit()
        sane.configure()


# Passwords


def open_acme(session: sane.Session, **options: Any) -> str:
    """Return what the driver is told when it asks for a password."""
    with pytest.raises(errors.SaneError) as caught:
        session.scanner("acme:one", **options)
    return str(caught.value)


def test_passwords_are_asked_of_who_is_nearest(
    session: sane.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "wants a user name and a password" in open_acme(session)
    (tmp_path / ".sane").mkdir()
    file = tmp_path / ".sane" / "pass"
    file.write_text("rubbish\nme:secret:other\nme:file:acme:one\n")
    file.chmod(0o644)
    assert "wants a user" in open_acme(session), "others may read it"
    file.chmod(0o600)
    assert "('me', 'file')" in open_acme(session)
    asked: list[str] = []
    try:
        sane.set_authorization(lambda resource: (asked.append(resource), ("all", "x"))[1])  # type: ignore[func-returns-value]
        assert "('all', 'x')" in open_acme(session)
        assert "('one', 'y')" in open_acme(session, auth=lambda _: ("one", "y"))
        assert "wants a user" in open_acme(session, auth=lambda _: None)
        assert asked == ["acme:one"]
    finally:
        sane.set_authorization(None)
    assert authorization.from_file("acme:two") is None


# Watching


class Bell:
    """A sign that a test rings."""

    covers: tuple[str, ...] = ("usb", "network")

    def __init__(self) -> None:
        self.wake = Wake()
        self.is_heard = True

    @property
    def fd(self) -> int:
        return self.wake.fd

    def read(self) -> bool:
        self.wake.untell()
        return self.is_heard

    def close(self) -> None:
        self.wake.close()


def test_a_watcher_tells_what_comes_and_goes(
    acme: Acme, session: sane.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "QUIET_SECONDS", 0.01)
    bell = Bell()
    library = session.scanner("test:0")
    library.close()
    with watch.Watcher(session._library, make_signs=lambda _: [bell]) as watcher:
        first = [next(watcher) for _ in range(3)]
        assert [(event.kind, event.device.name) for event in first] == [
            ("added", "acme:one"),
            ("added", "test:0"),
            ("added", "test:1"),
        ]
        acme.list("two")
        bell.wake.tell()
        assert next(watcher).kind == "removed"
        assert next(watcher) == listing.DeviceEvent("added", session.find("acme:two"))
        acme.list("fail")  # what a backend had that fails is still there
        bell.wake.tell()

        def later() -> None:
            acme.list("")
            bell.wake.tell()

        ringing = threading.Timer(0.1, later)
        ringing.start()
        event = next(watcher)
        ringing.join()
        assert (event.kind, event.device.name) == ("removed", "acme:two")


def test_a_watcher_lists_again_where_nothing_tells(
    acme: Acme, session: sane.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "QUIET_SECONDS", 0.01)
    with watch.Watcher(session._library, interval=0.02, make_signs=lambda _: []) as watcher:
        for _ in range(3):
            next(watcher)
        acme.list("one two")
        assert next(watcher).device.name == "acme:two"


@pytest.mark.parametrize("how", ["thread", "session"])
def test_a_watcher_ends(session: sane.Session, how: str) -> None:
    watcher = session.watch(interval=0.5)
    for _ in range(3):
        next(watcher)
    ending = threading.Timer(0.02, watcher.close if how == "thread" else session.close)
    ending.start()
    assert list(watcher) == []
    ending.join()
    watcher.close()


@pytest.mark.parametrize(
    ("message", "is_one"),
    [
        (b"add@/devices/usb1\0ACTION=add\0SUBSYSTEM=usb\0DEVTYPE=usb_device\0", True),
        (b"remove@/x\0ACTION=remove\0SUBSYSTEM=scsi\0", True),
        (b"add@/x\0ACTION=add\0SUBSYSTEM=net\0", False),
        (b"add@/x\0SUBSYSTEM=usb\0", False),
        (b"", False),
        (b"\0\0=\0\xff", False),
    ],
)
def test_messages_of_the_kernel(message: bytes, is_one: bool) -> None:
    assert signs.is_of_scanners(message) == is_one


def test_the_kernel_can_be_listened_to() -> None:
    try:
        found = signs.Uevents()
    except OSError as exc:
        pytest.skip(f"no messages of the kernel here: {exc}")
    try:
        assert found.fd >= 0
        found.read()
    finally:
        found.close()


# Opening within a time


def test_a_device_that_opens_in_time_is_open(session: sane.Session) -> None:
    with session.scanner("test:0", timeout=SECONDS) as scanner:
        assert scanner.scan().array.size


def test_a_device_that_does_not_open_in_time(
    session: sane.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is closed when it is open after all."""
    go, closed = threading.Event(), threading.Event()
    registry = session._library.registry
    opens = registry.open

    class Late:
        def __init__(self, name: str) -> None:
            self.handle = opens(name)

        def close(self) -> None:
            self.handle.close()
            closed.set()

    def late(name: str) -> Late:
        assert go.wait(SECONDS)
        return Late(name)

    monkeypatch.setattr(registry, "open", late)
    with pytest.raises(errors.ScanTimeout, match=r"test:0: not open after 0\.01 s"):
        session.scanner("test:0", timeout=0.01)
    go.set()
    assert closed.wait(SECONDS)


# Buttons


def test_a_button_is_waited_for(session: sane.Session) -> None:
    with session.scanner("test:0") as scanner:
        with pytest.raises(errors.ScanTimeout):
            scanner.wait_button(timeout=0.02, interval=0.01)
        with pytest.raises(errors.Unsupported, match="no button 'mode'"):
            scanner.wait_button("mode")
        timer = threading.Timer(0.02, scanner.cancel)
        timer.start()
        with pytest.raises(errors.Cancelled):
            scanner.wait_button(timeout=SECONDS)
        timer.join()
