"""Gamma tables: made for a device, or applied to samples here.

Tables are sequences of whole numbers. Compiled with gamma.pxd, or uncompiled and slow: the same.
Source: specifications plustek 3.11, pixma 3 (EE20), genesys 11.
"""

from __future__ import annotations

import math
from array import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_GAMMA, MOST_GAMMA = 0.01, 100.0

_View = memoryview  # aliases, so that the types in gamma.pxd decide when compiled
_Size = int
_Table = memoryview


def table(
    entries: int, most: int, gamma: float, *, last: int = 0, is_rounded: bool = False
) -> array[int]:
    """Return a table of *entries* values: entry i is most * (i / last) ^ (1 / gamma).

    last: the entry that has the value *most*, entries - 1 by default. Values are cut to whole
    numbers, or rounded half up, and end at *most* (1..65535). Raises ValueError for what cannot be.
    """
    last = last or entries - 1
    if entries < 2 or last < 1 or not 1 <= most <= 65535:
        raise ValueError(f"a gamma table of {entries} entries up to {most}, the last {last}")
    if not LEAST_GAMMA <= gamma <= MOST_GAMMA:
        raise ValueError(f"gamma {gamma} is not within {LEAST_GAMMA} to {MOST_GAMMA}")
    half = 0.5 if is_rounded else 0.0
    power = 1 / gamma  # by math.pow: compiled, ** of two floats may be a complex number
    values = [int(most * math.pow(i / last, power) + half) for i in range(entries)]
    return array("H", [min(most, value) for value in values])


def adjusted(
    values: Sequence[int], most: int, *, brightness: float = 0, contrast: float = 0
) -> array[int]:
    """Return a table made brighter and with more contrast, both from -100 to 100 percent.

    v becomes (v + brightness * 1.92 * most / 255) * (contrast + 100) / 100, cut to a whole number
    and to 0..most. Source: specification plustek 3.11.
    """
    if not 1 <= most <= 65535 or max(abs(brightness), abs(contrast)) > 100:
        raise ValueError(f"brightness {brightness}, contrast {contrast} up to {most}")
    shift = 1.92 * brightness * most / 255
    factor = (contrast + 100) / 100
    return array("H", [int(min(most, max(0.0, (v + shift) * factor))) for v in values])


def resampled(values: Sequence[int], entries: int, most: int, new_most: int) -> array[int]:
    """Return a table with another number of entries and another greatest value, by nearest entry.

    So the 256 points of an option become what a device wants. Ends stay ends. Raises ValueError
    for values that are not 0..most.
    """
    if len(values) < 2 or entries < 2 or not 1 <= new_most <= 65535:
        raise ValueError(f"{len(values)} values for {entries} entries up to {new_most}")
    if most < 1 or min(values) < 0 or max(values) > most:
        raise ValueError(f"values {min(values)} to {max(values)} are not within 0 to {most}")
    step = len(values) - 1
    last = entries - 1
    return array(
        "H",
        [
            (2 * values[(2 * i * step + last) // (2 * last)] * new_most + most) // (2 * most)
            for i in range(entries)
        ],
    )


def apply(rows: memoryview, tables: Sequence[Sequence[int]], depth: int = 8) -> None:
    """Put every sample of *rows* through its channel's table, in place.

    rows: uint8, whole pixels of len(tables) samples, of 8 bits or of 16 in native order. A table
    has 2^k entries, at most one for each value: the k highest bits of a sample choose. Its values
    have the samples' depth. Raises ValueError for tables and rows that do not fit.
    """
    if depth not in (8, 16) or not tables:
        raise ValueError(f"{len(tables)} tables for samples of {depth} bits")
    if len(rows) % (len(tables) * depth // 8):
        raise ValueError(f"{len(rows)} bytes are no whole pixels of {len(tables)} samples")
    samples = rows.cast("B").cast("H") if depth == 16 else rows
    for channel, values in enumerate(tables):
        bits = len(values).bit_length() - 1
        if len(values) != 1 << bits or not 1 <= bits <= depth:
            raise ValueError(f"a table of {len(values)} entries for samples of {depth} bits")
        if min(values) < 0 or max(values) >= 1 << depth:
            raise ValueError(f"values {min(values)} to {max(values)} for {depth} bits")
        mapping = memoryview(array("H", values))
        step, down = len(tables), depth - bits
        if depth == 16:
            map_words(samples, mapping, channel, step, down)
        else:
            map_bytes(samples, mapping, channel, step, down)


def map_bytes(samples: _View, mapping: _Table, first: _Size, step: _Size, down: _Size) -> None:
    """Map every *step*-th sample from *first* on; samples: uint8. mapping: uint16, below 256."""
    i = first
    while i < len(samples):
        samples[i] = mapping[samples[i] >> down]
        i += step


def map_words(samples: _View, mapping: _Table, first: _Size, step: _Size, down: _Size) -> None:
    """Map every *step*-th sample from *first* on; samples, mapping: uint16."""
    i = first
    while i < len(samples):
        samples[i] = mapping[samples[i] >> down]
        i += step
