"""What a rule works with: the library, an open device, and where findings go.

It knows how to call; the rules know what must come back.
"""

from __future__ import annotations

import ctypes
from contextlib import contextmanager

from ... import const
from .library import CParameters, Library, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

GUARD = 64  # bytes behind a buffer that must stay as they are
GUARD_BYTE = 0xA5
GARBAGE_INFO = 0x5A5A5A58 & 0x7FFFFFFF  # what an uninitialised info variable holds
MOST_OPTIONS = 10_000
LONGEST_FRAME = 1 << 31  # bytes: a frame of more never ends


class Skipped(Exception):
    """A rule that cannot be checked on this device; the text says why."""


class Rule:
    """One rule of the standard and the function that checks it."""

    def __init__(self, section: str, text: str, scans: bool, check: Callable[[Trial], None]):
        self.section = section
        self.text = text
        self.scans = scans
        self.check = check


RULES: list[Rule] = []


def rule(
    section: str, scans: bool = False
) -> Callable[[Callable[[Trial], None]], Callable[[Trial], None]]:
    """Add a function to the rules: its docstring is the rule, *section* the standard's.

    scans: it acquires an image, and so moves lamp and paper.
    """

    def add(check: Callable[[Trial], None]) -> Callable[[Trial], None]:
        text = (check.__doc__ or "").rstrip(".")
        RULES.append(Rule(section, text, scans, check))
        return check

    return add


class Choice:
    """What the user chose: the device, and what may be done with it."""

    def __init__(
        self, device: str, library: str, buttons: bool = False, options: Sequence[str] = ()
    ) -> None:
        self.device = device
        self.encoded_device = device.encode("utf-8", "surrogateescape")  # as it was typed
        self.library = library
        self.buttons = buttons
        self.options = options  # NAME=VALUE, set whenever the device was opened


class Trial:
    """One rule being checked on one device."""

    def __init__(self, library: Library, settings: Choice, say: Callable[[str, str], None]):
        self.library = library
        self.settings = settings
        self._say = say

    def fail(self, text: str) -> None:
        """Note a finding: the device breaks the rule."""
        self._say("finding", text)

    def note(self, text: str) -> None:
        """Note what is allowed and yet makes trouble with frontends."""
        self._say("note", text)

    def expect(self, good: bool, text: str) -> bool:
        """Note a finding unless *good*."""
        if not good:
            self.fail(text)
        return good

    def status(self, what: str, status: int, *allowed: int) -> bool:
        """Note a finding unless *status* is one of *allowed*."""
        names = " or ".join(const.STATUS_NAMES[s] for s in allowed)
        got = self.library.text(status)
        return self.expect(status in allowed, f"{what} returned {got}, expected {names}")

    @contextmanager
    def opened(self) -> Iterator[Opened]:
        """Open the device for a with statement; Skipped if it does not open."""
        status, handle = self.library.open(self.settings.encoded_device)
        if status != const.STATUS_GOOD or handle is None:
            raise Skipped(f"sane_open returned {self.library.text(status)}")
        device = Opened(self.library, handle)
        try:
            for text in self.settings.options:
                device.set_text(text)
            yield device
        finally:
            if device.handle is not None:
                device.close()


