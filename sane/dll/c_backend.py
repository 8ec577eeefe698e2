"""A C backend and its devices for Python callers: Backend and Handle over sane.dll.native.

It knows option descriptors and the states of a scan as a frontend sees them; what the functions
of a C library look like is native's business. C programs call the library directly instead.
Source: SANE standard 4.2.9 and 4.3; c-abi-and-dll 4.5 to 4.9.
"""

from __future__ import annotations

import sys

from .. import const
from ..backend import Backend, Device, DeviceInfo
from ..cancel import Cancel
from ..errors import EndOfFrame, Invalid, Misbehaved
from ..handle import Handle
from ..listed import is_printable, printable
from ..option import WORD_SIZE, Bool, Button, Fixed, Group, Int, Option, String, WordRange
from ..threads import Turns
from ..values import Options
from .turns import OrderedDevice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..backend import Context
    from ..debug import Debug
    from ..param import Parameters
    from . import native

MOST_BYTES = 1 << 24  # of an option's value: a larger size is nonsense
MOST_OPTIONS = 10_000
LOCAL_NAMES = ("libusb:", "/dev/")  # with which every C backend names devices of this machine
NOTHING_YET_SECONDS = 0.01  # a backend that reads nothing without an error is asked again
CLASSES = {
    const.TYPE_BOOL: Bool,
    const.TYPE_INT: Int,
    const.TYPE_FIXED: Fixed,
    const.TYPE_STRING: String,
    const.TYPE_BUTTON: Button,
}


class CBackend(Backend):
    """One C library of the system; open returns a native.Device, not a Device."""

    is_c_backend = True

    def __init__(self, name: str, context: Context, library: native.Library, debug: Debug) -> None:
        self.name = name
        self.context = context
        self.library = library
        self.debug = debug  # of dll: under its own name the library itself writes
        self.turns = Turns()

    def init(self) -> None:
        callback = self.context.callback
        if callback is None:
            callback = self.context.authorize
        version = self.library.init(callback)
        self.debug(4, "backend %s reports version 0x%08x", self.name, version)

    def list_devices(self, local_only: bool) -> list[DeviceInfo]:
        found = []
        with self.turns:
            listed = self.library.list_devices(local_only)
        for name, vendor, model, type in listed:
            if not name:
                self.debug(0, "backend %s lists a device without a name", self.name)
            elif not is_printable(name):
                self.debug(0, "backend %s lists %r, which cannot be shown", self.name, name)
            else:
                texts = (vendor or "Noname", model or "scanner", type or "scanner")
                found.append(DeviceInfo(name, *map(printable, texts)))
        return found

    def open(self, name: str) -> native.Device:  # type: ignore[override]
        """Open device *name* on the caller's thread: only there may it be asked for a password."""
        callback = self.context.callback
        with self.turns:
            return self.library.open(name, self.context.authorize if callback is None else None)

    def reaches(self, name: str) -> str:
        """A C backend does not tell: what is no device of this machine may be anywhere."""
        if name.startswith(LOCAL_NAMES):
            return ""
        return "" if name in {device.name for device in self.list_devices(True)} else name

    def exit(self) -> None:
        self.library.close()


class COptions(Options):
    """The options of a C backend's device, as its descriptors say when they were last looked at."""

    __slots__ = ("_debug", "_device")

    def __init__(self, device: OrderedDevice, debug: Debug) -> None:
        self._device = device
        self._debug = debug
        count = self._count()
        self.declared = list[Option](Group("") for _ in range(count))  # type: ignore[assignment]
        for index, option in enumerate(self.declared):
            option.index = index
        self.caps = [const.CAP_INACTIVE] * count
        self.constraints = [None] * count
        self.values = bytearray()
        self.direct = bytearray(count)
        self.is_reading = False
        self.changed = []
        self.dependents = {}
        self.refresh()

    def _count(self) -> int:
        value = bytearray(WORD_SIZE)
        self._device.control(0, const.ACTION_GET_VALUE, value)
        count = int.from_bytes(value, sys.byteorder, signed=True)
        if not 0 < count <= MOST_OPTIONS:
            raise Misbehaved(f"a device with {count} options")
        return count

    def refresh(self) -> None:
        """Look at all descriptors anew."""
        for index in range(len(self.declared)):
            self.look(index)

    def refresh_direct(self, device: Device) -> None:
        """Nothing: a C program does not come here."""

    def descriptor(self, device: Device, index: int) -> Option:
        return self.look(super().descriptor(device, index).index)

    def access(self, device: Device, index: int, action: int) -> Option:
        """Any: the backend itself decides what an option allows."""
        return self.descriptor(device, index)

    def get(self, device: Device, option: Option) -> bytes:
        value = bytearray(max(option.size, WORD_SIZE) + 1)
        self._control(option.index, const.ACTION_GET_VALUE, value)
        return _value(option, value)

    def set(self, device: Device, option: Option, data: bytes) -> tuple[bytes, int]:
        if option.type < const.TYPE_STRING and len(data) != option.size:
            raise Invalid(f"option {option.name}: {len(data)} bytes, not {option.size}")
        if option.type == const.TYPE_STRING:
            # With its NUL it has to fit into the size: the library may copy it as it is.
            data = data.partition(b"\0")[0][: max(option.size - 1, 0)]
        value = bytearray(max(option.size, len(data), WORD_SIZE) + 1)
        value[: len(data)] = data
        info = self._control(option.index, const.ACTION_SET_VALUE, value)
        return _value(option, value), info

    def set_auto(self, device: Device, option: Option) -> int:
        value = bytearray(max(option.size, WORD_SIZE))
        return self._control(option.index, const.ACTION_SET_AUTO, value)

    def _control(self, index: int, action: int, value: bytearray) -> int:
        info = self._device.control(index, action, value)
        if info & const.INFO_RELOAD_OPTIONS:
            self.refresh()
        return info

    def look(self, index: int) -> Option:
        """Look at one descriptor anew; an option without one is a group without a title."""
        described = self._device.descriptor(index)
        option: Option = Group("") if described is None else option_of(described)
        option.index = index
        self.caps[index] = option.cap
        self.constraints[index] = option.constraint
        self.declared[index] = option  # type: ignore[index]
        if described is None:
            self._debug(1, "option %d has no descriptor", index)
            self.caps[index] = const.CAP_INACTIVE
        return option


