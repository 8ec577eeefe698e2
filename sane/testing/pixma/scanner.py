"""An emulated Canon scanner: its commands, its feeder and its buttons, for all five families.

Scanner is the protocol, transfers in and out, and knows no transport: usb.UsbScanner puts it on a
bus, network.Emulator on the network. The original driver scans from it.

Source: specification pixma 2 (commands), 6 (this emulator) and 7 (its faults).
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from ..esci.page import Page
from ..fujitsu.paper import formula
from ..machine import Machine
from . import blocks, buttons, dialog, framing, optics
from .answer import DONE, FAILED, Answer
from .models import IMAGECLASS, MP150, MP730, MP750, MP800, Model, model_named
from .request import FEEDER, FLATBED, Request, Wrong, read_parameters, read_source, summed

NO_PAPER, WARM = 1, 3
CALIBRATED, CALIBRATED_750 = 1, 0x0F
OLD_READ = "MF6100"  # a new model that is read by the old command
ANSWER_BYTES = 32  # of each answer, in the log


class Command(NamedTuple):
    """One command in a log: name (DB20, StartJob), all bytes, the first bytes of the answer."""

    name: str
    data: bytes
    answer: bytes


class Scanner(Machine):
    """One emulated scanner; its attributes may be changed at any time, as a user would do.

    sheets: in the feeder. page: what lies on the glass and is printed on the sheets. block_bytes:
    of image data in a block, at most. ends_apart: the end is told by an empty block. more_lines:
    that a page has beyond those asked for; below 0 they are missing. events: packets of buttons
    that the host has not got. log: the commands, for assertions; problems: those that a scanner
    would not obey, and why. inject(): faults.
    """

    def __init__(self, model: Model | str = "MP560", sheets: int = 0) -> None:
        super().__init__()
        self.model = model_named(model) if isinstance(model, str) else model
        self.sheets = sheets
        self.page: Page = formula
        self.block_bytes = blocks.USUAL_BYTES
        self.ends_apart = False
        self.more_lines = 0
        self.events: deque[bytes] = deque()
        self.log: list[Command] = []
        self.problems: list[str] = []
        self.gamma = b""
        self.request: Request | None = None
        self._source = (FLATBED, False)
        self._image: optics.Image | None = None
        self._end = 0  # flags at the end of the page
        self._fed = 0  # how many sides went through the feeder, fronts and backs
        self._has_back = False  # a sheet is in the feeder whose back is to be scanned
        self._has_job = self._has_session = False
        self._scripted: dict[str, deque[Answer | None]] = {}

    # A user's hands

    def load(self, count: int) -> None:
        """Put so many sheets into the feeder; they are counted from 0 again."""
        self.sheets, self._fed, self._has_back = count, 0, False

    def press(self, button: int = 1, **fields: int) -> None:
        """Press a button: see buttons.packet."""
        self.notify(buttons.packet(self.model, button, **fields))

    def notify(self, data: bytes) -> None:
        """Send an interrupt packet."""
        self.events.append(data)

    def inject(self, name: str, *answers: Answer | None, after: int = 0) -> None:
        """Let the next commands *name* (DB20, StartJob...) be answered so; None: as usual.

        after: so many are answered as usual before.
        """
        self._scripted.setdefault(name, deque()).extend([*[None] * after, *answers])

    @property
    def has_paper(self) -> bool:
        """Whether the feeder has a side to scan."""
        return self.sheets > 0 or self._has_back

    # The transfers

    def message(self, data: bytes) -> None:
        self.forget()
        message = framing.understand(data, self.model)
        scripted = self._scripted.get(message.name)
        answer = (scripted.popleft() if scripted else None) or Answer()
        parts = self._answered(message, answer)
        self.log.append(Command(message.name, data, b"".join(parts)[:ANSWER_BYTES]))
        for part in parts:
            self.reply(part, message.name)

    def _answered(self, message: framing.Message, answer: Answer) -> list[bytes]:
        """Carry out one message; return the transfers that answer it."""
        status, found, block = DONE, b"", blocks.Block()
        is_read = message.name in framing.READS
        does_it = answer.carries_out and answer.status in (None, DONE)
        try:
            if does_it and is_read:
                block = self._next_block(message)
            elif does_it:
                found = self._carry_out(message)
        except Wrong as exc:
            self.problems.append(f"{message.name}: {exc}")
            status = FAILED
        status = status if answer.status is None else answer.status
        found = found if answer.data is None else answer.data
        if answer.whole is not None:
            return [answer.whole] if answer.whole else []
        if status != DONE:
            return [framing.answer(message.name, status, b"", self.model)]
        if is_read:
            data = block.data if answer.data is None else answer.data
            block = blocks.Block(block.flags | answer.flags, data)
            return blocks.parts(struct.pack(">H", status), block, answer.more, self.model)
        if message.name in dialog.OPERATIONS:
            return [found]
        if answer.spoils:
            found = found[:-1] + bytes((found[-1] ^ 0x55,))
        return [framing.answer(message.name, status, found, self.model)]

    # The commands

    def _carry_out(self, message: framing.Message) -> bytes:
        """Carry out one command; return its data. Raises Wrong."""
        action = _COMMON.get(message.name) or _OF_FAMILY[self.model.family].get(message.name)
        if message.problem or action is None:
            raise Wrong(message.problem or "no command of this model")
        return action(self, message.parameters) or b""

    def _begin_job(self, parameters: bytes) -> bytes:
        self._has_job = True
        return dialog.answer(dialog.START)

    def _shift(self, parameters: bytes) -> bytes:
        if not self._has_job:
            raise Wrong("no job")
        return dialog.answer(dialog.SHIFT)

    def _end_job(self, parameters: bytes) -> bytes:
        self._has_job = False
        return dialog.answer(dialog.END)

    def _begin_session(self, parameters: bytes) -> None:
        if self.model.has_xml and not self._has_job:
            raise Wrong("no job")
        self._has_session = True

    def _abort(self, parameters: bytes) -> None:
        if self.model.has_window_command or self._image is not None:
            self._has_back = False  # the sheet goes out; older ones end a session between its sides
        self._has_session = False
        self._image = None

    def _nothing(self, parameters: bytes) -> None:
        """It takes effect in the scanner only."""

    def _set_gamma(self, parameters: bytes) -> None:
        if len(parameters) != (4104 if self.model.gamma_4096 else 2056):
            raise Wrong(f"{len(parameters)} bytes of gamma")
        self.gamma = parameters

    def _set_source(self, parameters: bytes) -> None:
        self._source = read_source(parameters, self.model)

    def _set_parameters(self, parameters: bytes) -> None:
        """DE20: the scan begins with its parameters."""
        self._set_window(parameters)
        self._begin(parameters)

    def _set_window(self, parameters: bytes) -> None:
        if not self._has_session:
            raise Wrong("no session")
        self.request = read_parameters(parameters, self.model, self._source)

    def _begin(self, parameters: bytes) -> None:
        request = self.request
        if request is None or not self._has_session:
            raise Wrong("no parameters")
        side = self._feed(request) if request.source == FEEDER else 0
        self._image = optics.scan(self.model, request, self.page, side, self.more_lines)
        is_last = request.source == FEEDER and not self.has_paper
        self._end = blocks.PAGE_END | blocks.PAPER_END * is_last

    def _feed(self, request: Request) -> int:
        """Take a sheet, or turn the one that is there; return which side it is."""
        if not self.model.sides or not self.has_paper:
            raise Wrong("no paper")
        is_back = self._has_back and request.is_duplex
        if not is_back:
            self.sheets -= 1
            self._fed += self._fed % 2  # the back of the last one was not scanned
        self._has_back = request.is_duplex and not is_back
        self._fed += 1
        return self._fed - 1

    def _state(self, parameters: bytes) -> bytes:
        """F320: paper, lamp, calibration."""
        data = bytearray(framing.answer_bytes("F320", self.model) - 1)
        if self.model.sides and not self.has_paper:
            data[1] = data[2] = NO_PAPER
        data[7] = WARM
        data[8] = CALIBRATED_750 if self.model.family == MP750 else CALIBRATED
        data[9] = CALIBRATED
        return summed(bytes(data))

    def _progress(self, parameters: bytes) -> bytes:
        return summed(b"\x01".ljust(7, b"\0"))

    def _lamp(self, parameters: bytes) -> bytes:
        return summed(bytes((WARM,)).ljust(7, b"\0"))

    def _film(self, parameters: bytes) -> bytes:
        return summed(bytes(51))

    def _error(self, parameters: bytes) -> bytes:
        return bytes(16)

    def _next_block(self, message: framing.Message) -> blocks.Block:
        """Return the next block of the image; raises Wrong."""
        asked = blocks.read_request(message.parameters, self.model)
        is_new = self.model.family == IMAGECLASS and self.model.generation >= 2
        if (message.name == "D460") != (is_new and self.model.name != OLD_READ):
            raise Wrong("no command of this model")
        if asked.is_question:
            return blocks.Block()
        if asked.is_poll:
            return blocks.Block(self._end)
        if self._image is None:
            raise Wrong("no image")
        most = min(asked.size, self.block_bytes)
        left = self._image.left
        data = self._image.read(blocks.size_of_next(left, most, self.model))
        if self._image.left:
            return blocks.Block(0, data)
        if self.ends_apart and data:
            return blocks.Block(blocks.DATA_END, data)
        self._image = None
        return blocks.Block(self._end, data)


_Action = Callable[[Scanner, bytes], "bytes | None"]
_COMMON: dict[str, _Action] = {
    "DB20": Scanner._begin_session,
    "EF20": Scanner._abort,
    "F320": Scanner._state,
    "FF20": Scanner._error,
}
_A: dict[str, _Action] = {
    dialog.START: Scanner._begin_job,
    dialog.SHIFT: Scanner._shift,
    dialog.END: Scanner._end_job,
    "EE20": Scanner._set_gamma,
    "DD20": Scanner._set_source,
    "DE20": Scanner._set_parameters,
    "D820": Scanner._set_window,
    "D920": Scanner._begin,
    "DA20": Scanner._progress,
}
_CCD: dict[str, _Action] = {
    "E920": Scanner._nothing,
    "D520": Scanner._nothing,
    "D720": Scanner._lamp,
    "F520": Scanner._film,
    "EA20": Scanner._nothing,
}
_B: dict[str, _Action] = {
    framing.ACTIVATE: Scanner._nothing,
    "DD20": Scanner._set_source,
    "DE20": Scanner._set_parameters,
}
_OLD: dict[str, _Action] = {"E920": Scanner._nothing, "EB80": Scanner._nothing}
_OF_FAMILY = {
    MP150: _A,
    MP800: {**_A, **_CCD},
    MP730: {**_B, **_OLD},
    MP750: {**_B, **_OLD},
    IMAGECLASS: _B,
}
