"""The model of a USB device: what a scanner does on the bus, whatever the transport to the host.

A subclass describes itself in class attributes, gets `on_out` and `control`, and answers with
`send` and `stall`. A transport calls the `submit_*` methods, `cancel`, `clear_halt`, `configure`,
`set_interface` and `reset`. Everything runs in the one thread of the transport's loop.
"""

from __future__ import annotations

import struct
import sys
import traceback
from dataclasses import dataclass
from errno import EOVERFLOW, EPIPE, ESHUTDOWN
from typing import TYPE_CHECKING, Any, NamedTuple

from . import descriptors
from .descriptors import Endpoint, Interface
from .faults import Fault, Faults
from .pipe import Pipe, Request
from .state import Clock, Hook, Shown, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from .pipe import Done

# Standard requests (USB 2.0, table 9-4).
GET_STATUS, CLEAR_FEATURE, SET_FEATURE = 0, 1, 3
GET_DESCRIPTOR, GET_CONFIGURATION, SET_CONFIGURATION = 6, 8, 9
GET_INTERFACE, SET_INTERFACE = 10, 11
TO_ENDPOINT = 0x02  # a request type: standard, recipient endpoint
ENDPOINT_HALT = 0  # a feature

KEPT = 1024  # bytes of each transfer's data that the trace holds


@dataclass(frozen=True)
class Setup:
    """The eight bytes that begin a control request; *length* of the data, at most if IN."""

    request_type: int
    request: int
    value: int
    index: int
    length: int


class Event(NamedTuple):
    """One line of a trace.

    kind: in, out, control, cancel, halt, clear-halt, configuration, interface, reset, unplug,
    fault, error. length is that of all data, of which `data` holds the first `KEPT`; for control
    `setup` holds the eight bytes.
    """

    kind: str
    endpoint: int = 0
    data: bytes = b""
    length: int = 0
    status: int = 0
    setup: bytes = b""
    note: str = ""


