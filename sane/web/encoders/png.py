"""PNG files that say which colours are meant. Source: RFC 2083 and W3C PNG, 11.3.2 and 11.3.3."""

from __future__ import annotations

from struct import pack

from ...image.png import PngEncoder, chunk

PERCEPTUAL = b"\0"
GAMMA = 45455  # of sRGB, 1 / 2.2, in hundred thousandths; for programs that do not know sRGB


class ScreenPng(PngEncoder):
    """A PNG whose samples are sRGB's, as nearly all scanners deliver them."""

    def head(self) -> bytes:
        return super().head() + chunk(b"sRGB", PERCEPTUAL) + chunk(b"gAMA", pack(">I", GAMMA))
