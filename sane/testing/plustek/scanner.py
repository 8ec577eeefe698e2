"""An emulated flatbed that the host drives register by register: chip, motor, lamps, buttons.

Scanner is what is behind the two bulk endpoints and knows no transport: usb.UsbScanner puts it on
a bus. The original driver scans from it.

Source: specification plustek 1.2 (transfers), 2 (registers), 8 (this emulator).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..esci.page import Page
from ..machine import Machine
from . import guard, optics
from .fifo import KIB, UNITS, Fifo
from .glass import Glass, graded
from .models import Model, model_named
from .motor import Motor
from .optics import NEW, Wear
from .setup import MOTOR_ON, Setup, read_setup, word
from .sheets import Sheets

HEAD = 4  # bytes before the data of a command
MOST = 60  # data of one write
READS, COUNTS = 1, 2  # bits of a command's first byte
IDLE, RUN, HOME, SCAN, FORWARD, BACK, RESET = 0, 1, 2, 3, 5, 6, 0x20  # values of register 07
MOVES = (HOME, FORWARD, BACK)
DATA, LEVEL, STATE, SELECT, PORT, COMMAND, REVISION = 0, 1, 2, 3, 6, 7, 0x69
READ_ONLY = (DATA, LEVEL, STATE, REVISION)
EMPTY_POLLS = 2  # how often register 01 is 0 after a scan has begun
FULL_LEVEL = 10
PADDING = {1: 15, 8: 1}  # samples that a line may have beyond the last one that counts, by bits
COLD = 0.4  # of its light is what a cold lamp gives
REGISTERS = 128
STRANGE = "sane.testing.plustek: {}: {}"


class Command(NamedTuple):
    """One command of the host: the register it begins at, the data or how many bytes it asks."""

    is_read: bool
    register: int
    counts: bool
    data: bytes
    size: int


class Deed(NamedTuple):
    """A move or a scan: value of 07, carriage, registers and memory as they were, bytes fetched.

    tables: a digest, without the words of samples that only fill a line up.
    """

    command: int
    place: float
    registers: bytes
    tables: str
    fetched: int = 0


class Scanner(Machine):
    """One emulated scanner; its attributes may be changed at any time, as a user would do.

    unit: a Model, its name or ids. wear: of the sensor (optics.NEW, USED). page: what lies on the
    glass. lamp_light: 1.0 as it should be, 0 when the lamps are dead. warm_up: how many scans it
    takes until they have it. is_never_ready: register 01 stays 0. command_never_ends: 07 stays at
    a move. ignores: registers that do not take what is written. piece: bytes of a read that are
    sent at once, 0: all. missing: bytes at the end of image data that are not sent. pace: how fast
    lines are made while the host does something else, 1.0 as in a real unit; 0: they wait for it.
    clock: seconds, for that. pauses: how often the motor had to go back.

    log: the commands. deeds: moves and scans. problems: what would harm a unit, and was refused:
    empty with a good driver.
    """

    def __init__(self, unit: Model | str = "LiDE 20", wear: Wear = NEW) -> None:
        super().__init__()
        self.model = model_named(unit) if isinstance(unit, str) else unit
        self.registers = bytearray(REGISTERS)
        self.tables = optics.Tables()
        self.glass = Glass(self.model, graded)
        self.motor = Motor(self.model.stop)
        self.sensor = optics.Sensor(self.model, wear)
        self.lamp_light = 1.0
        self.warm_up = 0
        self.is_never_ready = self.command_never_ends = False
        self.ignores: frozenset[int] = frozenset()
        self.piece = self.missing = 0
        self.pace = 0.0
        self.clock: Callable[[], float] = time.monotonic
        self.pauses = 0
        self.fifo: Fifo | None = None
        self.log: list[Command] = []
        self.deeds: list[Deed] = []
        self.problems: list[str] = []
        self._pressed: set[int] = set()
        self._port = 0  # address of the data port
        self._polls = 0  # of register 01 in this scan
        self._warm = 0  # scans since the lamp was switched on
        self._now = 0.0  # when the last command came
        self.sheets = Sheets(self.model.paper)

    # A user's hands

    @property
    def page(self) -> Page:
        """What lies on the glass."""
        return self.glass.page

    @page.setter
    def page(self, page: Page) -> None:
        self.glass.lay(page)

    def press(self, button: int = 1) -> None:
        """Press a button, 1 to 3, until it is released.

        A unit with one button has the pins of three, too.
        """
        self._pressed.add(self.model.inputs[button - 1])

    def release(self) -> None:
        """Release all buttons."""
        self._pressed.clear()

    def put(self, position: float) -> None:
        """Put the carriage somewhere, in full steps from the home sensor."""
        self.motor.put(position)

    def wear_out(self, wear: Wear, dust: int = 0) -> None:
        """Change the sensor for another one, and put dust on the white strip."""
        self.sensor = optics.Sensor(self.model, wear)
        self.glass.lay_dust(dust, wear.seed)

    @property
    def stuck_at(self) -> float | None:
        """Where something is in the way of the carriage."""
        return self.motor.stuck_at

    @stuck_at.setter
    def stuck_at(self, place: float | None) -> None:
        self.motor.stuck_at = place

    @property
    def white_strip(self) -> float:
        """What the white strip reflects: 1.0 when it is clean and the lid is on, 0.0 nothing."""
        return self.glass.white

    @white_strip.setter
    def white_strip(self, part: float) -> None:
        self.glass.white = part

    # What a test may ask

    @property
    def position(self) -> float:
        """Where the carriage comes to rest, in full steps from the home sensor."""
        command = self.registers[COMMAND]
        if command in MOVES and not self.command_never_ends and self.motor.ends(command == HOME):
            self.registers[COMMAND] = IDLE
        return self.motor.place

    @property
    def is_home(self) -> bool:
        """Whether the carriage comes to rest at home, and no scan is going on."""
        return self.position == 0 and self.registers[COMMAND] != SCAN

    @property
    def is_lit(self) -> bool:
        """Whether a lamp is on."""
        return any(optics.brightness(self.registers, self.model))

    @property
    def writes(self) -> list[tuple[int, bytes]]:
        """Register and data of each write, in order."""
        return [(found.register, found.data) for found in self.log if not found.is_read]

    # The transfers

    def message(self, data: bytes) -> None:
        if len(data) < HEAD:
            self._refuse(f"a command of {len(data)} bytes")
            return
        register, size = data[1] & 0x7F, word(data, 2)
        command = Command(
            bool(data[0] & READS), register, bool(data[0] & COUNTS), data[HEAD:], size
        )
        self.log.append(command)
        if not (command.is_read and register == STATE):
            self.sheets.told()
        if self.pace:
            self._pass_time()
        if command.is_read:
            self._answer(command)
        elif len(command.data) != size or not 0 < size <= MOST:
            self._refuse(f"{len(command.data)} bytes in a write of {size} to {register:02x}")
        else:
            for place, value in enumerate(command.data):
                self._write((register + place * command.counts) % REGISTERS, value)

    def _answer(self, command: Command) -> None:
        """Reply to a read, in pieces if it is to be so."""
        register, size = command.register, command.size
        if register == DATA and not command.counts:
            data = self._fetch(size)
            data = data[: len(data) - self.missing]
        else:
            step = 1 if command.counts else 0
            data = bytes(self._read((register + n * step) % REGISTERS) for n in range(size))
        piece = self.piece or max(1, len(data))
        for start in range(0, len(data), piece):
            self.reply(data[start : start + piece], f"{register:02x}")

    def _refuse(self, why: str) -> None:
        """Note what would harm a unit; the motor and the lamps stop."""
        if why not in self.problems:
            self.problems.append(why)
            print(STRANGE.format(self.model.name, why), file=sys.stderr)
        self.motor.halt()
        self.fifo = None
        self.registers[COMMAND] = IDLE

    # The registers

    def _read(self, register: int) -> int:
        if register == LEVEL:
            return self._level()
        if register == STATE:
            return self._state()
        if register == REVISION:
            return self.model.revision
        if register == COMMAND and self.registers[COMMAND] in MOVES:
            value = self.registers[COMMAND]
            if self.motor.poll(value == HOME) and not self.command_never_ends:
                self.registers[COMMAND] = IDLE
            return value
        return self.registers[register]

    def _level(self) -> int:
        """Register 01: how much data there are."""
        if self.fifo is None or self.is_never_ready:
            return 0
        self._polls += 1
        if self._polls <= EMPTY_POLLS:
            return 0
        if not self.pace:
            return FULL_LEVEL
        return min(255, -(-self.fifo.level * UNITS // (self.model.memory * KIB)))

    def _state(self) -> int:
        """Register 02: the home sensor and the levels of the I/O pins."""
        if self.registers[COMMAND] == HOME:
            self.motor.poll(True)
        if self.sheets.bit:
            if self.sheets.polled(is_running=self.registers[COMMAND] == RUN):
                self.motor.put(0)
            return self._pins() | self.sheets.bit * self.sheets.is_in
        return self._pins() | int(self.motor.place == 0 and not self.motor.is_moving)

    def _pins(self) -> int:
        value = 0
        board = self.model.board
        for pin in range(1, 7):
            bits = self.registers[0x59 + (pin - 1) // 2] >> (4 if pin % 2 == 0 else 0)
            level = bits & 8 if bits & 1 else pin in self._pressed or board >> (pin - 1) & 1
            value |= bool(level) << (pin + 1)
        return value

    def _write(self, register: int, value: int) -> None:
        if register == PORT:
            self._load(value)
            return
        if register in READ_ONLY or register in self.ignores:
            return
        self.registers[register] = value
        if register in (SELECT, SELECT + 1, SELECT + 2):
            self._port = 0
        elif register == COMMAND:
            self._command(value)
        elif register == 0x37 or (register == 0x29 and value & 3):
            self._check(guard.harms_of_light(self.registers, self.model))

    def _load(self, value: int) -> None:
        """Put a byte into the memory that the data port shows."""
        kind, colour = self.registers[SELECT] & 3, self.registers[SELECT] >> 2 & 3
        if kind == 3 or colour == 3:
            self._refuse(f"data for table {self.registers[SELECT]:#x} in 03")
            return
        self.tables.write(kind, colour, self._port, bytes((value,)))
        self._port += 1

    def _check(self, harms: Iterator[str]) -> bool:
        """Refuse what would harm the unit; return whether it may go on."""
        why = guard.first(harms)
        if why:
            self._refuse(why)
        return not why

    # The commands

    def _note(self, value: int) -> None:
        """Put a move or a scan into `deeds`."""
        tables = ""
        if value == SCAN:
            setup = read_setup(self.registers)
            tables = self.tables.digest(setup.samples - PADDING.get(setup.bits, 0))
        self.deeds.append(Deed(value, self.motor.place, bytes(self.registers), tables))

    def _command(self, value: int) -> None:
        """Obey register 07."""
        self._stop()
        if value == RUN and self.sheets.bit:
            self.motor.put(0)
        runs = self.registers[0x45] & MOTOR_ON
        if value in (SCAN, *MOVES):
            self._note(value)
        if value == SCAN:
            self._begin()
        elif value == RUN and runs and not self.sheets.bit:
            self._refuse("07=01 runs the carriage of a flatbed against its stop")
        elif value in MOVES and runs:
            steps = word(self.registers, 0x4A)
            place = self.motor.place
            target = {HOME: 0.0, FORWARD: place + steps, BACK: place - steps}[value]
            if not self._check(guard.harms_of_motor(self.registers, self.model)):
                return
            beyond = self.motor.go(target)
            if beyond:
                self._refuse(f"the carriage hits a stop: {steps} steps from {place:.0f}")
        elif value not in (IDLE, RUN, RESET, *MOVES):
            self._refuse(f"{value:#x} is no command for register 07")

    def _stop(self) -> None:
        """End what is going on, wherever the carriage is."""
        self.motor.halt()
        self.fifo = None

    def _begin(self) -> None:
        """Begin a scan where the carriage is."""
        setup = read_setup(self.registers)
        memory = self._memory(setup)
        place = self.motor.place
        harms = guard.harms_of_scan(self.registers, setup, self.model, place, memory)
        if not self._check(harms):
            return
        light = self.lamp_light * self._warmth()
        lines = optics.Optics(self.registers, setup, self.sensor, self.tables, light)
        if setup.has_motor:
            self.motor.drive(setup.skipped)
        self.fifo = Fifo(setup, lines, self.glass, self.motor, memory)
        self._polls = 0

    def _warmth(self) -> float:
        """Return how much of its light the lamp gives, and let it get warmer."""
        lit = self._warm if self.is_lit else 0
        self._warm = lit + self.is_lit
        return 1.0 if lit >= self.warm_up else COLD + (1 - COLD) * lit / self.warm_up

    def _memory(self, setup: Setup) -> int:
        """Return the KiB that shading and gamma tables leave for lines."""
        return self.model.memory - (192 if setup.bits == 16 else 216)

    def _pass_time(self) -> None:
        """Make the lines for which there was time since the last command."""
        before, self._now = self._now, self.clock()
        if self.fifo is None:
            return
        unit = self.model.memory * KIB // UNITS
        pauses = self.fifo.pauses
        limits = (self.registers[0x4E] * unit, self.registers[0x4F] * unit)
        why = self.fifo.run((self._now - before) * self.pace, *limits)
        self.pauses += self.fifo.pauses - pauses
        if why:
            self._refuse(why)

    def _fetch(self, size: int) -> bytes:
        """Return image data; fewer than asked for where the scan has ended."""
        if self.fifo is None:
            self._refuse(f"{size} bytes of image data are read, but no scan goes on")
            return b""
        data, why = self.fifo.take(size)
        if why:
            self._refuse(why)
        command, place, registers, tables, fetched = self.deeds[-1]
        self.deeds[-1] = Deed(command, place, registers, tables, fetched + len(data))
        return data
