"""An emulated ESC/I-2 scanner: flatbed, document feeder, duplex; raw and JPEG images; faults.

Scanner is the protocol, messages in and out, and knows no transport: epson_net.Server puts it on
the network, usb.UsbScanner on a USB bus. The original driver scans from either.

    FS X            INFO CAPA RESA STAT PARA MECH            TRDT              IMG
    OFF -----------------> READY <------------------------------------- DATA ------+
     ^                      |  ^                                         | ^       |
     +------- FIN ----------+  +-------- last page, CAN, error ----------+ +-------+

Source: specification esci, sections 4 and 6.4.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ..esci.page import Page, pattern
from ..machine import Machine
from . import turbojpeg
from .model import END, Model, number
from .parameters import Parameters

ACK, NAK = b"\x06", b"\x15"
ENTER = (b"\x1cX", b"\x1cY", b"\x1cZ")  # FS X, FS Y, FS Z
REQUEST_BYTES, REPLY_BYTES = 12, 64
PARAMETER_BYTES = 1 << 16  # no host sends more parameters
FRONT, BACK = "A", "B"
EMPTY = "#errADF PE  "

OFF, READY, DATA = range(3)


def reply(command: bytes, tokens: bytes | str = b"", data: bytes = b"") -> list[bytes]:
    """Return the messages of one reply: the header of 64 bytes, and the data if there are any."""
    text = tokens.encode("latin-1") if isinstance(tokens, str) else tokens
    head = command.ljust(4) + b"x%07X" % len(data) + text
    head += END * ((REPLY_BYTES - len(head)) // len(END))
    return [head.ljust(REPLY_BYTES, b"\0")[:REPLY_BYTES], *([data] if data else [])]


@dataclass
class Sheet:
    """One sheet in the feeder; *height* in 1/100 inch, None: as long as the scan area."""

    front: Page = pattern
    back: Page = pattern
    height: int | None = None


class Scanner(Machine):
    """One emulated scanner; its attributes may be changed at any time, as a user would do.

    sheets: what lies in the feeder. page: what lies on the glass. is_cover_open, is_jammed: as
    they say. busy: so many requests are answered by "busy" (warm-up). polls: so many IMG without
    data come before the first. padding: bytes behind each raw line. piece_bytes: of image data in
    a reply, at most. inject(): any other fault.
    """

    welcome = b"\x01\x04\x00\x00\x00"

    def __init__(self, model: Model | None = None, sheets: int = 0) -> None:
        super().__init__()
        self.model = model or Model()
        self.page: Page = pattern
        self.sides = 0  # that were scanned from the feeder: no two look alike
        self.sheets: deque[Sheet] = deque(Sheet() for _ in range(sheets))
        self.is_cover_open = self.is_jammed = self.is_cancel_pressed = False
        self.tells_last = True  # a feeder says with the last page that no sheet is left
        self.busy: dict[str, int] = {}
        self.polls = 1
        self.padding = 0
        self.piece_bytes = 1 << 16
        self.sampling = "420"
        self.short_numbers = False  # page sizes as dDDD where they fit
        self.parameters: Parameters | None = None
        self.blocks: list[bytes] = []  # all parameter blocks, for assertions
        self.commands: list[str] = []  # all commands, for assertions
        self.state = OFF
        self._due: tuple[bytes, int] | None = None  # a command that waits for its parameters
        self._images: Iterator[list[bytes]] = iter(())
        self.scripted: dict[str, list[list[bytes] | None]] = {}  # see inject

    def inject(self, command: str, *answers: list[bytes] | None) -> None:
        """Let the next replies to *command* be these messages; None: the usual reply.

        [] is no reply at all. See reply() for making one.
        """
        self.scripted.setdefault(command, []).extend(answers)

    def load(self, count: int, *heights: int) -> None:
        """Put *count* sheets into the feeder, the first ones so high; sides count from 0 again."""
        known = [*heights, *[None] * (count - len(heights))]
        self.sheets = deque(Sheet(height=height) for height in known)
        self.sides = 0

    def connected(self) -> None:
        super().connected()
        self.state, self._due = OFF, None

    def message(self, data: bytes) -> None:
        if self._due is not None:
            (command, size), self._due = self._due, None
            if len(data) == size:
                self._obey(command, data)
                return
        if data in ENTER:
            self._enter(data)
        elif self.state == OFF or len(data) != REQUEST_BYTES or data[4:5] != b"x":
            self.reply(NAK)
        else:
            self._request(data)

    def _enter(self, data: bytes) -> None:
        name = f"FS {chr(data[1])}"
        self.commands.append(name)
        answers = self._next_fault(name)
        for answer in [ACK] if answers is None else answers:
            self.reply(answer)
        self.state = READY

    def _request(self, data: bytes) -> None:
        command = data[:4]
        try:
            size = int(data[5:], 16)
        except ValueError:
            size = PARAMETER_BYTES + 1
        if size > PARAMETER_BYTES:
            self._answer(command, reply(b"INVD"))
        elif size:
            self._due = command, size
        else:
            self._obey(command, b"")

    def _obey(self, command: bytes, block: bytes) -> None:
        """Carry out one request, whose parameters have come."""
        name = command.decode("latin-1").strip()
        self.commands.append(name)
        if self.busy.get(name, 0) > 0:
            self.busy[name] -= 1
            self._answer(command, reply(command, "#nrdBUSY"))
            return
        action = _ACTIONS.get(name)
        self._answer(command, action(self, block) if action else reply(b"UNKN"))

    def _answer(self, command: bytes, answer: list[bytes]) -> None:
        fault = self._next_fault(command.decode("latin-1").strip())
        for message in answer if fault is None else fault:
            self.reply(message)

    def _next_fault(self, command: str) -> list[bytes] | None:
        faults = self.scripted.get(command)
        return faults.pop(0) if faults else None

    # The commands

    def _info(self, block: bytes) -> list[bytes]:
        return reply(b"INFO", data=self.model.info())

    def _capa(self, block: bytes) -> list[bytes]:
        return reply(b"CAPA", data=self.model.capabilities())

    def _capb(self, block: bytes) -> list[bytes]:
        return reply(b"CAPB", data=self.model.capabilities())

    def _resa(self, block: bytes) -> list[bytes]:
        return reply(b"RESA", data=b"#COLM008#FMTJPG #RSMd300#RSSd300" + END)

    def _stat(self, block: bytes) -> list[bytes]:
        """Real units end this block without a terminator (specification 4.2)."""
        cause = self.feeder_fault()
        return reply(b"STAT", data=b"#ERRADF %-4s" % cause.encode() if cause else END)

    def feeder_fault(self) -> str:
        """Return what the feeder complains about: OPN, PJ, PE, or "" for nothing."""
        if self.model.feeder is None:
            return ""
        if self.is_cover_open:
            return "OPN"
        if self.is_jammed:
            return "PJ"
        return "" if self.sheets else "PE"

    def _para(self, block: bytes) -> list[bytes]:
        self.blocks.append(block)
        try:
            self.parameters = Parameters(block, self.model)
        except ValueError:
            self.parameters = None
            return reply(b"PARA", "#parFAIL")
        return reply(b"PARA", "#parOK  ")

    def _mech(self, block: bytes) -> list[bytes]:
        if block == b"#ADFEJCT" and self.sheets:
            self.sheets.popleft()
        return reply(b"MECH")

    def _trdt(self, block: bytes) -> list[bytes]:
        if self.parameters is None:
            return reply(b"INVD")
        self.state = DATA
        self._images = self._feed() if self.parameters.is_feeder else self._glass()
        return reply(b"TRDT")

    def _img(self, block: bytes) -> list[bytes]:
        if self.state != DATA:
            return reply(b"INVD")
        if self.is_cancel_pressed:
            return reply(b"IMG", "#atnCAN ")
        answer = next(self._images, None)
        if answer is None:
            self.state = READY
            return reply(b"INVD")
        return answer

    def _can(self, block: bytes) -> list[bytes]:
        self.state, self._images = READY, iter(())
        self.is_cancel_pressed = False
        return reply(b"CAN")

    def _fin(self, block: bytes) -> list[bytes]:
        self.state = OFF
        return reply(b"FIN")

    # The images

    def _glass(self) -> Iterator[list[bytes]]:
        """Yield the replies to IMG for what lies on the glass."""
        parameters = self._scan_parameters()
        yield from self._polls()
        yield from self._sides(((FRONT, self.page),), parameters.lines, "")

    def _feed(self) -> Iterator[list[bytes]]:
        """Yield the replies to IMG for one sheet after the other."""
        parameters = self._scan_parameters()
        while True:
            yield from self._polls()
            fault = self.feeder_fault()
            if fault:
                yield reply(b"IMG", f"#errADF {fault:4}")
                continue
            sheet = self.sheets.popleft()
            lines = parameters.lines
            if sheet.height is not None:
                rest = sheet.height * parameters.resolution // 100 - parameters.top
                lines = max(1, min(lines, rest))
            sides = ((FRONT, sheet.front), (BACK, sheet.back))
            last = "#lftd000" if self.tells_last and not self.sheets else ""
            yield from self._sides(sides if parameters.is_duplex else sides[:1], lines, last)

    def _scan_parameters(self) -> Parameters:
        if self.parameters is None:
            raise ValueError("TRDT came without PARA")
        return self.parameters

    def _polls(self) -> Iterator[list[bytes]]:
        for _ in range(self.polls):
            yield reply(b"IMG")

    def _sides(
        self, sides: tuple[tuple[str, Page], ...], lines: int, last: str
    ) -> Iterator[list[bytes]]:
        """Yield the replies for the sides of a sheet, piece by piece in turn."""
        parameters = self._scan_parameters()
        sizes = (parameters.width, parameters.lines)
        for side, _page in sides:
            start = self._numbers(sizes[0], self._padding(parameters), sizes[1])
            yield reply(b"IMG", f"#pst{start}#typIMG{side}")
        streams = []
        for side, page in sides:
            number_of_side = self.sides if parameters.is_feeder else 0
            streams.append((side, self._pieces(page, parameters, lines, number_of_side)))
            self.sides += parameters.is_feeder
        while streams:
            for side, stream in tuple(streams):
                piece = next(stream, None)
                if piece is None:
                    streams.remove((side, stream))
                else:
                    yield reply(b"IMG", f"#typIMG{side}", piece)
        for side, _page in sides:
            end = self._numbers(sizes[0], lines)
            tail = last if side == sides[-1][0] else ""
            yield reply(b"IMG", f"#pen{end}#typIMG{side}{tail}")

    def _padding(self, parameters: Parameters) -> int:
        return 0 if parameters.format == "JPG" else self.padding

    def _numbers(self, *values: int) -> str:
        return "".join(number(value) if self.short_numbers else f"i{value:07d}" for value in values)

    def _pieces(self, page: Page, parameters: Parameters, lines: int, side: int) -> Iterator[bytes]:
        """Yield the image data of one side, as much at a time as host and device agree upon."""
        size = max(1, min(parameters.piece_bytes, self.piece_bytes))
        rows = parameters.rows(page, lines, side)
        if parameters.format == "JPG":
            rows = iter((self._compress(b"".join(rows), parameters, lines),))
        elif self.padding:
            rows = (row + bytes(self.padding) for row in rows)
        yield from cut(rows, size)

    def _compress(self, pixels: bytes, parameters: Parameters, lines: int) -> bytes:
        width = parameters.width
        if parameters.color == "M001":
            digits = int.from_bytes(pixels, "big")
            pixels = f"{digits:0{8 * len(pixels)}b}".translate({48: "\0", 49: "\xff"}).encode(
                "latin-1"
            )
        return turbojpeg.compress(pixels, width, lines, parameters.quality, self.sampling)


_ACTIONS: dict[str, Callable[[Scanner, bytes], list[bytes]]] = {
    "INFO": Scanner._info,
    "CAPA": Scanner._capa,
    "CAPB": Scanner._capb,
    "RESA": Scanner._resa,
    "STAT": Scanner._stat,
    "PARA": Scanner._para,
    "MECH": Scanner._mech,
    "TRDT": Scanner._trdt,
    "IMG": Scanner._img,
    "CAN": Scanner._can,
    "FIN": Scanner._fin,
}


def cut(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the bytes of *chunks* in pieces of *size*, the last one shorter."""
    pending, count = [], 0
    for chunk in chunks:
        pending.append(chunk)
        count += len(chunk)
        if count >= size:
            whole = b"".join(pending)
            end = count - count % size
            for start in range(0, end, size):
                yield whole[start : start + size]
            pending, count = [whole[end:]], count - end
    if count:
        yield b"".join(pending)
