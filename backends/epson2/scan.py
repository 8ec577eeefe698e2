"""Image blocks: from the start of a scan to its last byte, with nothing left behind on the way.

    start --> block, block, ... last block --> over
                '--- abort: the block that is under way is received, then CAN

A block is acknowledged as soon as it is there, so that the scanner makes the next one while the
frontend works. Source: specification esci 2.8 (ESC G), 2.9 (FS G).
"""

from __future__ import annotations

import struct

from ...const import STATUS_CANCELLED, STATUS_EOF, STATUS_IO_ERROR
from ...errors import Cancelled, DeviceBusy, DeviceIOError, Invalid
from ...usb.link import OK, STALL
from .commands import ESC, STX
from .decode import invert, join_lines, swap_samples
from .plan import LINE_COLOR
from .wires import NetWire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._epson.blocks import Blocks
    from .commands import Commands
    from .plan import Plan
    from .wires import UsbWire

FATAL, NOT_READY, AREA_END, CANCEL_ASKED = 0x80, 0x40, 0x20, 0x10
FAILED = FATAL | NOT_READY
COLOR_MASK, GREEN_FIRST = 0x0C, 0x04
GREEN, RED, BLUE = 0x04, 0x08, 0x0C  # of a line of one colour
REPLY = struct.Struct("<BB3I")
BLOCK_HEAD, LINE_HEAD = struct.Struct("<BBHH"), struct.Struct("<BBH")
EMPTY = memoryview(b"")


class WarmingUp(DeviceIOError):
    """The scanner refuses to scan yet, or for ever: its status tells which."""


class Impossible(DeviceIOError):
    """What the scanner announces cannot be: it is not asked again."""


def start_extended(commands: Commands, plan: Plan) -> ExtendedScan | NetScan | UsbScan:
    """Start a scan with FS G."""
    sizes = _announced(commands, plan)
    wire = commands.wire
    if isinstance(wire, NetWire):
        return NetScan(commands, wire, plan, sizes)
    blocks = wire.blocks(sizes, status_mask(plan)) if plan.bits > 1 else None
    if blocks is not None:
        return UsbScan(commands, wire, blocks, sizes)
    return ExtendedScan(commands, wire, plan, sizes)


def _announced(commands: Commands, plan: Plan) -> tuple[int, int, int]:
    """Start; return the bytes of a block, the number of such blocks, the bytes of the last one."""
    reply = commands.block("G", REPLY.size)
    first, status, size, count, last = REPLY.unpack(reply)
    name = commands.wire.name
    if first != STX:
        raise Invalid(f"{name}: FS G answered with {reply.hex(' ')}")
    if status & FATAL:
        raise WarmingUp(f"{name}: does not scan ({reply.hex(' ')})")
    if status & NOT_READY:
        raise DeviceBusy(f"{name}: in use ({reply.hex(' ')})")
    size = size or last
    total = size * count + last
    limit = plan.block_bytes
    if not total or max(size, last) > limit or total > plan.line_bytes * plan.lines:
        raise Impossible(
            f"{name}: announces {count} blocks of {size} bytes and one of {last} for "
            f"{plan.lines} lines of {plan.line_bytes} ({reply.hex(' ')})"
        )
    return size, count, last


def status_mask(plan: Plan) -> int:
    """Return which bits of a block's status byte mean something."""
    return FAILED if "block-status" in plan.device.caps.quirks else 0xFF


class Buffered:
    """What the scans share whose blocks come as a whole: a read takes what it has room for."""

    def __init__(self) -> None:
        self._block = EMPTY
        self._place = 0  # in it, where the next read begins

    def next(self) -> memoryview:
        """Return the next samples, valid until the next call; none at the end."""
        raise NotImplementedError

    def read_into(self, view: memoryview) -> int:
        """Write samples into *view*; return how many, 0 at the end."""
        block, place = self._block, self._place
        if place == len(block):
            block = self._block = self.next()
            place = 0
        n = min(len(view), len(block) - place)
        view[:n] = block[place : place + n]
        self._place = place + n
        return n

    def reader(self) -> object | None:
        """Return a capsule that reads without Python: there is none."""
        return None


