"""The image sensor and the path of its pixels through the chip to the wire.

Light falls on a pixel, the converter makes a number of it, the chip subtracts an offset,
multiplies by a gain, and looks up a gamma table. Nothing here is computed twice in a scan that
does not change from line to line.

Source: specification plustek 2 (pixel path), 8.1 (light).
"""

from __future__ import annotations

import hashlib
import random
import sys
from array import array
from collections.abc import Sequence
from typing import NamedTuple

from ..esci.page import bits as packed
from .glass import Planes, averaged
from .models import Model
from .setup import ALL_AT_ONCE, IN_TURN, Setup, word

TOP = 65535
DARK = 100.0  # counts of a pixel that no light falls on
OFFSET = 64  # counts that one step of an analog offset moves
UNITY = 14  # bits behind the point of a multiplier
LAMPS = (0x2C, 0x30, 0x34)  # registers with the times of red, green and blue
OFFSETS, GAINS, GAMMAS = 0, 1, 2  # bits 1, 0 of register 03
BYPASSED, GAIN_TABLE, OFFSET_TABLE = 1, 2, 4  # bits of register 42
STATUS = b"\x0a\x00"  # ends each line; no host looks at it
NOISES = 4096
# Of a line, by the resolution of the sensor.
LENGTHS = {1200: 10700, 600: 5400, 400: 5400, 300: 5400}
FILLED = 0.45  # of the converter, by white at gain code 0 and master clock 3 with a lamp


class Wear(NamedTuple):
    """How a sensor differs from a perfect one; all the same for the same *seed*.

    uneven: how much less light falls on its ends. spread: of single pixels. dark: spread of the
    dark current. noise: counts. dead: sensor pixels that see nothing.
    """

    uneven: float = 0.0
    spread: float = 0.0
    dark: float = 0.0
    noise: int = 0
    dead: tuple[int, ...] = ()
    seed: int = 1

    @property
    def is_none(self) -> bool:
        """Whether the sensor is a perfect one, that of the vectors."""
        return not (self.uneven or self.spread or self.dark or self.dead)


NEW = Wear()
USED = Wear(uneven=0.25, spread=0.04, dark=60.0, noise=12)


