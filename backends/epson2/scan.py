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
from ...image import Layout, Lines
from ...usb.link import OK, STALL
from .commands import ESC, STX
from .plan import GRAYS, LINE_COLOR
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
LINE_COLORS = "GRB"  # their order
REPLY = struct.Struct("<BB3I")
BLOCK_HEAD, LINE_HEAD = struct.Struct("<BBHH"), struct.Struct("<BBH")


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

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._colors = "RGB" if plan.is_color else "K"
        if plan.color == LINE_COLOR:
            self._colors = LINE_COLORS
        self._lines = self._of_next(plan.lines)

    def _of_next(self, lines: int) -> Lines:
        """Return what makes the next *lines* lines of the image of what the scanner sends."""
        plan = self.plan
        layout = Layout(
            plan.width,
            3 if plan.is_color else 1,
            1 if plan.bits == 1 else GRAYS[plan.bits],
            colors=self._colors,
            plane_lines=int(plan.color == LINE_COLOR),
            stagger=(0, plan.margin, 2 * plan.margin) if plan.is_color else (),
            invert=plan.bits == 1,
        )
        return Lines(layout, lines)

    def take(self, block: memoryview, colors: str = "") -> None:
        """Take a block of whole lines; colors: their order, where blocks tell it."""
        if colors and colors != self._colors:
            self._colors = colors
            self._lines = self._of_next(self._lines.left_bytes // self._lines.row_bytes)
        self._lines.feed(block)

    def next(self) -> bool:
        """Receive the next block and take it; return whether there was one."""
        raise NotImplementedError

    def read_into(self, view: memoryview) -> int:
        """Write samples into *view*; return how many, 0 at the end."""
        n = self._lines.read_into(view)
        while not n and self.next():
            n = self._lines.read_into(view)
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
        super().__init__(plan)
        self.commands = commands
        self.wire = wire
        self.mask = status_mask(plan)
        self.sizes = sizes
        self.done = 0
        self.count = sizes[1] + (1 if sizes[2] else 0)
        self.is_under_way = True  # a block was asked for and has not come

    def _size(self, number: int) -> int:
        return self.sizes[0] if number < self.sizes[1] else self.sizes[2]

    def next(self) -> bool:
        if self.done == self.count:
            return False
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
        self.take(block[:size])
        return True

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
        super().__init__(plan)
        self.commands = commands
        self.wire = wire
        self.head = BLOCK_HEAD if plan.block_lines else LINE_HEAD
        self.is_over = False
        self.is_due = True  # a block, or the rest of one, has yet to come
        self.place = 0  # of the next line's colour in LINE_COLORS
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

    def next(self) -> bool:
        if self.is_over:
            return False
        status, data = self._receive()
        color = status & COLOR_MASK
        if self.plan.color == LINE_COLOR:
            self._check_line(color, len(data))
            self.take(data)
        elif self.plan.is_color:
            self.take(data, "GRB" if color == GREEN_FIRST else "RGB")
        else:
            self.take(data)
        return True

    def _check_line(self, color: int, size: int) -> None:
        """Raise DeviceIOError for a line of one colour that is not the one that is due."""
        expected = (GREEN, RED, BLUE)[self.place]
        if color != expected or size != self.plan.line_bytes // 3:
            raise DeviceIOError(
                f"{self.wire.name}: a line of {size} bytes and colour {color:02x} where "
                f"{expected:02x} was due"
            )
        self.place = (self.place + 1) % len(LINE_COLORS)

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
