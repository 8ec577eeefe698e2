"""The kinds of options that a driver declares: type, unit, constraint, default, what hangs on them.

An option is one class attribute of a Device. Its value is an attribute of the device: an int,
float, bool, str or tuple, already within its constraint; values.py keeps its bytes.
Source: SANE standard 4.2.9 (descriptors) and 4.3.7 (values); c-abi-and-dll 1.7 and 5.5.
"""

from __future__ import annotations

import sys

from .. import const
from ..constraint import distance, fit_range, match_string
from ..errors import Invalid
from ..param import fix, unfix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    Class = type
    Condition = Callable[[Any], bool]

WORD_SIZE = 4


class Range:
    """A range constraint in the option's own units; *quant* 0 means every value."""

    __slots__ = ("max", "min", "quant")

    def __init__(self, min: float, max: float, quant: float = 0) -> None:
        self.min = min
        self.max = max
        self.quant = quant

    def __repr__(self) -> str:
        return f"Range({self.min}, {self.max}, {self.quant})"


class WordRange(Range):
    """A range whose three numbers are words as they cross the C ABI."""

    __slots__ = ()

    min: int
    max: int
    quant: int


class When:
    """The condition that the named options (attribute names) all have the given values."""

    __slots__ = ("values",)

    def __init__(self, **values: object) -> None:
        self.values = values

    def __call__(self, device: object) -> bool:
        return all(getattr(device, name) == value for name, value in self.values.items())


when = When


