"""What is done to a page's rows before they are encoded: padding cut, gray made of colour, gamma.

Source: specification escl 7.4 (synthesised gray) and 7.8 (gamma).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...image import gamma as gammas
from ...image.rows import gray_from_rgb

if TYPE_CHECKING:
    from ..encoders.form import Form
    from .settings import Ticket

LUMA = (2126, 7152, 722)  # ITU-R BT.709


class Tone:
    """Does it, in pieces of any size; *form* is what comes out.

    row_bytes: of what comes in, with the padding behind each row.
    """

    def __init__(self, ticket: Ticket, form: Form, row_bytes: int = 0) -> None:
        self.row_bytes = max(row_bytes, form.row_bytes)
        self._packed_bytes = form.row_bytes
        self._row = b""  # as far as it has come, where rows are padded
        self._depth = form.depth
        is_gray = ticket.color_mode.startswith("Gray") and form.depth > 1
        self._makes_gray = is_gray and form.channels == 3
        self.form = replace(form, channels=1) if self._makes_gray else form
        self._pixel_bytes = form.channels * form.depth // 8 or 1
        self._part = b""
        self._bytes = b""  # what each byte becomes
        self._words: list[int] = []  # what each word becomes
        if ticket.gamma != 1.0 and form.depth > 1:
            most = (1 << form.depth) - 1
            table = gammas.table(most + 1, most, ticket.gamma, is_rounded=True)
            if form.depth == 8:
                self._bytes = bytes(list(table))  # not the memory of an array of words
            else:
                self._words = list(table)

    def applied(self, rows: bytes | memoryview) -> bytes | memoryview:
        """Return the rows as they are encoded; what is no whole pixel waits for the rest."""
        if self.row_bytes > self._packed_bytes:
            rows = self._packed(rows)
        if not (self._makes_gray or self._bytes or self._words):
            return rows
        rows = self._part + rows
        whole = len(rows) // self._pixel_bytes * self._pixel_bytes
        rows, self._part = rows[:whole], rows[whole:]
        if self._makes_gray and rows:
            gray = bytearray(whole // 3)
            gray_from_rgb(memoryview(rows), memoryview(gray), LUMA, self._depth)
            rows = bytes(gray)
        if self._words:
            samples = bytearray(rows)
            gammas.apply(memoryview(samples), [self._words], self._depth)
            return bytes(samples)
        return rows.translate(self._bytes) if self._bytes else rows

    def _packed(self, rows: bytes | memoryview) -> bytes:
        """Return the rows that are whole now, without their padding."""
        rows = self._row + rows
        whole = len(rows) // self.row_bytes * self.row_bytes
        self._row = rows[whole:]
        starts = range(0, whole, self.row_bytes)
        return b"".join(rows[at : at + self._packed_bytes] for at in starts)
