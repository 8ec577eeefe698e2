"""A frame of a server that is shorter than announced is told: the image is cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sane.wire import messages as m
from sane.wire.protocol import frame_end, record_head
from tests.fakes.saned import FakeSaned
from tests.net.opening import backend, frame, handle

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("order", [m.LITTLE_ENDIAN, m.BIG_ENDIAN])
@pytest.mark.parametrize(("lines", "told"), [(1, False), (2, True), (-1, False)])
def test_a_short_frame_is_told_at_level_1(
    tmp_path: Path,
    depth: int,
    order: int,
    lines: int,
    told: bool,
    capfd: pytest.CaptureFixture[str],
) -> None:
    parameters = m.Parameters(0, True, 8, 8 * 8 // depth, lines, depth)
    wire = [record_head(5) + b"abcde", record_head(3) + b"fgh" + frame_end(5)]
    with FakeSaned(parameters=parameters, byte_order=order, frame=wire) as server:
        made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n", SANE_DEBUG_NET="1")
        opened = handle(made, "127.0.0.1:test:0")
        assert len(frame(opened, 3)) == 8
        opened.close()
        made.exit()
    assert ("the frame ended after 8 of 16 bytes" in capfd.readouterr().err) == told
