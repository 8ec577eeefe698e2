"""A registry over backends that a test writes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sane.backends
from sane.backend import Context
from sane.config import Environment
from sane.dll.registry import registry_for

HEAD = """
import os, time
from ..backend import Backend as _Backend, Device, DeviceInfo, Parameters, errors
from ..option import Int

class Page(Device):
    def parameters(self):
        return Parameters(0, 8, 2)
    def start(self):
        pass
    def read_into(self, view):
        view[:1] = b"x"
        return 1
    def close(self):
        note("closed")

class Gone(Page):
    number = Int("Number", active=lambda device: 1 / 0)

def note(text):
    os.write(2, (text + "\\n").encode())

def info(name="one", model="Model"):
    return DeviceInfo(name, "Noname", model, "virtual device")

class Backend(_Backend):
    def init(self):
        note("init " + self.name)
    def list_devices(self, local_only):
        return [info(), info("two")]
    def open(self, name):
        return Page()
    def exit(self):
        note("exit " + self.name)
"""


class Stack:
    """A config directory, a folder of drivers, and registries on them."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "sane.d"
        self.drivers = folder / "drivers"
        self.config.mkdir()
        self.drivers.mkdir(mode=0o755)
        self.registries: list[Any] = []

    def driver(self, name: str, **methods: str) -> None:
        """Write driver *name*; methods: bodies that replace those of HEAD."""
        text = HEAD
        for method, body in methods.items():
            arguments = {"list_devices": "self, local_only", "open": "self, name"}
            text += f"    def {method}({arguments.get(method, 'self')}):\n        {body}\n"
        (self.drivers / f"{name}.py").write_text(text)

    def registry(self, backend: str = "", /, *conf: str, **variables: str) -> Any:
        if conf:
            (self.config / "dll.conf").write_text("".join(f"{line}\n" for line in conf))
        environment = Environment(
            {
                "SANE_CONFIG_DIR": str(self.config),
                "PYSANE_BACKEND_PATH": str(self.drivers),
                **variables,
            }
        )
        self.registries.append(registry_for(backend, Context(environment)))
        return self.registries[-1]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    before = set(sys.modules)
    found = Stack(tmp_path)
    yield found
    for registry in found.registries:
        registry.exit()
    for name in set(sys.modules) - before:
        if name.startswith("sane.backends.tst"):
            del sys.modules[name]
            vars(sane.backends).pop(name.rpartition(".")[2], None)


def names(registry: Any, local_only: bool = False) -> list[str]:
    return [device.name for device in registry.get_devices(local_only)]
