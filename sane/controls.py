"""An option of an open device as programs see it, the same for python-sane's face and the new one.

It knows rows (python-sane's descriptors), values and constraints in Python's types, and how they
become the words and texts that a Handle takes. It knows neither face, nor how a scan runs.
"""

from __future__ import annotations

from . import const
from .constraint import distance, fit_range
from .errors import Invalid
from .option import WORD_SIZE, Range, WordRange, words_bytes
from .param import WORD_MAX, WORD_MIN, c_long, unfix
from .values import SHOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from .handle import Handle
    from .option import Option as Declared

    Row = tuple[int, str | None, str, str, int, int, int, int, Any]

    class Host(Protocol):
        """A device whose options these are: SaneDev and Scanner."""

        @property
        def _controls(self) -> Controls:
            """The device's options by number; raises the host's error once it is closed."""

        def _reload_options(self) -> None:
            """Look at the options anew: setting one has changed others."""


KINDS = ("bool", "int", "fixed", "string", "button", "group")
TYPE_STR = {number: f"TYPE_{name.upper()}" for number, name in enumerate(KINDS)}
UNITS = ("none", "pixel", "bit", "mm", "dpi", "percent", "microsecond")
UNIT_STR = {number: f"UNIT_{name.upper()}" for number, name in enumerate(UNITS)}
SHOWN_UNITS = ("", "pixels", "bits", "mm", "dpi", "%", "µs")
NO_VALUES = "%ss don't have values: %s"


