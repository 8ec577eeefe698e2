"""What a page's rows are, and what all encoders of pages have in common."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...image.formats import encoder
from ...image.jpeg_document import LIBRARY_LINES

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...image.encoder import Encoder

JPEG_SIDE = LIBRARY_LINES  # pixels of either side, at most
FINE_QUALITY = 90  # from here on colour has the resolution of brightness


@dataclass(frozen=True)
class Form:
    """What a page's rows are, as facts.PageHead says. lines: -1, unknown, for few formats."""

    width: int
    lines: int
    channels: int
    depth: int
    dpi_x: int
    dpi_y: int

    @property
    def row_bytes(self) -> int:
        """Bytes of a packed row."""
        if self.depth == 1:
            return self.channels * ((self.width + 7) // 8)
        return self.width * self.channels * self.depth // 8

    @property
    def white(self) -> int:
        """The byte that white rows consist of: in SANE a bit of gray is set for black."""
        return 0 if self.depth == 1 and self.channels == 1 else 0xFF

    def of_lines(self, lines: int) -> Form:
        """Return the same with another number of lines."""
        return replace(self, lines=lines)


class PageEncoder:
    """One page in one format. It does no I/O.

    waits: nothing of the file is good before its end, when the bytes at ``corrected`` are set.
    """

    waits = False

    def feed(self, rows: bytes | memoryview) -> bytes:
        """Take the next rows, in pieces of any size; return what is ready of the file."""
        raise NotImplementedError

    def flush(self) -> bytes:
        """Return what was held back for the sake of compression."""
        return b""

    def end(self) -> bytes:
        """Return the last bytes; raises ValueError if rows are missing."""
        raise NotImplementedError

    def corrected(self) -> list[tuple[int, bytes]]:
        """Return what is to be written over the file once it is whole: where, and what."""
        return []


class Picture(PageEncoder):
    """JPEG and PNG: what sane.image makes."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def feed(self, rows: bytes | memoryview) -> bytes:
        return self._encoder.feed(rows)

    def flush(self) -> bytes:
        return self._encoder.flush()

    def end(self) -> bytes:
        return self._encoder.end()


def has_jpeg() -> bool:
    """Tell whether the encoder of JPEG is compiled."""
    try:
        encoder("jpeg")
    except ImportError:
        return False
    return True


def jpeg(form: Form, quality: int) -> Encoder:
    """Return an encoder of JPEG."""
    maker = encoder("jpeg")
    return made(maker, form, quality=quality, halves_color=quality < FINE_QUALITY)


def made(maker: Callable[..., Encoder], form: Form, **options: object) -> Encoder:
    """Return one of sane.image's encoders for *form*."""
    return maker(form.width, form.lines, form.channels, form.depth, dpi=form.dpi_x, **options)
