"""The protocol of an emulated ESC/I scanner: commands in, replies and image blocks out.

    idle --FS G / ESC G--> block sent --ACK--> next block ... last block --> idle
                               '------CAN---> idle

Source: specification esci 2.1 to 2.10 and 6.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from ..machine import Machine
from . import model as m
from .image import rows, sequence_rows
from .model import Model
from .page import Page, pattern
from .settings import COLOR_GRB, COLOR_LINES, COLOR_RGB, SINGLE, Refused, Settings

STX, ACK, FF, NAK, CAN, EM, ESC, FS = 0x02, 0x06, 0x0C, 0x15, 0x18, 0x19, 0x1B, 0x1C
AREA_END = 0x20
PARAMETER_BYTES = {"R": 4, "A": 8, "H": 2, "z": 257, "m": 9, "p": 1, **dict.fromkeys(SINGLE, 1)}
AUTOFOCUS, FOUND_FOCUS, GLASS_FOCUS = 0xFF, 71, 64
FEEDER = (1, 2)  # option control bytes that may mean the feeder
COLOR_BITS = {COLOR_GRB: 0x04, COLOR_RGB: 0x08}
SEQUENCE_BITS = (0x04, 0x08, 0x0C)  # green, red, blue lines
MATRIX = bytes((32, 0, 0, 0, 32, 0, 0, 0, 32))


class Scanner(Machine):
    """A scanner of *model* with *page* on its glass and *sheets* in its feeder.

    warmup_polls: how often it still answers that it warms up. button_polls: how often the button
    is asked until it is pressed. refusals: what it answers to the next starts, which fail.
    """

    welcome = b"\x01\x02\x00\x00\x00"

    def __init__(
        self, model: Model | None = None, page: Page = pattern, *, sheets: int = 0
    ) -> None:
        super().__init__()
        self.model = model or Model()
        self.page = page
        self.sheets = sheets
        self.sides = 0  # that were fed
        self.warmup_polls = 0
        self.button_polls = 0
        self.refusals: list[bytes] = []
        self.focus = GLASS_FOCUS
        self.ejected = 0
        self.tables: dict[str, bytes] = {}
        self.matrix = MATRIX
        self.settings = Settings()
        self._has_back = False  # the sheet that was fed has a side to go
        self._parameter: tuple[str, int] | None = None  # the command whose parameter is due
        self._blocks: Iterator[list[bytes]] | None = None  # set: ACK or CAN is due
        self._sent = 0  # blocks of this scan
        self._left = 0  # blocks still to be sent: after the last no answer is due

    def connected(self) -> None:
        """Forget the last host's scan and the parameter that it did not send."""
        super().connected()
        self._parameter = None
        self._blocks = None

    def message(self, data: bytes) -> None:
        """Take a command, the parameter of one, or the answer to an image block."""
        if self._parameter is not None:
            command, size = self._parameter
            self._parameter = None
            self._take_parameter(command, data, size)
        elif self._blocks is not None and data in (b"\x06", b"\x18"):
            self._continue(data[0])
        else:
            self._blocks = None
            self._command(data)

    def _command(self, data: bytes) -> None:
        name = data[1:].decode("latin-1")
        if len(data) == 1 and data[0] in (FF, EM) and self.model.has(chr(data[0])):
            self._move_paper(data[0])
        elif len(data) == 2 and data[0] == ESC and self.model.has(name):
            self._escape(name)
        elif len(data) == 2 and data[0] == FS and self.model.is_extended:
            self._extended(name)
        else:
            self.reply(bytes((NAK,)), "unknown")

    # ESC

    def _escape(self, name: str) -> None:
        simple: dict[str, Callable[[], object]] = {
            "@": self._reset,
            "F": lambda: self.reply(bytes((STX, self.model.status(), 0, 0)), "ESC F"),
            "I": lambda: self._information("ESC I", self.model.identity()),
            "i": lambda: self._information("ESC i", self.model.hardware()),
            "f": lambda: self._information("ESC f", self._extended_status()),
            "S": lambda: self._information("ESC S", bytes(45)),
            "q": lambda: self._information("ESC q", bytes((0, self.focus))),
            "!": self._button,
            "G": self._start_standard,
        }
        if name in simple:
            simple[name]()
        elif name in PARAMETER_BYTES:
            self._parameter = (name, PARAMETER_BYTES[name])
            self.reply(bytes((ACK,)), f"ESC {name}")
        else:
            self.reply(bytes((NAK,)), f"ESC {name}")

    def _reset(self) -> None:
        self.settings = Settings()
        self.reply(bytes((ACK,)), "ESC @")

    def _information(self, name: str, payload: bytes) -> None:
        self.reply(struct.pack("<BBH", STX, self.model.status(), len(payload)), name)
        self.reply(payload, f"{name} payload")

    def _button(self) -> None:
        self.button_polls -= 1
        self._information("ESC !", bytes((self.button_polls < 0,)))

    def _take_parameter(self, command: str, data: bytes, size: int) -> None:
        try:
            if len(data) != size:
                raise Refused(f"{len(data)} bytes for {command}")
            if command == "W":
                self.settings.set_block(data, self.model)
            elif command == "z":
                self.tables[chr(data[0]).upper()] = data[1:]
            elif command == "m":
                self.matrix = data
            elif command == "p":
                self.focus = FOUND_FOCUS if data[0] == AUTOFOCUS else data[0]
            elif command != "H":
                self.settings.set(command, data, self.model)
        except Refused:
            self.reply(bytes((NAK,)), f"{command} parameter")
        else:
            self.reply(bytes((ACK,)), f"{command} parameter")

    # FS

    def _extended(self, name: str) -> None:
        if name == "I" and self.model.level in m.WITH_IDENTITY:
            self.reply(self.model.extended_identity(), "FS I")
        elif name == "F":
            self.reply(
                self.model.scanner_status(self._main_status(), self._feeder_status()), "FS F"
            )
        elif name == "W":
            self._parameter = ("W", 64)
            self.reply(bytes((ACK,)), "FS W")
        elif name == "S":
            self.reply(self.settings.block(), "FS S")
        elif name == "G":
            self._start_extended()
        else:
            self.reply(bytes((NAK,)), f"FS {name}")

    # States

    def _main_status(self) -> int:
        self.warmup_polls -= 1
        return m.WARMING_UP if self.warmup_polls >= 0 else 0

    def _feeder_status(self) -> int:
        if not self.model.adf.is_there:
            return 0
        return self.model.adf.status() | (0 if self.sheets or self._has_back else m.EMPTY)

    def _extended_status(self) -> bytes:
        return self.model.extended_status(self._main_status(), self._feeder_status())

    def _move_paper(self, control: int) -> None:
        if not self.model.adf.is_there:
            self.reply(bytes((NAK,)), "paper")
            return
        self.ejected += control == FF
        self.reply(bytes((ACK,)), "paper")

    # Images

    def _feed(self) -> bool:
        """Bring what is to be scanned under the sensor; return whether there is anything."""
        if self.warmup_polls > 0:
            return False
        option = self.settings.option
        if option not in FEEDER or not self.model.adf.is_there:
            return True
        if self._has_back and option == 2:
            self._has_back = False
        elif self.sheets and not self.model.adf.error:
            self.sheets -= 1
            self._has_back = option == 2
        else:
            return False
        self.sides += 1
        return True

    def _lines(self, distance: int = 0) -> Iterator[bytes]:
        return rows(
            self.settings,
            self.page,
            self.tables,
            self.matrix,
            distance=distance,
            side=self.sides,
        )

    def _refuse(self, data: bytes, name: str) -> None:
        self.reply(self.refusals.pop(0) if self.refusals else data, name)

    def _start_extended(self) -> None:
        settings = self.settings
        if self.refusals or not settings.width or not self._feed():
            self._refuse(bytes((STX, m.FATAL)) + bytes(12), "FS G")
            return
        size = settings.line_bytes()
        per_block = settings.block_lines or 1
        full = (settings.lines - 1) // per_block
        last = (settings.lines - full * per_block) * size
        sizes = (per_block * size if full else 0, full, last)
        self.reply(struct.pack("<BBIII", STX, 0, *sizes), "FS G")
        blocks = ([b"".join(block) + b"\0"] for block in _grouped(self._lines(), per_block))
        self._begin(blocks, full + 1)

    def _start_standard(self) -> None:
        settings = self.settings
        if self.refusals or not settings.width or not self._feed():
            head = bytes((STX, m.FATAL, 0, 0, 0, 0))
            self._refuse(head if settings.block_lines else head[:4], "ESC G")
            return
        if settings.color == COLOR_LINES:
            count = 3 * settings.lines
        else:
            count = -(-settings.lines // (settings.block_lines or 1))
        self._begin(self._standard_blocks(settings, count), count)

    def _standard_blocks(self, settings: Settings, count: int) -> Iterator[list[bytes]]:
        status = self.model.status() & m.STATUS_OPTION
        per_block = settings.block_lines or 1
        lines = self._lines(self.model.distance * settings.x_dpi // self.model.basic)
        bits: tuple[int, ...] = (COLOR_BITS.get(settings.color, 0),)
        if settings.color == COLOR_LINES:
            lines, bits, per_block = sequence_rows(lines), SEQUENCE_BITS, 1
        for number, block in enumerate(_grouped(lines, per_block)):
            state = status | bits[number % len(bits)] | (AREA_END if number == count - 1 else 0)
            if settings.block_lines:
                head = struct.pack("<BBHH", STX, state, len(block[0]), len(block))
            else:
                head = struct.pack("<BBH", STX, state, len(block[0]))
            yield [head, b"".join(block)]

    def _begin(self, blocks: Iterator[list[bytes]], count: int) -> None:
        self._blocks = blocks
        self._sent = 0
        self._left = count
        self._send_block()

    def _continue(self, control: int) -> None:
        if control == ACK:
            self._send_block()
        else:
            self._blocks = None
            self.reply(bytes((ACK,)), "CAN")

    def _send_block(self) -> None:
        block = next(self._blocks or iter(()))
        self._sent += 1
        self._left -= 1
        if not self._left:
            self._blocks = None
        for head in block[:-1]:
            sent = self.reply(head, f"head {self._sent}")
            if sent[1:2] and sent[1] & m.FATAL:
                self._blocks = None
                return  # no data belong to such a head
        self.reply(block[-1], f"block {self._sent}")


def _grouped(lines: Iterator[bytes], count: int) -> Iterator[list[bytes]]:
    block = []
    for line in lines:
        block.append(line)
        if len(block) == count:
            yield block
            block = []
    if block:
        yield block
