"""The values of one device's options, and which options it has: the table behind the attributes.

The bytes have the layout that crosses the C ABI, so that a frontend's GET needs no conversion.
This module knows options and their dependencies; it knows neither frontends nor scans.
"""

from __future__ import annotations

from . import const
from .errors import Invalid, Misbehaved, SaneError
from .option import WORD_SIZE, Count, Option, OptionSet, Range

# What the C side may do with an option without asking here, by index.
DIRECT_GET = 1
DIRECT_SET = 2
TELL_FETCH = 4  # tell descriptor() when a frontend fetches this option descriptor
ACTIONS = (const.ACTION_GET_VALUE, const.ACTION_SET_VALUE, const.ACTION_SET_AUTO)
NEEDED = {  # which capabilities an action needs
    const.ACTION_GET_VALUE: const.CAP_SOFT_DETECT,
    const.ACTION_SET_VALUE: const.CAP_SOFT_SELECT,
    const.ACTION_SET_AUTO: const.CAP_SOFT_SELECT | const.CAP_AUTOMATIC,
}
SHOWN = 80  # characters of a text that is no choice, in a message
NAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from typing import Any

    from .backend import Device


class Options:
    """The options of one device: their values, capabilities and constraints of this moment.

    Methods that may call the driver get the device: a reference kept here would be a cycle.

    values: the ABI bytes of all values, never resized, shared with the C side. direct: DIRECT_
    bits by index, likewise. caps, constraints: by index. changed: indices whose descriptor the C
    side must renew. is_reading: a frame is being read.
    """

    __slots__ = (
        "_is_settled",
        "caps",
        "changed",
        "constraints",
        "declared",
        "dependents",
        "direct",
        "is_reading",
        "values",
    )

    def __init__(self, declared: tuple[Option, ...]) -> None:
        self.is_reading = False
        self.direct = bytearray(len(declared))
        self.declared = declared
        self.values = bytearray(declared[-1].offset + declared[-1].size)
        self.caps = [option.cap for option in declared]
        self.constraints = [option.constraint for option in declared]
        self.changed: list[int] = []
        self.dependents: dict[str, list[Option]] = {}
        self._is_settled = False  # constraints that methods give are those of this moment
        for option in declared:
            if option.size:
                self.write(option, default_bytes(option))
            for attribute in option.depends:
                self.dependents.setdefault(attribute, []).append(option)

    def __len__(self) -> int:
        return len(self.declared)

    def read(self, option: Option) -> bytes:
        """Return the ABI bytes of *option*'s value, as many as its size."""
        return bytes(self.values[option.offset : option.offset + option.size])

    def write(self, option: Option, data: bytes) -> None:
        """Store ABI bytes as they are: no constraint is applied."""
        self.values[option.offset : option.offset + len(data)] = data

    def put(self, option: Option, value: Any) -> None:
        """Store what the driver itself gives as the value; raises Misbehaved if it is none.

        Off the grid of a range is rounded. While the driver opens or changes options, one whose
        constraint a method gives takes any value: update() rounds it when all is known.
        """
        constraint = self.constraints[option.index]
        try:
            data = encoded(option, value, constraint)
            if option.constraint_hook is None or self._is_settled:
                data = _within(option, data, constraint)
        except Invalid as exc:
            raise Misbehaved(str(exc)) from exc
        self.write(option, data)

    def is_active(self, option: Option) -> bool:
        """Tell whether *option* can be used now."""
        return not self.caps[option.index] & const.CAP_INACTIVE

    def set_active(self, option: Option, active: bool) -> bool:
        """Switch *option* on or off; return whether that changed anything."""
        cap = self.caps[option.index]
        new = cap & ~const.CAP_INACTIVE if active else cap | const.CAP_INACTIVE
        if new == cap:
            return False
        self.caps[option.index] = new
        self.changed.append(option.index)
        return True

    def update(self, device: Any, options: Sequence[Option] | None = None) -> bool:
        """Evaluate conditions and constraints of *options* (default: all) anew.

        A value outside a new constraint is rounded into it. Returns whether anything changed.
        """
        changed = False
        for option in self.declared if options is None else options:
            if option.active is not None:
                changed |= self.set_active(option, option.active(device))
            if option.constraint_hook is not None:
                changed |= self.set_constraint(option, option.constraint_hook(device))
        self._is_settled = True
        return changed

    def set_constraint(self, option: Option, constraint: Any) -> bool:
        """Give *option* a constraint, in its own units; return whether it is another one.

        A value outside is rounded into it. Raises Misbehaved for one that the standard forbids.
        """
        try:
            constraint = option.to_abi(constraint)
        except (TypeError, ValueError, OverflowError, SaneError) as exc:
            raise Misbehaved(f"option {option.name}: bad constraint {constraint!r}") from exc
        is_new = not _same(constraint, self.constraints[option.index])
        if is_new:
            self.constraints[option.index] = constraint
            self.changed.append(option.index)
        try:
            self.write(option, option.fit(self.stored(option), constraint)[0])
        except Invalid:
            self.write(option, option.encode(constraint[0]))
        return is_new

    def stored(self, option: Option) -> bytes:
        """Return the value as it would be passed to SET: a string ends at its NUL."""
        data = self.read(option)
        return data[: data.index(0) + 1] if option.type == const.TYPE_STRING else data

    # What frontends do

    def descriptor(self, device: Device, index: int) -> Option:
        """Return the option behind *index*, as a frontend fetches it; Invalid without one."""
        if not 0 <= index < len(self.declared):
            raise Invalid(f"option {index}: this device has {len(self.declared)} options")
        option = self.declared[index]
        if device.fetched is not None and index not in device.fetched:
            device.fetched.add(index)
            self.direct[index] = self.direct_access(device, option)
        return option

    def access(self, device: Device, index: int, action: int) -> Option:
        """Return the option, or raise Invalid if *action* is not allowed on it now (1.7)."""
        if device.fetched is not None and index not in device.fetched:
            raise Invalid(f"option {index}: fetch its descriptor first")
        option = self.descriptor(device, index)
        if option.type == const.TYPE_GROUP:
            raise Invalid(f"option {index} is a group")
        if not self.is_active(option):
            raise Invalid(f"option {option.name} is inactive")
        needed = NEEDED.get(action)
        if needed is None:
            raise Invalid(f"unknown action {action}")
        is_read = action == const.ACTION_GET_VALUE
        if option.cap & needed != needed or (is_read and option.type == const.TYPE_BUTTON):
            raise Invalid(f"option {option.name} does not allow action {action}")
        if self.is_reading and action not in device.frame_actions:
            verb = "read" if is_read else "set"
            raise Invalid(f"option {option.name} cannot be {verb} during a scan")
        return option

    def get(self, device: Device, option: Option) -> bytes:
        """Return the value as GET does: a sensor is asked, a string ends at its NUL."""
        if option.get_hook is not None:
            self.write(option, _answer(option, "on_get", option.get_hook(device)))
        return self.stored(option)

    def set(self, device: Device, option: Option, data: bytes) -> tuple[bytes, int]:
        """Set *option* to ABI bytes *data*; return what took effect, and the info bits.

        Raises Invalid and leaves everything as it was when the value is not acceptable.
        """
        action = const.ACTION_SET_VALUE
        if option.type == const.TYPE_BUTTON:
            return b"", self._store(device, option, action, b"")
        fitted, info = option.fit(data, self.constraints[option.index])
        info |= self._store(device, option, action, fitted)
        return self.stored(option), info

    def set_auto(self, device: Device, option: Option) -> int:
        """Let the device choose the value of *option*; return the info bits."""
        return self._store(device, option, const.ACTION_SET_AUTO, option.encode(option.auto))

    def _store(self, device: Device, option: Option, action: int, data: bytes) -> int:
        """Let the fitted *data* take effect; nothing happens when it is the value already."""
        is_button = option.type == const.TYPE_BUTTON
        if not (is_button or device.sets_always) and data == self.stored(option):
            return 0
        try:
            info = device.told_info(option, action, self.assign(device, option, data))
        finally:
            for index in self.changed:
                self.direct[index] = self.direct_access(device, self.declared[index])
        if device.fetched is not None and info & const.INFO_RELOAD_OPTIONS:
            device.fetched = {0}
            self.refresh_direct(device)
        return info

    def refresh_direct(self, device: Device) -> None:
        """Work out anew what the C side may do alone; to be called when a state has changed."""
        for option in self.declared:
            self.direct[option.index] = self.direct_access(device, option)

    def direct_access(self, device: Device, option: Option) -> int:
        """Return the DIRECT_ bits of *option* for this moment."""
        fetched = device.fetched
        if fetched is not None and option.index not in fetched:
            return TELL_FETCH
        if not self.is_active(option) or option.type >= const.TYPE_BUTTON:
            return 0
        allowed = device.frame_actions if self.is_reading else ACTIONS
        access = 0
        may_get = option.can(const.CAP_SOFT_DETECT) and const.ACTION_GET_VALUE in allowed
        if may_get and option.get_hook is None:
            access |= DIRECT_GET
        may_set = option.can(const.CAP_SOFT_SELECT) and const.ACTION_SET_VALUE in allowed
        is_simple = option.is_plain and option.length == 1
        is_noticed = option.attribute in self.dependents or device.sets_always
        is_noticed |= fetched is not None and bool(option.reloads & const.INFO_RELOAD_OPTIONS)
        if may_set and is_simple and not is_noticed:
            access |= DIRECT_SET
        return access

    # What the driver has to do with it

    def assign(self, device: Any, option: Option, data: bytes) -> int:
        """Let the fitted *data* take effect and return the info bits of a change.

        If a method of the driver raises, the value and everything that hangs on it is as before.
        """
        before = bytes(self.values), list(self.caps), list(self.constraints)
        info = option.reloads
        self._is_settled = False
        try:
            if option.set_hook is not None:
                wanted = option.set_hook(device, option.decode(data))
                limits = self.constraints[option.index]
                effective = _answer(option, "on_set", wanted, limits)
                if effective != data:
                    info |= const.INFO_INEXACT
                    data = effective
            if option.size:
                self.write(option, data)
            if option.changed_hook is not None:
                expected = bytes(self.values)
                hook: Callable[[Any], object] = option.changed_hook
                refuse(f"option {option.name}: changed", hook(device))
                info |= self._side_effects(device, expected)
            if self.update(device, self.dependents.get(option.attribute, ())):
                info |= const.INFO_RELOAD_OPTIONS
        except BaseException:
            self._restore(*before)
            raise
        finally:
            self._is_settled = True
        return info

    def _side_effects(self, device: Any, expected: bytes) -> int:
        """Return the info bits for what a method of the driver changed besides."""
        if self.values == expected:
            return 0
        info = const.INFO_RELOAD_OPTIONS
        for option in self.declared:
            place = slice(option.offset, option.offset + option.size)
            if self.values[place] != expected[place]:
                info |= option.reloads & const.INFO_RELOAD_PARAMS
        self.update(device)
        return info

    def _restore(self, values: bytes, caps: list[int], constraints: list[Any]) -> None:
        for index, option in enumerate(self.declared):
            if self.caps[index] != caps[index] or self.constraints[index] is not constraints[index]:
                self.changed.append(option.index)
        self.values[:] = values
        self.caps[:] = caps
        self.constraints[:] = constraints


