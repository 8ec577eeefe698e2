"""What is kept of a device while it is on a bus, apart from the attributes of its class.

An author of a device may call an attribute `value` or `trace` without harm: what the bus needs lies
in a State of its own, and `Shown` and `Hook` are how a UsbDevice gives access to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from .faults import Faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from .model import Event, UsbDevice
    from .pipe import Done, Pipe

T = TypeVar("T")


class State:
    """The trace, the faults to come, and how the device stands with its host."""

    def __init__(self) -> None:
        self.trace: list[Event] = []
        self.faults = Faults()
        self.is_gone = False
        self.value = 0
        self.alternates: dict[int, int] = {}
        self.pipes: dict[int, Pipe] = {}
        self.halted: set[int] = set()  # OUT endpoints
        self.held: dict[object, Done] = {}  # OUT and control requests that a fault delays
        self.last: dict[int, bytes] = {}  # the last transfer sent on each endpoint
        self.call_later: Callable[..., object] = _no_clock
        self.leaving: Callable[[], object] = _nothing
        self.unplugged: Callable[[], object] = _nothing
        self.noted: Callable[[], object] = _nothing


def state_of(device: UsbDevice) -> State:
    """Return the state of *device*, whatever its attributes are called."""
    state: State = device.__dict__["_UsbDevice__state"]
    return state


class Shown(Generic[T]):
    """An attribute of the state that a device shows; a subclass may have its own instead."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, device: None, owner: type) -> Self: ...
    @overload
    def __get__(self, device: UsbDevice, owner: type) -> T: ...
    def __get__(self, device: UsbDevice | None, owner: type) -> Self | T:
        return self if device is None else getattr(state_of(device), self.name)


class Hook:
    """A function of the state, which a transport or a watcher sets."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, device: UsbDevice | None, owner: type) -> Any:
        return self if device is None else getattr(state_of(device), self.name)

    def __set__(self, device: UsbDevice, value: Callable[..., object]) -> None:
        if not callable(value):
            raise AttributeError(f"{self.name!r}: every UsbDevice has a function of this name")
        setattr(state_of(device), self.name, value)


class Clock(Hook):
    """The hook call_later: a function of the subclass that fails does not end the transport."""

    def __get__(self, device: UsbDevice | None, owner: type) -> Any:
        if device is None:
            return self
        clock = state_of(device).call_later
        return lambda seconds, function: clock(seconds, lambda: device.call_model(function))


def _no_clock(seconds: float, function: Callable[[], None]) -> object:
    """Stand in for the transport's clock before there is one."""
    raise RuntimeError("the device is not plugged in: no clock")


def _nothing() -> None:
    """Stand in for whoever listens."""