class Option:
    """What all options have in common; use the subclasses and the ready-made options below.

    title, desc: single-line label and help text, shown by frontends (standard English titles
    are translated by them). name: the option's name, by default the attribute's with hyphens.
    unit: a UNIT_ constant. cap: capability bits. active: None, or the condition under which
    the option can be used; it is evaluated again whenever an option named in it changes.
    reloads: the info bits that a change always reports. default: the first value. auto: the
    value that "automatic" chooses, if offered.
    """

    type: int = const.TYPE_INT
    attribute = ""
    flaw = ""
    declared_at = ""  # file and line of the driver, for what is wrong with it

    def __init__(
        self,
        title: str,
        desc: str = "",
        *,
        name: str | None = None,
        unit: int = const.UNIT_NONE,
        cap: int = const.CAP_SOFT_SELECT | const.CAP_SOFT_DETECT,
        active: Condition | None = None,
        depends: Sequence[str] = (),
        reloads: int = 0,
        default: Any = None,
        auto: Any = None,
        length: int = 1,
    ) -> None:
        self.name = name
        self.title = title
        self.desc = desc
        self.unit = unit
        self.cap = cap | (const.CAP_AUTOMATIC if auto is not None else 0)
        self.active = active
        self.depends = tuple(active.values) if isinstance(active, When) else tuple(depends)
        self.reloads = reloads
        self.default = default
        self.auto = auto
        self.length = length
        self.size = WORD_SIZE * length
        self.constraint: Any = None
        self.changed_hook: Callable[[Any], None] | None = None
        self.set_hook: Callable[[Any, Any], Any] | None = None
        self.get_hook: Callable[[Any], Any] | None = None
        self.constraint_hook: Callable[[Any], Any] | None = None
        self.index = 0
        self.offset = 0
        self.declared_at = caller()

    def __set_name__(self, owner: Class, attribute: str) -> None:
        self.attribute = attribute
        if self.name is None:
            self.name = attribute.replace("_", "-")

    def __get__(self, device: Any, owner: Class | None = None) -> Any:
        if device is None:
            return self
        return self.decode(device.options.read(self))

    def __set__(self, device: Any, value: Any) -> None:
        device.options.put(self, value)

    def constrain(self, constraint: Any) -> None:
        """Set the declared constraint; what is wrong with it is told when the class is made."""
        try:
            self.constraint = self.to_abi(constraint)
        except (TypeError, ValueError, OverflowError, Invalid) as exc:
            self.flaw = f"bad constraint {constraint!r}: {exc}"

    def clone(self) -> Option:
        """Return a copy for a derived class, where it may have another number."""
        copy = object.__new__(self.__class__)
        copy.__dict__.update(self.__dict__)
        return copy

    # Decorators: only what depends on something else gets a method.

    def changed(self, method: Callable[[Any], None]) -> Callable[[Any], None]:
        """Call *method*(device) after a frontend changed the value, or pressed the button.

        If it raises, the old value is restored.
        """
        self.changed_hook = method
        return method

    def on_set(self, method: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Let *method*(device, value) return the value that really takes effect."""
        self.set_hook = method
        return method

    def on_get(self, method: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Let *method*(device) return the value at each GET, for sensors and buttons."""
        self.get_hook = method
        return method

    def constrained(self, *depends: str) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
        """Let the decorated method(device) return the constraint; it depends on these options."""

        def decorate(method: Callable[[Any], Any]) -> Callable[[Any], Any]:
            self.constraint_hook = method
            self.depends += depends
            return method

        return decorate

    @property
    def is_plain(self) -> bool:
        """No method of the driver takes part in reading or setting the value."""
        return not (self.changed_hook or self.set_hook or self.get_hook)

    def can(self, cap: int) -> bool:
        """Tell whether the capability *cap* was declared, as CAP_SOFT_SELECT."""
        return bool(self.cap & cap)

    def encode(self, value: Any) -> bytes:
        """Return *value* as the bytes that cross the ABI; raises Invalid for a wrong type."""
        raise NotImplementedError

    def decode(self, data: bytes) -> Any:
        """Return the value that the ABI bytes *data* hold."""
        raise NotImplementedError

    def shown(self, constraint: Any) -> str:
        """Return a constraint of the ABI in the option's units, for messages."""
        return str(constraint)

    def fit(self, data: bytes, constraint: Any) -> tuple[bytes, int]:
        """Return *data* rounded to *constraint* and the info bits; raises Invalid (5.5)."""
        raise NotImplementedError

    def to_abi(self, constraint: Any) -> Any:
        """Return a constraint in the option's units as words or strings of the ABI.

        Raises TypeError or ValueError for what the standard does not allow.
        """
        return constraint


class _Words(Option):
    """Options whose value is one word, or a vector of words."""

    def __init__(self, title: str, desc: str = "", constraint: Any = None, **rest: Any) -> None:
        super().__init__(title, desc, **rest)
        self.constrain(constraint)
        if self.default is None:
            self.default = 0 if self.flaw else self._first(constraint)

    def _first(self, constraint: Any) -> Any:
        if isinstance(constraint, Range):
            value = constraint.min
        else:
            value = constraint[0] if constraint else 0
        return value if self.length == 1 else (value,) * self.length

    def to_word(self, value: Any) -> int:
        """Return one element as a word."""
        if isinstance(value, float) and not value.is_integer():
            raise Invalid(f"option {self.name}: {value!r} is not a whole number")
        return int(value)

    def from_word(self, word: int) -> Any:
        """Return the value of one word."""
        return word

    def encode(self, value: Any) -> bytes:
        try:
            elements = (value,) if self.length == 1 else tuple(value)
            if len(elements) != self.length:
                raise Invalid(f"option {self.name}: {len(elements)} elements, not {self.length}")
            return words_bytes(self.to_word(element) for element in elements)
        except Invalid:
            raise
        except (TypeError, ValueError, OverflowError) as exc:
            raise Invalid(f"option {self.name}: {value!r} is not a legal value") from exc

    def decode(self, data: bytes) -> Any:
        words = memoryview(data).cast("i")
        if self.length == 1:
            return self.from_word(words[0])
        return tuple(self.from_word(word) for word in words)

    def to_abi(self, constraint: Any) -> Any:
        if isinstance(constraint, WordRange) or constraint is None:
            return constraint
        if isinstance(constraint, Range):
            bounds = (constraint.min, constraint.max, constraint.quant)
            low, high, quant = memoryview(words_bytes(map(self.to_word, bounds))).cast("i")
            if low > high or quant < 0:
                raise ValueError(f"{constraint!r} is no range")
            return WordRange(low, high, quant)
        words = tuple(memoryview(words_bytes(map(self.to_word, constraint))).cast("i"))
        if not words:
            raise ValueError("an empty list is no constraint")
        return words

    def shown(self, constraint: Any) -> str:
        if isinstance(constraint, WordRange):
            return f"{self.from_word(constraint.min)} to {self.from_word(constraint.max)}"
        return str(tuple(map(self.from_word, constraint)))

    def fit(self, data: bytes, constraint: Any) -> tuple[bytes, int]:
        if constraint is None:
            return data, 0
        words = list(memoryview(data).cast("i"))
        if isinstance(constraint, Range):
            low, high, quant = constraint.min, constraint.max, constraint.quant
            words = [fit_range(word, low, high, quant) for word in words]  # type: ignore[arg-type]
        else:  # the original fits the first word only: c-abi-and-dll 5.5
            words[0] = min(constraint, key=lambda entry: distance(words[0], entry))
        fitted = words_bytes(words)
        return fitted, 0 if fitted == data else const.INFO_INEXACT


class Int(_Words):
    """A whole number, or with *length* a vector; *constraint*: a Range, a sequence or None."""

    type = const.TYPE_INT


class Fixed(_Words):
    """A real number in 16.16 fixed point; its attribute is a float."""

    type = const.TYPE_FIXED

    def to_word(self, value: Any) -> int:
        return fix(value)

    def from_word(self, word: int) -> Any:
        return unfix(word)


class Bool(_Words):
    """A yes or no."""

    type = const.TYPE_BOOL

    def from_word(self, word: int) -> Any:
        return bool(word)

    def fit(self, data: bytes, constraint: Any) -> tuple[bytes, int]:
        if memoryview(data).cast("i")[0] not in (0, 1):
            raise Invalid(f"option {self.name}: a boolean is 0 or 1")
        return data, 0


class String(Option):
    """A text; *constraint*: None or the texts it may have. Size counts the final NUL."""

    type = const.TYPE_STRING

    def __init__(
        self, title: str, desc: str = "", constraint: Any = None, *, size: int = 0, **rest: Any
    ) -> None:
        super().__init__(title, desc, **rest)
        texts = tuple(constraint or ())
        lengths = (len(text.encode("utf-8", "surrogateescape")) for text in texts)
        self.size = size or 1 + max(lengths, default=255)
        self.constrain(constraint)
        if self.default is None:
            self.default = texts[0] if texts else ""

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, str):
            raise Invalid(f"option {self.name}: {value!r} is not a text")
        try:
            data = value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as exc:
            raise Invalid(f"option {self.name}: {value!r} cannot be encoded") from exc
        if len(data) >= self.size or b"\0" in data:
            raise Invalid(f"option {self.name}: a text of at most {self.size - 1} bytes, no NUL")
        return data + b"\0"

    def decode(self, data: bytes) -> Any:
        return bytes(data).split(b"\0", 1)[0].decode("utf-8", "surrogateescape")

    def to_abi(self, constraint: Any) -> Any:
        if constraint is None:
            return None
        texts = tuple(constraint)
        if isinstance(constraint, str) or not texts:
            raise ValueError(f"{constraint!r} is no list of texts")
        for text in texts:
            self.encode(text)
        return texts

    def fit(self, data: bytes, constraint: Any) -> tuple[bytes, int]:
        if constraint is None:
            return data[: self.size - 1] + b"\0" if len(data) > self.size else data, 0
        text = self.decode(data)
        return self.encode(match_string(text, constraint, self.name)), 0