def option_of(described: native.Descriptor) -> Option:
    """Return what a descriptor says as an Option; whatever makes no sense in it is left out."""
    name, title, desc, type, unit, size, cap, constraint = described
    if not 0 <= size <= MOST_BYTES:
        raise Misbehaved(f"option {name!r}: a size of {size} bytes")
    option: Option = Group(title)
    if type in CLASSES:
        option = CLASSES[type](title, desc)
        option.name = name
        option.unit = unit
        option.size = size
        option.length = max(size // WORD_SIZE, 1)
    option.desc = desc
    option.cap = cap
    is_number = type in (const.TYPE_INT, const.TYPE_FIXED)
    if isinstance(constraint, tuple) and is_number:
        option.constraint = WordRange(*constraint)
    elif isinstance(constraint, list) and isinstance(constraint[0], int) == is_number:
        option.constraint = tuple(constraint)
    return option


class CDevice(Device):
    """The device as the states of Handle need it."""

    may_raise_sigpipe = False  # what the library does is its own business
    waits_in_c = True
    poll_buttons = False  # some C backends move or calibrate whenever they are opened
    vouches_for_parameters = True
    frame_bytes = -1  # the frame ends where the backend says so, not where the parameters do

    def __init__(self, native: OrderedDevice, debug: Debug) -> None:
        self.native = native
        self.debug = debug
        self.options = COptions(native, debug)

    def settle_options(self) -> None:
        """Nothing: the descriptors say which options are active."""

    def parameters(self) -> Parameters:
        """Ask the backend; formats beyond the standard's are its frontend's business."""
        params = self.native.parameters()
        if params.bytes_per_line < 0 or params.pixels_per_line < 0 or params.depth <= 0:
            raise Misbehaved(f"parameters: impossible sizes in {params}")
        return params

    def start(self) -> None:
        self.native.start()

    def read_into(self, view: memoryview) -> int:
        while True:
            try:
                n = self.native.read(view)
            except EndOfFrame:
                return 0
            if n:
                return n
            self.wait(NOTHING_YET_SECONDS)

    def finish(self, aborted: bool) -> None:
        self.native.cancel()

    def close(self) -> None:
        self.native.close()


class CCancel(Cancel):
    """Cancel that wakes the backend, too: its sane_cancel is called at once, in any thread."""

    __slots__ = ("_device",)

    def __init__(self, device: OrderedDevice) -> None:
        super().__init__()
        self._device = device

    def set(self) -> None:
        super().set()
        self._device.cancel()

    def interrupt(self) -> None:
        super().interrupt()
        self._device.cancel()


def _value(option: Option, data: bytearray) -> bytes:
    """Return what an option's buffer holds: a text with its NUL, or all words."""
    if option.type == const.TYPE_STRING:
        return bytes(data[: data.index(0) + 1])
    return bytes(data[: option.size]) if option.type < const.TYPE_BUTTON else b""


def handle_of(native: native.Device, turns: Turns, debug: Debug) -> Handle:
    """Return the Handle of a device for a Python caller; closes the device if that fails."""
    device = OrderedDevice(native, turns)
    try:
        cancel = CCancel(device)
        try:
            return Handle(CDevice(device, debug), cancel)
        except BaseException:
            cancel.close()
            raise
    except BaseException:
        device.close()
        raise
