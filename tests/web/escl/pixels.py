"""What a page of the made-up scanner looks like, and how tests fetch one."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from sane.web.facts import PageHead
from tests.support.escl_client import HEIGHT, WIDTH, Client
from tests.support.web import FakeScanner, page_bytes

DPI = 75
SIZE = WIDTH * DPI // 300, HEIGHT * DPI // 300
BODY_BYTES = SIZE[0] * SIZE[1] * 3


def pixels(number: int = 1, channels: int = 3) -> bytes:
    """Return what page *number* looks like."""
    width, lines = SIZE
    return page_bytes(PageHead(width, lines, 8, channels, width * channels, DPI, DPI), number)


def shown(body: bytes) -> bytes:
    """Return the pixels of a picture."""
    return bytes(Image.open(io.BytesIO(body)).tobytes())


async def fetched(client: Client, body: bytes, **rest: Any) -> Any:
    job = await client.post(body)
    return await client.page(job, **rest)


def stopped_after_first_read(scanner: FakeScanner) -> list[int]:
    """Let the scanner stop after its first bytes until its gate is set; return who counts."""
    held: Any = scanner.held
    read = held.read
    done: list[int] = []

    async def once() -> bytes:
        if done:
            await scanner.gate.wait()
        else:
            scanner.gate.clear()
            done.append(1)
            data: bytes = await _unstopped()
            return data
        data = await read()
        return data

    async def _unstopped() -> bytes:
        data, held._left = held._left[:300], held._left[300:]
        return bytes(data)

    held.read = once
    return done