def refuse(call: str, answer: object) -> None:
    """Raise Misbehaved for what a method of the driver returned that is to return nothing."""
    if answer is not None:
        raise Misbehaved(f"{call} returned {answer!r}: a failure is raised, not returned")


def encoded(option: Option, value: Any, constraint: Any) -> bytes:
    """Return option.encode(value); what is too long for a list of texts is told as not in it."""
    try:
        return option.encode(value)
    except Invalid as exc:
        if option.type == const.TYPE_STRING and isinstance(value, str) and constraint:
            raise Invalid(
                f"option {option.name}: {value[:SHOWN]!r} is not in {constraint}"
            ) from exc
        raise


def _answer(option: Option, call: str, value: Any, constraint: Any = None) -> bytes:
    """Return what a method of the driver gave as the option's value, as ABI bytes."""
    try:
        return _within(option, option.encode(value), constraint)
    except Invalid as exc:
        raise Misbehaved(f"option {option.name}: {call} returned {value!r}") from exc


def _within(option: Option, data: bytes, constraint: Any) -> bytes:
    """Return *data*, on the grid of a range; raises Invalid if it is outside of *constraint*."""
    if option.type != const.TYPE_STRING and constraint is not None:
        words = memoryview(data).cast("i")
        if isinstance(constraint, Range):
            allowed = all(constraint.min <= word <= constraint.max for word in words)
        else:
            allowed = all(word in constraint for word in words)
        if not allowed:
            raise Invalid(
                f"option {option.name}: {option.decode(data)} is not in {option.shown(constraint)}"
            )
    return option.fit(data, constraint)[0]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Range) and isinstance(other, Range):
        return (one.min, one.max, one.quant) == (other.min, other.max, other.quant)
    return bool(one == other)


