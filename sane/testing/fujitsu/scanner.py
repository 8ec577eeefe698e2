"""An emulated Fujitsu document scanner: its commands over bulk transfers, its hopper and buttons.

Scanner is the protocol, transfers in and out, and knows no transport: usb.UsbScanner puts it on a
bus. The original driver scans from it.

    command of 31 bytes [-> data out] -> [data in ->] status of 13 bytes

Source: specification fujitsu 1 (framing), 2 (commands), 7 (scanning) and 12 (this emulator).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from time import monotonic
from typing import NamedTuple

from ..machine import Machine
from . import commands
from .commands import Cdb
from .feeder import Feeder
from .model import Model, model_named
from .paper import Page, Sheet, formula
from .sense import (
    BAD_CDB,
    BAD_COMMAND,
    CHECK,
    NO_SENSE,
    SEQUENCE,
    Answer,
    Refused,
    sense,
)
from .status import HardwareStatus, old_sense
from .window import BACK, FRONT, Window, read_windows

COMMAND_BYTES, COMMAND_TAG, CDB_AT = 31, 0x43, 0x13
STATUS_BYTES, STATUS_TAG, STATUS_AT = 13, 0x53, 9
MODE_BYTES = 20
ANSWER_BYTES = 32  # of each answer, in the log


class Command(NamedTuple):
    """One command of the host, in a log.

    data: those that came with it. asked, got: bytes of data in. answer: the first of them. status:
    of SCSI.
    """

    cdb: bytes
    data: bytes
    asked: int
    got: int
    answer: bytes
    status: int


class Result(NamedTuple):
    """What carrying a command out brings."""

    data: bytes = b""
    sense: bytes = b""


class Scanner(Machine):
    """One emulated scanner; its attributes may be changed at any time, as a user would do.

    hopper: the sheets to come, see load(). page: what lies on the glass. sensors: options of the
    hardware status that are set (status.SENSORS). pads: short reads are filled up to the length
    asked for. feed_seconds: how long a sheet takes to come; sheet_seconds: how much later than the
    last one it comes at least; without a bus there is no clock, and no time passes. log: the
    commands, for assertions. inject(): faults.
    """

    def __init__(self, model: Model | str = "fi-7260", sheets: int = 0) -> None:
        super().__init__()
        self.model = model_named(model) if isinstance(model, str) else model
        self.page: Page = formula
        self.hopper = Feeder(self.model)
        self.load(sheets)
        self.sensors: dict[str, int] = {}
        self.pressed: set[str] = set()  # buttons that were touched since the last look
        self.pads = False
        self.feed_seconds = self.sheet_seconds = 0.0
        self.log: list[Command] = []
        self.windows: dict[int, Window] = {}
        self.modes: dict[int, bytes] = {}  # MODE SELECT's parameters, by page
        self.sent: dict[int, bytes] = {}  # SEND's data, by type
        self.source = ""  # the last one of SCANNER CONTROL
        self._due: tuple[Cdb, int] | None = None  # a command that waits for its data
        self._came = -inf  # when the last sheet did
        self._turn = 0  # counts the commands: a late answer to an earlier one is dropped
        self._diagnosis = b""
        self._sense = b""
        self._scripted: dict[str, deque[Answer | None]] = {}

    # A user's hands

    def load(self, count: int, *sheets: Sheet) -> None:
        """Put *count* sheets into the hopper, these first; they are counted from 0 again."""
        self.hopper.load([*sheets, *(Sheet() for _ in range(count - len(sheets)))])

    def press(self, button: str) -> None:
        """Press and release a button: `scan` or `email`; it is seen once."""
        self.pressed.add(button)

    def inject(self, name: str, *answers: Answer | None, after: int = 0) -> None:
        """Let the next commands *name* (commands.name_of) be answered so; None: as usual.

        after: so many are answered as usual before.
        """
        self._scripted.setdefault(name, deque()).extend([*[None] * after, *answers])

    # The transfers

    def connected(self) -> None:
        super().connected()
        self._due = None

    def message(self, data: bytes) -> None:
        if self._due is not None:
            (cdb, size), self._due = self._due, None
            if len(data) == size:
                self._execute(cdb, data)
                return
        if len(data) != COMMAND_BYTES or data[0] != COMMAND_TAG:
            return  # nothing that a scanner would understand
        self.forget()
        cdb = Cdb(data[CDB_AT:])
        if cdb.out_bytes:
            self._due = cdb, cdb.out_bytes
        else:
            self._execute(cdb, b"")

    def _execute(self, cdb: Cdb, data: bytes) -> None:
        """Carry out one command, whose data have come, and answer it."""
        scripted = self._scripted.get(cdb.name)
        answer = (scripted.popleft() if scripted else None) or Answer()
        result = Result()
        if answer.carries_out:
            try:
                result = self._carry_out(cdb, data)
            except Refused as exc:
                result = Result(sense=exc.sense)
        told = answer.sense_data() or result.sense
        found = result.data if answer.data is None else answer.data
        found = found[: cdb.in_bytes if answer.size is None else answer.size]
        status = answer.status if answer.status is not None else CHECK if told else 0
        if cdb.operation != commands.REQUEST_SENSE:
            self._sense = told
        self.log.append(
            Command(cdb.raw, data, cdb.in_bytes, len(found), found[:ANSWER_BYTES], status)
        )
        if self.pads and found:
            found = found.ljust(cdb.in_bytes, b"\0")
        self._turn += 1
        turn = self._turn

        def give() -> None:
            if turn == self._turn:  # the host still waits for it
                self._answer(cdb, found, status, answer.status_data)

        is_fed = cdb.name == "feed" and not status
        self.call_later(self._feeding() if is_fed else 0.0, give)

    def _feeding(self) -> float:
        """Return how long the sheet takes that is asked for now."""
        now = monotonic()
        self._came = max(now + self.feed_seconds, self._came + self.sheet_seconds)
        return self._came - now

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        """Call *function* when *seconds* have passed: at once, where there is no clock."""
        function()

    def _answer(self, cdb: Cdb, data: bytes, status: int, whole: bytes | None) -> None:
        if cdb.in_bytes:
            self.expected = cdb.in_bytes
            self.reply(data, cdb.name)
        self.expected = STATUS_BYTES
        usual = bytearray((STATUS_TAG, *bytes(STATUS_BYTES - 1)))
        usual[STATUS_AT] = status
        self.reply(bytes(usual) if whole is None else whole, "status")

    # The commands

    def _carry_out(self, cdb: Cdb, data: bytes) -> Result:
        action = _ACTIONS.get(cdb.operation)
        if action is None:
            raise Refused(BAD_COMMAND)
        return action(self, cdb, data) or Result()

    def _test(self, cdb: Cdb, data: bytes) -> None:
        """It is always ready: what the hopper lacks is said when a sheet is fed."""

    def _request_sense(self, cdb: Cdb, data: bytes) -> Result:
        if self._sense:
            told, self._sense = self._sense, b""
            return Result(told)
        is_status = self.model.is_old
        return Result(old_sense(self._hardware()) if is_status else b"\x70" + sense(NO_SENSE)[1:])

    def _inquiry(self, cdb: Cdb, data: bytes) -> Result:
        if cdb.raw[1] & 1:
            if cdb.raw[2] != 0xF0:
                raise Refused(BAD_CDB)
            return Result(self.model.page_f0())
        return Result(self.model.standard())

    def _mode_sense(self, cdb: Cdb, data: bytes) -> Result:
        page = cdb.raw[2] & 0x3F
        if page not in self.model.pages:
            raise Refused(BAD_CDB)
        parameters = self.modes.get(page, bytes(6))
        block = bytes((0, 0, 0, 0, page, len(parameters))) + parameters
        return Result(block.ljust(MODE_BYTES, b"\0")[:MODE_BYTES])

    def _mode_select(self, cdb: Cdb, data: bytes) -> None:
        if len(data) < 6 or data[4] not in self.model.pages:
            raise Refused(BAD_CDB)
        self.modes[data[4]] = data[6 : 6 + data[5]]

    def _read_diagnostic(self, cdb: Cdb, data: bytes) -> Result:
        return Result(self._diagnosis)

    def _send_diagnostic(self, cdb: Cdb, data: bytes) -> None:
        self._diagnosis = b""
        if data[:16] == b"GET DEVICE ID   ":
            self._diagnosis = self.model.serial.to_bytes(4, "big").ljust(10, b"\0")

    def _set_window(self, cdb: Cdb, data: bytes) -> None:
        self.windows = read_windows(data, self.model)

    def _scan(self, cdb: Cdb, data: bytes) -> None:
        if not data or any(side not in self.windows for side in data):
            raise Refused(SEQUENCE)
        windows = [self.windows[side] for side in data]
        if self.source == "flatbed":
            self.hopper.scan_glass(windows, self.page)
        else:
            self.hopper.scan(windows, self.modes)

    def _read(self, cdb: Cdb, data: bytes) -> Result:
        side = cdb.raw[5]
        if cdb.raw[2] == commands.PIXEL_SIZE:
            return Result(self.hopper.pixel_size(side))
        if cdb.raw[2] != commands.IMAGE:
            raise Refused(BAD_CDB)
        found, told = self.hopper.read(side, cdb.in_bytes)
        return Result(found, told)

    def _send(self, cdb: Cdb, data: bytes) -> None:
        self.sent[cdb.raw[2]] = data

    def _position(self, cdb: Cdb, data: bytes) -> None:
        if cdb.raw[1] == commands.FEED:
            self.hopper.feed(self.modes)
        else:
            self.hopper.discharge()

    def _endorser(self, cdb: Cdb, data: bytes) -> None:
        if not self.model.has(0x20, 0x09):
            raise Refused(BAD_COMMAND)
        self.sent[commands.ENDORSER] = data

    def _hardware_status(self, cdb: Cdb, data: bytes) -> Result:
        if not self.model.has(0x2B, 0x04):
            raise Refused(BAD_COMMAND)
        return Result(self._hardware().block())

    def _hardware(self) -> HardwareStatus:
        """Return the sensors and buttons of this moment; a button that was pressed is seen once."""
        seen = {**self.sensors, **dict.fromkeys(self.pressed, 1)}
        self.pressed.clear()
        seen["double-feed"] = int(self.hopper.is_double or bool(seen.get("double-feed")))
        return HardwareStatus(seen, is_empty=not self.hopper.sheets)

    def _control(self, cdb: Cdb, data: bytes) -> None:
        if not self.model.has(0x31, 0x02):
            raise Refused(BAD_COMMAND)
        if cdb.name in commands.SOURCES:
            self.source = cdb.name
        elif cdb.name == "cancel":
            self.hopper.discharge()


_ACTIONS: dict[int, Callable[[Scanner, Cdb, bytes], Result | None]] = {
    commands.TEST_UNIT_READY: Scanner._test,
    commands.REQUEST_SENSE: Scanner._request_sense,
    commands.INQUIRY: Scanner._inquiry,
    commands.MODE_SELECT: Scanner._mode_select,
    commands.MODE_SENSE: Scanner._mode_sense,
    commands.SCAN: Scanner._scan,
    commands.READ_DIAGNOSTIC: Scanner._read_diagnostic,
    commands.SEND_DIAGNOSTIC: Scanner._send_diagnostic,
    commands.SET_WINDOW: Scanner._set_window,
    commands.READ: Scanner._read,
    commands.SEND: Scanner._send,
    commands.OBJECT_POSITION: Scanner._position,
    commands.ENDORSER: Scanner._endorser,
    commands.HARDWARE_STATUS: Scanner._hardware_status,
    commands.SCANNER_CONTROL: Scanner._control,
}

__all__ = ["BACK", "FRONT", "Command", "Scanner"]
