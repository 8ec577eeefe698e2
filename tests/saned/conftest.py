"""Servers for the tests: one with the test device for all tests of a module, or one of your own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.saned import DRIVERS, Client, Saned, configure


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saned]:
    with Saned(configure(tmp_path_factory.mktemp("server"))) as server:
        yield server


@pytest.fixture
def client(shared: Saned) -> Iterator[Client]:
    """Return a client of the shared server whose INIT was answered."""
    with shared.client() as client:
        yield client


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[Saned]:
    """Return a server whose only device is drivers/odd.py."""
    folder = tmp_path / "drivers"
    folder.mkdir(mode=0o755)
    shutil.copyfile(DRIVERS / "odd.py", folder / "odd.py")
    (folder / "odd.py").chmod(0o644)
    config = configure(tmp_path / "server", "odd\n", odd_conf=f"{tmp_path}/lock\n")
    with Saned(config, f"--backend-path={folder}") as server:
        yield server