def default_bytes(option: Option) -> bytes:
    """Return the ABI bytes of an option's default, worked out once: a table has thousands."""
    cached: tuple[object, bytes] | None = vars(option).get("_default_bytes")
    if cached is None or cached[0] is not option.default:
        cached = option.default, option.encode(option.default)
        vars(option)["_default_bytes"] = cached
    return cached[1]


def collect(cls: type, reserved: Collection[str] = ()) -> tuple[Option, ...]:
    """Return option 0 and the options declared in *cls* and its bases, in order, with offsets.

    reserved: attributes that mean something else. Raises TypeError for a declaration that takes
    one, or breaks the standard's rules (4.2.9), naming it and its place.
    """
    found: dict[str, Option] = {}
    for base in reversed(cls.__mro__):
        for attribute, item in list(vars(base).items()):
            if isinstance(item, OptionSet | Option) and attribute in reserved:
                _refuse(cls, attribute, item, "every device has an attribute of this name")
            if isinstance(item, OptionSet):
                item.declare(base)
                found.update(item.options)
            elif isinstance(item, Option):
                found[attribute] = item
    for attribute, item in found.items():
        own = vars(cls).get(attribute)
        if own is not None and not isinstance(own, Option):
            _refuse(cls, attribute, item, f"{own!r} hides the option of this name")
        if own is not item:  # a base's: here it may have another number
            found[attribute] = item.clone()
            setattr(cls, attribute, found[attribute])
    declared = (Count(len(found) + 1), *found.values())
    names: set[str] = set()
    offset = 0
    for index, option in enumerate(declared):
        option.index = index
        option.offset = offset
        offset += (option.size + WORD_SIZE - 1) // WORD_SIZE * WORD_SIZE
        for fault in _faults(cls, option, names):
            _refuse(cls, option.attribute, option, fault)
        names.add(option.name or "")
    return declared


