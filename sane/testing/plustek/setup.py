"""What the registers of the chip say of the scan that 07=03 begins.

Source: specification plustek 2 (registers), 3.5.2 (length of a line), 3.5.3 (step size).
"""

from __future__ import annotations

from typing import NamedTuple

DIVIDERS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)  # horizontal, by bits 2..0 of register 09
CLOCK = 48e6  # of the chip, Hz
PHASES = 8  # master clocks of a pixel
SLOW = 4  # pixel clocks that a step size of 1 makes of a full step
ALL_AT_ONCE, ONE, IN_TURN = 0, 4, 5  # bits 2..0 of register 26
MOTOR_ON = 0x10  # bit of register 45


class Setup(NamedTuple):
    """One scan.

    first, end: sensor pixels of a line, the last not included. samples: per colour. bits: of a
    sample. kind: bits 2..0 of register 26. channel: which analog channel `kind` ONE goes through.
    clocks: pixel clocks of one output line. step: size of a motor step. adjust: integration time
    adjust. mclk: master clock divider. skipped, most: full steps before the first line, and of
    the whole scan (0: no end).
    """

    first: int
    end: int
    divider: float
    samples: int
    bits: int
    kind: int
    channel: int
    clocks: int
    step: int
    adjust: int
    mclk: float
    skipped: int
    most: int
    has_motor: bool

    @property
    def sublines(self) -> int:
        """How many pieces with a status pair each a line has."""
        return 3 if self.kind == IN_TURN else 1

    @property
    def channels(self) -> int:
        """How many colours a line has."""
        return 1 if self.kind == ONE else 3

    @property
    def line_bytes(self) -> int:
        """Bytes of a line on the wire, status included."""
        return self.channels * -(-self.samples * self.bits // 8) + 2 * self.sublines

    @property
    def advance(self) -> float:
        """How many full steps the carriage goes on in a line."""
        if not self.has_motor or not self.step:
            return 0.0
        longer = (self.adjust + 1) / self.adjust if self.adjust else 1.0
        return self.clocks * longer / (SLOW * self.step)

    @property
    def seconds(self) -> float:
        """How long one output line takes."""
        return self.clocks * PHASES * self.mclk * (1 + self.adjust) / CLOCK


def word(registers: bytes | bytearray, number: int) -> int:
    """Return the 16-bit value in a register and the next."""
    return registers[number] << 8 | registers[number + 1]


def line_clocks(registers: bytes | bytearray) -> int:
    """Return the pixel clocks that pass per line of one colour (specification 3.5.2)."""
    mode, transfer = registers[0x0B] >> 3 & 3, registers[0x0D] >> 7
    guard, width = registers[0x0E] >> 4, registers[0x0E] & 15
    between = {0: (transfer + 1) * (2 * guard + width + 1), 2: 3}.get(mode, 1)
    turbo = 2 if registers[0x0A] & 1 else 1
    return word(registers, 0x20) + turbo * (between + 3 - transfer) + (mode == 0)


def read_setup(registers: bytes | bytearray) -> Setup:
    """Return the scan that the registers describe."""
    divider = DIVIDERS[registers[0x09] & 7] * (2 if registers[0x0A] & 1 else 1)
    first, end = word(registers, 0x22), word(registers, 0x24)
    kind = registers[0x26] & 7
    packed = (1, 2, 4, 8)[registers[0x09] >> 3 & 3]
    return Setup(
        first=first,
        end=end,
        divider=divider,
        samples=int(max(0, end - first) / divider),
        bits=16 if registers[0x09] & 0x20 else packed,
        kind=kind,
        channel=min(2, registers[0x26] >> 3 & 3),
        clocks=line_clocks(registers) * (3 if kind in (1, IN_TURN) else 1),
        step=word(registers, 0x46),
        adjust=registers[0x19],
        mclk=1 + registers[0x08] / 2,
        skipped=word(registers, 0x4A),
        most=word(registers, 0x4C),
        has_motor=bool(registers[0x45] & MOTOR_ON),
    )