class Button(Option):
    """Something to press; decorate the action with ``@name.changed``."""

    type = const.TYPE_BUTTON

    def __init__(self, title: str, desc: str = "", **rest: Any) -> None:
        super().__init__(title, desc, length=0, **rest)

    def __get__(self, device: Any, owner: Class | None = None) -> Any:
        return self

    def __set__(self, device: Any, value: Any) -> None:
        raise AttributeError(f"option {self.name} is a button: it has no value")

    def encode(self, value: Any) -> bytes:
        return b""

    def decode(self, data: bytes) -> Any:
        return None


class Group(Button):
    """A heading: the options declared after it belong to it."""

    type = const.TYPE_GROUP

    def __init__(self, title: str, *, cap: int = 0) -> None:
        super().__init__(title, name="", cap=cap)


class Count(Int):
    """Option 0, made by the framework: how many options there are, itself included."""

    def __init__(self, count: int) -> None:
        super().__init__(
            "Number of options",
            "How many options this device has.",
            name="",
            cap=const.CAP_SOFT_DETECT,
            default=count,
        )


def caller() -> str:
    """Return file and line of the innermost call that is not this package's."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__package__") == __package__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


class OptionSet:
    """Several options in one statement, which its attribute's value sums up."""

    def __init__(self) -> None:
        self.options: dict[str, Option] = {}
        self.declared_at = caller()

    def declare(self, owner: type) -> None:
        """Make the options attributes of *owner*."""
        for attribute, option in self.options.items():
            if attribute not in vars(owner):
                setattr(owner, attribute, option)
                option.__set_name__(owner, attribute)


def words_bytes(words: Iterable[int]) -> bytes:
    """Return *words* as native 32-bit ABI bytes; raises ValueError beyond 32 bits."""
    elements = list(words)
    data = bytearray(WORD_SIZE * len(elements))
    view = memoryview(data).cast("i")
    for index, word in enumerate(elements):
        view[index] = word
    return bytes(data)
