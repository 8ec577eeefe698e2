"""Options of an open device as they cross the network: descriptors, and values in and out.

It knows option handles and records. What a client says of sizes is checked here: nothing is
believed that the descriptor does not say. Source: net-protocol 2.7, 3.5, 3.6 and 9.2.
"""

from __future__ import annotations

from .. import const
from ..errors import Invalid
from ..option import Range
from ..wire import messages, records
from ..wire.codec import ARRAY_BYTES, POINTER_BYTES, WORD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..handle import Handle
    from ..option import Option

# What clients can take in one reply: their limit of 1 MiB, less what they hold of other handles.
MOST_BYTES = ARRAY_BYTES - (1 << 17)


def describe(handle: Handle) -> list[messages.Descriptor]:
    """Return all option descriptors; drivers see that each was fetched.

    Raises Invalid if the list is longer than clients accept.
    """
    found = [describe_option(handle, index) for index in range(len(handle.options))]
    size = sum(descriptor_bytes(descriptor) for descriptor in found)
    if size > MOST_BYTES:
        raise Invalid(f"{len(found)} descriptors need {size} bytes, limit {MOST_BYTES}")
    return found


def describe_option(handle: Handle, index: int) -> messages.Descriptor:
    """Return the descriptor of one option as it is now."""
    option = handle.descriptor(index)
    kind, constraint = constraint_of(handle.options.constraints[index])
    return messages.Descriptor(
        option.name or "",
        option.title,
        option.desc,
        option.type,
        option.unit,
        option.size,
        handle.options.caps[index],
        kind,
        constraint,
    )


def constraint_of(constraint: Any) -> tuple[int, Any]:
    """Return type and value of a constraint for a message."""
    if constraint is None:
        return const.CONSTRAINT_NONE, None
    if isinstance(constraint, Range):
        limits = records.Range(constraint.min, constraint.max, constraint.quant)
        return const.CONSTRAINT_RANGE, limits
    if isinstance(constraint[0], str):
        return const.CONSTRAINT_STRING_LIST, constraint
    return const.CONSTRAINT_WORD_LIST, constraint


def descriptor_bytes(descriptor: messages.Descriptor) -> int:
    """Return what a client's decoder counts for a descriptor (2.7)."""
    size = POINTER_BYTES + messages.DESCRIPTOR_BYTES
    size += texts_bytes((descriptor.name, descriptor.title, descriptor.desc))
    kind, constraint = descriptor.constraint_type, descriptor.constraint
    if kind == const.CONSTRAINT_RANGE:
        size += records.RANGE_BYTES
    elif kind == const.CONSTRAINT_WORD_LIST:
        size += WORD_BYTES * (len(constraint) + 1)
    elif kind == const.CONSTRAINT_STRING_LIST:
        size += POINTER_BYTES * (len(constraint) + 1) + texts_bytes(constraint)
    return size


def device_list_bytes(devices: Iterable[messages.Device]) -> int:
    """Return what a client's decoder counts for a list of devices (2.7)."""
    size = POINTER_BYTES
    for device in devices:
        size += POINTER_BYTES + messages.DEVICE_BYTES
        size += texts_bytes((device.name, device.vendor, device.model, device.type))
    return size


def texts_bytes(texts: Iterable[str | None]) -> int:
    """Return how many bytes texts have with their NULs."""
    return sum(len((text or "").encode("utf-8", "surrogateescape")) + 1 for text in texts)


def control(handle: Handle, request: messages.ControlOption) -> messages.ControlReply:
    """Carry out CONTROL_OPTION; raises Invalid for a request that does not fit its option."""
    index = request.option
    if not 0 <= index < len(handle.options):
        raise Invalid(f"option {index}: this device has {len(handle.options)} options")
    option = handle.options.declared[index]
    if request.action == const.ACTION_SET_AUTO:
        info = handle.set_auto(index)
        return messages.ControlReply(const.STATUS_GOOD, info, option.type, 0, b"", None)
    if request.value_type != option.type:
        raise Invalid(f"option {index} is of type {option.type}, not {request.value_type}")
    if request.action == const.ACTION_GET_VALUE:
        check_size(option, request, may_be_empty=option.type == const.TYPE_STRING)
        value, info = handle.get(index), 0
    elif request.action == const.ACTION_SET_VALUE:
        check_size(option, request, may_be_empty=False)
        value, info = handle.set(index, given_value(option, request.value))
    else:
        raise Invalid(f"option {index}: unknown action {request.action}")
    size = 0 if option.type >= const.TYPE_BUTTON else request.value_size
    value = value[: option.size][:size].ljust(size, b"\0")
    return messages.ControlReply(const.STATUS_GOOD, info, option.type, size, value, None)


def check_size(option: Option, request: messages.ControlOption, *, may_be_empty: bool) -> None:
    """Raise Invalid unless the sizes in *request* agree with each other and with *option*.

    may_be_empty: the array that GET sends along, with nothing in it that counts, may be left out.
    """
    size, sent = request.value_size, len(request.value)
    if option.type >= const.TYPE_BUTTON:
        return
    if not 0 <= size <= ARRAY_BYTES:
        raise Invalid(f"option {option.name}: a value of {size} bytes")
    if sent != size and not (may_be_empty and sent == 0):
        raise Invalid(f"option {option.name}: {sent} bytes are called {size}")
    if option.type != const.TYPE_STRING and size < option.size:
        raise Invalid(f"option {option.name}: {size} bytes, not {option.size}")


def given_value(option: Option, value: bytes) -> bytes:
    """Return the bytes to set; raises Invalid for a text that is longer than every choice.

    A text ends at its NUL, or where the client's bytes do. It is cut so that with a NUL behind it
    it fits into the option's size: that is all the memory that a C backend has for it.
    """
    if option.type != const.TYPE_STRING:
        return value[: option.size]
    text = value.partition(b"\0")[0]
    room = max(option.size - 1, 0)
    if len(text) > room and option.constraint is not None:
        raise Invalid(f"option {option.name}: {text!r} is longer than every choice")
    return text[:room] + b"\0"


def refuse(request: messages.ControlOption, status: int) -> messages.ControlReply:
    """Return the reply to a request that failed: its value goes back if its sizes agree."""
    size = request.value_size if request.value_size == len(request.value) else 0
    value = request.value[:size]
    return messages.ControlReply(status, 0, request.value_type, size, value, None)
