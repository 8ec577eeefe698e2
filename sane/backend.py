"""What a driver author sees: Backend, Device, and the names that both use.

A backend lists and opens devices; a device has options, parameters, a scan and a close. Neither
knows who calls. This module is the whole contract; docs/driver-guide.md shows it at work.
"""

from __future__ import annotations

import _thread
import sys

from . import config, errors, image, option
from .cancel import NeverCancelled
from .const import (
    CAP_ADVANCED,
    CAP_AUTOMATIC,
    CAP_EMULATED,
    CAP_HARD_SELECT,
    CAP_INACTIVE,
    CAP_SOFT_DETECT,
    CAP_SOFT_SELECT,
    FRAME_BLUE,
    FRAME_GRAY,
    FRAME_GREEN,
    FRAME_RED,
    FRAME_RGB,
    INFO_INEXACT,
    INFO_RELOAD_OPTIONS,
    INFO_RELOAD_PARAMS,
    UNIT_BIT,
    UNIT_DPI,
    UNIT_MICROSECOND,
    UNIT_MM,
    UNIT_NONE,
    UNIT_PERCENT,
    UNIT_PIXEL,
)
from .debug import Debug
from .listed import DeviceInfo
from .option import Range, when
from .param import Area, Parameters, PixelArea
from .policy import Policy
from .values import Options, collect

NOTHING_SET = config.Environment({})

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, ClassVar, Protocol, TypeVar

    class Document(Protocol):
        """The bytes of an encoded page."""

        def read_into(self, view: memoryview) -> int:
            """Write the next bytes into *view*; return how many, 0 at the end."""

    Answer = TypeVar("Answer")

    from .cancel import Cancel, CancelOf
    from .discovery.identity import usb_of, uuid_of
    from .feeder import Feeder
    from .network_backend import NetworkBackend, Place
    from .option import Option
    from .transport.failures import Disconnected, NoAnswer, Untrusted
    from .transport.http import Http
    from .transport.opening import Target
    from .transport.tls import Trust
    from .transport.url import Url
    from .usb.failures import Garbled, Overflowed, Stalled, TimedOut, UsbError
    from .usb.handle import Usb
    from .usb.registers import BulkPort, ControlPort, Field, Registers
    from .usb.scsi import ScsiRules
    from .usb_backend import UsbBackend
    from .usb_network_backend import UsbNetworkBackend

__all__ = [
    "CAP_ADVANCED",
    "CAP_AUTOMATIC",
    "CAP_EMULATED",
    "CAP_HARD_SELECT",
    "CAP_INACTIVE",
    "CAP_SOFT_DETECT",
    "CAP_SOFT_SELECT",
    "FRAME_BLUE",
    "FRAME_GRAY",
    "FRAME_GREEN",
    "FRAME_RED",
    "FRAME_RGB",
    "INFO_INEXACT",
    "INFO_RELOAD_OPTIONS",
    "INFO_RELOAD_PARAMS",
    "UNIT_BIT",
    "UNIT_DPI",
    "UNIT_MICROSECOND",
    "UNIT_MM",
    "UNIT_NONE",
    "UNIT_PERCENT",
    "UNIT_PIXEL",
    "Area",
    "Backend",
    "BulkPort",
    "CancelOf",
    "ControlPort",
    "Debug",
    "Device",
    "DeviceInfo",
    "Disconnected",
    "Feeder",
    "Field",
    "Garbled",
    "Http",
    "NetworkBackend",
    "NoAnswer",
    "Overflowed",
    "Parameters",
    "PixelArea",
    "Place",
    "Range",
    "Registers",
    "ScsiRules",
    "Stalled",
    "Target",
    "TimedOut",
    "Trust",
    "Untrusted",
    "Url",
    "Usb",
    "UsbBackend",
    "UsbError",
    "UsbNetworkBackend",
    "errors",
    "image",
    "option",
    "usb_of",
    "uuid_of",
    "when",
]


