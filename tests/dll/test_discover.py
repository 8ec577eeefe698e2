"""Asking many backends at once: deadlines, late answers, order, and a helper that goes wrong."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sane.backend import Context, DeviceInfo
from sane.config import Environment
from sane.debug import Debug
from sane.dll.discover import Discovery, probe_program
from sane.dll.pysane_conf import LIST_SECONDS, PysaneConf
from sane.dll.registry import Loader

LONG = 20.0


class FakeLoader(Loader):
    """Backends that are functions, and names of C ones with their libraries."""

    def __init__(self, **backends: Callable[[], str]) -> None:
        super().__init__(Context(Environment({"SANE_X": "recorded"})))
        self.backends = backends
        self.libraries: dict[str, list[str]] = {}
        self.in_use: set[str] = set()
        self.asked: list[str] = []

    def c_libraries(self, name: str) -> list[str]:
        return self.libraries.get(name, [])

    def is_c_backend(self, name: str) -> bool:
        return name in self.in_use

    def list_devices(self, name: str, local_only: bool) -> list[DeviceInfo]:
        self.asked.append(name)
        found = self.backends[name]() if name in self.backends else "dev"
        return [DeviceInfo(found, "V", "M", "T")]


class FakeProcesses:
    """Stands for sane.spawn: a helper that answers *data* and ends, or does not."""

    def __init__(self, data: bytes = b"", ends: bool = True) -> None:
        self.data = data
        self.ends = ends
        self.arguments: list[list[bytes]] = []
        self.environment: list[bytes] = []
        self.reaped: list[int] = []
        self.far: socket.socket | None = None

    def spawn(self, arguments: list[bytes], environment: list[bytes], cwd: object) -> Any:
        self.arguments.append(arguments)
        self.environment = environment
        near, self.far = socket.socketpair()
        self.far.sendall(self.data)
        if self.ends:
            self.close()
        return near.detach(), 4711

    def reap(self, pid: int) -> None:
        self.reaped.append(pid)

    def hang_up(self, fd: int) -> None:
        self.close()

    def close(self) -> None:
        if self.far is not None:
            self.far.close()


def settings(loader: FakeLoader, seconds: float = LONG, jobs: int = 0) -> PysaneConf:
    found = PysaneConf(Environment({"SANE_CONFIG_DIR": "/nonexistent"}), loader.debug)
    found.seconds = seconds
    found.jobs = jobs
    return found


def ask(
    discovery: Discovery, loader: FakeLoader, *names: str, seconds: float = LONG
) -> dict[str, list[str]]:
    lists = discovery.ask(names, False, settings(loader, seconds))
    return {name: [device.name for device in devices] for name, devices in lists.items()}


def record(number: int, ms: int = 1, said: bytes = b"end\0") -> bytes:
    return f"{number} done 0 {ms} 0 {len(said)}\n".encode() + said


def device(name: str) -> bytes:
    return f"device\0={name}\0=V\0=M\0=T\0end\0".encode()


# Python backends


def test_backends_are_asked_at_once() -> None:
    """Each waits until the other was asked, too."""
    barrier = threading.Barrier(2)

    def meet() -> str:
        barrier.wait(LONG)
        return "met"

    loader = FakeLoader(a=meet, b=meet)
    assert ask(Discovery(loader), loader, "a", "b") == {"a": ["met"], "b": ["met"]}


def test_one_backend_alone_is_asked_without_a_thread() -> None:
    loader = FakeLoader(a=lambda: str(threading.get_ident()))
    assert ask(Discovery(loader), loader, "a") == {"a": [str(threading.get_ident())]}


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    found = threading.Event()
    yield found
    found.set()


def test_a_late_answer_is_dropped_and_nobody_asks_again_until_it_came(
    gate: threading.Event, capfd: pytest.CaptureFixture[str]
) -> None:
    returned = threading.Event()

    def hang() -> str:
        assert gate.wait(LONG)
        returned.set()
        return "late"

    loader = FakeLoader(a=hang)
    discovery = Discovery(loader)
    assert ask(discovery, loader, "a", "b", seconds=0.05) == {"b": ["dev"]}
    assert "backend a: list_devices has not returned after 0.05 s" in capfd.readouterr().err
    assert ask(discovery, loader, "a", "b") == {"b": ["dev"]}
    assert "backend a: is not asked: it has not returned" in capfd.readouterr().err
    assert discovery.busy() == {"a"}
    assert loader.asked.count("a") == 1
    gate.set()
    assert returned.wait(LONG)
    while discovery.busy():
        pass
    assert ask(discovery, loader, "a", "b") == {"a": ["late"], "b": ["dev"]}


def test_two_threads_that_ask_get_the_whole_list_each() -> None:
    """One after the other: a backend never sees two calls at once."""
    inside: list[int] = []

    def alone() -> str:
        inside.append(1)
        crowd = len(inside)
        time.sleep(0.05)
        inside.pop()
        return str(crowd)

    loader = FakeLoader(a=alone)
    discovery = Discovery(loader)
    found: list[dict[str, list[str]]] = []
    threads = [
        threading.Thread(target=lambda: found.append(ask(discovery, loader, "a", "b")))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert found == [{"a": ["1"], "b": ["dev"]}] * 3


# The helper


def test_the_helper_gets_the_libraries_and_the_recorded_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SANE_X", "changed")
    monkeypatch.setenv("SANE_Y", "new")
    monkeypatch.setenv("OTHER", "kept")
    loader = FakeLoader()
    loader.libraries = {"f": ["/a/libsane-f.so.1", "/b/libsane-f.so.1"], "g": ["/a/g"]}
    processes = FakeProcesses(record(0, said=device("one")) + record(1))
    assert ask(Discovery(loader, processes), loader, "f", "g") == {"f": ["one"], "g": []}
    program, *rest = processes.arguments[0]
    assert program == os.fsencode(probe_program())
    assert rest == [
        *(b"0", b"20000", b"0"),
        *(b"f", b"/a/libsane-f.so.1:/b/libsane-f.so.1", b"g", b"/a/g"),
    ]
    assert {b"SANE_X=recorded", b"OTHER=kept"} <= set(processes.environment)
    assert not any(text.startswith(b"SANE_Y") for text in processes.environment)
    assert processes.reaped == [4711]


def test_the_slowest_are_started_first() -> None:
    loader = FakeLoader()
    loader.libraries = {name: [f"/{name}"] for name in "abc"}
    processes = FakeProcesses(record(0, 5) + record(1, 900) + record(2, 30))
    discovery = Discovery(loader, processes)
    for _ in range(2):
        ask(discovery, loader, "a", "b", "c")
    first, second = ([text.decode() for text in call[4::2]] for call in processes.arguments)
    assert (first, second) == (["a", "b", "c"], ["b", "c", "a"])


@pytest.mark.parametrize(
    ("data", "found", "said"),
    [
        (b"", {}, "backend f: the helper that asks it has given no answer"),
        (record(1), {"g": []}, "backend f: the helper that asks it has given no answer"),
        (b"nonsense\n", {}, "backend probe: probe: b'nonsense' is no answer"),
        (record(0) + record(7), {}, "is no answer to what was asked"),
        (record(0)[:-2], {}, "backend f: the helper that asks it has given no answer"),
    ],
)
def test_a_helper_that_goes_wrong_is_told(
    capfd: pytest.CaptureFixture[str], data: bytes, found: dict[str, list[str]], said: str
) -> None:
    loader = FakeLoader()
    loader.libraries = {"f": ["/f"], "g": ["/g"]}
    assert ask(Discovery(loader, FakeProcesses(data)), loader, "f", "g", "own") == {
        **found,
        "own": ["dev"],
    }
    assert said in capfd.readouterr().err


def test_a_helper_that_is_silent_is_given_up(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sane.dll.discover.SLACK_SECONDS", 0.01)
    loader = FakeLoader()
    loader.libraries = {"f": ["/f"], "g": ["/g"]}
    processes = FakeProcesses(record(1), ends=False)
    assert ask(Discovery(loader, processes), loader, "f", "g", seconds=0.05) == {"g": []}
    assert "backend f: the helper that asks it has given no answer" in capfd.readouterr().err
    assert processes.reaped == []
    processes.close()


@pytest.mark.parametrize("error", [OSError(2, "no such file"), ImportError("not built")])
def test_without_a_helper_c_backends_are_asked_here_in_their_order(error: Exception) -> None:
    class NoProcesses:
        def spawn(self, *arguments: object) -> None:
            raise error

    loader = FakeLoader()
    loader.libraries = {"f": ["/f"], "g": ["/g"]}
    found = ask(Discovery(loader, NoProcesses()), loader, "g", "own", "f")
    assert found == {"f": ["dev"], "g": ["dev"], "own": ["dev"]}
    assert [name for name in loader.asked if name != "own"] == ["g", "f"]


def test_a_c_backend_in_use_is_asked_here() -> None:
    """Only there is the device that it has opened not busy."""
    loader = FakeLoader()
    loader.libraries = {"f": ["/f"], "g": ["/g"]}
    loader.in_use = {"f"}
    processes = FakeProcesses(record(0, said=device("one")))
    assert ask(Discovery(loader, processes), loader, "f", "g") == {"f": ["dev"], "g": ["one"]}
    assert loader.asked == ["f"]


# Settings


def read_settings(tmp_path: Any, text: str, **variables: str) -> PysaneConf:
    (tmp_path / "pysane.conf").write_text(text)
    environment = Environment({"SANE_CONFIG_DIR": str(tmp_path), **variables})
    return PysaneConf(environment, Debug("dll", environment))


def values(found: PysaneConf) -> tuple[object, ...]:
    return found.seconds, found.jobs, found.cache_seconds, found.merges and found.preferred


DEFAULTS = (LIST_SECONDS, 0, 0.0, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", DEFAULTS),
        ("# list-timeout 3\nbackend test\nnative *\n", DEFAULTS),
        ("list-timeout 2.5\n", (2.5, 0, 0.0, None)),
        ("list-timeout 2.5 # slow\nlist-merge escl # first\n", (2.5, 0, 0.0, ["escl"])),
        ("list-jobs 1\nlist-cache 300\n", (LIST_SECONDS, 1, 300.0, None)),
        ("list-merge\n", (LIST_SECONDS, 0, 0.0, [])),
        ("list-merge off\n", (LIST_SECONDS, 0, 0.0, False)),
        ("list-merge escl\nlist-merge\n", (LIST_SECONDS, 0, 0.0, [])),
        ("list-merge escl epson2\n", (LIST_SECONDS, 0, 0.0, ["escl", "epson2"])),
    ],
)
def test_settings_are_read(tmp_path: Any, text: str, expected: tuple[object, ...]) -> None:
    assert values(read_settings(tmp_path, text)) == expected


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("list-timeout", "list-timeout wants one value"),
        ("list-timeout 1 2", "list-timeout wants one value"),
        ("list-timeout soon", "'soon' is not a number from 0.001 to 1e+06"),
        ("list-timeout 0", "'0' is not a number"),
        ("list-timeout nan", "'nan' is not a number"),
        ("list-timeout inf", "'inf' is not a number"),
        ("list-jobs -1", "'-1' is not a number from 0 to 1000"),
        ("list-cache -3", "'-3' is not a number"),
        ("list-cashe 3", "there is no list-cashe"),
        ("native", "native wants one value"),
        ("native a b", "native wants one value"),
        ("nat x", "there is no nat"),
    ],
)
def test_a_wrong_setting_is_named_and_the_default_holds(
    tmp_path: Any, capfd: pytest.CaptureFixture[str], line: str, complaint: str
) -> None:
    assert values(read_settings(tmp_path, f"# first\n{line}\n")) == DEFAULTS
    assert f"{tmp_path}/pysane.conf:2: {complaint}" in capfd.readouterr().err


def test_the_environment_overrides_the_deadline(
    tmp_path: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    text = "list-timeout 2\n"
    assert read_settings(tmp_path, text, PYSANE_LIST_TIMEOUT="0.5").seconds == 0.5
    assert read_settings(tmp_path, text, PYSANE_LIST_TIMEOUT="").seconds == 2
    assert read_settings(tmp_path, text, PYSANE_LIST_TIMEOUT="x").seconds == 2
    assert "PYSANE_LIST_TIMEOUT: 'x' is not a number" in capfd.readouterr().err