class NetScan:
    """The blocks after FS G over the network, received where the frontend wants them."""

    def __init__(
        self, commands: Commands, wire: NetWire, plan: Plan, sizes: tuple[int, int, int]
    ) -> None:
        self.commands = commands
        self.wire = wire
        flip = 0xFF if plan.bits == 1 else 0
        cancel_fd = plan.device.cancel_request.fd
        self.blocks = wire.blocks(sizes, status_mask(plan), flip, cancel_fd)

    def read_into(self, view: memoryview) -> int:
        """Write samples into *view*; return how many, 0 at the end."""
        status, n = self.blocks.take(view)
        if n or status == STATUS_EOF:
            return n
        if status == STATUS_CANCELLED:
            raise Cancelled(f"{self.wire.name}: cancelled")
        raise DeviceIOError(f"{self.wire.name}: {self.blocks.explain()}")

    def reader(self) -> object | None:
        """Return a capsule that reads without Python, None when uncompiled."""
        return self.blocks.capsule()

    def abort(self) -> None:
        """End the scan; the scanner is idle afterwards."""
        blocks = self.blocks
        if blocks.is_lost:
            raise self.wire.packets.fail(blocks.explain())
        rest = blocks.rest()
        if rest is not None:
            self.wire.packets.resume(*rest)
            self.wire.packets.drop()
        if not blocks.is_over:
            self.commands.abort()
        if blocks.status == STATUS_IO_ERROR:
            raise DeviceIOError(f"{self.wire.name}: {blocks.explain()}")


class UsbScan:
    """The blocks after FS G on USB, received without Python."""

    def __init__(
        self, commands: Commands, wire: UsbWire, blocks: Blocks, sizes: tuple[int, int, int]
    ) -> None:
        self.commands = commands
        self.wire = wire
        self.blocks = blocks
        self.sizes = sizes
        self.count = sizes[1] + (1 if sizes[2] else 0)

    def read_into(self, view: memoryview) -> int:
        """Write samples into *view*; return how many, 0 at the end."""
        status, n = self.blocks.take(view)
        if n or status == STATUS_EOF:
            return n
        if status == STATUS_CANCELLED:
            raise Cancelled(f"{self.wire.name}: cancelled")
        raise DeviceIOError(self._explain())

    def reader(self) -> object | None:
        """Return a capsule that reads without Python."""
        return self.blocks.capsule()

    def _explain(self) -> str:
        blocks = self.blocks
        if blocks.tail & FAILED:
            return f"{self.wire.name}: block {blocks.done} has status {blocks.tail:02x}"
        return (
            f"{self.wire.name}: block {blocks.done + 1} has {blocks.partial} of "
            f"{self._size() + 1} bytes (transfer: {blocks.outcome})"
        )

    def _size(self) -> int:
        return self.sizes[0] if self.blocks.done < self.sizes[1] else self.sizes[2]

    def abort(self) -> None:
        """End the scan; the scanner is idle afterwards."""
        blocks, done = self.blocks, self.blocks.done
        if blocks.outcome == STALL:
            self.wire.clear_halts()
        is_short = not blocks.is_asked and blocks.partial > 0
        if blocks.outcome == OK and blocks.is_asked:
            self.wire.drop_block(self._size() + 1 - blocks.partial)
        is_over = done + (blocks.is_asked or is_short) >= self.count
        if blocks.outcome == OK and not is_over and not blocks.tail & FAILED:
            self.commands.abort()
        if blocks.outcome != OK or is_short or blocks.tail & FAILED:
            raise DeviceIOError(self._explain())  # for the log: the frontend has the status


class ExtendedScan(Buffered):
    """The blocks after FS G on USB: their sizes are known, a status byte follows each."""

    def __init__(
        self, commands: Commands, wire: UsbWire, plan: Plan, sizes: tuple[int, int, int]
    ) -> None:
        super().__init__()
        self.commands = commands
        self.wire = wire
        self.plan = plan
        self.mask = status_mask(plan)
        self.sizes = sizes
        self.done = 0
        self.count = sizes[1] + (1 if sizes[2] else 0)
        self.is_under_way = True  # a block was asked for and has not come

    def _size(self, number: int) -> int:
        return self.sizes[0] if number < self.sizes[1] else self.sizes[2]

    def next(self) -> memoryview:
        if self.done == self.count:
            return EMPTY
        size = self._size(self.done)
        block = self._receive(size + 1)
        if len(block) != size + 1:
            raise DeviceIOError(
                f"{self.wire.name}: block {self.done} has {len(block)} of {size + 1} bytes "
                f"(the last ones {block[-8:].hex(' ')})"
            )
        status = block[size] & self.mask
        if status & FAILED:
            self.count = self.done  # no more of it, and nothing to be acknowledged
            raise DeviceIOError(f"{self.wire.name}: block {self.done} has status {status:02x}")
        if status & CANCEL_ASKED:
            raise Cancelled(f"{self.wire.name}: cancelled at the device")
        if self.done < self.count:
            self.wire.acknowledge()
            self.is_under_way = True
        samples = block[:size]
        if self.plan.bits == 1:
            invert(samples)
        return samples

    def _receive(self, size: int) -> memoryview:
        try:
            block = self.wire.receive_block(size)
        except DeviceIOError:
            self.count = self.done  # nobody knows where the scanner is
            raise
        self.is_under_way = False
        self.done += 1
        return block

    def abort(self) -> None:
        """End the scan; the scanner is idle afterwards."""
        if self.is_under_way and self.done < self.count:
            self.wire.drop_block(self._size(self.done) + 1)
            self.done += 1
        self.is_under_way = False
        if self.done < self.count:
            self.count = self.done
            self.commands.abort()