class UsbDevice:
    """A device; the attributes here are what a subclass or a keyword argument may change.

    A subclass has its own attributes under any name but those of the methods here; names that only
    show something of the bus (trace, value...) it may take as well.
    """

    speed = descriptors.HIGH
    vendor = 0x1209  # pid.codes, product 0001: for tests, never for a product
    product = 0x0001
    release = 0x0100
    codes = (0, 0, 0)  # class, subclass, protocol of the device: each interface has its own
    strings: tuple[str, ...] = ("PySANE", "emulated device", "0001")  # maker, product, serial...
    interfaces: tuple[Interface, ...] = (Interface((Endpoint(0x81), Endpoint(0x02))),)
    configuration: bytes = b""  # the raw descriptor, if it has to be a particular one

    trace: Shown[list[Event]] = Shown()
    faults: Shown[Faults] = Shown()
    is_gone: Shown[bool] = Shown()
    value: Shown[int] = Shown()  # of the configuration, 0: not configured
    alternates: Shown[dict[int, int]] = Shown()  # the current setting of each interface

    __state: State

    call_later = Clock()  # a transport's clock, for the subclass: call_later(seconds, function)
    leaving = Hook()  # a transport's: what is pending will fail
    unplugged = Hook()  # a transport's: and now it has failed
    noted = Hook()  # a watcher's: the trace has grown

    def __init_subclass__(cls, **words: object) -> None:
        super().__init_subclass__(**words)
        for name in (TAKEN | HOOKS).intersection(vars(cls)):
            raise TypeError(
                f"{cls.__qualname__}.{name}: every UsbDevice has one; call it otherwise"
            )

    def __new__(cls, *arguments: object, **words: object) -> UsbDevice:
        device = super().__new__(cls)
        device.__state = State()
        return device

    def __init__(self, **changes: object) -> None:
        kind = type(self)
        for name, value in changes.items():
            known = getattr(kind, name, None)
            if not hasattr(kind, name) or callable(known) or name in TAKEN or name[:1] == "_":
                raise TypeError(f"{kind.__name__} has no attribute {name!r}")
            setattr(self, name, value)
        if not self.configuration:
            self.configuration = descriptors.configuration_descriptor(self.speed, self.interfaces)
        self.interfaces = descriptors.read_configuration(self.configuration)
        state = self.__state
        state.alternates = {interface.number: 0 for interface in self.interfaces}
        for endpoint in (e for interface in self.interfaces for e in interface.endpoints):
            if endpoint.address & descriptors.IN:
                size = descriptors.packet_size(endpoint, self.speed)
                state.pipes.setdefault(endpoint.address, Pipe(size))

    def __setattr__(self, name: str, value: object) -> None:
        if name in TAKEN:
            raise AttributeError(f"{name!r}: every UsbDevice has a method of this name")
        super().__setattr__(name, value)

    # What a subclass implements

    def on_out(self, endpoint: int, data: bytes) -> None:
        """Take an OUT transfer. Where a transfer ends is known by how the host submitted it."""

    def control(self, setup: Setup, data: bytes) -> bytes | None:
        """Answer a request that is not a standard one: bytes for IN, b"" for OUT; None stalls.

        *data* came with an OUT request.
        """
        return None

    def on_reset(self) -> None:
        """Forget what a bus reset or SET_CONFIGURATION interrupts; FIFOs and halts are cleared."""

    # What a subclass calls

    def send(self, endpoint: int, data: bytes, zlp: bool = False) -> None:
        """Queue one transfer on an IN endpoint (see Pipe).

        With *zlp* an empty packet ends one that consists of whole packets. An empty *data* is a
        transfer of one empty packet.
        """
        pipe = self.__state.pipes[endpoint]
        fault = self.__state.faults.meet(endpoint)
        if fault is None:
            pipe.put(data, zlp)
        else:
            self._note(Event("fault", endpoint, note=fault.kind))
            self._send_faulty(pipe, endpoint, data, zlp, fault)
        self.__state.last[endpoint] = data
        pipe.feed()

    def forget(self, endpoint: int) -> None:
        """Drop what was queued on an IN endpoint and no host has read."""
        self.__state.pipes[endpoint].forget()

    def stall(self, endpoint: int) -> None:
        """Halt an endpoint, at once, until the host clears it."""
        self._note(Event("halt", endpoint))
        pipe = self.__state.pipes.get(endpoint)
        if pipe is None:
            self.__state.halted.add(endpoint)
        else:
            pipe.halt()
            pipe.feed()

    def unplug(self) -> None:
        """Leave the bus: whatever is pending ends with ESHUTDOWN."""
        if self.__state.is_gone:
            return
        self.__state.leaving()  # before anything fails: requests may be answered meanwhile
        self.__state.is_gone = True
        self._note(Event("unplug"))
        for pipe in self.__state.pipes.values():
            pipe.clear()
            pipe.finish_all(-ESHUTDOWN)
        while self.__state.held:
            self.__state.held.popitem()[1](-ESHUTDOWN, b"")
        self.__state.unplugged()

    # What a transport calls

    @property
    def descriptor(self) -> bytes:
        """The device descriptor."""
        ids = (self.vendor, self.product, self.release)
        return descriptors.device_descriptor(self.speed, ids, self.codes, len(self.strings))

    def submit_in(self, endpoint: int, key: object, length: int, done: Done) -> None:
        """Ask for up to *length* bytes; done(status, data) is called when they are there."""
        pipe = self.__state.pipes.get(endpoint)
        if self.__state.is_gone or pipe is None:
            done(-ESHUTDOWN if self.__state.is_gone else -EPIPE, b"")
            return

        def finish(status: int, data: bytes) -> None:
            self._note(Event("in", endpoint, data[:KEPT], len(data), status))
            done(status, data)

        pipe.ask(Request(key, length, finish))

    def submit_out(self, endpoint: int, key: object, data: bytes, done: Done) -> None:
        """Deliver an OUT transfer."""

        def deliver() -> None:
            status = -EPIPE if endpoint in self.__state.halted else 0
            self._note(Event("out", endpoint, bytes(data[:KEPT]), len(data), status))
            if not status and (fault is None or fault.kind != "drop"):
                is_good, _ = self.call_model(self.on_out, endpoint, bytes(data))
                status = 0 if is_good else -EPIPE
            done(status, b"")

        fault = self._meet(endpoint)
        if fault is not None and fault.kind == "stall":
            self.__state.halted.add(endpoint)
        self._when_due(fault, key, deliver, done)

    def submit_control(self, key: object, setup: bytes, data: bytes, done: Done) -> None:
        """Carry out a control request; *setup* are its eight bytes."""

        def deliver() -> None:
            answer = None
            if fault is None or fault.kind != "stall":
                answer = self._answer(fields, data)
            if answer is not None and fault is not None:
                answer = fault.data if fault.kind == "replace" else answer
                answer = answer[: fault.size] if fault.kind == "short" else answer
            status = -EPIPE if answer is None else 0
            shown = answer or data
            self._note(Event("control", 0, shown[:KEPT], len(shown), status, bytes(setup)))
            if answer is not None and len(answer) > fields.length:
                status, answer = -EOVERFLOW, b""
            done(status, answer or b"")

        fields = Setup(*struct.unpack("<BBHHH", setup))
        is_standard = not fields.request_type & 0x60
        fault = None if is_standard else self._meet(0)
        self._when_due(fault, key, deliver, done)

    def cancel(self, key: object) -> bool:
        """Take back a pending request, whose done is not called; False: there is none."""
        found = self.__state.held.pop(key, None) is not None
        found = found or any(pipe.cancel(key) for pipe in self.__state.pipes.values())
        if found:
            self._note(Event("cancel"))
        return found

    def clear_halt(self, endpoint: int) -> None:
        """CLEAR_FEATURE(ENDPOINT_HALT)."""
        self._note(Event("clear-halt", endpoint))
        self.__state.halted.discard(endpoint)
        pipe = self.__state.pipes.get(endpoint)
        if pipe is not None:
            pipe.halted = False
            pipe.feed()

    def configure(self, value: int) -> bool:
        """SET_CONFIGURATION; False: there is no such configuration."""
        if value not in (0, self.configuration[5]):
            return False
        self._note(Event("configuration", length=value))
        self.__state.value = value
        self.__state.alternates = dict.fromkeys(self.__state.alternates, 0)
        self._clear()
        return True

    def set_interface(self, number: int, alternate: int) -> bool:
        """SET_INTERFACE; False: there is no such setting."""
        known = [i for i in self.interfaces if (i.number, i.alternate) == (number, alternate)]
        if not known:
            return False
        self._note(Event("interface", number, length=alternate))
        self.__state.alternates[number] = alternate
        for endpoint in known[0].endpoints:
            self.clear_halt(endpoint.address)
        return True

    def reset(self, value: int = 0) -> None:
        """Reset the bus; *value*: the configuration that the kernel restores unasked."""
        self._note(Event("reset"))
        self.__state.value = value
        self._clear()

    def enumerated(self) -> None:
        """Take the configuration that a kernel chooses for a new device, without a request."""
        self.__state.value = self.configuration[5]

    # Inside

    def _note(self, event: Event) -> None:
        self.__state.trace.append(event)
        self.__state.noted()

    def _clear(self) -> None:
        self.__state.halted.clear()
        for pipe in self.__state.pipes.values():
            pipe.clear()
        self.call_model(self.on_reset)

    def call_model(self, method: Callable[..., Any], *arguments: object) -> tuple[bool, Any]:
        """Call a function of the subclass; return whether it succeeded, and what it returned.

        A mistake in it is told with its place and is a stall for the host, whose program would
        otherwise lose its bus.
        """
        try:
            return True, method(*arguments)
        except Exception as exc:
            print(f"{type(self).__name__}: {method.__qualname__} failed:", file=sys.stderr)
            traceback.print_exc()
            self._note(Event("error", status=-EPIPE, note=f"{type(exc).__name__}: {exc}"))
            return False, None

    def _meet(self, endpoint: int) -> Fault | None:
        """Return the fault that an OUT or control transfer meets."""
        fault = self.__state.faults.meet(endpoint)
        if fault is not None:
            self._note(Event("fault", endpoint, note=fault.kind))
        return fault

    def _when_due(
        self, fault: Fault | None, key: object, deliver: Callable[[], None], done: Done
    ) -> None:
        """Deliver an OUT or control request, at once or as *fault* says."""

        def late() -> None:
            if self.__state.held.pop(key, None) is not None:
                deliver()

        kind = fault.kind if fault else ""
        if kind == "unplug":
            self.unplug()
        if self.__state.is_gone:
            done(-ESHUTDOWN, b"")
        elif kind in ("slow", "hang"):
            self.__state.held[key] = done
            if fault and kind == "slow":
                self.__state.call_later(fault.seconds, late)
        else:
            deliver()

    def _send_faulty(self, pipe: Pipe, endpoint: int, data: bytes, zlp: bool, fault: Fault) -> None:
        """Queue a transfer as *fault* disfigures it."""
        kind = fault.kind
        if kind == "short":
            pipe.put(data[: fault.size], zlp)
        elif kind == "surplus":
            pipe.put(data + fault.data, zlp)
        elif kind == "replace":
            pipe.put(fault.data, zlp)
        elif kind == "repeat":
            pipe.put(self.__state.last.get(endpoint, b""), zlp)
        elif kind == "babble":
            pipe.mark(Pipe.babble)
        elif kind == "unplug":
            whole = fault.size // pipe.packet * pipe.packet
            if whole:
                pipe.put(data[:whole], False)
            pipe.mark(self._vanish)
        elif kind != "drop":
            if kind == "empty":
                pipe.put(b"", False)
            else:
                pipe.mark(Pipe.halt if kind == "stall" else self._hold(pipe, fault))
            pipe.put(data, zlp)

    def _vanish(self, pipe: Pipe) -> bool:
        self.unplug()
        return True

    def _hold(self, pipe: Pipe, fault: Fault) -> Callable[[Pipe], bool]:
        """Return a mark that holds the FIFO for the fault's seconds, or for ever."""
        released = []

        def release() -> None:
            released.append(True)
            pipe.feed()

        if fault.kind == "slow":
            self.__state.call_later(fault.seconds, release)
        return lambda _: bool(released)

    def _answer(self, setup: Setup, data: bytes) -> bytes | None:
        """Answer a control request; None: stall."""
        if setup.request_type & 0x60:
            answer: bytes | None = self.call_model(self.control, setup, data)[1]
            return answer
        if setup.request_type & 0x80:
            answer = self._get(setup)
            return None if answer is None else answer[: setup.length]
        return b"" if self._set(setup) else None

    def _get(self, setup: Setup) -> bytes | None:
        """Answer a standard request for data."""
        if setup.request == GET_DESCRIPTOR:
            return self._descriptor(setup.value >> 8, setup.value & 0xFF)
        if setup.request == GET_CONFIGURATION:
            return bytes((self.__state.value,))
        if setup.request == GET_INTERFACE and setup.index in self.__state.alternates:
            return bytes((self.__state.alternates[setup.index],))
        if setup.request == GET_STATUS:
            return struct.pack("<H", self._status(setup.request_type, setup.index))
        return None

    def _set(self, setup: Setup) -> bool:
        """Carry out a standard request without data; False: stall."""
        if setup.request == SET_CONFIGURATION:
            return self.configure(setup.value)
        if setup.request == SET_INTERFACE:
            return self.set_interface(setup.index, setup.value)
        if setup.request not in (CLEAR_FEATURE, SET_FEATURE):
            return False
        if setup.request_type == TO_ENDPOINT and setup.value == ENDPOINT_HALT:
            act = self.clear_halt if setup.request == CLEAR_FEATURE else self.stall
            act(setup.index & 0xFF)
        return True

    def _status(self, request_type: int, index: int) -> int:
        """Return what GET_STATUS asks for: halted, or self-powered."""
        if request_type & 0x1F == TO_ENDPOINT:
            pipe = self.__state.pipes.get(index & 0xFF)
            return int(pipe.halted if pipe else index & 0xFF in self.__state.halted)
        return 0 if request_type & 0x1F else 1

    def _descriptor(self, kind: int, index: int) -> bytes | None:
        if kind == descriptors.DEVICE:
            return self.descriptor
        if kind == descriptors.CONFIGURATION:
            return self.configuration if index == 0 else None
        if kind == descriptors.STRING:
            return descriptors.string_descriptor(self.strings, index)
        if kind == descriptors.BOS and self.speed == descriptors.SUPER:
            return descriptors.bos_descriptor()
        return None


# What a subclass cannot have for something else: all methods but the three that it implements.
TAKEN = frozenset(
    name
    for name, item in vars(UsbDevice).items()
    if (callable(item) or isinstance(item, property)) and not name.startswith("__")
) - {"on_out", "control", "on_reset"}
HOOKS = frozenset(name for name, item in vars(UsbDevice).items() if isinstance(item, Hook))
