"""The options of the open device as the command line sets them, and the scan area among them.

It knows a Handle, the values of options and their order; how values are written is syntax's
business. The scan area has letters: -l and -t are its top left corner, -x and -y its size, which
becomes the other corner when everything else is set. Source: python-api-and-cli 11.4.
"""

from __future__ import annotations

from ... import const
from ...errors import status_of
from ...interrupts import is_of_signal
from ...option import words_bytes
from ...param import unfix
from .getopt import NONE, OPTIONAL, REQUIRED, Long
from .syntax import Asked, BadValue, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...handle import Handle
    from ...option import Option
    from .messages import Messages

NUMBERS = (const.TYPE_INT, const.TYPE_FIXED)
LENGTHS = (const.UNIT_MM, const.UNIT_PIXEL)
AUTO = "auto"
ANSWERS = (("yes", True), ("no", False))
GEOMETRY = {"l": "tl-x", "t": "tl-y", "x": "br-x", "y": "br-y"}
OFFSETS = {"x": "l", "y": "t"}  # the letter of a size, and of where it begins


class DeviceOptions:
    """The options of *handle*; mistakes of the user end the program by Messages.

    geometry: the options of the scan area by their letters, those that are lengths. sizes: the
    words that -x and -y stand for.
    """

    def __init__(self, handle: Handle, messages: Messages, is_verbose: bool) -> None:
        self._handle = handle
        self._messages = messages
        self._is_verbose = is_verbose
        self.geometry: dict[str, int] = {}
        self.sizes = dict.fromkeys(OFFSETS, 0)
        self._chosen: set[str] = set()  # the sizes that the user has set
        self.all: list[Option] = []
        self.load()

    def load(self) -> None:
        """Look at all options, as after each change that the driver says to be a wide one."""
        handle = self._handle
        for _ in range(2):  # as the original does
            handle.descriptor(0)
            count = int.from_bytes(handle.get(0), "little", signed=True)
        self.all = [handle.descriptor(index) for index in range(min(count, len(handle.options)))]
        self._find_geometry()
        for size in OFFSETS:
            if size in self.geometry and size not in self._chosen:
                end = self._word(self.geometry[size])
                if end is not None:
                    self.sizes[size] = end - self.offset(size)

    def _find_geometry(self) -> None:
        self.geometry = {
            letter: option.index
            for option in self.all
            for letter, name in GEOMETRY.items()
            if option.name == name and option.type in NUMBERS and option.unit in LENGTHS
        }

    def offset(self, size: str) -> int:
        """Return where the scan area begins whose size has this letter; 0: cannot be read."""
        index = self.geometry.get(OFFSETS[size])
        return 0 if index is None else self._word(index) or 0

    def _word(self, index: int) -> int | None:
        """Return the value of an option of one word, None if it cannot be read."""
        data = self.value(index)
        return None if data is None else words_of(data)[0]

    def value(self, index: int) -> bytes | None:
        """Return the value of an option, None if it cannot be read."""
        try:
            return self._handle.get(index)
        except BaseException as exc:
            failed(self._handle, "get", exc)
            return None

    def cap(self, index: int) -> int:
        """Return the capability bits of this moment."""
        return self._handle.options.caps[index]

    def constraint(self, index: int) -> object:
        """Return the constraint of this moment, in words or texts."""
        return self._handle.options.constraints[index]

    # What the command line may have

    def longs(self) -> list[Long]:
        """Return the long options of the device, in its order, with their indices."""
        sizes = {self.geometry.get(size) for size in OFFSETS}
        found = []
        for option in self.all[1:]:
            if option.type == const.TYPE_GROUP or not option.name or option.index in sizes:
                continue
            argument = {const.TYPE_BOOL: OPTIONAL, const.TYPE_BUTTON: NONE}
            found.append(Long(option.name, argument.get(option.type, REQUIRED), option.index))
        return found

    def letters(self) -> dict[str, int]:
        """Return the letters of the scan area, which all have an argument."""
        return dict.fromkeys(self.geometry, REQUIRED)

    # Setting

    def take(self, key: int | str, text: str | None) -> None:
        """Carry out one option of the command line: by its index, or letter of the scan area."""
        if isinstance(key, str) and key in OFFSETS:
            option = self._handle.descriptor(self.geometry[key])
            self.sizes[key] = self._parsed(option, key, text or "").words[0]
            self._chosen.add(key)
            return
        index = self.geometry[key] if isinstance(key, str) else key
        option = self._handle.descriptor(index)
        self._check(option)
        is_auto = (text or "")[: len(AUTO)].lower() == AUTO
        if is_auto and self.cap(index) & const.CAP_AUTOMATIC:
            self._choose(option)
        else:
            self._set(option, text)

    def _check(self, option: Option) -> None:
        """End the program if the option cannot be set now."""
        cap = self.cap(option.index)
        if not cap & const.CAP_SOFT_SELECT:
            raise self._messages.fail(f"attempted to set readonly option {option.name}")
        if cap & const.CAP_INACTIVE:
            raise self._messages.fail(f"attempted to set inactive option {option.name}")

    def _choose(self, option: Option) -> None:
        """Let the device choose the value."""
        try:
            info = self._handle.set_auto(option.index)
        except BaseException as exc:
            raise self._refused(option, "set_auto", exc) from exc
        self._reload(info)

    def _set(self, option: Option, text: str | None) -> None:
        asked = None
        if option.type == const.TYPE_BUTTON:
            data = b""
        elif option.type == const.TYPE_BOOL:
            data = words_bytes([self._answer(option, text)] * max(option.size // 4, 1))
        elif option.type == const.TYPE_STRING:
            data = (text or "").encode("utf-8", "surrogateescape")[: max(option.size - 1, 0)]
            data += b"\0"
        else:
            asked = self._parsed(option, option.name or "", text or "")
            data = words_bytes(asked.words)
        self._store(option, data, asked)

    def _answer(self, option: Option, text: str | None) -> int:
        """Return the word for yes or no, or their beginnings, in any case."""
        for word, value in ANSWERS:
            if word.startswith((text or "").lower()):
                return int(value)
        raise self._messages.fail(f"option --{option.name}: bad option value `{text}'")

    def _parsed(self, option: Option, name: str, text: str) -> Asked:
        try:
            return parse(text, option.type, option.unit, max(option.size // 4, 1))
        except BadValue as exc:
            raise self._messages.fail(f"option --{name}: {exc}") from exc

    def _store(self, option: Option, data: bytes, asked: Asked | None = None) -> None:
        """Set an option and tell what the driver made of a single number."""
        try:
            stored, info = self._handle.set(option.index, data)
        except BaseException as exc:
            raise self._refused(option, "set", exc) from exc
        if asked is not None and len(asked.words) == 1:
            self._tell_rounding(option, asked, words_of(stored)[0], info)
        self._reload(info)

    def _tell_rounding(self, option: Option, asked: Asked, stored: int, info: int) -> None:
        if not (info & const.INFO_INEXACT or asked.is_cut):
            return
        number = asked.numbers[0]
        if option.type == const.TYPE_FIXED:
            number = number if asked.is_cut else unfix(asked.words[0])
            before, after = f"{number:g}", f"{unfix(stored):g}"
        else:
            before, after = f"{number:.0f}", str(stored)
        self._messages.say(f"rounded value of {option.name} from {before} to {after}")

    def _reload(self, info: int) -> None:
        if info & const.INFO_RELOAD_OPTIONS:
            self.load()

    def _refused(self, option: Option, call: str, exc: BaseException) -> Exception:
        """Return what ends the program after a driver has refused a value."""
        text = const.STATUS_TEXTS[failed(self._handle, call, exc)]
        return self._messages.fail(f"setting of option --{option.name} failed ({text})")

    def set_area(self) -> None:
        """Set the far corner of the scan area, whether the user has named it or not."""
        for size in OFFSETS:
            if size not in self.geometry:
                continue
            begin = self.offset(size)  # before the other is asked for, as the original does
            option = self._handle.descriptor(self.geometry[size])
            if self.cap(option.index) & const.CAP_INACTIVE:
                if self._is_verbose:
                    self._messages.say(f"ignored request to set inactive option {option.name}")
                continue
            self._check(option)
            word = begin + self.sizes[size]
            number = unfix(word) if option.type == const.TYPE_FIXED else float(word)
            asked = Asked([number], option.type)
            self._store(option, words_bytes(asked.words), asked)

    def resolution(self) -> float:
        """Return the dots per inch that the device is set to, 0 if it does not tell."""
        for option in self.all:
            if option.name == "resolution" and option.type in NUMBERS and option.length == 1:
                word = self._word(option.index)
                if word is not None:
                    return unfix(word) if option.type == const.TYPE_FIXED else word
        return 0


def words_of(data: bytes) -> memoryview:
    """Return the words of a value."""
    return memoryview(data).cast("i")


def failed(handle: Handle, call: str, exc: BaseException) -> int:
    """Report what a call to the device raised, as the C library does; return its status.

    What a signal handler of the program has raised passes.
    """
    if is_of_signal(exc):
        raise exc
    handle.device.report(call, exc)
    return status_of(exc)