class StandardScan(Buffered):
    """The blocks after ESC G on USB: each has a head, and the last one says so."""

    def __init__(self, commands: Commands, wire: UsbWire, plan: Plan) -> None:
        super().__init__()
        self.commands = commands
        self.wire = wire
        self.plan = plan
        self.head = BLOCK_HEAD if plan.block_lines else LINE_HEAD
        self.is_over = False
        self.is_due = True  # a block, or the rest of one, has yet to come
        self.lines: list[memoryview] = []  # of one colour, that wait for the others
        self.rest = b""  # received lines that wait for those below, with a margin
        self.wire.send(ESC + b"G", self.head.size)
        self.status, self.size = self._receive_head()

    def _receive_head(self) -> tuple[int, int]:
        """Return status and size of the block that comes; raises WarmingUp where none does."""
        head = self.wire.receive(self.head.size)
        if len(head) < self.head.size or head[0] != STX:
            raise Invalid(f"{self.wire.name}: {head.hex(' ') or 'nothing'} is no head of a block")
        fields = self.head.unpack(head)
        size = fields[2] * (fields[3] if self.head is BLOCK_HEAD else 1)
        if fields[1] & FATAL:
            self.is_over = True
            raise WarmingUp(f"{self.wire.name}: does not scan ({head.hex(' ')})")
        if not 0 < size <= self.plan.block_bytes:
            self.is_over = True
            raise DeviceIOError(
                f"{self.wire.name}: a block of {size} bytes, expected {self.plan.block_bytes} at "
                f"most ({head.hex(' ')})"
            )
        return fields[1], size

    def _receive(self) -> tuple[int, memoryview]:
        """Return status and data of the block that is under way; begin with the next."""
        if not self.size:
            self.status, self.size = self._receive_head()
        status, size = self.status, self.size
        try:
            data = self.wire.receive_block(size)
        except DeviceIOError:
            self.is_over = True  # nobody knows where the scanner is
            raise
        self.size = 0
        self.is_due = False
        if len(data) != size:
            raise DeviceIOError(f"{self.wire.name}: {len(data)} of {size} bytes of a block came")
        self.is_over = bool(status & AREA_END)
        if not self.is_over:
            self.wire.acknowledge()
            self.is_due = True
        return status, data

    def next(self) -> memoryview:
        while not self.is_over:
            status, data = self._receive()
            if self.plan.color == LINE_COLOR:
                samples = self._interleaved(status & COLOR_MASK, data)
            else:
                samples = self._decoded(status & COLOR_MASK, data)
            if samples:
                return samples
        return EMPTY

    def _decoded(self, color: int, data: memoryview) -> memoryview:
        if self.plan.bits == 1:
            invert(data)
        elif self.plan.is_color and color == GREEN_FIRST:
            swap_samples(data, 1 if self.plan.bits == 8 else 2)
        if not self.plan.margin:
            return data
        lines = self.rest + data
        whole = len(lines) // self.plan.line_bytes - 2 * self.plan.margin
        if whole <= 0:
            self.rest = lines
            return EMPTY
        samples = memoryview(bytearray(whole * self.plan.line_bytes))
        join_lines(memoryview(lines), samples, self.plan.line_bytes, self.plan.margin)
        self.rest = lines[len(samples) :]
        return samples

    def _interleaved(self, color: int, data: memoryview) -> memoryview:
        """Return a line of three samples a pixel once its green, red and blue are there."""
        order = (GREEN, RED, BLUE)
        expected = order[len(self.lines)]
        width = 1 if self.plan.bits == 8 else 2
        if color != expected or len(data) != self.plan.width * width:
            raise DeviceIOError(
                f"{self.wire.name}: a line of {len(data)} bytes and colour {color:02x} where "
                f"{expected:02x} was due"
            )
        self.lines.append(memoryview(bytes(data)))
        if len(self.lines) < len(order):
            return EMPTY
        green, red, blue = self.lines
        self.lines = []
        samples = memoryview(bytearray(self.plan.line_bytes))
        for place, line in enumerate((red, green, blue)):
            for byte in range(width):
                samples[place * width + byte :: 3 * width] = line[byte::width]
        return samples

    def abort(self) -> None:
        """End the scan; the scanner is idle afterwards."""
        if self.is_over:
            return
        self.is_over = True
        if self.is_due:
            if not self.size:
                self.status, self.size = self._receive_head()
            self.wire.drop_block(self.size)
        if not self.status & AREA_END:
            self.commands.abort()