LATE = {  # names of lower rooms, loaded when a driver asks: the others are not to pay for them
    "Usb": "usb.handle",
    **dict.fromkeys(("BulkPort", "ControlPort", "Field", "Registers"), "usb.registers"),
    **dict.fromkeys(("Garbled", "Overflowed", "Stalled", "TimedOut", "UsbError"), "usb.failures"),
    "ScsiRules": "usb.scsi",
    "Feeder": "feeder",
    "CancelOf": "cancel",
    **dict.fromkeys(("Disconnected", "NoAnswer", "Untrusted"), "transport.failures"),
    "Http": "transport.http",
    "Target": "transport.opening",
    "Trust": "transport.tls",
    "Url": "transport.url",
    **dict.fromkeys(("usb_of", "uuid_of"), "discovery.identity"),
}


def __getattr__(name: str) -> Any:
    """Load a base of backends, or a name of LATE."""
    if name == "UsbBackend":
        from .usb_backend import UsbBackend

        return UsbBackend
    if name in ("NetworkBackend", "Place"):
        from . import network_backend

        return getattr(network_backend, name)
    if name == "UsbNetworkBackend":
        from .usb_network_backend import UsbNetworkBackend

        return UsbNetworkBackend
    if name not in LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{LATE[name]}", __package__), name)


_opening = _thread._local()  # debug, is_live: for the devices that this thread makes now


