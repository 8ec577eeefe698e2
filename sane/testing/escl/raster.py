"""An image in memory, as the encoders of an emulated scanner take it."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Pixels:
    """A whole image: *channels* samples of *depth* bits; depth 1: 1 is white; 16: big-endian."""

    data: bytes
    width: int
    lines: int
    channels: int
    depth: int
    dpi: int

    @property
    def row_bytes(self) -> int:
        """How long a row is."""
        return (self.width * self.channels * self.depth + 7) // 8

    def row(self, number: int) -> bytes:
        """Return one row."""
        return self.data[number * self.row_bytes : (number + 1) * self.row_bytes]

    def rows(self) -> list[bytes]:
        """Return all rows."""
        return [self.row(number) for number in range(self.lines)]

    def of_bytes(self) -> Pixels:
        """Return it with samples of 8 bits."""
        if self.depth == 8:
            return self
        if self.depth == 16:
            return replace(self, data=self.data[0::2], depth=8)
        rows = [f"{int.from_bytes(row, 'big'):0{8 * len(row)}b}" for row in self.rows()]
        text = "".join(row[: self.width] for row in rows)
        return replace(self, data=text.translate({48: "\0", 49: "\xff"}).encode("latin-1"), depth=8)

    def top(self, first: int, count: int) -> Pixels:
        """Return *count* rows from *first* on."""
        start = first * self.row_bytes
        data = self.data[start : start + count * self.row_bytes]
        return replace(self, data=data, lines=count)
