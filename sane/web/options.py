"""The options of a device that a worker has open: by name, with values of Python's types.

It knows descriptors as they come in SANE's network protocol, and asks the worker for values. What
options mean is known elsewhere.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from .. import const
from ..errors import text_of
from ..param import WORD_MAX, WORD_MIN, fix, unfix
from ..wire import messages
from ..wire.records import Range
from .problems import Refused, ScanFailed

if TYPE_CHECKING:
    from ..wire.messages import Descriptor
    from .process import WorkerProcess

SET_SECONDS = 30.0  # some drivers move the lamp when the source changes
SMALL = 1e-4  # of numbers that went through words


class DeviceOptions:
    """The options of the open device *handle*."""

    def __init__(self, worker: WorkerProcess, handle: int) -> None:
        self._worker = worker
        self._handle = handle
        self._by_name: dict[str, tuple[int, Descriptor]] = {}

    async def fetch(self) -> None:
        """Get the descriptors as they are now."""
        reply = await self._worker.call(messages.GetDescriptors(self._handle))
        found = enumerate(reply.descriptors)
        self._by_name = {each.name: (index, each) for index, each in found if each.name}

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def names(self) -> list[str]:
        """Return all names, in the driver's order."""
        return list(self._by_name)

    def descriptor(self, name: str) -> Descriptor:
        """Return what describes an option; raises Refused if there is none."""
        if name not in self._by_name:
            raise Refused(name, f"the scanner has no option {name}")
        return self._by_name[name][1]

    def is_usable(self, name: str) -> bool:
        """Tell whether it is there, active, and programs can set it."""
        if name not in self._by_name:
            return False
        cap = self._by_name[name][1].cap
        return bool(cap & const.CAP_SOFT_SELECT) and not cap & const.CAP_INACTIVE

    def is_sensor(self, name: str) -> bool:
        """Tell whether only the device changes it, and it can be read."""
        found = self._by_name[name][1]
        wanted = const.CAP_SOFT_DETECT
        cap = found.cap & (const.CAP_SOFT_DETECT | const.CAP_SOFT_SELECT | const.CAP_INACTIVE)
        return cap == wanted and found.type <= const.TYPE_INT

    def choices(self, name: str) -> list[Any]:
        """Return the values of a list constraint; none for others."""
        found = self.descriptor(name)
        if found.constraint_type == const.CONSTRAINT_STRING_LIST:
            return [text for text in found.constraint if text is not None]
        if found.constraint_type == const.CONSTRAINT_WORD_LIST:
            return [_number(found, word) for word in found.constraint]
        return []

    def limits(self, name: str) -> tuple[float, float] | None:
        """Return the least and the largest value of a number; None if it has no limits."""
        found = self.descriptor(name)
        if isinstance(found.constraint, Range):
            return _number(found, found.constraint.min), _number(found, found.constraint.max)
        values = self.choices(name)
        return (min(values), max(values)) if values else None

    def step(self, name: str) -> int:
        """Return by how much at least a number changes, in whole numbers; 1 if it does not say."""
        found = self.descriptor(name)
        is_range = isinstance(found.constraint, Range)
        return max(1, round(_number(found, found.constraint.quant))) if is_range else 1

    def nearest(self, name: str, value: float) -> float:
        """Return the value that the constraint allows and that is nearest to *value*."""
        found = self.descriptor(name)
        values = self.choices(name)
        if values:
            return float(min(values, key=lambda each: abs(each - value)))
        limits = self.limits(name)
        if limits is None:
            return value
        value = min(max(value, limits[0]), limits[1])
        step = _number(found, found.constraint.quant)
        if step > 0:
            value = limits[0] + round((value - limits[0]) / step) * step
            value = value - step if value > limits[1] + SMALL else value
        return value

    async def get(self, name: str) -> Any:
        """Return the value: bool, int, float or text; of a vector a list."""
        found = self.descriptor(name)
        index = self._by_name[name][0]
        reply = await self._control(index, found, const.ACTION_GET_VALUE, bytes(found.size))
        return value_of(found, reply.value)

    async def set(self, name: str, value: Any) -> None:
        """Set the value; raises Refused. What else changes by it is fetched."""
        found = self.descriptor(name)
        index = self._by_name[name][0]
        if not self.is_usable(name):
            raise Refused(name, f"option {name} cannot be set now")
        reply = await self._control(index, found, const.ACTION_SET_VALUE, data_of(found, value))
        if reply.info & const.INFO_RELOAD_OPTIONS:
            await self.fetch()

    async def _control(self, index: int, found: Descriptor, action: int, data: bytes) -> Any:
        request = messages.ControlOption(self._handle, index, action, found.type, len(data), data)
        reply = await self._worker.call(request, SET_SECONDS)
        if reply.status == const.STATUS_INVAL:
            raise Refused(found.name or "", f"the scanner refuses this value of {found.name}")
        if reply.status:
            text = f"option {found.name}: {text_of(reply.status)}"
            raise ScanFailed(reply.status, text)
        return reply


def _number(found: Descriptor, word: int) -> float:
    return unfix(word) if found.type == const.TYPE_FIXED else word


def value_of(found: Descriptor, data: bytes) -> Any:
    """Return a value from the bytes that cross the C ABI."""
    if found.type == const.TYPE_STRING:
        return data.partition(b"\0")[0].decode("utf-8", "surrogateescape")
    words = struct.unpack(f"={len(data) // 4}i", data[: len(data) & ~3])
    if found.type == const.TYPE_BOOL:
        values: list[Any] = [bool(word) for word in words]
    else:
        values = [_number(found, word) for word in words]
    return values[0] if len(values) == 1 else values


def data_of(found: Descriptor, value: Any) -> bytes:
    """Return a value as the bytes that cross the C ABI; raises Refused if it does not fit."""
    name = found.name or ""
    if found.type == const.TYPE_BUTTON:
        return b""
    if found.type == const.TYPE_STRING:
        if not isinstance(value, str):
            raise Refused(name, f"{name}: {value!r} is no text")
        data = value.encode("utf-8", "surrogateescape") + b"\0"
        if len(data) > found.size:
            raise Refused(name, f"{name}: {value!r} is too long")
        return data
    values = value if isinstance(value, list | tuple) else [value]
    if len(values) * 4 != found.size or isinstance(value, str):
        raise Refused(name, f"{name}: {value!r} is not {found.size // 4} number(s)")
    try:
        words = [fix(each) if found.type == const.TYPE_FIXED else round(each) for each in values]
    except (TypeError, ValueError, OverflowError):
        raise Refused(name, f"{name}: {value!r} is no number") from None
    if any(not WORD_MIN <= word <= WORD_MAX for word in words):
        raise Refused(name, f"{name}: {value!r} is out of range")
    return struct.pack(f"={len(words)}i", *words)
