"""Scans over the network, recorded and replayed: both drivers, from the list to the last byte."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sane.backend import Context
from sane.config import Environment
from sane.dll.registry import registry_for
from sane.errors import SaneError
from sane.handle import Handle
from sane.testing.epson_net import Server
from sane.testing.esci import Model, Scanner
from sane.testing.esci2 import Model as Model2
from sane.testing.esci2 import Scanner as Scanner2
from sane.testing.machine import Machine
from tests.fakes.scanner import host, scan

MACHINES: dict[str, Callable[[], Machine]] = {
    "epson2": lambda: Scanner(Model("B8")),
    "epsonds": lambda: Scanner2(Model2(formats=("RAW",))),
}


def opened(backend: str, folder: Path, address: str, **variables: str) -> tuple[Any, Handle]:
    (folder / f"{backend}.conf").write_text(f"net {address}\n")
    environment = Environment({"SANE_CONFIG_DIR": str(folder), **variables})
    registry = registry_for(backend, Context(environment))
    assert [device.name for device in registry.get_devices()] == [f"net:{address}"]
    return registry, registry.open(f"net:{address}")


def page(backend: str, folder: Path, address: str, resolution: int, **variables: str) -> bytes:
    registry, handle = opened(backend, folder, address, **variables)
    try:
        values = {"resolution": resolution, "br-x": 20 << 16, "br-y": 20 << 16}
        for index, option in enumerate(handle.options.declared):
            if option.name in values:
                handle.set(index, values[option.name].to_bytes(4, "little"))
        return scan(handle)
    finally:
        handle.close()
        registry.exit()


@pytest.mark.parametrize("backend", sorted(MACHINES))
def test_recorded_a_scan_over_the_network_replays(
    backend: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    address, path = host(), str(tmp_path / "scan.net")
    with Server(MACHINES[backend](), address):
        then = page(backend, tmp_path, address, 100, PYSANE_NET_RECORD=path)
    assert len(then) > 500
    begin = time.monotonic()
    assert page(backend, tmp_path, address, 100, PYSANE_NET_REPLAY=path) == then
    assert time.monotonic() - begin < 10
    assert capfd.readouterr().err == ""
    with pytest.raises(SaneError):
        page(backend, tmp_path, address, 200, PYSANE_NET_REPLAY=path)
    assert "[network] replay: " in capfd.readouterr().err
