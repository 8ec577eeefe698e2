"""PySANE from Python: list scanners, open one, get pages.

    import sane
    with sane.Scanner("test") as scanner:
        page = scanner.scan()

What python-sane has is here as well and works as it does there: init, get_devices, open, SaneDev
(docs/python-sane.md). Functions raise SaneError and its subclasses, python-sane's raise error.
Names that start with _ are not part of the promise.
"""

from __future__ import annotations

from sys import modules as _modules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from . import aio as aio
    from . import errors as errors
    from . import progress as progress
    from .api.capabilities import Capabilities as Capabilities
    from .api.devices import devices as devices
    from .api.devices import find as find
    from .api.devices import watch as watch
    from .api.listing import DeviceEvent as DeviceEvent
    from .api.listing import DeviceList as DeviceList
    from .api.meter import Progress as Progress
    from .api.options import Options as Options
    from .api.page import Page as Page
    from .api.paging import Pages as Pages
    from .api.scanner import Scanner as Scanner
    from .api.session import Session as Session
    from .api.session import configure as configure
    from .api.settings import Applied as Applied
    from .api.streaming import RowBlock as RowBlock
    from .api.streaming import Stream as Stream
    from .api.watch import Watcher as Watcher
    from .authorization import set_authorization as set_authorization
    from .compat import _sane as _sane
    from .compat.device import SaneDev as SaneDev
    from .compat.device import _SaneIterator as _SaneIterator
    from .const import STATUS_ACCESS_DENIED as STATUS_ACCESS_DENIED
    from .const import STATUS_CANCELLED as STATUS_CANCELLED
    from .const import STATUS_COVER_OPEN as STATUS_COVER_OPEN
    from .const import STATUS_DEVICE_BUSY as STATUS_DEVICE_BUSY
    from .const import STATUS_EOF as STATUS_EOF
    from .const import STATUS_GOOD as STATUS_GOOD
    from .const import STATUS_HW_LOCKED as STATUS_HW_LOCKED
    from .const import STATUS_INVAL as STATUS_INVAL
    from .const import STATUS_IO_ERROR as STATUS_IO_ERROR
    from .const import STATUS_JAMMED as STATUS_JAMMED
    from .const import STATUS_NO_DOCS as STATUS_NO_DOCS
    from .const import STATUS_NO_MEM as STATUS_NO_MEM
    from .const import STATUS_UNSUPPORTED as STATUS_UNSUPPORTED
    from .const import STATUS_WARMING_UP as STATUS_WARMING_UP
    from .controls import TYPE_STR as TYPE_STR
    from .controls import UNIT_STR as UNIT_STR
    from .controls import Option as Option
    from .errors import AccessDenied as AccessDenied
    from .errors import Cancelled as Cancelled
    from .errors import Closed as Closed
    from .errors import CoverOpen as CoverOpen
    from .errors import DeviceBusy as DeviceBusy
    from .errors import DeviceIOError as DeviceIOError
    from .errors import DeviceNotFound as DeviceNotFound
    from .errors import EndOfFrame as EndOfFrame
    from .errors import HardwareLocked as HardwareLocked
    from .errors import Invalid as Invalid
    from .errors import Jammed as Jammed
    from .errors import NoDocs as NoDocs
    from .errors import NoMemory as NoMemory
    from .errors import SaneError as SaneError
    from .errors import ScanTimeout as ScanTimeout
    from .errors import Unsupported as Unsupported
    from .errors import WarmingUp as WarmingUp
    from .errors import error as error
    from .listed import DeviceInfo as DeviceInfo
    from .option import Range as Range
    from .param import Parameters as Parameters

__pysane__ = True  # tells our package from other modules called sane
__version__ = "0.1.0"
__author__ = ["Andrew Kuchling", "Ralph Heinkel", "Sandro Mani"]  # of this interface, python-sane

_ERRORS = (
    *("AccessDenied", "Cancelled", "Closed", "CoverOpen", "DeviceBusy", "DeviceIOError"),
    *("DeviceNotFound", "EndOfFrame", "HardwareLocked", "Invalid", "Jammed", "NoDocs"),
    *("NoMemory", "SaneError", "ScanTimeout", "Unsupported", "WarmingUp", "error"),
)
_STATUSES = (
    *("ACCESS_DENIED", "CANCELLED", "COVER_OPEN", "DEVICE_BUSY", "EOF", "GOOD", "HW_LOCKED"),
    *("INVAL", "IO_ERROR", "JAMMED", "NO_DOCS", "NO_MEM", "UNSUPPORTED", "WARMING_UP"),
)
# The module of each name, imported when somebody asks for it: start-up is felt. A further name
# gets its line here and, for type checkers, an import above in the form "X as X"; a module that is
# a name of its own, as "aio", has itself ("aio": "aio").
_LATE = {
    **dict.fromkeys(_ERRORS, "errors"),
    **{f"STATUS_{name}": "const" for name in _STATUSES},
    **dict.fromkeys(("Option", "TYPE_STR", "UNIT_STR"), "controls"),
    **dict.fromkeys(("SaneDev", "_SaneIterator"), "compat.device"),
    "DeviceInfo": "listed",
    "_sane": "compat.modules",
    **dict.fromkeys(("devices", "find", "watch"), "api.devices"),
    **dict.fromkeys(("DeviceEvent", "DeviceList"), "api.listing"),
    **dict.fromkeys(("RowBlock", "Stream"), "api.streaming"),
    **dict.fromkeys(("Session", "configure"), "api.session"),
    **{name: name for name in ("aio", "errors", "progress")},
    "Applied": "api.settings",
    "Capabilities": "api.capabilities",
    "Options": "api.options",
    "Page": "api.page",
    "Pages": "api.paging",
    "Parameters": "param",
    "Progress": "api.meter",
    "Range": "option",
    "Scanner": "api.scanner",
    "Watcher": "api.watch",
    "set_authorization": "authorization",
}


if not TYPE_CHECKING:  # else every name would be known, as Any

    def __getattr__(name: str) -> Any:
        """Import what is asked for the first time."""
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        where = f"{__name__}.{_LATE[name]}"
        __import__(where)  # importlib would be one import more
        found = _modules[where] if name == _LATE[name] else getattr(_modules[where], name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        """Return all names, also those that are not imported yet."""
        return sorted({*globals(), *_LATE})


def init(variables: Mapping[str, str] | None = None) -> tuple[int, int, int, int]:
    """Initialise the library, unless it is; return its version code, major, minor and build.

    variables: SANE_CONFIG_DIR and the like, instead of the environment's. Open devices go on
    working. Standard 4.3.1.
    """
    from . import library

    return library.init(variables)


def exit() -> None:
    """Close all devices and end the library; init begins anew. Standard 4.3.2."""
    from . import library

    library.exit()


def get_devices(
    localOnly: bool = False,  # noqa: N803 - python-sane's name
    *,
    local_only: bool | None = None,
) -> list[DeviceInfo]:
    """Return the devices that can be opened; none before init, as python-sane has it.

    localOnly, or local_only: leave out the network. Each is a tuple of its name, vendor, model and
    type. Standard 4.3.3.
    """
    from . import library

    return library.get_devices(localOnly if local_only is None else local_only)


def open(devname: str) -> SaneDev:
    """Open a device by its name, "" for the first, as python-sane does; raises error."""
    from .compat.device import SaneDev

    return SaneDev(devname)
