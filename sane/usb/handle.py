"""Usb: an open USB device as a driver sees it.

It knows endpoints, outcomes and what each means for a driver; how bytes move is its Link's.
"""

from __future__ import annotations

from time import monotonic

from ..cancel import NeverCancelled
from ..errors import Cancelled, DeviceIOError
from . import link as links
from .descriptors import BULK, IN, INTERRUPT, TRANSFER_TYPES
from .exchange import exchange, get_in_step
from .failures import Call, Overflowed, Stalled, TimedOut, Unplugged, UsbError, failure_of
from .scsi import scsi
from .stream import BulkStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from ..debug import Debug
    from .descriptors import Endpoint, Interface
    from .link import Cancels, Link
    from .scsi import ScsiRules
    from .sysfs import BusDevice

    class Owner(Protocol):
        """What a handle needs of the Device that it belongs to."""

        is_live: bool
        waits_in_c: bool


TIMEOUT_SECONDS = 30.0  # moving a lamp or feeding paper takes a few; a dead device must not hang
SILENT_SECONDS = 2.0  # for whatever is asked of a device that let a longer wait pass
STREAM_BYTES = 1 << 17
STREAM_DEPTH = 4
DRAINED_BYTES = 1 << 30  # of a device that never stops
DUMPED_BYTES = 64  # of a transfer, in the log at level 4; all of it from level 6 on

NEVER = NeverCancelled()

__all__ = ["BulkStream", "Overflowed", "Stalled", "TimedOut", "Unplugged", "Usb", "UsbError"]


