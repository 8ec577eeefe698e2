"""Steps of a motor: tables by which a chip speeds it up, and a ramp that the host drives itself.

Arithmetic only. A step's length is a time in units of the chip: the shorter, the faster. Source:
specifications genesys 4.1 (tables), plustek 3.7 (ramp).
"""

from __future__ import annotations

import struct
from array import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_TIME = 0xFFFF
MOST_ENTRIES = 1 << 16
SINGLE = struct.Struct("f")
SLOWEST, FASTEST = 100, 5  # by how much a ramp's first step shortens the time, at most and at least
LONG_CHANGE, LONG_SECONDS = 25, 0.15  # after a change above it the motor needs a moment


class Profile:
    """How a motor speeds up: from steps of *start* to steps of *top* time units in *count* steps.

    micro: a step is cut into 2^micro. Raises ValueError for what is no acceleration.
    """

    __slots__ = ("count", "micro", "start", "top")

    def __init__(self, start: int, top: int, count: int, micro: int = 0) -> None:
        if not 0 < top <= start <= MOST_TIME or not 1 <= count <= MOST_ENTRIES or micro < 0:
            raise ValueError(f"{count} steps of {start} to {top}, cut {micro} times")
        self.start = start
        self.top = top
        self.count = count
        self.micro = micro

    def time(self, number: int) -> int:
        """Return the time of step *number* from 0 on, at constant acceleration.

        Numbers of single precision, rounded after each operation, as chips' own programs do it.
        """
        if number < 2:
            return self.start >> self.micro
        slow, fast = _single(1 / self.start), _single(1 / self.top)
        slow_square = _single(slow * slow)
        gain = _single(_single(_single(fast * fast) - slow_square) / (2 * self.count))
        square = _single(slow_square + _single(_single(2 * gain) * (number - 1)))
        return int(_single(1 / _single(square**0.5))) >> self.micro

    def table(self, target: int, *, most: int = 1024, align: int = 1) -> array[int]:
        """Return the times of the steps up to steps of *target*, or of `top` if that is longer.

        The last time is the target's, repeated until there are a multiple of *align*, at least
        twice as many, and less than *most*. Raises ValueError for a target that no step has.
        """
        if align < 1 or most < 2 * align + 1:
            raise ValueError(f"at most {most} steps, a multiple of {align}")
        if not 0 < target >> self.micro < MOST_TIME:
            raise ValueError(f"steps of {target}, cut {self.micro} times")
        final = max(target >> self.micro, self.top >> self.micro)
        found = array("H")
        while len(found) < most - 1:
            time = self.time(len(found))
            if time <= final or len(found) > self.count:
                break
            found.append(time)
        if len(found) == most - 1:
            found.pop()
        found.append(final)
        while len(found) < most - 1 and (len(found) % align or len(found) < 2 * align):
            found.append(final)
        return found


def _single(value: float) -> float:
    """Return *value* as a number of single precision."""
    rounded: float = SINGLE.unpack(SINGLE.pack(value))[0]
    return rounded


def ramp(time: int, target: int) -> Iterator[tuple[int, float]]:
    """Yield the times by which the host speeds a motor up, and how long to wait before each.

    From steps of *time* to steps of *target*; nothing where that is not shorter. The changes become
    smaller: the first is a quarter of the way, from 5 to 100, the i-th an i-th of it.
    """
    change = max(FASTEST, min(SLOWEST, (time - target) // 4))
    exact = float(time)
    number = 1
    while exact > target:
        exact = max(float(target), exact - change / number)
        yield int(exact), LONG_SECONDS if change // number > LONG_CHANGE else 0.0
        number += 1
