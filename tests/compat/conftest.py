"""The test device behind python-sane's face."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import sane
from sane.compat import device as module
from sane.compat.lowlevel import SaneDev as LowLevel
from sane.handle import Handle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sane.backend import Device

CONF = "resolution 50\nbr_x 80\nbr_y 30\n"


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    """Initialise the library on a configuration of its own; return its folder."""
    (tmp_path / "dll.conf").write_text("test\n")
    (tmp_path / "test.conf").write_text(CONF)
    sane.init({"SANE_CONFIG_DIR": str(tmp_path)})
    yield tmp_path
    sane.exit()


@pytest.fixture
def dev(config: Path) -> Iterator[sane.SaneDev]:
    device = sane.open("test:0")
    yield device
    device.close()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Device], Any]]:
    """Return what opens a SaneDev for a driver's Device."""
    found: list[LowLevel] = []

    def opened(device: Device) -> sane.SaneDev:
        found.append(LowLevel._around(Handle(device)))
        monkeypatch.setattr(module, "open_device", lambda name: found[-1])
        return sane.SaneDev("fake:0")

    yield opened
    for low in found:
        low.close()
