"""Commands of Canon's scanners and their answers as bytes, in both framings.

It knows headers, lengths, checksums and status words; not how bytes travel, and not in which order
commands are sent. Source: specification pixma 2.1 to 2.4 and 2.8.
"""

from __future__ import annotations

import struct

from ...errors import Cancelled, DeviceBusy, DeviceIOError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Link(Protocol):
        """What carries commands: USB or the network."""

        name: str

        def exchange(self, command: bytes, want: int, seconds: float) -> bytes:
            """Send *command*; return its answer of at most *want* bytes."""


START, SELECT, GAMMA, PARAMETERS, STATUS = 0xDB20, 0xDD20, 0xEE20, 0xDE20, 0xF320
BLOCK, BLOCK_2, ABORT, ERROR_INFO, ACTIVATE = 0xD420, 0xD460, 0xEF20, 0xFF20, 0xCF60
CALIBRATE, SET_TIME = 0xE920, 0xEB80
PARAMETERS_3, SCAN_3, STATUS_3 = 0xD820, 0xD920, 0xDA20
LAMP_ON, LAMP_STATUS, FILM_INFO = 0xD520, 0xD720, 0xF520

DONE, FAILED, BUSY = 0x0606, 0x1515, 0x1414
END_OF_SCAN, NO_MORE_PAPER, NO_MORE_DATA = 0x08, 0x10, 0x20
PAGE_ENDS = END_OF_SCAN | NO_MORE_DATA
FEEDER_ENDS = PAGE_ENDS | NO_MORE_PAPER

ANSWER_SECONDS = 8.0  # eight tries of a second, which moving the carriage may take
SHOWN_BYTES = 64  # of a wrong answer, in a message


class Refused(DeviceIOError):
    """The scanner answered that a command has failed (status 1515)."""


class Framing:
    """One way to put a command into bytes.

    command_bytes: of its header. answer_bytes: of that of an answer. The length, of parameters and
    answer together, stands at length_at, as one of length_form.
    """

    def __init__(
        self, command_bytes: int, answer_bytes: int, length_at: int, length_form: str
    ) -> None:
        self.command_bytes = command_bytes
        self.answer_bytes = answer_bytes
        self._length_at = length_at
        self._length = struct.Struct(length_form)

    def command(self, code: int, length: int, flag: int = 0) -> bytearray:
        """Return a header; flag: its fourth byte, of those that have one."""
        head = bytearray(self.command_bytes)
        head[0:2] = code.to_bytes(2, "big")
        head[3] = flag
        self._length.pack_into(head, self._length_at, length)
        return head


LONG = Framing(16, 8, 12, ">I")  # mp150, mp800: "A" of the specification
SHORT = Framing(10, 2, 7, ">H")  # the others: "B"


def with_checksum(block: bytearray, *, is_late: bool = False, is_doubled: bool = False) -> bytes:
    """Return *block* with the byte that makes the sum of all 0 in its last place.

    is_late: in the last place but one. is_doubled: the last one then holds its negative.
    """
    at = len(block) - (2 if is_late else 1)
    block[at] = -sum(block[:at]) & 0xFF
    if is_late:
        block[-1] = -block[at] & 0xFF if is_doubled else 0
    return bytes(block)


def status_of(answer: bytes) -> int:
    """Return the status word that an answer begins with."""
    return int.from_bytes(answer[:2], "big")


def check_status(name: str, code: int, answer: bytes) -> None:
    """Raise what the status word of *answer* means for a command other than an image block."""
    status = status_of(answer)
    if status == BUSY:
        raise DeviceBusy(f"{name}: busy at command {code:04x}")
    if status == FAILED:
        raise Refused(f"{name}: command {code:04x} failed: {shown(answer)}")
    if status != DONE:
        raise DeviceIOError(f"{name}: command {code:04x}: unknown answer: {shown(answer)}")


def shown(data: bytes) -> str:
    """Return *data* for a message."""
    more = " ..." if len(data) > SHOWN_BYTES else ""
    return data[:SHOWN_BYTES].hex(" ") + more if data else "nothing"


def carry_out(
    link: Link,
    framing: Framing,
    code: int,
    parameters: bytes = b"",
    want: int = 0,
    *,
    flag: int = 0,
    seconds: float = ANSWER_SECONDS,
) -> bytes:
    """Do one command; return the *want* bytes of its answer, whose checksum is right.

    parameters: with their checksum. Raises Refused, DeviceBusy and DeviceIOError.
    """
    command = framing.command(code, len(parameters) + want, flag) + parameters
    answer = link.exchange(bytes(command), framing.answer_bytes + want, seconds)
    head = framing.answer_bytes
    if len(answer) < head:
        raise DeviceIOError(f"{link.name}: command {code:04x}: too short: {shown(answer)}")
    check_status(link.name, code, answer)
    data = answer[head:]
    if len(data) != want or sum(data) & 0xFF:
        fault = f"{len(data)} of {want} bytes" if len(data) != want else "a wrong checksum"
        raise DeviceIOError(f"{link.name}: command {code:04x}: {fault}: {shown(answer)}")
    return data


# Image blocks


class Block:
    """The header of an image block: its *flags*, and how many bytes it *announces*."""

    __slots__ = ("announced", "flags")

    def __init__(self, flags: int, announced: int) -> None:
        self.flags = flags
        self.announced = announced


def check_block(name: str, code: int, head: bytes, size: int) -> None:
    """Raise what is wrong with the beginning of an image block; *size*: of its header.

    A scanner refuses a block when somebody has stopped the scan at its panel.
    """
    status = status_of(head)
    if status == FAILED:
        raise Cancelled(f"{name}: stopped at the scanner (command {code:04x}: {shown(head)})")
    if status == BUSY:
        raise DeviceBusy(f"{name}: busy at command {code:04x}")
    if status != DONE or len(head) < size:
        raise DeviceIOError(f"{name}: command {code:04x}: no image block: {shown(head)}")


LONG_HEAD = 16
LONG_BLOCK, LONG_LAST_BLOCK = 0x80008, 0x28  # bytes that are asked for


def long_block(head: bytes) -> Block:
    """Return what the header of an mp150 or mp800 block says; the data follow it."""
    return Block(head[8], int.from_bytes(head[12:16], "big"))


SHORT_HEAD = 6


def short_block(head: bytes) -> Block:
    """Return what the header of an mp730 or mp750 block says."""
    return Block(head[2], int.from_bytes(head[4:6], "big"))


LASER_HEAD = 8


def laser_block(head: bytes, *, is_long: bool) -> Block:
    """Return what the header of an imageclass block says; is_long: its length has 32 bits."""
    return Block(head[2], int.from_bytes(head[4:8] if is_long else head[6:8], "big"))
