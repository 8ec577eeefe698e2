"""A session on the test device, and a scanner of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import sane

CONF = "br_x 80\nbr_y 30\nresolution 50\n"


@pytest.fixture
def session() -> Iterator[sane.Session]:
    with sane.Session(config={"dll.conf": "test", "test.conf": CONF}) as found:
        yield found


@pytest.fixture
def scanner(session: sane.Session) -> Iterator[sane.Scanner]:
    with session.scanner("test:0") as found:
        yield found