class Usb:
    """An open device with one claimed interface; one call at a time.

    name, vendor, product: as listed. endpoints: those of the interface. timeout: seconds that a
    call takes at most if it is not told otherwise. Every wait ends with errors.Cancelled when the
    frontend cancels the scan of the Device that this handle belongs to.

    is_silent: the device let a call time out and has sent nothing since. Until it does, no call
    takes longer than SILENT_SECONDS: a dead device costs its time-out once, not at every step.
    is_out_of_step: an exchange broke off, and what the device still says is no answer to the next.
    scsi_rules: how its family carries SCSI.
    """

    def __init__(
        self, bus_device: BusDevice, interface: Interface, link: Link, debug: Debug
    ) -> None:
        self.name = bus_device.name
        self.vendor = bus_device.vendor
        self.product = bus_device.product
        self.interface = interface
        self.endpoints = tuple(interface.endpoints)
        self.timeout = TIMEOUT_SECONDS
        self.is_silent = False
        self.is_out_of_step = False
        self.scsi_rules: ScsiRules | None = None
        self._link = link
        self._transfers = link.transfers
        self._debug = debug
        self._by_address = {endpoint.address: endpoint for endpoint in self.endpoints}
        self._kept: dict[int, bytes] = {}  # what arrived for a read that was cancelled
        self._empty = 0  # IN transfers without data since one had some, or something was sent
        self._streams: list[BulkStream] = []
        self._owner: Callable[[], object] = lambda: None
        self._is_gone = False
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<Usb {self.name} {self.vendor:04x}:{self.product:04x}>"

    def belongs_to(self, device: Owner) -> None:
        """Let cancel of *device* end the waits of this handle; in a replay it need not wait."""
        from _weakref import ref  # a strong reference would be a cycle

        self._owner = ref(device)
        if self._link.is_live:
            device.waits_in_c = True
        else:
            device.is_live = False

    @property
    def cancel(self) -> Cancels:
        """What ends the waits at this moment."""
        found: Cancels = getattr(self._owner(), "cancel_request", NEVER)
        return found

    def limit(self, seconds: float | None) -> float:
        """Return how long a call may take that is told *seconds*."""
        limit = self.timeout if seconds is None else seconds
        return min(limit, SILENT_SECONDS) if self.is_silent else limit

    def wait(self, seconds: float) -> None:
        """Let *seconds* pass between two questions; a replayed device needs no time.

        Raises errors.Cancelled as soon as the frontend cancels.
        """
        self.cancel.wait(seconds if self._link.is_live else 0.0)

    # Endpoints

    @property
    def bulk_in(self) -> int:
        """The address of the first bulk IN endpoint."""
        return self._first(BULK, IN)

    @property
    def bulk_out(self) -> int:
        """The address of the first bulk OUT endpoint."""
        return self._first(BULK, 0)

    @property
    def interrupt_in(self) -> int:
        """The address of the first interrupt IN endpoint."""
        return self._first(INTERRUPT, IN)

    def _first(self, type: int, direction: int) -> int:
        endpoint = self.interface.first(type, direction)
        if endpoint is None:
            way = "in" if direction else "out"
            raise DeviceIOError(f"{self.name}: no {TRANSFER_TYPES[type]} {way} endpoint")
        return endpoint.address

    def _endpoint(self, address: int, direction: int) -> Endpoint:
        if self._is_closed or self._is_gone:
            self._check_open()
        endpoint = self._by_address.get(address)
        if endpoint is None or address & IN != direction:
            known = ", ".join(f"0x{item.address:02x}" for item in self.endpoints) or "none"
            way = "IN" if direction else "OUT"
            raise DeviceIOError(
                f"{self.name}: no {way} endpoint 0x{address:02x} in interface "
                f"{self.interface.number} (there: {known})"
            )
        return endpoint

    # Transfers

    def write(
        self,
        endpoint: int,
        data: bytes | bytearray | memoryview,
        seconds: float | None = None,
        *,
        zero_packet: bool = False,
    ) -> None:
        """Send *data* as one transfer; b"" sends an empty packet.

        zero_packet: end it with an empty packet if it would otherwise end with a full one.
        """
        out = self._endpoint(endpoint, 0)
        limit = self.timeout if seconds is None else seconds
        if self.is_silent:
            limit = self.limit(limit)
        self._empty = 0
        if data.__class__ is not bytes or len(data) > links.LARGEST_TRANSFER:
            size = self._write_pieces(out, data, limit)
        else:  # a command: no more than must be
            size = len(data)
            outcome, n = self._transfers.transfer_out(out, data, limit, self.cancel)
            if outcome != links.OK or n < size:
                self._failed(Call("write", size, limit, out), outcome, n, b"")
        if self._debug.level >= 4:
            self._log(f"> {endpoint:02x}", data)
        if zero_packet and size and not size % out.max_packet:
            self.write(endpoint, b"", seconds)

    def _write_pieces(
        self, out: Endpoint, data: bytes | bytearray | memoryview, limit: float
    ) -> int:
        """Send *data* in pieces that no short packet ends; return its size."""
        with memoryview(data) as whole, whole.cast("B") as view:
            done, size = 0, len(view)
            while True:  # once even without data
                piece = view[done : done + links.LARGEST_TRANSFER]
                outcome, n = self._transfers.transfer_out(out, piece, limit, self.cancel)
                done += n
                if outcome != links.OK or n < len(piece):
                    self._failed(Call("write", size, limit, out), outcome, done, b"")
                if done == size:
                    return size

    def read(self, endpoint: int, size: int, seconds: float | None = None) -> bytes:
        """Return what one transfer of at most *size* bytes (4 MiB) brought, b"" if it was empty.

        Raises TimedOut if nothing came in time; if only a part did, that is returned. Of a device
        that sends nothing but empty transfers, a long run is UsbError.
        """
        buffer = bytearray(size)
        with memoryview(buffer) as view:
            n = self.read_into(endpoint, view, seconds)
        del buffer[n:]
        return bytes(buffer)

    def read_into(self, endpoint: int, view: memoryview, seconds: float | None = None) -> int:
        """Do the same into a writable *view* and return the number of bytes.

        A device that sends more than the view holds overflows (Overflowed), unless the view's
        length is a multiple of the endpoint's max_packet.
        """
        if endpoint in self._kept:
            return self._take_kept(endpoint, self._kept.pop(endpoint), view)
        source = self._endpoint(endpoint, IN)
        limit = self.timeout if seconds is None else seconds
        if self.is_silent:
            limit = self.limit(limit)
        if len(view) > links.LARGEST_TRANSFER:
            view = view[: links.LARGEST_TRANSFER]
        outcome, n = self._transfers.transfer_in(source, view, limit, self.cancel)
        if outcome != links.OK and not (outcome == links.TIMEOUT and n):
            self._failed(Call("read", len(view), limit, source), outcome, n, bytes(view[:n]))
        if n:
            self._empty = 0
            self.is_silent = False
        else:
            self._count_empty(Call("read", len(view), limit, source))
        if self._debug.level >= 4:
            self._log(f"< {endpoint:02x}", view[:n])
        return n

    def _count_empty(self, call: Call) -> None:
        """Count a transfer without data: whoever waits for some must not do so for ever."""
        self._empty += 1
        if self._empty >= links.MOST_EMPTY:
            self._failed(call, links.ONLY_EMPTY, 0, b"")

    def _take_kept(self, endpoint: int, kept: bytes, view: memoryview) -> int:
        n = min(len(kept), len(view))
        view[:n] = kept[:n]
        if n < len(kept):
            self._kept[endpoint] = kept[n:]
        return n

    def control(  # noqa: PLR0917 - the fields of a setup packet, in its order
        self,
        request_type: int,
        request: int,
        value: int,
        index: int,
        data: bytes | bytearray | memoryview | int = b"",
        seconds: float | None = None,
    ) -> bytes:
        """Do a control transfer: send *data*, or return at most *data* bytes of an answer.

        Bit 7 of *request_type* is the direction; *data* is then a length.
        """
        self._check_open()
        limit = self.limit(seconds)
        self._empty = 0
        is_in = bool(request_type & IN)
        if isinstance(data, int) != is_in and data:
            raise ValueError(f"control 0x{request_type:02x}: data is for OUT, a length for IN")
        buffer = bytearray(data)
        setup = (request_type, request, value, index)
        text = "control {:02x} {:02x} {:04x} {:04x}".format(*setup)
        with memoryview(buffer) as view:
            outcome, n = self._transfers.control(setup, view, limit, self.cancel)
        if outcome != links.OK or (n < len(buffer) and not is_in):
            self._raise(Call(text, len(buffer), limit, None), outcome, n, bytes(buffer[:n]))
        self.is_silent = False
        if self._debug.on(4):
            self._log(f"{'<' if is_in else '>'} {text}", buffer[:n])
        return bytes(buffer[:n]) if is_in else b""

    def stream(
        self,
        endpoint: int,
        size: int = STREAM_BYTES,
        depth: int = STREAM_DEPTH,
        total: int | None = None,
    ) -> BulkStream:
        """Return a BulkStream: *depth* transfers of *size* bytes on their way until *total* came.

        total: never ask for more, so that nothing is asked beyond the end of an image.
        """
        source = self._endpoint(endpoint, IN)
        if size < 1 or size % source.max_packet or size > links.LARGEST_TRANSFER or depth < 1:
            raise ValueError(
                f"stream: {depth} transfers of {size} bytes; a size is a multiple of "
                f"{source.max_packet} up to {links.LARGEST_TRANSFER}"
            )
        kept = self._kept.pop(endpoint, b"")
        if total is not None:
            self.keep(endpoint, kept[total:])
            kept = kept[:total]
            total -= len(kept)
        stream = BulkStream(self, source, self._transfers.stream(source, size, depth, total), kept)
        self._streams.append(stream)
        return stream

    def nogil_transfers(self, source: int, target: int) -> object | None:
        """Return what carries out bulk transfers for C (libusb_h.pxd, Bulk); None without it.

        source, target: the addresses of the IN and the OUT endpoint. None uncompiled, recorded,
        replayed, or while transfers are logged: then they are carried out one by one.
        """
        if self._debug.on(4):
            return None
        kinds = self._endpoint(source, IN).type, self._endpoint(target, 0).type
        transfers = self._transfers
        return transfers if kinds == (BULK, BULK) and hasattr(transfers, "bulk") else None

    def failed_stream(self, endpoint: Endpoint, outcome: str, seconds: float) -> None:
        """Raise what *outcome* of a stream means."""
        self._failed(Call("stream", 0, seconds, endpoint), outcome, 0, b"")

    def ended_stream(
        self, stream: BulkStream, endpoint: Endpoint, outcome: str, rest: bytes
    ) -> None:
        """Take over what a stream leaves: *rest* for the next read, a failure nobody saw."""
        self._streams.remove(stream)
        self.keep(endpoint.address, rest)
        if outcome != links.OK:
            self._debug(1, "%s: stream 0x%02x: %s", self.name, endpoint.address, outcome)
        if outcome == links.STALL:
            self._link.clear_halt(endpoint)

    # Dialogues

    exchange = exchange
    get_in_step = get_in_step
    scsi = scsi

    # Recovery

    def clear_halt(self, endpoint: int) -> None:
        """End the halt of *endpoint* and set its data toggle back."""
        direction = endpoint & IN
        self._done("clear halt", self._link.clear_halt(self._endpoint(endpoint, direction)))

    def drain(self, endpoint: int, seconds: float = 0.2, most: int | None = None) -> int:
        """Read and drop until nothing comes for *seconds*; return how many bytes that were.

        What a cancelled scan left in the device would else be taken for the next answer. A device
        that never stops is left alone after *most* bytes (None: a GiB) or `timeout` seconds; one
        that sends nothing but empty transfers is UsbError. A stall, which is cleared, is an end
        too. In a replay what the recording has of it is dropped.
        """
        source = self._endpoint(endpoint, IN)
        dropped = len(self._kept.pop(endpoint, b""))
        buffer = memoryview(bytearray(STREAM_BYTES - STREAM_BYTES % source.max_packet))
        limit = DRAINED_BYTES if most is None else most
        deadline = monotonic() + self.timeout
        while not self._link.is_drained(source):
            if dropped >= limit or monotonic() >= deadline:
                self._debug(1, "%s: 0x%02x sends and sends", self.name, endpoint)
                break
            try:
                dropped += self.read_into(endpoint, buffer, seconds)
            except (TimedOut, Stalled):
                break
        self._debug(3, "%s: %d bytes of 0x%02x dropped", self.name, dropped, endpoint)
        return dropped

    def reset(self) -> None:
        """Reset the whole device, other interfaces included: the last resort."""
        self._check_open()
        self._kept.clear()
        self.is_out_of_step = False
        self._debug(2, "%s: reset", self.name)
        self._done("reset", self._link.reset())

    def close(self) -> None:
        """Release the device; may be called again."""
        if not self._is_closed:
            while self._streams:
                self._streams[0].close()
            self._is_closed = True
            self._link.close()

    # Outcomes

    def _check_open(self) -> None:
        if self._is_closed:
            raise DeviceIOError(f"{self.name} is closed")
        if self._is_gone:
            raise Unplugged(f"{self.name}: the device was unplugged")

    def _done(self, what: str, outcome: str) -> None:
        if outcome != links.OK:
            self._raise(Call(what, 0, self.timeout, None), outcome, 0, b"")

    def _failed(self, call: Call, outcome: str, done: int, partial: bytes) -> None:
        """Raise what *outcome* means; a stall is cleared first, so that the next one may work."""
        endpoint = call.endpoint
        assert endpoint is not None
        if outcome == links.CANCELLED and partial:
            self.keep(endpoint.address, partial)
        if outcome == links.STALL and self._link.clear_halt(endpoint).startswith(links.ERROR):
            self._debug(1, "%s: the halt of 0x%02x stays: reset", self.name, endpoint.address)
            self._link.reset()
        self._raise(call, outcome, done, partial)

    def _raise(self, call: Call, outcome: str, done: int, partial: bytes) -> None:
        if outcome == links.CANCELLED:
            raise Cancelled
        self._is_gone = self._is_gone or outcome == links.UNPLUGGED
        if outcome == links.TIMEOUT and not done and call.seconds > SILENT_SECONDS:
            self.is_silent = True
        failure = failure_of(self.name, call, outcome, done, partial)
        self._debug(1, "%s", failure)
        if partial:
            self._debug.dump(1, "until then", partial)
        raise failure

    def keep(self, endpoint: int, data: bytes) -> None:
        """Give *data*, which came from *endpoint*, to the next read of it."""
        if data:
            self._kept[endpoint] = data + self._kept.get(endpoint, b"")

    def _log(self, mark: str, data: bytes | bytearray | memoryview) -> None:
        shown = data if self._debug.on(6) else data[:DUMPED_BYTES]
        self._debug.dump(4, f"{self.name} {mark}: {len(data)} bytes", shown)
