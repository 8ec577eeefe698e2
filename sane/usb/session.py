"""A recorded USB session: its devices with what was transferred, and its text format.

It knows the format of docs/usb-sessions.md; it neither records nor replays. Files are opened by
formats.py, which also knows the formats of others.
"""

from __future__ import annotations

from ..record import BadSession, blocks, hex_rows
from .descriptors import Descriptors
from .link import OK, OUTCOMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..record import Block
    from .link import Setup

MAGIC = "pysane-usb 1"
CONVERTED = "converted"  # in the line of a process: cleared halts and the like may be missing

# What a record may be. "left": what a closed stream had got, for the next read.
OUT, IN, CONTROL, HALT, RESET, STREAM, LEFT, OPEN, CLOSE = (
    *("out", "in", "control", "clear-halt", "reset", "stream", "left", "open", "close"),
)
WHATS = (OUT, IN, CONTROL, HALT, RESET, STREAM, LEFT, OPEN, CLOSE)
WITH_ENDPOINT = (OUT, IN, HALT, STREAM, LEFT)
TEXTS = ("manufacturer", "product")  # not the serial number: it would tell whose device it is


class Record:
    """One thing that happened: *what*, with its data and how it ended.

    size: how many bytes were asked for or sent. where: file and line, for messages.
    """

    __slots__ = ("data", "endpoint", "outcome", "setup", "size", "what", "where")

    def __init__(
        self, what: str, endpoint: int = 0, data: bytes = b"", size: int = -1, outcome: str = OK
    ) -> None:
        self.what = what
        self.endpoint = endpoint
        self.data = data
        self.size = len(data) if size < 0 else size
        self.outcome = outcome
        self.setup: Setup = (0, 0, 0, 0)
        self.where = ""

    def __str__(self) -> str:
        if self.what == CONTROL:
            return "control {:02x} {:02x} {:04x} {:04x}".format(*self.setup)
        return f"{self.what} {self.endpoint:02x}" if self.what in WITH_ENDPOINT else self.what


class RecordedDevice:
    """A device of a session: where it was, its descriptors and texts, what happened to it.

    is_native: recorded by us, with clear-halt, reset and the ends of streams; other formats leave
    them out. by: for each record, the backend that had the device open, "" if unknown.
    """

    __slots__ = ("address", "bus", "by", "descriptors", "is_native", "records", "texts")

    def __init__(
        self, bus: int, address: int, descriptors: Descriptors, *, is_native: bool = False
    ) -> None:
        self.bus = bus
        self.address = address
        self.descriptors = descriptors
        self.texts: dict[str, str] = {}
        self.records: list[Record] = []
        self.by: list[str] = []
        self.is_native = is_native

    def add(self, record: Record, by: str = "") -> None:
        """Append *record*, of a handle that backend *by* had."""
        self.records.append(record)
        self.by.append(by)

    def records_of(self, backend: str) -> list[Record]:
        """Return what *backend* did to the device."""
        return [
            record for record, by in zip(self.records, self.by, strict=True) if by in ("", backend)
        ]


# The text format


def device_lines(device: RecordedDevice) -> Iterator[str]:
    """Yield the lines that introduce *device*."""
    ids = f"{device.descriptors.vendor:04x}:{device.descriptors.product:04x}"
    yield f"device {device.bus:03}:{device.address:03} {ids}"
    yield from hex_rows(device.descriptors.raw)
    for name, text in device.texts.items():
        yield f"text {device.bus:03}:{device.address:03} {name} {text}"


def record_lines(seconds: float, place: str, record: Record, note: str = "") -> Iterator[str]:
    """Yield the lines of *record* of the device at *place*, *seconds* after the beginning."""
    words = [f"{seconds:.6f}", place, str(record)]
    if record.what in (OUT, IN, CONTROL, LEFT):
        words.append(f"{len(record.data)}/{record.size}")
    if record.what not in (STREAM, OPEN, CLOSE):
        words.append(record.outcome)
    yield " ".join([*words, *filter(None, [note])])
    yield from hex_rows(record.data)


class _Parser:
    """Takes the records of the text format one by one."""

    def __init__(self) -> None:
        self.devices: dict[str, RecordedDevice] = {}
        self.open_by: dict[str, str] = {}
        self.process: list[str] = []
        self.is_native = True

    def take(self, block: Block) -> None:
        """Take over one record; raises BadSession for what is none."""
        first, *words = block.words
        try:
            if block.data and first in ("process", "text"):
                raise ValueError("data without a record")
            if first == "process":
                self.begin(words)
            elif first == "text" and len(words) > 2 and words[0] in self.devices:
                self.devices[words[0]].texts[words[1]] = " ".join(words[2:])
            elif first == "device":
                self.device(words, block.data)
            else:
                float(first)
                self.record(words, block.data, block.where)
        except (ValueError, IndexError, KeyError) as exc:
            reason = str(exc) if isinstance(exc, ValueError) else "a word is missing or unknown"
            raise BadSession(f"{block.where}: {reason}") from exc

    def begin(self, words: list[str]) -> None:
        """Begin a run: of several in a file the last one counts."""
        if words[:1] != self.process:
            self.devices.clear()
            self.open_by.clear()
        self.process = words[:1]
        self.is_native = words[1:2] != [CONVERTED]

    def device(self, words: list[str], data: bytes) -> None:
        bus, _, address = words[0].partition(":")
        found = RecordedDevice(int(bus), int(address), Descriptors(data), is_native=self.is_native)
        self.devices.setdefault(words[0], found)

    def record(self, words: list[str], data: bytes, where: str) -> None:
        place, what, *rest = words
        device = self.devices[place]
        if what not in WHATS:
            raise ValueError(f"{what!r} is none of {', '.join(WHATS)}")
        record = Record(what, data=data)
        record.where = where
        if what in WITH_ENDPOINT:
            record.endpoint = int(rest.pop(0), 16)
        elif what == CONTROL:
            numbers = [int(word, 16) for word in rest[:4]]
            record.setup = (numbers[0], numbers[1], numbers[2], numbers[3])
            del rest[:4]
        if what in (OUT, IN, CONTROL, LEFT):
            moved, _, size = rest.pop(0).partition("/")
            record.size = int(size)
            if int(moved) != len(data) or record.size < len(data):
                raise ValueError(f"{moved}/{size} with {len(data)} bytes of data")
        if what not in (STREAM, OPEN, CLOSE):
            record.outcome = " ".join(rest)
            if rest[0].rstrip(":") not in OUTCOMES or rest[0] == f"{OK}:":
                raise ValueError(f"{rest[0]!r} is none of {', '.join(OUTCOMES)}")
        if what == OPEN:
            self.open_by[place] = rest[-1] if rest[-2:-1] == ["by"] else ""
        device.add(record, self.open_by.get(place, ""))


def parse(lines: Iterable[str], path: str) -> list[RecordedDevice]:
    """Return the devices of a session in our own text format; raises BadSession."""
    parser = _Parser()
    for block in blocks(lines, path, MAGIC):
        parser.take(block)
    return list(parser.devices.values())