class Sensor:
    """The pixels of a sensor: how much of the light each sees, and its dark current."""

    def __init__(self, model: Model, wear: Wear) -> None:
        self.model = model
        self.wear = wear
        rng = random.Random(wear.seed)
        count = model.line_end + 1
        middle = count / 2
        self._sees: list[float] = []
        self._dark: list[float] = []
        for pixel in range(0 if wear.is_none else count):
            fall = 1 - wear.uneven * ((pixel - middle) / middle) ** 2
            self._sees.append(fall * (1 + rng.uniform(-wear.spread, wear.spread)))
            self._dark.append(DARK + rng.uniform(0, wear.dark))
        if model.black:
            self._sees = self._sees or [1.0] * count
            self._dark = self._dark or [DARK] * count
        for pixel in (*range(model.black), *wear.dead):
            self._sees[pixel] = 0.0
        self._noise = [rng.randint(-wear.noise, wear.noise) for _ in range(NOISES)]

    def sees(self, setup: Setup) -> Sequence[float]:
        """Return for each sample how much of the light it sees."""
        return self._of(self._sees, 1.0, setup)

    def dark(self, setup: Setup) -> Sequence[float]:
        """Return the dark current of each sample."""
        return self._of(self._dark, DARK, setup)

    def _of(self, values: list[float], usual: float, setup: Setup) -> Sequence[float]:
        if not values:
            return (usual,) * setup.samples
        row = values[setup.first : setup.end]
        row += [usual] * (setup.end - setup.first - len(row))
        return averaged(row, setup.divider, setup.samples)

    def noise(self, line: int, channel: int, count: int) -> Sequence[int]:
        """Return the noise of a line: the same line has the same."""
        start = (line * 3 + channel) * 1237 % NOISES
        table = self._noise
        return (table[start:] + table * (1 + count // NOISES))[:count]


def gain_of(code: int) -> float:
    """Return how much an analog gain code amplifies."""
    return (0.93 + 0.067 * (code & 31)) * (3 if code & 32 else 1)


def lamp_clocks(registers: bytes | bytearray, colour: int) -> float:
    """Return how long a lamp of a contact sensor is on in a line, in clocks of master clock 1."""
    if not registers[0x29] & 3:
        return 0.0
    on, off = word(registers, LAMPS[colour]), word(registers, LAMPS[colour] + 2)
    return max(0, min(off - on, word(registers, 0x20))) * (1 + registers[0x08] / 2)


def is_lamp_on(registers: bytes | bytearray, model: Model) -> bool:
    """Return whether the one lamp of a unit without contact sensor is on."""
    if not registers[0x29] & 3:
        return False
    if not model.lamp:
        return word(registers, LAMPS[0] + 2) > word(registers, 0x20)
    pins = registers[0x59 + (model.lamp - 1) // 2] >> (4 if model.lamp % 2 == 0 else 0)
    return pins & 9 == 9  # an output, and high


def brightness(registers: bytes | bytearray, model: Model) -> list[float]:
    """Return the counts that white makes of each colour, 0 where no lamp is on."""
    if model.is_contact:
        full = [2 * TOP / 1.6 / (counts * model.mclk) for counts in model.full]
        return [full[colour] * lamp_clocks(registers, colour) for colour in range(3)]
    if not is_lamp_on(registers, model):
        return [0.0] * 3
    parts = word(registers, 0x20) / LENGTHS[model.optical]  # of the usual time of a line
    return [FILLED * TOP / 3 * parts * (1 + registers[0x08] / 2)] * 3


class Tables:
    """The memory for shading and gamma; what is written stays until it is overwritten."""

    def __init__(self) -> None:
        self._data = {(kind, colour): bytearray() for kind in range(3) for colour in range(3)}

    def write(self, kind: int, colour: int, place: int, data: bytes) -> None:
        """Write bytes from the byte *place* on."""
        table = self._data[kind, colour]
        if len(table) < place:
            table.extend(bytes(place - len(table)))
        table[place : place + len(data)] = data

    def words(self, kind: int, colour: int, count: int) -> list[int]:
        """Return *count* words, 0 where nothing was ever written."""
        data = self._data[kind, colour][: 2 * count]
        values = array("H", bytes(data).ljust(2 * count, b"\0"))
        if sys.byteorder == "little":
            values.byteswap()
        return values.tolist()

    def digest(self, count: int) -> str:
        """Return a text that tells whether two memories hold the same for so many samples."""
        found = hashlib.sha1(usedforsecurity=False)
        for (kind, _), table in self._data.items():
            found.update(table if kind == GAMMAS else table[: 2 * count].ljust(2 * count, b"\0"))
        return found.hexdigest()

    def gamma(self, colour: int) -> bytes:
        """Return the gamma table of a colour."""
        return bytes(self._data[GAMMAS, colour][:4096]).ljust(4096, b"\0")


class Path:
    """How one channel's samples become bytes in one scan."""

    def __init__(
        self, registers: bytes | bytearray, setup: Setup, tables: Tables, channel: int, bits: int
    ) -> None:
        self.setup = setup
        self.gain = gain_of(registers[0x3B + channel])
        code = registers[0x38 + channel] & 63
        self.offset = OFFSET * (code - 64 if code & 32 else code)
        self._mask = TOP & ~((1 << (16 - bits)) - 1)
        control = registers[0x42]
        count = setup.samples
        self._offsets: Sequence[int] | None = None
        if control & OFFSET_TABLE:
            self._offsets = tables.words(OFFSETS, channel, count)
        elif word(registers, 0x3E):
            self._offsets = (word(registers, 0x3E),) * count
        self._gains: Sequence[int] | None = None
        if not control & BYPASSED:
            fixed = (word(registers, 0x40),) * count
            is_table = control & GAIN_TABLE
            self._gains = tables.words(GAINS, channel, count) if is_table else fixed
        self._gamma = tables.gamma(channel)

    def convert(self, signal: Sequence[float], noise: Sequence[int] | None) -> list[int]:
        """Return what the converter makes of the light of a line."""
        gain, offset = self.gain, self.offset
        values = [int(gain * (light + offset)) for light in signal]
        if noise is not None:
            values = [value + error for value, error in zip(values, noise, strict=True)]
        if min(values, default=0) < 0 or max(values, default=0) > TOP:
            values = [min(max(value, 0), TOP) for value in values]
        if self._mask != TOP:
            mask = self._mask
            values = [value & mask for value in values]
        return values

    def correct(self, values: list[int]) -> list[int]:
        """Return the samples after offset and multiplier."""
        if self._offsets is not None:
            pairs = zip(values, self._offsets, strict=True)
            values = [value - less if value > less else 0 for value, less in pairs]
        if self._gains is not None:
            products = zip(values, self._gains, strict=True)
            values = [value * factor >> UNITY for value, factor in products]
        if max(values, default=0) > TOP:
            values = [min(value, TOP) for value in values]
        return values

    def look_up(self, values: list[int]) -> bytes:
        """Return 8-bit samples."""
        table = self._gamma
        return bytes([table[value >> 4] for value in values])

    def encode(self, values: list[int]) -> bytes:
        """Return the bytes of a line of one channel."""
        setup = self.setup
        if setup.bits == 16:
            data = array("H", values)
            if sys.byteorder == "little":
                data.byteswap()
            return data.tobytes()
        row = self.look_up(values)
        if setup.bits == 8:
            return row
        return packed(row.ljust(-(-len(row) // 8) * 8, b"\0"), 128) if row else b""


class Optics:
    """One scan's lines, from what the carriage sees to the bytes on the wire."""

    def __init__(
        self,
        registers: bytes | bytearray,
        setup: Setup,
        sensor: Sensor,
        tables: Tables,
        light: float,
    ) -> None:
        self.setup = setup
        self._sensor = sensor
        model = sensor.model
        channels = range(3) if setup.channels == 3 else (setup.channel,)
        self._paths = {c: Path(registers, setup, tables, c, model.bits) for c in channels}
        self._dark = sensor.dark(setup)
        sees = sensor.sees(setup)
        self._factors: list[Sequence[float] | None] = []
        for counts in brightness(registers, model):
            factor = counts * light / 255
            self._factors.append([factor * part for part in sees] if factor else None)

    def line(self, number: int, planes: Planes) -> bytes:
        """Return the bytes of line *number* at whose place the sensor sees *planes*."""
        setup = self.setup
        rows = [
            averaged(plane, setup.divider, setup.samples) if factor is not None else None
            for plane, factor in zip(planes, self._factors, strict=True)
        ]
        if setup.kind == IN_TURN:
            parts = [self._colour(number, c, self._light(rows, (c,))) + STATUS for c in range(3)]
            return b"".join(parts)
        if setup.kind == ALL_AT_ONCE:
            channels = [self._colour(number, c, self._light(rows, (c,))) for c in range(3)]
            return _woven(channels, setup.bits) + STATUS
        lamps = (0, 1, 2) if self._sensor.model.is_contact else (setup.channel,)
        return self._colour(number, setup.channel, self._light(rows, lamps)) + STATUS

    def _light(self, rows: Sequence[Sequence[float] | None], colours: Sequence[int]) -> list[float]:
        """Return the signal of a line under the lamps of *colours*."""
        signal: Sequence[float] = self._dark
        for colour in colours:
            row, factors = rows[colour], self._factors[colour]
            if row is not None and factors is not None:
                terms = zip(signal, factors, row, strict=True)
                signal = [base + factor * value for base, factor, value in terms]
        return list(signal)

    def _colour(self, number: int, channel: int, signal: Sequence[float]) -> bytes:
        path = self._paths[channel]
        count = self.setup.samples
        noise = self._sensor.noise(number, channel, count) if self._sensor.wear.noise else None
        values = path.convert(signal, noise)
        return path.encode(path.correct(values))


def _woven(channels: Sequence[bytes], bits: int) -> bytes:
    """Return R, G, B of each pixel, from whole lines of 8 or 16 bits."""
    data = bytearray(sum(map(len, channels)))
    size = max(1, bits // 8)
    for colour, line in enumerate(channels):
        for byte in range(size):
            data[colour * size + byte :: 3 * size] = line[byte::size]
    return bytes(data)
