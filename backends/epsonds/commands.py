"""The commands of ESC/I-2: requests of 12 bytes, replies of 64, and their data.

It knows how messages are framed and which answers mean failure; what is asked, and when, is
device.py's and job.py's. Source: specification esci 4.1, 4.2 and 4.7.
"""

from __future__ import annotations

from ...errors import CoverOpen, DeviceBusy, DeviceIOError, Invalid, Jammed, NoDocs, SaneError
from .tokens import parse, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...backend import Debug
    from .tokens import Token
    from .wires import NetWire, UsbWire

ENTER = b"\x1cX"  # FS X
ACK = b"\x06"
HEAD_BYTES, REPLY_BYTES = 12, 64
TEXT_BYTES = 1 << 16  # of tokens: the longest known has less than 2 KiB
IMAGE_BYTES = 1 << 22  # of image data in one reply; more is a lie
BUSY = ("nrd", b"BUSY")  # between pages and pieces it only means: ask again
BUSY_TRIES, BUSY_SECONDS = 4, 2.0  # a scanner that wakes up says so for a while
LEAVE_TRIES, LEAVE_SECONDS = 10, 1.0
CAUSES: dict[bytes, tuple[type[SaneError], str]] = {
    b"PE": (NoDocs, "no paper"),
    b"PJ": (Jammed, "paper jam"),
    b"OPN": (CoverOpen, "cover open"),
    b"DFED": (DeviceIOError, "two sheets were fed at once"),
    b"LOCK": (DeviceIOError, "the carriage is locked"),
    b"AUT": (DeviceIOError, "authentication failed"),
    b"PERM": (DeviceIOError, "not permitted"),
    b"LTF": (DeviceIOError, "the lamp is too dark"),
    b"DTCL": (DeviceIOError, "the dust detector needs cleaning"),
    b"ERR": (DeviceIOError, "general error"),
}
UNITS = {b"ADF": "feeder", b"FB": "flatbed", b"TPU": "transparency unit"}


class Commands:
    """A scanner in ESC/I-2 mode, over a wire, which it owns."""

    def __init__(self, wire: NetWire | UsbWire, debug: Debug) -> None:
        self.wire = wire
        self.debug = debug
        self.name = wire.name
        self._known_reply = b""  # the last good one, and what it says
        self._known: tuple[list[Token], int] = ([], 0)

    def enter(self) -> None:
        """Begin: raises Invalid when the device speaks something else."""
        answer = self.wire.greet(ENTER)
        if answer != ACK:
            raise Invalid(f"{self.name}: not an ESC/I-2 scanner, it answered {shown(answer)}")

    def ask(self, command: str, parameters: bytes = b"") -> list[Token]:
        """Carry out one command; return the tokens of its reply and of its data."""
        tokens, size = self.request(command, parameters, TEXT_BYTES)
        if tokens[:1] == [BUSY]:
            raise DeviceBusy(f"{self.name}: {command}: the scanner is busy")
        if size:
            self.wire.expect(size)
            tokens = tokens + parse(self.wire.receive(size))
        self.debug(4, "%s: %s", command, tokens)
        return tokens

    def ask_patiently(self, command: str) -> list[Token]:
        """Do the same, and ask again for some seconds while the scanner is busy."""
        for attempt in range(1, BUSY_TRIES + 1):
            try:
                return self.ask(command)
            except DeviceBusy:
                if attempt == BUSY_TRIES:
                    raise
            self.wire.wait(BUSY_SECONDS)
        raise AssertionError

    def request(self, command: str, parameters: bytes, limit: int) -> tuple[list[Token], int]:
        """Send one command; return the tokens of its reply and how many bytes of data follow.

        limit: the most that may follow. Raises DeviceIOError for a refusal and for what is no
        reply to this command.
        """
        name = command.encode("ascii").ljust(4)
        head = b"%sx%07X" % (name, len(parameters))
        self.wire.send(head, 0 if parameters else REPLY_BYTES)
        if parameters:
            self.wire.send(parameters, REPLY_BYTES)
        reply = self.wire.receive(REPLY_BYTES)
        if reply == self._known_reply and reply[:4] == name:  # as most to IMG are
            return self._known
        size = reply_size(reply, name, limit)
        if size is None:
            raise DeviceIOError(f"{self.name}: {command}: answered with {shown(reply)}")
        self._known = parse(reply[HEAD_BYTES:]), size
        self._known_reply = reply
        return self._known

    def leave(self) -> None:
        """Leave ESC/I-2 mode; a scanner that is busy is asked again for some seconds."""
        for _ in range(LEAVE_TRIES):
            try:
                self.ask("FIN")
                return
            except DeviceBusy:
                self.wire.wait(LEAVE_SECONDS)

    def close(self) -> None:
        """Leave and release the scanner; what goes wrong is told, not raised."""
        try:
            if not self.wire.fault:
                self.wire.drop()
                self.leave()
        except SaneError as exc:
            self.debug(1, "%s: FIN: %s", self.name, exc)
        finally:
            self.wire.close()


def reply_size(reply: bytes, name: bytes, limit: int) -> int | None:
    """Return how many bytes of data follow *reply*, None if it is no reply to *name*."""
    digits = reply[5:HEAD_BYTES]
    if reply[:4] != name or reply[4:5] != b"x" or not digits.isalnum():
        return None
    try:
        size = int(digits, 16)
    except ValueError:
        return None
    return size if size <= limit else None


def error(value: bytes) -> SaneError:
    """Return what the value of an ``err`` or ``ERR`` token means: two fields of four letters."""
    unit, cause = value[:4].strip(b" \0"), value[4:8].strip(b" \0")
    kind, words = CAUSES.get(cause, (DeviceIOError, f"error {shown(value)}"))
    return kind(f"{UNITS.get(unit, unit.decode('latin-1'))}: {words}")