class Controls:
    """The options of one open device by number.

    call(function, *arguments): calls it alone, as Turns.call. encoding: of texts that are values,
    with ``surrogateescape``; python-sane's is Latin-1.
    """

    __slots__ = ("_at_open", "_before", "_call", "_encoding", "_handle")

    def __init__(self, handle: Handle, call: Callable[..., Any], encoding: str = "utf-8") -> None:
        self._handle = handle
        self._call = call
        self._encoding = encoding
        self._at_open = bytes(handle.options.values)  # none of a C backend
        self._before: dict[int, bytes] = {}  # a C backend's values before they were set here

    def rows(self) -> list[Row]:
        """Return the descriptors of this moment, groups included."""
        rows: list[Row] = self._call(self._rows)
        return rows

    def _rows(self) -> list[Row]:
        return [self._row(index) for index in range(len(self._handle.options))]

    def row(self, index: int) -> Row:
        """Return one descriptor of this moment; raises Invalid if there is none."""
        row: Row = self._call(self._row, index)
        return row

    def _row(self, index: int) -> Row:
        option = self._handle.descriptor(index)
        options = self._handle.options
        return (
            *(index, option.name, readable(option.title), readable(option.desc)),
            *(option.type, option.unit, option.size, options.caps[index]),
            self._constraint(option, options.constraints[index]),
        )

    def _constraint(self, option: Declared, constraint: Any) -> Any:
        """Return a constraint of the ABI as python-sane does: a tuple for a range, or a list."""
        if constraint is None:
            return None
        if option.type == const.TYPE_STRING:
            return [
                text.encode("utf-8", "surrogateescape").decode(self._encoding, "surrogateescape")
                for text in constraint
            ]
        of_word = unfix if option.type == const.TYPE_FIXED else int
        if isinstance(constraint, WordRange):
            return tuple(map(of_word, (constraint.min, constraint.max, constraint.quant)))
        return list(map(of_word, constraint))

    def get(self, index: int) -> Any:
        """Return the value: bool, int, float or str; a list for a vector."""
        option, data = self._call(self._read, index)
        return self._value(option, data)

    def first(self, index: int) -> Any:
        """Return the value as python-sane does: of a vector only the first element, no bool."""
        value = self.get(index)
        value = value[0] if isinstance(value, list) else value
        return int(value) if isinstance(value, bool) else value

    def default(self, index: int) -> Any:
        """Return the value at open; of a C backend, that before it was first set here."""
        option: Declared = self._call(self._handle.descriptor, index)
        data = self._at_open[option.offset : option.offset + option.size]
        data = data or self._before.get(index, b"")
        return self._value(option, data) if data else self.get(index)

    def _read(self, index: int) -> tuple[Declared, bytes]:
        option = self._handle.descriptor(index)
        return option, self._handle.get(index)

    def _value(self, option: Declared, data: bytes) -> Any:
        if option.type == const.TYPE_STRING:
            return data.partition(b"\0")[0].decode(self._encoding, "surrogateescape")
        words = memoryview(data.ljust(WORD_SIZE, b"\0")).cast("i").tolist()
        values = [value_of(option.type, word) for word in words]
        return values if len(values) > 1 else values[0]

    def set(self, index: int, value: Any) -> int:
        """Set the whole value, a list for a vector; return the info bits.

        Raises TypeError for another type, ValueError for NaN and a list of another length. A
        number beyond the ends of a word becomes the last one, a text too long is cut.
        """
        bits: int = self._call(self._set, index, value, False)
        return bits

    def set_first(self, index: int, value: Any) -> int:
        """Set a value as python-sane does: of a vector, the first element; return the info bits."""
        bits: int = self._call(self._set, index, value, True)
        return bits

    def _set(self, index: int, value: Any, is_first: bool) -> int:
        option = self._handle.descriptor(index)
        if option.type == const.TYPE_STRING:
            data = self._text(option, value)
        elif option.type < const.TYPE_STRING:
            data = self._words(option, value, is_first)
        else:
            data = b""
        self._remember(option)
        return self._handle.set(index, data)[1]

    def _words(self, option: Declared, value: Any, is_first: bool) -> bytes:
        is_vector = option.size > WORD_SIZE
        if is_first or not is_vector:
            if not is_first and isinstance(value, list | tuple) and len(value) == 1:
                value = value[0]
            data = words_bytes([word_of(option.type, value)])
            rest = self._handle.get(option.index)[WORD_SIZE:] if is_vector else b""
            return data + rest
        if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
            raise TypeError(f"option {option.name}: {value!r} are no {option.length} numbers")
        words = [word_of(option.type, element) for element in value]
        if len(words) != option.length:
            raise ValueError(f"option {option.name}: {len(words)} elements, not {option.length}")
        return words_bytes(words)

    def _text(self, option: Declared, value: Any) -> bytes:
        if not isinstance(value, str):
            raise TypeError("SANE_STRING requires a string")
        name = self._encoding.replace("-", "")
        try:
            data = value.encode(name, "strict" if name == "latin1" else "surrogateescape")
        except UnicodeEncodeError as exc:
            raise TypeError(f"SANE_STRING requires a {name} string") from exc
        data = data.partition(b"\0")[0]
        if len(data) >= option.size and self._encoding != "latin-1":
            choices = self._handle.options.constraints[option.index]
            place = f"is not in {choices}" if choices else f"is longer than {option.size - 1} bytes"
            raise Invalid(f"option {option.name}: {value[:SHOWN]!r} {place}")
        return data[: max(option.size - 1, 0)] + b"\0"

    def _remember(self, option: Declared) -> None:
        """Keep what a C backend's option was before."""
        if self._at_open or option.index in self._before or not option.size:
            return
        if self._handle.options.caps[option.index] & const.CAP_SOFT_DETECT:
            self._before[option.index] = self._handle.get(option.index)

    def press(self, index: int) -> int:
        """Press a button; return the info bits."""
        return self.set(index, None)

    def set_auto(self, index: int) -> int:
        """Let the device choose the value; return the info bits."""
        bits: int = self._call(self._handle.set_auto, index)
        return bits

    def group(self, index: int) -> str:
        """Return the title of the group that the option belongs to, "" if to none."""
        for option in reversed(self._handle.options.declared[:index]):
            if option.type == const.TYPE_GROUP:
                return readable(option.title)
        return ""


