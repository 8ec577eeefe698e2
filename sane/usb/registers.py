"""A chip's registers: fields of bits, what has changed, bulk data and waits for a value.

Registers holds what the chip should have and writes what differs; a port carries registers over
USB: BulkPort in bulk transfers with a header, ControlPort in vendor requests. Nothing here knows
what a register means. Source: specification plustek 1.2 and 1.3 (LM983x), genesys 1.2 (GL84x).
"""

from __future__ import annotations

from time import monotonic

from ..errors import Cancelled
from .failures import Garbled, TimedOut, UsbError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Protocol

    from .handle import Usb

    class Port(Protocol):
        """How registers reach the chip."""

        usb: Usb

        def read(self, address: int, count: int) -> bytes:
            """Return *count* registers from *address* on."""

        def write(self, address: int, data: bytes) -> None:
            """Write the registers from *address* on."""

        def upload(self, address: int, data: bytes | memoryview) -> None:
            """Write bulk data: tables, to the chip's memory at *address*."""

        def read_into(self, address: int, view: memoryview) -> None:
            """Fill *view* with bulk data: an image, from *address*."""


POLL_SECONDS = 0.01  # between two looks at a register
OWED_SECONDS = 2.0  # between pieces of an answer to a read that was cancelled
PIECE_SECONDS = 0.01  # before the rest of an answer that came in part is asked for


class Field:
    """Some bits of one register, or of several with the high byte first.

    address: of the first of them. bits: how many, from bit *shift* of the last register on.
    """

    __slots__ = ("address", "bits", "shift", "size")

    def __init__(self, address: int, bits: int = 8, shift: int = 0) -> None:
        if bits < 1 or shift < 0:
            raise ValueError(f"field of {bits} bits from bit {shift} of register {address:02x}")
        self.address = address
        self.bits = bits
        self.shift = shift
        self.size = (shift + bits + 7) // 8

    @property
    def last(self) -> int:
        """The address of its last register."""
        return self.address + self.size - 1

    @property
    def largest(self) -> int:
        """The largest value that it takes."""
        return (1 << self.bits) - 1

    def of(self, data: bytes | bytearray) -> int:
        """Return its value in *data*, its registers."""
        return int.from_bytes(data, "big") >> self.shift & self.largest

    def put(self, data: bytes, value: int) -> bytes:
        """Return *data*, its registers, with its bits set to *value*; ValueError if it is none."""
        if not 0 <= value <= self.largest:
            raise ValueError(f"{value} does not fit into {self!r}")
        whole = int.from_bytes(data, "big") & ~(self.largest << self.shift)
        return (whole | value << self.shift).to_bytes(self.size, "big")

    def __repr__(self) -> str:
        return f"<{self.bits} bits of register {self.address:02x} from bit {self.shift}>"


