"""The command layer of ESC/I: what is sent, what has to come back, and what each answer means.

It knows the shapes of exchanges, not what a scan needs. Source: specification esci 2.1, 2.3, 2.15.
"""

from __future__ import annotations

from ...errors import DeviceIOError, Invalid, Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...backend import Debug
    from .wires import NetWire, UsbWire

    Wire = NetWire | UsbWire

STX, ACK, NAK = 0x02, 0x06, 0x15
ESC, FS = b"\x1b", b"\x1c"
FEED, EJECT, CANCEL = b"\x19", b"\x0c", b"\x18"
HEAD_BYTES = 4  # of an information block
PAYLOAD_BYTES = 1 << 13  # ESC I with every resolution that fits a list has less


class Commands:
    """The exchanges with one scanner.

    level: the ESC commands and control bytes that it has; another one is refused here, unsent.
    """

    def __init__(self, wire: Wire, debug: Debug, level: str) -> None:
        self.wire = wire
        self.debug = debug
        self.level = level
        self.status = 0  # of the last information block

    def has(self, command: str) -> bool:
        """Tell whether the scanner's level has the ESC command or control byte *command*."""
        return command in self.level

    # Shapes

    def simple(self, command: bytes) -> None:
        """Send a command that is acknowledged; Invalid when it is not."""
        self.wire.send(command, 1)
        self._acknowledged(command)

    def set(self, letter: str, *parameters: bytes) -> None:
        """Send ESC *letter*, and each of *parameters* after the acknowledgement."""
        if letter not in self.level:
            raise Unsupported(f"{self.wire.name}: this scanner has no command ESC {letter}")
        self.simple(ESC + letter.encode("ascii"))
        for parameter in parameters:
            self.wire.send(parameter, 1)
            self._acknowledged(parameter)

    def set_block(self, data: bytes) -> None:
        """Send FS W with all parameters of a scan."""
        self.simple(FS + b"W")
        self.wire.send(data, 1)
        self._acknowledged(data)

    def information(self, letter: str, size: int | None = None) -> bytes:
        """Return the payload of the information block that ESC *letter* asks for.

        size: of the payload, None where only the scanner knows (not over the network).
        """
        command = ESC + letter.encode("ascii")
        self.wire.send(command, HEAD_BYTES + (size or 0))
        head = self.wire.receive(HEAD_BYTES)
        if head[:1] == bytes((NAK,)):
            raise Unsupported(f"{self.wire.name}: refuses ESC {letter}")
        self._check_length(command, head, HEAD_BYTES)
        if head[0] != STX:
            raise Invalid(f"{self.wire.name}: ESC {letter}: {head.hex(' ')} is no information")
        self.status = head[1]
        announced = head[2] | head[3] << 8
        if size is not None and self.wire.is_network:
            announced = min(announced, size)
        if announced > PAYLOAD_BYTES:
            raise DeviceIOError(
                f"{self.wire.name}: ESC {letter}: {announced} bytes announced ({head.hex(' ')})"
            )
        payload = self.wire.receive(announced) if announced else b""
        self._check_length(command, payload, announced)
        return payload

    def block(self, letter: str, size: int) -> bytes:
        """Return the answer of exactly *size* bytes to FS *letter*; DeviceIOError for another."""
        command = FS + letter.encode("ascii")
        self.wire.send(command, size)
        data = self.wire.receive(size)
        self._check_length(command, data, size)
        return data

    # Commands with a meaning of their own

    def reset(self) -> None:
        """Set all settings to their defaults (ESC @)."""
        self.set("@")

    def feed(self) -> None:
        """Feed the first sheet (EM)."""
        self.simple(FEED)

    def eject(self) -> None:
        """Eject the sheet (FF)."""
        self.simple(EJECT)

    def request_status(self) -> int:
        """Return the status byte (ESC F)."""
        self.information("F", 0)
        return self.status

    def abort(self) -> None:
        """Send CAN where an acknowledgement of an image block is due."""
        self.simple(CANCEL)

    # Checks

    def _acknowledged(self, sent: bytes) -> None:
        answer = self.wire.receive(1)
        self._check_length(sent, answer, 1)
        if answer[0] == NAK:
            raise Invalid(f"{self.wire.name}: refuses {sent[:16].hex(' ')}")
        if answer[0] != ACK:  # some scanners say other things and mean yes: 2.1
            self.debug(1, "%s: %s answered with %s", self.wire.name, sent[:16].hex(), answer.hex())

    def _check_length(self, sent: bytes, answer: bytes, size: int) -> None:
        if len(answer) < size:
            raise DeviceIOError(
                f"{self.wire.name}: {sent[:16].hex(' ')}: {len(answer)} of {size} bytes came "
                f"({answer[:16].hex(' ') or 'none'})"
            )