class Device(Policy):
    """One open device. Options are class attributes; state of a scan lives on the object.

    The framework makes one call at a time, never two beside each other. Raise errors.NoDocs,
    Jammed, CoverOpen, DeviceBusy...; an OSError is an I/O error. Never return a status. Policy
    has what few drivers need.
    """

    declared: ClassVar[tuple[Option, ...]] = collect(object)

    blocking = ""
    """"thread" if read_into may block elsewhere than in wait: it then runs in its own thread."""

    reader: object | None = None
    """A capsule "pysane.reader" set by start: the C side reads this frame without Python."""

    descriptor: int | None = None
    """Set by start: a descriptor that is readable whenever read_into would not wait. select then
    watches it, and no thread reads ahead. After set_non_blocking(True), read_into returns None when
    there are no data yet."""

    encoded: ClassVar[tuple[str, ...]] = ()
    """MIME types in which document() gives a page. Python programs and the web server ask for it;
    it does not appear at the C ABI or in SANE's network protocol."""

    wanted_mime = ""
    """Set before start, for devices that must be told how to send the page: the type of ``encoded``
    in which document() will be asked for the page, "" if read_into will be asked for the frame."""

    keeps_encoded = False
    """Set before start: read_into is asked for the frame, and afterwards document() for the page as
    the device sent it. So read_into has to keep those bytes."""

    waits_in_c = False
    """Its waits may last in C code, where Python runs no signal handler: a Python program's main
    thread lets another one call it. USB handles that belong to a device set it."""

    is_live = True
    """False if a recorded session answers in place of a device: wait then returns at once."""

    options: Options
    debug: Debug
    cancel_request: Cancel

    latched: set[str]
    """Buttons that were pressed and not read yet. A driver may add buttons that it learns of in
    another way than by pressed_buttons."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.declared = collect(cls, RESERVED)

    def __new__(cls, *args: object, **kwargs: object) -> Device:
        self = super().__new__(cls)
        self.options = Options(cls.declared)
        self.latched = set()
        self.debug = getattr(_opening, "debug", None) or Debug(cls.__name__, NOTHING_SET)
        self.is_live = getattr(_opening, "is_live", True)
        never: Any = NeverCancelled()  # opening cannot be cancelled, but it waits
        self.cancel_request = never
        return self

    def parameters(self) -> Parameters:
        """Return the parameters of the frame being read, else of the next; no I/O."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin the next frame: the first, the next colour, or the next page (NoDocs if none)."""
        raise NotImplementedError

    def read_into(self, view: memoryview) -> int | None:
        """Write image bytes into *view*; return how many, 0 at the end of the frame.

        view: writable uint8, lent for this call only. Block until there is a byte, waiting only
        in self.wait.
        """
        raise NotImplementedError

    def document(self, mime: str) -> Document:
        """Return a reader of the page that start has begun, as the device sends it in *mime*.

        It is called in place of read_into, or with keeps_encoded after the end of the frame. The
        reader's read_into(view) is like that of a Device. The framework does not look at the bytes.
        """
        raise errors.Unsupported(f"the device does not send {mime}")

    def set_non_blocking(self, non_blocking: bool) -> None:
        """Take over the mode of reading; called only while ``descriptor`` is set."""

    def frame_ended(self) -> None:
        """Called after the last byte of a frame was delivered; most drivers need not know."""

    def finish(self, aborted: bool) -> None:
        """End the job: lamp off, paper out. It may talk to the device, and wait.

        Called once for each job, on an ordinary thread, never in a signal handler.
        """

    def close(self) -> None:
        """Release the device; called once, also after errors."""

    def wait(self, seconds: float | None, fd: int | None = None) -> bool:
        """Wait until *fd* is readable (True) or *seconds* passed (False; None: no limit).

        Raises errors.Cancelled as soon as the frontend cancels.
        """
        if not self.is_live and fd is None:
            seconds = 0.0
        return self.cancel_request.wait(seconds, fd)

    def until(
        self,
        condition: Callable[[], Answer],
        seconds: float,
        every: float = 0.2,
        *,
        busy: type[BaseException] | tuple[type[BaseException], ...] = (),
        what: str = "the device",
    ) -> Answer:
        """Call condition() every *every* seconds until its answer is true; return that answer.

        busy: errors of condition() that mean "not yet", as errors.DeviceBusy. When *seconds* have
        passed, condition() is called a last time; if it raises one of these errors, that is
        raised, and if its answer is false, DeviceBusy, which names *what*. Any other error of
        condition() is raised at once. A cancel ends the pause with Cancelled.
        """
        from time import monotonic

        end = monotonic() + seconds
        while True:
            is_last = monotonic() >= end
            try:
                answer = condition()
                if answer:
                    return answer
            except busy:
                if is_last:
                    raise
            if is_last:
                raise errors.DeviceBusy(f"{what} is not ready after {seconds:g} s")
            self.wait(min(every, max(0.0, end - monotonic())))

    def conditions(self) -> Sequence[errors.SaneError] | None:
        """Return what the scanner says that may stand in the way of a scan; None: it does not say.

        errors.NoDocs for an empty feeder, Jammed, CoverOpen; [] when all is well. Called between
        jobs; it may ask the device, and moves nothing.
        """
        return None

    # Buttons of the scanner: see option.latched

    def pressed_buttons(self) -> Iterable[str]:
        """Return the attributes of the option.latched() that were pressed since the last call."""
        return ()

    def take_press(self, attribute: str) -> bool:
        """Tell whether this button was pressed since it was last asked for; forget the press."""
        if not self.options.is_reading:
            for name in self.pressed_buttons():
                if not isinstance(getattr(type(self), name, None), option.Bool):
                    raise errors.Misbehaved(f"pressed_buttons: no option {name!r}")
                self.latched.add(name)
        is_pressed = attribute in self.latched
        self.latched.discard(attribute)
        return is_pressed

    def report(self, call: str, exc: BaseException) -> None:
        """Write one debug line that says which call of this driver failed and why.

        A mistake in the driver is always shown, with its place; a status from level 1 on.
        """
        self.debug(debug_level(exc), "%s", describe(call, exc))


RESERVED = frozenset([*dir(Device), *Device.__annotations__])  # no option can be called so


def debug_level(exc: BaseException) -> int:
    """Return from which level on *exc* is shown: 0 for a mistake in a driver, 1 for a status."""
    if isinstance(exc, errors.EndOfFrame):
        return 4  # the normal end of every frame
    expected = isinstance(exc, errors.SaneError | OSError)
    return 1 if expected and not isinstance(exc, errors.Misbehaved) else 0