class Registers:
    """The registers of one chip: ``registers[FIELD] = 3`` notes, ``flush()`` writes what changed.

    A plain number stands for a whole register. A register that was neither set nor read counts as 0
    and is not written. fickle: registers that the chip changes by itself, or that do something when
    they are written: setting one always writes it. size: how many registers there are.
    """

    def __init__(self, port: Port, size: int = 0x100, fickle: Iterable[int] = ()) -> None:
        self.port = port
        self.fickle = frozenset(fickle)
        self._values = bytearray(size)
        self._held: set[int] = set()
        self._dirty: set[int] = set()

    def _field(self, what: Field | int) -> Field:
        field = what if isinstance(what, Field) else Field(what)
        if not 0 <= field.address <= field.last < len(self._values):
            raise ValueError(f"register {field.address:02x}: there are {len(self._values):02x}")
        return field

    # What the chip should have

    def __getitem__(self, what: Field | int) -> int:
        field = self._field(what)
        return field.of(self._values[field.address : field.last + 1])

    def __setitem__(self, what: Field | int, value: int) -> None:
        field = self._field(what)
        old = bytes(self._values[field.address : field.last + 1])
        new = field.put(old, value)
        for address, before, after in zip(
            range(field.address, field.last + 1), old, new, strict=True
        ):
            if before != after or address not in self._held or address in self.fickle:
                self._values[address] = after
                self._held.add(address)
                self._dirty.add(address)

    def note(self, address: int, data: bytes) -> None:
        """Set the registers from *address* on, one after the other."""
        for place, value in enumerate(data, address):
            self[place] = value

    def held(self, address: int, count: int) -> bytes:
        """Return what *count* registers from *address* on should have."""
        self._field(address + count - 1)
        return bytes(self._values[address : address + count])

    def forget(self) -> None:
        """Note that the chip has lost its registers, in a reset: all that are held are written."""
        self._dirty |= self._held

    # What it has

    def flush(self) -> None:
        """Write what has changed, by rising address, neighbours together; after an error again."""
        for address, count in list(runs(sorted(self._dirty))):
            self.port.write(address, bytes(self._values[address : address + count]))
            self._dirty.difference_update(range(address, address + count))

    def send(self, address: int, count: int) -> None:
        """Write *count* registers from *address* on, changed or not."""
        data = self.held(address, count)
        self.port.write(address, data)
        places = range(address, address + count)
        self._held.update(places)
        self._dirty.difference_update(places)

    def write(self, what: Field | int, value: int) -> None:
        """Set one register or field, and write its registers now, whatever they had."""
        field = self._field(what)
        self[field] = value
        self.port.write(field.address, bytes(self._values[field.address : field.last + 1]))
        self._dirty.difference_update(range(field.address, field.last + 1))

    def read(self, what: Field | int) -> int:
        """Return what the chip has now; it is taken over, what was set and not written is lost."""
        field = self._field(what)
        return field.of(self.load(field.address, field.size))

    def load(self, address: int, count: int) -> bytes:
        """Read *count* registers from *address* on, and take them over."""
        self._field(address)
        data = self.port.read(address, count)
        if len(data) != count:
            name = self.port.usb.name
            raise Garbled(f"{name}: {len(data)} of {count} registers from {address:02x} on came")
        self._values[address : address + count] = data
        places = range(address, address + count)
        self._held.update(places)
        self._dirty.difference_update(places)
        return data

    def command(self, what: Field | int, value: int, tries: int = 100) -> None:
        """Write until reading gives the value back; Garbled if it does not after *tries* times."""
        for _ in range(tries):
            self.write(what, value)
            if self.read(what) == value:
                return
        field = self._field(what)
        name = self.port.usb.name
        raise Garbled(f"{name}: {field!r} does not take {value}, it stays {self[field]}")

    def poll(
        self,
        what: Field | int,
        wanted: int | Callable[[int], object],
        seconds: float,
        every: float = POLL_SECONDS,
    ) -> int:
        """Read until the value is *wanted*, or wanted(value) is true; return it.

        Looks every *every* seconds, at least once. Raises TimedOut after *seconds* with the last
        value, and errors.Cancelled as soon as the frontend cancels.
        """
        end = monotonic() + seconds
        while True:
            value = self.read(what)
            if wanted(value) if callable(wanted) else value == wanted:
                return value
            if monotonic() >= end:
                name = self.port.usb.name
                raise TimedOut(
                    f"{name}: {self._field(what)!r} is still {value:#x} after {seconds:g} s"
                )
            self.port.usb.wait(every)


def runs(addresses: list[int]) -> Iterator[tuple[int, int]]:
    """Yield first and number of the neighbours among *addresses*, which rise."""
    start = 0
    for i, address in enumerate(addresses, 1):
        if i == len(addresses) or addresses[i] != address + 1:
            yield addresses[start], i - start
            start = i


class BulkPort:
    """Registers in bulk transfers: a header of four bytes, then the data.

    Header: 1 to read and 0 to write, with 2 if the address counts up; address; count, high byte
    first. A write has at most *most* data bytes in a transfer, a read 65535. A read that ends early
    goes on after a moment; an empty transfer is Garbled, silence TimedOut, too much Overflowed.
    What still comes after a read that failed or was cancelled is dropped before the next command;
    after a cancel it is waited for, since a chip sends image data as fast as it makes them.
    """

    READ, COUNTING = 1, 2
    MOST_READ = 0xFFFF

    def __init__(self, usb: Usb, most: int = 60) -> None:
        self.usb = usb
        self.most = most
        self._in, self._out = usb.bulk_in, usb.bulk_out
        self._owed = 0  # bytes that are still to come for a read that was cancelled

    def _get_in_step(self) -> None:
        """Take what the chip still says to a read that was broken off."""
        view, self._owed = memoryview(bytearray(self._owed)), 0
        try:
            while view:
                view = view[self.usb.read_into(self._in, view, OWED_SECONDS) or len(view) :]
                self.usb.is_out_of_step = bool(view)
        except UsbError:
            pass  # nothing comes any more
        self.usb.get_in_step()

    def _header(self, kind: int, address: int, count: int) -> bytes:
        return bytes((kind, address, count >> 8, count & 0xFF))

    def read(self, address: int, count: int) -> bytes:
        """Return *count* registers from *address* on."""
        data = bytearray(count)
        with memoryview(data) as view:
            self._receive(self.READ | self.COUNTING, address, view)
        return bytes(data)

    def write(self, address: int, data: bytes) -> None:
        """Write the registers from *address* on."""
        for at in range(0, len(data), self.most):
            piece = data[at : at + self.most]
            header = self._header(self.COUNTING, address + at, len(piece))
            self._get_in_step()
            self.usb.write(self._out, header + piece)

    def upload(self, address: int, data: bytes | memoryview) -> None:
        """Write all of *data* to the one register *address*: a port to the chip's memory."""
        for at in range(0, len(data), self.most):
            piece = bytes(data[at : at + self.most])
            self._get_in_step()
            self.usb.write(self._out, self._header(0, address, len(piece)) + piece)

    def read_into(self, address: int, view: memoryview) -> None:
        """Fill *view* from the one register *address*, as with image data."""
        for at in range(0, len(view), self.MOST_READ):
            self._receive(self.READ, address, view[at : at + self.MOST_READ])

    def _receive(self, kind: int, address: int, view: memoryview) -> None:
        """Ask for one piece, and fill *view* with it."""
        size = len(view)
        self._get_in_step()
        self.usb.is_out_of_step = True  # until all of it has come
        self.usb.write(self._out, self._header(kind, address, size))
        done = 0
        try:
            while done < size:
                if done:
                    self.usb.wait(PIECE_SECONDS)
                n = self.usb.read_into(self._in, view[done:])
                if not n:
                    raise Garbled(
                        f"{self.usb.name}: {done} of {size} bytes of register {address:02x} came"
                    )
                done += n
        except Cancelled:
            self._owed = size - done
            raise
        self.usb.is_out_of_step = False


