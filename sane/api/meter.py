"""How far a page is: counted while it is read, and told to whoever wants to know."""

from __future__ import annotations

import time

from ..pages import COLORS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from ..param import Parameters

    Phase = Literal["warmup", "scan", "process"]

TELL_SECONDS = 0.05  # not more often: a callback that draws would slow the scan down


class Progress:
    """How far a page is; it cannot be changed.

    page: its number, from 1. row, rows: how many have come and will come, None if nobody knows;
    bytes and bytes_total likewise. fraction: from 0.0 to 1.0, the last one of a page is 1.0.
    elapsed, eta: seconds since the page began, and until its end. phase: "warmup" until the first
    row has come, then "scan"; "process" is for who works on pages.
    """

    __slots__ = (
        *("bytes", "bytes_total", "elapsed", "eta", "fraction", "page", "phase", "row", "rows"),
    )

    page: int
    row: int
    rows: int | None
    bytes: int
    bytes_total: int | None
    fraction: float | None
    elapsed: float
    eta: float | None
    phase: Phase

    def __init__(
        self,
        *,
        page: int,
        row: int,
        rows: int | None,
        bytes: int,
        bytes_total: int | None,
        fraction: float | None,
        elapsed: float,
        eta: float | None,
        phase: Phase,
    ) -> None:
        values = (bytes, bytes_total, elapsed, eta, fraction, page, phase, row, rows)
        for name, value in zip(self.__slots__, values, strict=True):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Progress is not to be changed: {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"Progress is not to be changed: {name}")

    def __repr__(self) -> str:
        share = "?" if self.fraction is None else f"{self.fraction:.0%}"
        return f"<sane.Progress page {self.page}, {self.phase}, {share}, row {self.row}>"


class Meter:
    """Counts one page after the other, and calls *callback*, which may be None."""

    def __init__(self, callback: Callable[[Progress], object] | None) -> None:
        self._callback = callback
        self._began = self._told = 0.0
        self._page = 0
        self._bytes = self._row_bytes = 0
        self._rows: int | None = None

    def begin(self, page: int) -> None:
        """Note that *page* begins: nothing has come."""
        self._page = page
        self._bytes = self._row_bytes = 0
        self._rows = None
        self._began = time.monotonic()
        self._tell("warmup")

    def expect(self, params: Parameters) -> None:
        """Take the shape of the page's first frame: of three, if that is one colour."""
        self._row_bytes = params.bytes_per_line * (3 if params.format in COLORS else 1)
        self._rows = params.lines if params.lines >= 0 else None

    def add(self, count: int) -> None:
        """Note that so many bytes of the page have come."""
        self._bytes += count
        is_whole = self._rows is not None and self._bytes >= self._rows * self._row_bytes
        if self._callback is None or is_whole:  # end() tells of the whole page
            return
        if time.monotonic() - self._told >= TELL_SECONDS:
            self._tell("scan")

    def end(self) -> None:
        """Note that the page is there."""
        self._tell("scan", is_over=True)

    def _tell(self, phase: Phase, *, is_over: bool = False) -> None:
        if self._callback is None:
            return
        row = self._bytes // self._row_bytes if self._row_bytes else 0
        rows = self._rows
        total = None if rows is None else rows * self._row_bytes
        fraction: float | None = None
        if is_over:
            fraction = 1.0
        elif total:
            fraction = min(self._bytes / total, 1.0)
        elif phase == "warmup":
            fraction = 0.0
        self._told = time.monotonic()
        elapsed = self._told - self._began
        eta = elapsed * (1 - fraction) / fraction if fraction else None
        told = Progress(
            page=self._page,
            row=row,
            rows=rows,
            bytes=self._bytes,
            bytes_total=total,
            fraction=fraction,
            elapsed=elapsed,
            eta=eta,
            phase=phase,
        )
        try:
            self._callback(told)
        except StopIteration as exc:  # it would end the caller's loop as if all pages had come
            raise RuntimeError("progress raised StopIteration") from exc
