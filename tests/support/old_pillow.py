"""Lets Pillow refuse what its oldest release that is supported, 9.4, refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    import pytest


def refuse_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let images be decoded only from bytes, as 9.4 does; memory that it shares is not decoded."""
    decode = Image.Image.frombytes

    def frombytes(image: Any, data: Any, *arguments: Any) -> None:
        if isinstance(data, memoryview | bytearray):
            raise TypeError("argument 1 must be read-only bytes-like object")
        decode(image, data, *arguments)

    monkeypatch.setattr(Image.Image, "frombytes", frombytes)