def _refuse(cls: type, attribute: str, item: Option | OptionSet, fault: str) -> None:
    """Raise TypeError for a declaration, with the line of the driver where it stands."""
    raise TypeError(f"{cls.__qualname__}.{attribute}: {fault}; declared in {item.declared_at}")


def _faults(cls: type, option: Option, names: set[str]) -> Iterator[str]:
    """Yield what is wrong with a declaration."""
    if not option.title or "\n" in option.title:
        yield f"{option.title!r} is no title: one line, not empty"
    if option.index == 0 or option.type == const.TYPE_GROUP:
        return
    name = option.name or ""
    characters = NAME_CHARACTERS + getattr(cls, "name_characters", "")
    if not (name.isascii() and name[:1].islower()) or name.strip(characters):
        yield f"illegal option name {name!r}"
    if name in names:
        yield f"a second option {name!r}"
    if option.can(const.CAP_SOFT_SELECT) and not option.can(const.CAP_SOFT_DETECT):
        yield "SOFT_SELECT needs SOFT_DETECT"
    if option.can(const.CAP_SOFT_SELECT) and option.cap & const.CAP_HARD_SELECT:
        yield "SOFT_SELECT excludes HARD_SELECT"
    for attribute in option.depends:
        if not isinstance(getattr(cls, attribute, None), Option):
            yield f"no option {attribute!r}"
    if option.flaw:
        yield option.flaw
    elif option.constraint_hook is None and not _is_possible(option):
        yield f"the default {option.default!r} is not within the constraint"


def _is_possible(option: Option) -> bool:
    """Tell whether the default is within the constraint; off the grid of a range is allowed."""
    constraint = option.constraint
    if constraint is None:
        return True
    values = (option.default,) if option.length == 1 else option.default
    if isinstance(constraint, Range):
        words = memoryview(default_bytes(option)).cast("i")
        return all(constraint.min <= word <= constraint.max for word in words)
    return all(option.to_abi((value,))[0] in constraint for value in values)