class Opened:
    """An open device; statuses are numbers, values are ABI bytes."""

    def __init__(self, library: Library, handle: int) -> None:
        self.library = library
        self.handle: int | None = handle

    def call(self, name: str, *arguments: object) -> Any:
        """Call sane_<name> with this handle first."""
        return self.library.call(name, self.handle, *arguments)

    def close(self) -> None:
        """Close the device."""
        handle, self.handle = self.handle, None
        self.library.call("close", handle)

    # Options

    def option(self, index: int) -> Option | None:
        """Return a copy of the descriptor *index*, None for NULL."""
        address = self.call("get_option_descriptor", index)
        return Option(index, address) if address else None

    def options(self) -> list[Option]:
        """Return all descriptors, by enumerating until NULL as some frontends do."""
        found: list[Option] = []
        while len(found) < MOST_OPTIONS:
            option = self.option(len(found))
            if option is None:
                break
            found.append(option)
        return found

    def named(self, name: str) -> Option | None:
        """Return the option *name* if there is one and it may be set now."""
        return next((o for o in self.options() if o.name == name and o.is_settable), None)

    def get(self, option: Option) -> tuple[int, bytes]:
        """Return the status and the value."""
        buffer = ctypes.create_string_buffer(max(option.size, 4))
        status = self.call("control_option", option.index, const.ACTION_GET_VALUE, buffer, None)
        return status, buffer.raw[: option.size]

    def guarded_get(self, option: Option) -> tuple[int, bytes, bool, int]:
        """Return status, value, whether all behind it stayed as it was, and the info word."""
        buffer = ctypes.create_string_buffer(option.size + GUARD)
        ctypes.memset(buffer, GUARD_BYTE, option.size + GUARD)
        info = ctypes.c_int(GARBAGE_INFO)
        status = self.call(
            *("control_option", option.index, const.ACTION_GET_VALUE, buffer),
            ctypes.byref(info),
        )
        intact = buffer.raw[option.size :] == bytes([GUARD_BYTE]) * GUARD
        return status, buffer.raw[: option.size], intact, info.value

    def set(self, option: Option, data: bytes) -> tuple[int, int, bytes, bool]:
        """Set the value; return status, info, what was written back, and whether it fits.

        The buffer is exactly as long as the value, as with frontends that copy strings.
        """
        buffer = ctypes.create_string_buffer(len(data) + GUARD)
        ctypes.memset(buffer, GUARD_BYTE, len(data) + GUARD)
        ctypes.memmove(buffer, data, len(data))
        info = ctypes.c_int(GARBAGE_INFO)
        status = self.call(
            *("control_option", option.index, const.ACTION_SET_VALUE, buffer),
            ctypes.byref(info),
        )
        intact = buffer.raw[len(data) :] == bytes([GUARD_BYTE]) * GUARD
        return status, info.value, buffer.raw[: len(data)], intact

    def set_text(self, text: str) -> None:
        """Set an option from NAME=VALUE; Skipped if the device does not take it."""
        name, _, value = text.partition("=")
        option = self.named(name)
        if option is None:
            raise Skipped(f"there is no option {name} to set")
        try:
            data = encoded(option, value)
        except ValueError:
            raise Skipped(f"{value!r} is no value for option {name}") from None
        status = self.set(option, data)[0]
        if status != const.STATUS_GOOD:
            raise Skipped(f"setting {text} returned {self.library.text(status)}")

    def values(self) -> dict[int, bytes]:
        """Return the value of every option that can be read now, by index."""
        found = {}
        for option in self.options():
            if option.is_readable and option.size > 0:
                status, data = self.get(option)
                if status == const.STATUS_GOOD:
                    found[option.index] = value_of(option, data)
        return found

    def states(self) -> dict[int, tuple[object, ...]]:
        """Return what a frontend shows of every option, by index."""
        return {option.index: option.state() for option in self.options()}

    # The scan

    def parameters(self) -> tuple[int, CParameters]:
        """Return the status and the parameters."""
        parameters = CParameters(-9, -9, -9, -9, -9, -9)
        return self.call("get_parameters", ctypes.byref(parameters)), parameters

    def start(self) -> int:
        """Start the next frame."""
        status: int = self.call("start")
        return status

    def read(self, size: int) -> tuple[int, bytes, int, bool]:
        """Return status, data, the length as it was stored, and whether it fits."""
        buffer = ctypes.create_string_buffer(size + GUARD)
        ctypes.memset(ctypes.byref(buffer, size), GUARD_BYTE, GUARD)
        length = ctypes.c_int(-7)
        status = self.call("read", buffer, size, ctypes.byref(length))
        intact = buffer.raw[size:] == bytes([GUARD_BYTE]) * GUARD
        return status, buffer.raw[: max(0, length.value)], length.value, intact

    def read_frame(self, size: int = 65536) -> tuple[int, int]:
        """Read until anything but GOOD; return that status and the bytes."""
        total = 0
        while total < LONGEST_FRAME:
            status, data, _, _ = self.read(size)
            if status != const.STATUS_GOOD:
                return status, total
            total += len(data)
        return const.STATUS_GOOD, total

    def cancel(self) -> None:
        """Cancel."""
        self.call("cancel")

    def started(self) -> None:
        """Start a scan, small and coarse; Skipped if the device will not."""
        self.make_small()
        status = self.start()
        if status != const.STATUS_GOOD:
            self.cancel()
            raise Skipped(f"sane_start returned {self.library.text(status)}")

    def make_small(self) -> None:
        """Choose the lowest resolution and 50 mm square, so that scans take little time."""
        for name, wish in (
            ("resolution", 0.0),
            ("x-resolution", 0.0),
            ("tl-x", 0.0),
            ("tl-y", 0.0),
        ):
            self.choose(name, wish)
        for name in ("br-x", "br-y"):
            option = self.named(name)
            self.choose(name, 50.0 if option and option.unit == const.UNIT_MM else 500.0)

    def choose(self, name: str, wish: float) -> None:
        """Set the single number *name* to the legal value next to *wish*."""
        option = self.named(name)
        if option is None or option.size != 4 or not option.constraint:
            return
        word = int(wish * const.FIXED_SCALE) if option.type == const.TYPE_FIXED else int(wish)
        if option.constraint_type == const.CONSTRAINT_RANGE:
            low, high, _ = option.constraint
            word = min(max(word, low), high)
        else:
            word = min(option.constraint, key=lambda value: abs(value - word))
        self.set(option, word_bytes(word))


def value_of(option: Option, data: bytes) -> bytes:
    """Return the part of a value that counts: a string up to its end."""
    return data.split(b"\0", 1)[0] if option.type == const.TYPE_STRING else data


def encoded(option: Option, text: str) -> bytes:
    """Return *text* as the ABI bytes of a value; raises ValueError."""
    if option.type == const.TYPE_STRING:
        return text.encode() + b"\0"
    if option.type == const.TYPE_BOOL:
        return word_bytes(("no", "yes").index(text))
    scale = const.FIXED_SCALE if option.type == const.TYPE_FIXED else 1
    return word_bytes(*[round(float(text) * scale)] * (option.size // 4))


def word_bytes(*words: int) -> bytes:
    """Return words as they lie in memory."""
    return bytes((ctypes.c_int * len(words))(*words))
