"""Colour matrices: nine real numbers as the nine bytes of ESC m, and back.

Source: specification esci 2.10.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

UNIT = 32  # a coefficient of 1
LARGEST = 127
GREEN_FIRST = (4, 1, 7, 3, 0, 6, 5, 2, 8)  # d1 to d9 in the row-major matrix of R, G, B
PASSES = 2


def matrix_values(data: bytes) -> tuple[float, ...]:
    """Return the row-major matrix that the bytes d1 to d9 mean."""
    values = [0.0] * 9
    for place, byte in zip(GREEN_FIRST, data, strict=True):
        values[place] = (-(byte & LARGEST) if byte & 0x80 else byte) / UNIT
    return tuple(values)


def matrix_bytes(values: Sequence[float]) -> bytes:
    """Return d1 to d9 for a row-major matrix, rounded so that each row keeps its sum."""
    rounded = _rounded([value * UNIT for value in values])
    signed = (rounded[place] for place in GREEN_FIRST)
    return bytes(min(LARGEST, abs(value)) | (0x80 if value < 0 else 0) for value in signed)


def _rounded(wanted: list[float]) -> list[int]:
    """Return whole numbers, in each row with the sum of 1: what is lost goes where most was."""
    values = [int((value + 0.5) // 1) for value in wanted]
    rest = [value - whole for value, whole in zip(wanted, values, strict=True)]
    for _ in range(PASSES):
        for row in range(3):
            if values[3 * row : 3 * row + 3] == [11, 11, 11]:
                values[4 * row] -= 1
        sums = [sum(values[3 * row : 3 * row + 3]) for row in range(3)]
        if sums == [UNIT] * 3:
            break
        for row, total in enumerate(sums):
            if total != UNIT:
                _adjust(values, rest, 3 * row, 1 if total < UNIT else -1)
    return values


def _adjust(values: list[int], rest: list[float], start: int, step: int) -> None:
    place = max(range(start, start + 3), key=lambda i: rest[i] * step)
    lost = rest[place] * step
    if lost > 0 or (lost == 0 and step < 0):  # the original lowers, but never raises, on nothing
        values[place] += step
        rest[place] = 0.0
