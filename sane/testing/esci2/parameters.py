"""The block of parameters that PARA sends, as a scanner understands it.

Source: specification esci 4.5.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ..esci.page import Page, Window, bits
from .model import Model

IDENTITY = bytes(range(256))
THRESHOLD = 128
CHANNELS = {"M001": 1, "M008": 1, "C024": 3}


class Parameters:
    """What PARA says, parsed; raises ValueError for what the model does not offer."""

    def __init__(self, block: bytes, model: Model) -> None:
        head, _code, gammas = block.partition(b"#GMT")
        texts = [text.decode("latin-1") for text in head.split(b"#")[1:]]
        self.tokens = {text[:3]: text[3:] for text in texts}
        self.is_feeder = "ADF" in self.tokens
        bed = model.feeder if self.is_feeder else model.flatbed
        source = self.tokens.get("ADF", self.tokens.get("FB "))
        if bed is None or source is None:
            raise ValueError(f"no such source: {texts}")
        self.features = [source[at : at + 4].strip() for at in range(0, len(source), 4)]
        if set(self.features) - set(bed.features):
            raise ValueError(f"no such feature: {source}")
        self.is_duplex = "DPLX" in self.features
        self.color = self.tokens.get("COL", "")
        if self.color not in model.colors:
            raise ValueError(f"no such colour mode: {self.color}")
        self.format = self.tokens.get("FMT", "RAW").strip()
        if self.format not in model.formats and "FMT" in self.tokens:
            raise ValueError(f"no such format: {self.format}")
        self.quality = value_of(self.tokens.get("JPG", "d090"))
        self.resolution = value_of(self.tokens.get("RSM", ""))
        if self.resolution not in model.resolutions:
            raise ValueError(f"no such resolution: {self.resolution}")
        self.piece_bytes = value_of(self.tokens.get("BSZ", "i0065536"))
        self.left, self.top, self.width, self.lines = values_of(self.tokens.get("ACQ", ""))
        if min(self.left, self.top) < 0 or self.width < 1 or self.lines < 1:
            raise ValueError("an empty area")
        limit = (bed.width * self.resolution / 100 + 8, bed.height * self.resolution / 100 + 8)
        if self.left + self.width > limit[0] or self.top + self.lines > limit[1]:
            raise ValueError("the area lies beyond the edge")
        self.gammas = _gamma_tables(gammas)

    def rows(self, page: Page, lines: int, side: int) -> Iterator[bytes]:
        """Yield *lines* raw lines of what lies on *page*, gamma applied."""
        area = (self.left, self.top, self.width, lines)
        window = Window((self.resolution, self.resolution), area, CHANNELS[self.color])
        window.side = side
        for row in page(window):
            if self.color == "M001":
                yield bits(row, THRESHOLD)
            elif self.color == "M008":
                yield row.translate(self.gammas.get("MONO", IDENTITY))
            else:
                samples = bytearray(row)
                for channel, name in enumerate(("RED ", "GRN ", "BLU ")):
                    if name in self.gammas:
                        samples[channel::3] = samples[channel::3].translate(self.gammas[name])
                yield bytes(samples)


def value_of(text: str) -> int:
    """Return the one number in *text*."""
    values = values_of(text)
    if len(values) != 1:
        raise ValueError(f"{text!r} is not one number")
    return values[0]


def values_of(text: str) -> list[int]:
    """Return the numbers in *text*, each dDDD or iDDDDDDD."""
    values = []
    while text:
        size = {"d": 4, "i": 8}.get(text[0], 0)
        if not size or not text[1:size].isdigit() or len(text) < size:
            raise ValueError(f"{text!r} holds no number")
        values.append(int(text[1:size]))
        text = text[size:]
    return values


def _gamma_tables(block: bytes) -> dict[str, bytes]:
    """Return channel -> table from ``NAMEh100`` + 256 bytes, "#GMT" between them."""
    tables = {}
    while len(block) >= 8 + 256:
        name, form = struct.unpack_from("4s4s", block)
        if form != b"h100":
            raise ValueError(f"a gamma table of {form!r}")
        tables[name.decode("latin-1")] = block[8 : 8 + 256]
        block = block[8 + 256 :].removeprefix(b"#GMT")
    return tables
