"""python-sane's SaneDev: options as attributes, pages as PIL images and arrays.

It knows what programs touch of that class (python-api 3 and 5), down to its private names; the
device itself is its low-level object.
"""

from __future__ import annotations

from contextlib import suppress
from weakref import WeakValueDictionary, ref

from .. import const
from ..controls import NO_VALUES, Option
from ..param import c_int
from . import modules  # noqa: F401 - from now on, "import _sane" finds ours
from .lowlevel import SaneDev as LowLevel
from .lowlevel import open_device, scanned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    import numpy as np
    from PIL.Image import Image

    from ..controls import Controls, Row
    from .picture import Progress

    Array = np.ndarray[Any, Any]

READ_ONLY = ("dev", "optlist", "area", "sane_signature", "scanner_model")
FEEDER_IS_EMPTY = const.STATUS_TEXTS[const.STATUS_NO_DOCS]


def facts_of(option: Option) -> tuple[int, int, int]:
    """Return index, type and capabilities of an option."""
    return option.index, option.type, option.cap


class Options(dict[str, Option]):
    """The options by their names in Python, made when they are asked for and kept while in use.

    An option holds its device. Were it held in turn, a device that is dropped would be closed
    whenever Python looks for cycles.
    """

    __slots__ = ("_device", "_kind", "_low", "_made", "_name")

    def __init__(self, device: SaneDev, rows: list[Row]) -> None:
        super().__init__()
        self._device = ref(device)
        self._kind = type(device)
        self._name: str = device.devname
        self._low: LowLevel = device.dev
        self._made: WeakValueDictionary[str, Option] = WeakValueDictionary()
        for row in rows:
            if row[4] != const.TYPE_GROUP:
                name = row[1].replace("-", "_") if isinstance(row[1], str) else str(row[1])
                super().__setitem__(name, row)  # type: ignore[assignment]

    def _alive(self) -> SaneDev:
        """Return the device, or another object for it if only its options are left."""
        device = self._device()
        if device is None:
            device = object.__new__(self._kind)
            vars(device).update(devname=self._name, dev=self._low, opt=self)
            self._device = ref(device)
        return device

    def __getitem__(self, name: str) -> Option:
        found = self._made.get(name)
        if found is None:
            row: Any = super().__getitem__(name)
            if isinstance(row, Option):
                return row
            found = self._made[name] = Option(row, self._alive())
        return found

    def facts(self, name: str) -> tuple[int, int, int]:
        """Return index, type and capabilities of an option, without making it."""
        found: Any = self._made.get(name) or super().__getitem__(name)
        return facts_of(found) if isinstance(found, Option) else (found[0], found[4], found[7])

    def __setitem__(self, name: str, option: Option) -> None:
        self._made.pop(name, None)
        super().__setitem__(name, option)

    def __iter__(self) -> Iterator[str]:  # dict(self) then asks for the options
        return super().__iter__()

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def values(self) -> Any:
        return [self[name] for name in self]

    def items(self) -> Any:
        return [(name, self[name]) for name in self]

    def copy(self) -> dict[str, Option]:
        return dict(self.items())

    __hash__ = None

    def __eq__(self, other: object) -> bool:
        return self.copy() == (other.copy() if isinstance(other, Options) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __or__(self, other: Any) -> Any:
        return self.copy() | other

    def __ror__(self, other: Any) -> Any:
        return other | self.copy()

    def pop(self, name: str, *default: Any) -> Any:
        found = self.get(name, *default)
        super().pop(name, *default)
        return found

    def setdefault(self, name: str, default: Any = None) -> Any:
        super().setdefault(name, default)
        return self[name]

    def __repr__(self) -> str:
        return repr(self.copy())


class SaneDev:
    """A device, opened by its name: its options are attributes.

        device.mode = "Color"
        print(device.resolution)

    devname: the name. opt: the options by name; device["mode"] is one of them. optlist: their
    names. area: the corners of the scan area. sane_signature: name, vendor, model and type.
    scanner_model: vendor and model.
    """

    __module__ = "sane"  # where programs find it

    devname: str
    dev: LowLevel
    opt: dict[str, Option]

    def __init__(self, devname: str) -> None:
        d = self.__dict__
        d["devname"] = devname
        d["dev"] = open_device(devname)
        self.__load_option_dict()

    def __load_option_dict(self) -> None:
        self.__dict__["opt"] = Options(self, self.dev.get_options())

    _reload_options = __load_option_dict

    @property
    def _controls(self) -> Controls:
        return self.dev._controls

    def __get_sane_signature(self) -> tuple[str, str, str, str]:
        from .lowlevel import get_devices

        d = self.__dict__
        if "sane_signature" not in d:
            for device in get_devices():
                if device[0] == self.devname:
                    d["sane_signature"] = device
                    break
            else:
                raise RuntimeError(f"No such scan device '{self.devname}'")
        found: tuple[str, str, str, str] = d["sane_signature"]
        return found

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError("cannot pickle 'SaneDev' object")

    # Options

    def __getattr__(self, key: str) -> Any:
        d = self.__dict__
        if "opt" not in d:  # it could not be opened
            raise AttributeError(f"No such attribute: {key}")
        if key == "optlist":
            return list(self.opt)
        if key == "area":
            return (self.tl_x, self.tl_y), (self.br_x, self.br_y)
        if key == "sane_signature":
            return self.__get_sane_signature()
        if key == "scanner_model":
            return self.__get_sane_signature()[1:3]
        if key not in self.opt:
            raise AttributeError(f"No such attribute: {key}")
        return self.dev.get_option(self.__usable(key)[0])

    def __setattr__(self, key: str, value: Any) -> None:
        if key in READ_ONLY:
            raise AttributeError(f"Read-only attribute: {key}")
        if key not in self.opt:
            self.__dict__[key] = value
            return
        index, _, cap = self.__usable(key)
        if not cap & const.CAP_SOFT_SELECT:
            raise AttributeError(f"Option can't be set by software: {key}")
        if self._controls.set_first(index, value) & const.INFO_RELOAD_OPTIONS:
            self._reload_options()

    def __usable(self, key: str) -> Any:
        """Return index, type and capabilities of an option that has a value now."""
        opt: Any = self.opt  # which a program may have replaced
        index, kind, cap = opt.facts(key) if isinstance(opt, Options) else facts_of(opt[key])
        for number, name in ((const.TYPE_BUTTON, "Button"), (const.TYPE_GROUP, "Group")):
            if kind == number:
                raise AttributeError(NO_VALUES % (name, key))
        if cap & const.CAP_INACTIVE:
            raise AttributeError(f"Inactive option: {key}")
        return index, kind, cap

    def __getitem__(self, key: str) -> Option:
        return self.opt[key]

    def get_options(self) -> list[Row]:
        """Return a tuple for each option, groups included: index, name, title, ..., constraint."""
        return self.dev.get_options()

    # Scanning

    def get_parameters(self) -> tuple[str, int, tuple[int, int], int, int]:
        """Return format, last_frame, (pixels_per_line, lines), depth and bytes_per_line.

        format: "gray", "color", "red", "green", "blue" or "unknown format". lines: -1 if unknown.
        """
        return self.dev.get_parameters()

    def start(self) -> None:
        """Begin a scan, or the next page or frame of one."""
        self.dev.start()

    def cancel(self) -> None:
        """End the scan; also from another thread, where snap then raises error."""
        self.dev.cancel()

    def snap(self, no_cancel: bool = False, progress: Progress | None = None) -> Image:
        """Read the image of the scan that was started, as PIL's: RGB, or L.

        no_cancel: leave the job open, for the next page. progress(row, rows) is called for each
        row; rows is -1 if nobody knows. What it raises ends the scan.
        """
        try:
            import PIL.Image  # noqa: F401 - who lacks it learns so before paper moves
        except ImportError:
            raise RuntimeError("Cannot import PIL.Image") from None
        image = scanned(self.dev, c_int(no_cancel), progress, lambda picture: picture.image())
        if image is None:
            raise RuntimeError("Scanner returned no data")
        return image

    def scan(self, progress: Progress | None = None) -> Image:
        """Start, and snap."""
        self.start()
        return self.snap(progress=progress)

    def arr_snap(self, progress: Progress | None = None) -> Array:
        """Read the image of the scan that was started as an array (height, width, samples).

        uint8, or uint16 at depth 16; it can be written to, and is the only copy of the page.
        """
        try:
            import numpy  # noqa: F401 - as in snap
        except ImportError:
            raise RuntimeError("Cannot import numpy") from None
        array = scanned(self.dev, False, progress, lambda picture: picture.array())
        if array is None:
            raise RuntimeError("Scanner returned no data")
        return array

    def arr_scan(self, progress: Progress | None = None) -> Array:
        """Start, and arr_snap."""
        self.start()
        return self.arr_snap(progress=progress)

    def multi_scan(self) -> _SaneIterator:
        """Return an iterator over the pages of a feeder."""
        return _SaneIterator(self)

    def fileno(self) -> int:
        """Return a descriptor to select on, of a scan under way."""
        return self.dev.fileno()

    def close(self) -> None:
        """End the scan and close the device; may be called again."""
        self.dev.close()

    def __enter__(self) -> SaneDev:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class _SaneIterator:
    """The pages of a feeder; the job ends after the last one, an error, or with this object."""

    __module__ = "sane"

    def __init__(self, device: SaneDev) -> None:
        self.device = device

    def __iter__(self) -> _SaneIterator:
        return self

    def __next__(self) -> Image:
        try:
            self.device.start()
            return self.device.snap(True)
        except BaseException as exc:
            self._end()
            if isinstance(exc, Exception) and str(exc) == FEEDER_IS_EMPTY:
                raise StopIteration from None
            raise

    def __del__(self) -> None:
        self._end()

    def _end(self) -> None:
        with suppress(Exception):  # it was closed, and nobody is there to tell
            self.device.cancel()
