"""A server of the tests, and the backend net that knows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sane.net.client import Backend
from tests.fakes.saned import FakeSaned
from tests.net.opening import backend


@pytest.fixture
def server() -> Iterator[FakeSaned]:
    with FakeSaned() as running:
        yield running


@pytest.fixture
def net(server: FakeSaned, tmp_path: Path) -> Iterator[Backend]:
    made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n")
    yield made
    made.exit()