class ControlPort:
    """Registers in vendor requests: pairs of address and value out, one value in.

    pairs: how many a write request carries at most. From register 100 on, *page* is added to
    wValue. The answer to a read is the value and *mark*; another second byte is Garbled. Bulk data
    follow a request that names their place and size, *most* bytes in a transfer.
    """

    WRITE, READ = (0x40, 0x04, 0x83), (0xC0, 0x04, 0x8E)
    BULK, TO_CHIP, FROM_CHIP = (0x40, 0x04, 0x82), 1, 0
    INDEX = 0x22  # of a read request: the address stands above it

    def __init__(
        self, usb: Usb, pairs: int = 1, page: int = 0x100, mark: int = 0x55, most: int = 0xEFF0
    ) -> None:
        self.usb = usb
        self.pairs = pairs
        self.page = page
        self.mark = mark
        self.most = most

    def _value(self, base: int, address: int) -> int:
        return base + (self.page if address > 0xFF else 0)

    def read(self, address: int, count: int) -> bytes:
        """Return *count* registers from *address* on, each with a request of its own."""
        request_type, request, base = self.READ
        found = bytearray()
        for place in range(address, address + count):
            index = self.INDEX + ((place & 0xFF) << 8)
            answer = self.usb.control(request_type, request, self._value(base, place), index, 2)
            if len(answer) != 2 or answer[1] != self.mark:
                raise Garbled(
                    f"{self.usb.name}: register {place:02x} answered with {answer.hex(' ')}"
                )
            found.append(answer[0])
        return bytes(found)

    def write(self, address: int, data: bytes) -> None:
        """Write the registers from *address* on, as many in a request as it carries."""
        request_type, request, base = self.WRITE
        at = 0
        while at < len(data):
            place = address + at
            count = min(self.pairs, len(data) - at, 0x100 - (place & 0xFF))  # of one page
            pairs = b"".join(bytes((place + i & 0xFF, data[at + i])) for i in range(count))
            self.usb.control(request_type, request, self._value(base, place), 0, pairs)
            at += count

    def _announce(self, direction: int, address: int, size: int) -> None:
        """Say what the next bulk transfer is: place and size, low byte first."""
        request_type, request, value = self.BULK
        head = address.to_bytes(4, "little") + size.to_bytes(4, "little")
        self.usb.control(request_type, request, value, direction, head)

    def upload(self, address: int, data: bytes | memoryview) -> None:
        """Write *data* to the chip's memory at *address*."""
        self._announce(self.TO_CHIP, address, len(data))
        for at in range(0, len(data), self.most):
            self.usb.write(self.usb.bulk_out, data[at : at + self.most])

    def read_into(self, address: int, view: memoryview) -> None:
        """Fill *view* from the chip's memory at *address*, each piece with a request of its own."""
        for at in range(0, len(view), self.most):
            piece = view[at : at + self.most]
            self._announce(self.FROM_CHIP, address, len(piece))
            n = self.usb.read_into(self.usb.bulk_in, piece)
            if n != len(piece):
                raise Garbled(f"{self.usb.name}: {at + n} of {len(view)} bytes of data came")
