"""The kept list: used while it is young, refreshed behind it, out of the way of open and exit."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sane.backends
from sane.backend import Context, DeviceInfo
from sane.config import Environment
from sane.dll.cache import Cache
from sane.dll.listing import Listing
from sane.dll.pysane_conf import PysaneConf
from sane.dll.registry import Loader, Registry, registry_for
from sane.errors import SaneError
from tests.support.timing import wait_until

LONG = 20.0
DRIVER = """
from ..backend import Backend as _Backend, DeviceInfo

class Backend(_Backend):
    asked = 0
    def list_devices(self, local_only):
        Backend.asked += 1
        return [DeviceInfo(f"dev{Backend.asked}", "V", "M", "T")]
"""


class Stack:
    """Two drivers, a cache folder, and registries that keep their lists there."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "sane.d"
        self.drivers = folder / "drivers"
        self.file = folder / "cache" / "pysane" / "devices"
        self.config.mkdir()
        self.drivers.mkdir(mode=0o755)
        for name in ("tstl1", "tstl2"):
            (self.drivers / f"{name}.py").write_text(DRIVER)
        self.configure("list-cache 300\n")
        self.registries: list[Registry] = []

    def configure(self, text: str, dll: str = "tstl1\ntstl2\n") -> None:
        (self.config / "pysane.conf").write_text(text)
        (self.config / "dll.conf").write_text(dll)

    def registry(self) -> Any:
        variables = {
            "SANE_CONFIG_DIR": str(self.config),
            "PYSANE_BACKEND_PATH": str(self.drivers),
            "XDG_CACHE_HOME": str(self.file.parent.parent),
        }
        found = registry_for("", Context(Environment(variables)))
        assert isinstance(found, Registry)
        self.registries.append(found)
        return found

    def names(self, local_only: bool = False) -> list[str]:
        return [device.name for device in self.registry().get_devices(local_only)]

    def grow_old(self, seconds: float) -> None:
        lines = self.file.read_text().split("\n")
        lines[2] = f"time {time.time() - seconds:.3f}"
        self.file.write_text("\n".join(lines))

    def wait_for_refresh(self, before: str) -> None:
        assert wait_until(lambda: self.file.read_text() != before, LONG), "no refresh"


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    found = Stack(tmp_path)
    yield found
    for registry in found.registries:
        registry.exit()
    for name in [name for name in sys.modules if name.startswith("sane.backends.tstl")]:
        del sys.modules[name]
        vars(sane.backends).pop(name.rpartition(".")[2], None)


FIRST = ["tstl2:dev1", "tstl1:dev1"]
SECOND = ["tstl2:dev2", "tstl1:dev2"]


def test_without_the_line_nothing_is_kept(stack: Stack) -> None:
    stack.configure("")
    assert (stack.names(), stack.names()) == (FIRST, SECOND)
    assert not stack.file.exists()


def test_a_young_list_is_used_again(stack: Stack) -> None:
    assert (stack.names(), stack.names()) == (FIRST, FIRST)


def test_an_old_list_is_made_anew(stack: Stack) -> None:
    stack.names()
    stack.grow_old(301)
    assert stack.names() == SECOND
    assert stack.names() == SECOND


def test_a_used_list_is_refreshed_behind_it(stack: Stack) -> None:
    stack.names()
    stack.grow_old(20)
    before = stack.file.read_text()
    assert stack.names() == FIRST
    stack.wait_for_refresh(before)
    assert stack.names() == SECOND


def test_a_fresh_list_is_not_refreshed(stack: Stack) -> None:
    stack.names()
    before = stack.file.read_text()
    stack.names()
    stack.names()
    assert stack.file.read_text() == before


def test_local_and_all_devices_are_kept_apart(stack: Stack) -> None:
    assert stack.names(False) == FIRST
    assert stack.names(True) == SECOND
    assert (stack.names(False), stack.names(True)) == (FIRST, SECOND)


def test_another_configuration_is_another_list(stack: Stack) -> None:
    stack.names()
    stack.configure("list-cache 300\n", dll="tstl1\n")
    assert stack.names() == ["tstl1:dev2"]


def test_aliases_hold_for_a_kept_list(stack: Stack) -> None:
    stack.names()
    (stack.config / "dll.aliases").write_text("alias Desk tstl1:dev1\nhide tstl2:dev1\n")
    assert stack.names() == ["Desk"]


def test_a_spoiled_file_is_a_missing_one(stack: Stack) -> None:
    stack.names()
    stack.file.write_text("spoiled")
    assert (stack.names(), stack.names()) == (SECOND, SECOND)


# A refresh in the way


class SlowDiscovery:
    """Stands for Discovery: a helper that runs until it is hung up."""

    def __init__(self) -> None:
        self.durations_ms: dict[str, int] = {}
        self.started = threading.Event()
        self.hung_up = threading.Event()

    def ask(self, names: object, local_only: bool, settings: object, refresh: Any = None) -> Any:
        if refresh is not None:
            refresh.helper_started(self)
            self.started.set()
            assert self.hung_up.wait(LONG)
            refresh.helper_ended()
        return {}

    def hang_up(self) -> None:
        self.hung_up.set()

    def busy(self) -> set[str]:
        return set()


def test_a_refresh_is_stopped_with_its_helper_and_keeps_nothing(stack: Stack) -> None:
    cache_home = str(stack.file.parent.parent)
    variables = {"SANE_CONFIG_DIR": str(stack.config), "XDG_CACHE_HOME": cache_home}
    environment = Environment(variables)
    loader = Loader(Context(environment))
    discovery = SlowDiscovery()
    listing = Listing(loader, discovery)  # type: ignore[arg-type]
    settings = PysaneConf(environment, loader.debug)
    assert listing.lists(["a"], False, settings) == {}
    key = stack.file.read_text().split("\n")[1].removeprefix("key ").replace("%20", " ")
    kept = {"a": [DeviceInfo("kept", "V", "M", "T")]}
    Cache(str(stack.file.parent), "devices", key, loader.debug).store(kept, {})
    stack.grow_old(20)
    before = stack.file.read_text()
    assert [d.name for d in listing.lists(["a"], False, settings)["a"]] == ["kept"]
    assert discovery.started.wait(LONG)
    listing.stop()
    assert discovery.hung_up.is_set()
    assert stack.file.read_text() == before


def test_open_and_exit_stop_a_refresh() -> None:
    class Stopped:
        count = 0

        def stop(self) -> None:
            self.count += 1

        def busy(self) -> set[str]:
            return set()

    registry = registry_for("", Context(Environment({"SANE_CONFIG_DIR": "/nonexistent"})))
    stopped = Stopped()
    registry._listing = stopped  # type: ignore[union-attr]
    with pytest.raises(SaneError):
        registry.open("nothing:at all")
    assert stopped.count == 1
    registry.exit()
    assert stopped.count == 2