def readable(text: str) -> str:
    """Return a text of a descriptor, whose bytes are Latin-1 if they are no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("latin-1")
    return text


def word_of(type: int, value: Any) -> int:
    """Return *value* as the word of a BOOL, INT or FIXED; raises TypeError, ValueError for NaN.

    Numbers of other libraries are taken, too; what a word cannot hold becomes its last value.
    """
    if type != const.TYPE_FIXED:
        if not hasattr(value, "__index__"):
            raise TypeError("SANE_INT and SANE_BOOL require an integer")
        return _saturated(value.__index__())
    if isinstance(value, int) or (hasattr(value, "__index__") and not hasattr(value, "__float__")):
        return _saturated(value.__index__() * const.FIXED_SCALE)
    if not hasattr(value, "__float__"):
        raise TypeError("SANE_FIXED requires a floating point number")
    number = value.__float__()
    if not (number < 0 or number >= 0):
        raise ValueError("cannot convert float NaN to SANE_FIXED")
    return _saturated(max(min(number, WORD_MAX), WORD_MIN) * const.FIXED_SCALE)


def value_of(type: int, word: int) -> bool | int | float:
    """Return what *word* is as the value of a BOOL, INT or FIXED."""
    if type == const.TYPE_FIXED:
        return unfix(word)
    return bool(word) if type == const.TYPE_BOOL else word


def _saturated(number: float) -> int:
    return max(WORD_MIN, min(WORD_MAX, int(number)))


class Option:
    """An option of a device; python-sane's class, and more.

    index, name, title, desc, type, unit, size, cap and constraint are those of the descriptor when
    this object was made. constraint: None, ``(min, max, step)``, or a list of the values.
    """

    __module__ = "sane"  # where programs find it

    def __init__(self, args: Row, scanDev: Any) -> None:  # noqa: N803 - python-sane's name
        self.scanDev = scanDev
        self.index, self.name, self.title, self.desc = args[0], args[1], args[2], args[3]
        self.type, self.unit, self.size, self.cap = args[4], args[5], args[6], args[7]
        self.constraint = args[8]  # a row that is too short is an IndexError, as in python-sane
        self.py_name = self.name.replace("-", "_") if isinstance(self.name, str) else str(self.name)

    # What python-sane has

    def is_active(self) -> int:
        """Return 1 if the option could be used when this object was made, else 0."""
        return int(not c_long(self.cap) & const.CAP_INACTIVE)

    def is_settable(self) -> int:
        """Return 1 if programs can set the option, else 0."""
        return c_long(self.cap) & const.CAP_SOFT_SELECT

    def __repr__(self) -> str:
        if not self.is_active():
            shown = "<not available, inactive option>"
        else:
            try:
                has_attributes = getattr(self.scanDev, "_options_are_attributes", True)
                shown = (
                    repr(getattr(self.scanDev, self.py_name)) if has_attributes else self._shown()
                )
            except Exception:
                shown = self._shown()
        lines = {
            "Name:": self.py_name,
            "Cur value:": shown,
            "Index:": self.index,
            "Title:": self.title,
            "Desc:": self.desc,
            "Type:": TYPE_STR[self.type],
            "Unit:": UNIT_STR[self.unit],
            "Constr:": repr(self.constraint),
            "active:": "yes" if self.is_active() else "no",
            "settable:": "yes" if self.is_settable() else "no",
        }
        return "\n" + "".join(f"{label:11}{text}\n" for label, text in lines.items())

    def _shown(self) -> str:
        """Return the value for repr, if it is none of the device's attributes."""
        try:
            return repr(self.value)
        except Exception:
            return "<not available>"

    # What python-sane has not

    @property
    def value(self) -> Any:
        """The value: a bool, int, float or str; a list for a vector.

        Raises AttributeError for a button, a group, and an option that is inactive now.
        """
        self._check()
        return self.scanDev._controls.get(self.index)

    @value.setter
    def value(self, value: Any) -> None:
        self.set(value)

    def set(self, value: Any) -> int:
        """Set the value; return the INFO_ bits.

        The device rounds what is not in the constraint. Raises AttributeError as value does, and
        for an option that programs cannot set; TypeError and ValueError for what is no value.
        """
        self._check()
        self._check_settable()
        return self._changed(self.scanDev._controls.set(self.index, value))

    def set_first(self, *values: Any) -> Any:
        """Set the first of *values* that the option can have exactly; return it.

        Raises ValueError, with the values that it can have, if it is none of them.
        """
        for value in values:
            if self._has(value):
                self.set(value)
                return value
        raise ValueError(f"{self.name}: none of {values!r} is possible: {self._possible()}")

    def set_auto(self) -> int:
        """Let the device choose the value; return the INFO_ bits."""
        self._check_settable()
        return self._changed(self.scanDev._controls.set_auto(self.index))

    def press(self) -> int:
        """Press the button; return the INFO_ bits. Raises TypeError for another option."""
        if self.type != const.TYPE_BUTTON:
            raise TypeError(f"{self.name} is no button")
        self._check_active()
        self._check_settable()
        return self._changed(self.scanDev._controls.press(self.index))

    def _changed(self, info: int) -> int:
        if info & const.INFO_RELOAD_OPTIONS:
            self.scanDev._reload_options()
        return info

    def _check(self) -> None:
        for number, name in ((const.TYPE_BUTTON, "Button"), (const.TYPE_GROUP, "Group")):
            if self.type == number:
                raise AttributeError(NO_VALUES % (name, self.py_name))
        self._check_active()

    def _check_active(self) -> None:
        if not self.active:
            raise AttributeError(f"Inactive option: {self.py_name}")

    def _check_settable(self) -> None:
        if not self.is_settable():
            raise AttributeError(f"Option can't be set by software: {self.py_name}")

    @property
    def active(self) -> bool:
        """Whether the option can be used now."""
        return not self.scanDev._controls.row(self.index)[7] & const.CAP_INACTIVE

    @property
    def default(self) -> Any:
        """The value that the option had when the device was opened; None for a button."""
        return self.scanDev._controls.default(self.index) if self.size else None

    @property
    def length(self) -> int:
        """How many numbers the value has; 1 for a text, 0 for a button or group."""
        return 1 if self.type == const.TYPE_STRING else self.size // WORD_SIZE

    @property
    def kind(self) -> str:
        """The type in a word: bool, int, fixed, string, button or group."""
        return KINDS[self.type]

    @property
    def unit_name(self) -> str:
        """The unit in a word: none, pixel, bit, mm, dpi, percent or microsecond."""
        return UNITS[self.unit]

    @property
    def group(self) -> str:
        """The title of the option's group, "" without one."""
        return str(self.scanDev._controls.group(self.index))

    @property
    def range(self) -> Range | None:
        """The range of the value in its own unit; None if the constraint is none."""
        return Range(*self.constraint) if isinstance(self.constraint, tuple) else None

    @property
    def choices(self) -> list[Any] | None:
        """The values that are possible, if the option has a list of them."""
        return list(self.constraint) if isinstance(self.constraint, list) else None

    @property
    def doc(self) -> str:
        """What the option is and takes, in lines to show."""
        unit = f" {SHOWN_UNITS[self.unit]}" if self.unit else ""
        takes = self._possible()
        lines = [self.title, self.desc, f"{self.kind}: {takes}{unit}" if takes else self.kind]
        return "\n".join(line for line in lines if line)

    def is_advanced(self) -> bool:
        """Tell whether the option is one for experts."""
        return bool(self.cap & const.CAP_ADVANCED)

    def is_readable(self) -> bool:
        """Tell whether the value can be read."""
        has_value = self.type < const.TYPE_BUTTON
        return has_value and bool(self.cap & const.CAP_SOFT_DETECT)

    def is_automatic(self) -> bool:
        """Tell whether the device can choose the value: see set_auto."""
        return bool(self.cap & const.CAP_AUTOMATIC)

    def nearest(self, value: Any) -> Any:
        """Return the possible value that is nearest to *value*: a number, or a text as it is.

        Raises TypeError, or ValueError for a text that is none of the choices.
        """
        if self.type == const.TYPE_STRING:
            for choice in self.choices or [value]:
                if choice.lower() == str(value).lower():
                    return choice
            raise ValueError(f"{self.name}: {value!r} is not possible: {self._possible()}")
        if self.type >= const.TYPE_STRING:
            raise TypeError(f"{self.name} has no value")
        word = word_of(self.type, value)
        limits = self.constraint or ()
        words = [word_of(self.type, limit) for limit in limits]
        if isinstance(limits, tuple) and words:
            word = fit_range(word, *words)
        elif words:
            word = min(words, key=lambda entry: distance(word, entry))
        return value_of(self.type, word)

    def _has(self, value: Any) -> bool:
        """Tell whether *value* can be set exactly."""
        try:
            nearest = self.nearest(value)
        except (TypeError, ValueError):
            return False
        return bool(nearest == value)

    def _possible(self) -> str:
        """Return what the constraint allows, in words; "" for everything."""
        if isinstance(self.constraint, tuple):
            low, high, step = self.constraint
            return f"{low:g} to {high:g}" + (f" in steps of {step:g}" if step else "")
        return ", ".join(map(str, self.constraint or ()))
