"""A libsane.so.1 as a C program sees it: the functions of the standard through ctypes.

It knows the layout of the ABI and nothing of what is right or wrong: statuses come back as
numbers, memory is handed over as it is. Source: SANE standard 4.2 and 4.3; c-abi-and-dll 1.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

from ... import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST_DEVICES = 10_000  # a list without its NULL at the end would be read for ever
MOST_WORDS = 1 << 20  # of a constraint list


class CDevice(ctypes.Structure):
    """SANE_Device."""

    _fields_ = [(name, ctypes.c_char_p) for name in ("name", "vendor", "model", "type")]


class CRange(ctypes.Structure):
    """SANE_Range."""

    _fields_ = [(name, ctypes.c_int) for name in ("min", "max", "quant")]


class CDescriptor(ctypes.Structure):
    """SANE_Option_Descriptor; the constraint is the address in its union."""

    _fields_ = [
        *[(name, ctypes.c_char_p) for name in ("name", "title", "desc")],
        *[(name, ctypes.c_int) for name in ("type", "unit", "size", "cap", "constraint_type")],
        ("constraint", ctypes.c_void_p),
    ]


PARAMETERS = (
    *("format", "last_frame", "bytes_per_line"),
    *("pixels_per_line", "lines", "depth"),
)


class CParameters(ctypes.Structure):
    """SANE_Parameters."""

    _fields_ = [(name, ctypes.c_int) for name in PARAMETERS]

    def texts(self) -> str:
        """Return all fields for a finding."""
        return ", ".join(f"{name} {getattr(self, name)}" for name in PARAMETERS)


AUTHORIZE = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.POINTER(ctypes.c_char), ctypes.POINTER(ctypes.c_char)
)
SIGNATURES: dict[str, tuple[Any, ...]] = {  # result, then arguments
    "init": (ctypes.c_int, ctypes.c_void_p, AUTHORIZE),
    "exit": (None,),
    "get_devices": (ctypes.c_int, ctypes.c_void_p, ctypes.c_int),
    "open": (ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p),
    "close": (None, ctypes.c_void_p),
    "get_option_descriptor": (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int),
    "control_option": (
        *(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int),
        *(ctypes.c_void_p, ctypes.c_void_p),
    ),
    "get_parameters": (ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p),
    "start": (ctypes.c_int, ctypes.c_void_p),
    "read": (ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p),
    "cancel": (None, ctypes.c_void_p),
    "set_io_mode": (ctypes.c_int, ctypes.c_void_p, ctypes.c_int),
    "get_select_fd": (ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p),
    "strstatus": (ctypes.c_char_p, ctypes.c_int),
}


def find_library() -> str:
    """Return the libsane.so.1 of this installation; raises FileNotFoundError with the remedy."""
    package = Path(__file__).resolve().parents[2]
    for place in ("../../libsane.so.1", "lib/libsane.so.1", "../build/prefix/lib/libsane.so.1"):
        candidate = (package / place).resolve()
        if candidate.exists():
            return str(candidate)
    raise FileNotFoundError(f"no libsane.so.1 belongs to {package}: name one with --library")


class Library:
    """One loaded libsane.so.1; every method is the function of that name."""

    def __init__(self, path: str) -> None:
        self._so = ctypes.CDLL(path)
        for name, (result, *arguments) in SIGNATURES.items():
            function = getattr(self._so, f"sane_{name}")
            function.restype = result
            function.argtypes = arguments
            setattr(self, f"_{name}", function)
        self.authorize = AUTHORIZE()  # NULL: the suite answers no questions

    def call(self, name: str, *arguments: object) -> Any:
        """Call sane_<name> with C values."""
        return getattr(self, f"_{name}")(*arguments)

    def init(self) -> tuple[int, int]:
        """Return the status and the version code."""
        version = ctypes.c_int(-1)
        return self.call("init", ctypes.byref(version), self.authorize), version.value

    def devices(self, local_only: bool = False) -> tuple[int, list[CDevice] | None]:
        """Return the status and the list; None for a NULL list."""
        found = ctypes.POINTER(ctypes.POINTER(CDevice))()
        status = self.call("get_devices", ctypes.byref(found), int(local_only))
        if not found:
            return status, None
        listed: list[CDevice] = []
        while found[len(listed)] and len(listed) < MOST_DEVICES:
            listed.append(found[len(listed)].contents)
        return status, listed

    def open(self, name: bytes | None) -> tuple[int, int | None]:
        """Return the status and the handle."""
        handle = ctypes.c_void_p()
        return self.call("open", name, ctypes.byref(handle)), handle.value

    def text(self, status: int) -> str:
        """Return sane_strstatus."""
        text: bytes | None = self.call("strstatus", status)
        return f"{status}" if text is None else f"{status} ({text.decode(errors='replace')})"


class Option:
    """A copy of one option descriptor, so that later changes show."""

    def __init__(self, index: int, address: int) -> None:
        d = CDescriptor.from_address(address)
        self.index = index
        self.address = address
        self.name, self.title, self.desc = (_text(t) for t in (d.name, d.title, d.desc))
        self.type, self.unit, self.size, self.cap = d.type, d.unit, d.size, d.cap
        self.constraint_type = d.constraint_type
        self.constraint_address = d.constraint
        self.constraint = self._constraint()

    def _constraint(self) -> tuple[Any, ...] | None:
        """Return (min, max, quant), the words, or the strings; None without a constraint."""
        address = self.constraint_address
        if not address or self.constraint_type not in (1, 2, 3):
            return None
        if self.constraint_type == const.CONSTRAINT_RANGE:
            limits = CRange.from_address(address)
            return limits.min, limits.max, limits.quant
        if self.constraint_type == const.CONSTRAINT_WORD_LIST:
            count = ctypes.c_int.from_address(address).value
            if not 0 <= count <= MOST_WORDS:
                return ()
            return tuple((ctypes.c_int * (count + 1)).from_address(address))[1:]
        strings = ctypes.cast(address, ctypes.POINTER(ctypes.c_char_p))
        found: list[str | None] = []
        while strings[len(found)] is not None and len(found) < MOST_DEVICES:
            found.append(_text(strings[len(found)]))
        return tuple(found)

    def state(self) -> tuple[object, ...]:
        """Return what a frontend shows of this option."""
        return (self.type, self.unit, self.size, self.cap, self.constraint_type, self.constraint)

    def __str__(self) -> str:
        return f"option {self.index} ({self.name or self.title or 'without a name'})"

    @property
    def is_active(self) -> bool:
        return not self.cap & const.CAP_INACTIVE

    @property
    def is_readable(self) -> bool:
        """Tell whether a frontend may GET it now."""
        plain = self.type not in (const.TYPE_BUTTON, const.TYPE_GROUP)
        return plain and self.is_active and bool(self.cap & const.CAP_SOFT_DETECT)

    @property
    def is_settable(self) -> bool:
        """Tell whether a frontend may SET it now."""
        return (
            self.type != const.TYPE_GROUP
            and self.is_active
            and bool(self.cap & const.CAP_SOFT_SELECT)
        )


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", errors="replace")