def describe(call: str, exc: BaseException) -> str:
    """Return one line: *call*, what went wrong, and for a mistake the driver's file and line."""
    text = f"{call}: {exc.__class__.__name__}: {exc}"
    is_status = isinstance(exc, errors.SaneError)
    if is_status and not isinstance(exc, errors.Misbehaved):
        return text
    place = last = ""
    found = exc.__traceback__
    while found is not None:
        last = f"{found.tb_frame.f_code.co_filename}:{found.tb_lineno}"
        if not is_ours(found.tb_frame.f_globals.get("__name__", "")):
            place = last
        found = found.tb_next
    place = place or ("" if is_status else last)
    return f"{text} ({place})" if place else text


def is_ours(module: str) -> bool:
    """Tell whether a module is the framework's or Python's: a mistake is looked for elsewhere."""
    package, _, rest = module.partition(".")
    if package == __package__:
        return rest.partition(".")[0] != "backends"
    return package in sys.stdlib_module_names and module != "__main__"


class Context:
    """What a backend is told about its frontend.

    environment: the recorded variables and directory. authorize(resource) returns user name and
    password from the frontend's callback, or raises errors.AccessDenied. callback: the callback
    that a C backend gets: a capsule with a C function; False for none; None for one that calls
    authorize.
    """

    __slots__ = ("authorize", "callback", "environment")

    def __init__(
        self,
        environment: config.Environment,
        authorize: Callable[[str], tuple[str, str]] | None = None,
        callback: object = None,
    ) -> None:
        self.environment = environment
        self.authorize = authorize or _no_authorization
        self.callback = False if authorize is None and callback is None else callback


def _no_authorization(resource: str) -> tuple[str, str]:
    raise errors.AccessDenied(f"{resource}: the frontend offers no authorization")


class Backend:
    """The devices of one kind: one object per library, from its first use to sane_exit."""

    version: ClassVar[tuple[int, int, int]] = (1, 0, 0)
    """What sane_init of this backend's own library reports: major (always 1), minor, build."""

    requires_init: ClassVar[bool] = False
    """Its own library refuses everything before sane_init, instead of initialising itself."""

    survives_exit: ClassVar[bool] = False
    """Its own library keeps the object after sane_exit, and calls init again at its next use."""

    null_name: ClassVar[str | None] = None
    """Its own library opens this device for a NULL name; None refuses it (c-abi-and-dll 1.7)."""

    is_c_backend: ClassVar[bool] = False
    """A C library of the system: its devices open on the caller's thread, without a deadline."""

    def __init__(self, name: str, context: Context) -> None:
        self.name = name
        self.set_context(context)

    def set_context(self, context: Context) -> None:
        """Take over what a new sane_init recorded."""
        self.context = context
        self.debug = Debug(self.name, context.environment)

    def read_config(self) -> list[config.Line]:
        """Return the lines of <name>.conf without comments and blank ones; [] without a file."""
        lines = config.read(self.context.environment, f"{self.name}.conf") or []
        return [line for line in lines if not (line.is_blank or line.is_comment)]

    def init(self) -> None:
        """Prepare: read the configuration. Called before anything else, once for a sane_init."""

    def open_device(self, name: str) -> Device:
        """Call open as `making` does."""
        return self.making(lambda: self.open(name))

    def making(self, make: Callable[[], Answer], *, is_live: bool = True) -> Answer:
        """Return make(): the devices that it makes in this thread are ours from __init__ on.

        They have our debug, and know whether a device answers or a recorded session.
        """
        before = getattr(_opening, "debug", None), getattr(_opening, "is_live", True)
        _opening.debug, _opening.is_live = self.debug, is_live
        try:
            return make()
        finally:
            _opening.debug, _opening.is_live = before

    def list_devices(self, local_only: bool) -> Sequence[DeviceInfo]:
        """Return the devices that are there now; *local_only*: not those over the network."""
        raise NotImplementedError

    def open(self, name: str) -> Device:
        """Return the open device *name*, "" for the first; raises errors.Invalid if unknown."""
        raise NotImplementedError

    def reaches(self, name: str) -> str:
        """Return the host that open(name) would contact only because *name* says so, else "".

        Return "" for a host that the configuration names. saned asks this because it opens names
        that strangers send, who must not make it connect to machines of their choice.
        """
        return ""

    def exit(self) -> None:
        """Release what the backend holds; its devices are closed already."""
