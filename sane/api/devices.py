"""Which devices there are in the library of all: what programs ask first."""

from __future__ import annotations

from ..library import current
from .listing import first, listed
from .watch import Watcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..listed import DeviceInfo
    from .listing import DeviceList


def devices(
    *,
    local_only: bool = False,
    timeout: float | None = None,
    refresh: bool = False,
    backend: str | None = None,
) -> DeviceList:
    """Return the devices that can be opened.

    local_only: leave out the network. timeout: of the whole call, in seconds: what has not come
    then is among the problems. refresh: a list that was kept will not do. backend: ask this one
    only. A backend that fails costs its own devices only: see DeviceList.problems.
    """
    return listed(current(), local_only, timeout, refresh, backend)


def find(
    text: str = "",
    *,
    type: str | None = None,
    vendor: str | None = None,
    model: str | None = None,
    backend: str | None = None,
) -> DeviceInfo:
    """Return the first device in whose name, vendor or model *text* is, in capitals or not.

    type, vendor, model: texts that must be in these. Raises DeviceNotFound if there is none.
    """
    return first(current(), text, {"type": type, "vendor": vendor, "model": model}, backend)


def watch(*, local_only: bool = False, interval: float = 5.0) -> Watcher:
    """Return an iterator of DeviceEvent: first of all devices that are there, then of changes.

    It is a context manager, and ends by close(), of any thread. interval: seconds between two
    lists where nothing tells of changes, as the kernel does for USB.
    """
    from ..library import current

    return Watcher(current(), local_only, interval)
