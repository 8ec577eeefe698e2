"""Opening a device: by its name or as it was listed, within a time, with its passwords."""

from __future__ import annotations

from ..authorization import asking
from ..errors import Misbehaved, ScanTimeout
from ..listed import DeviceInfo
from .arguments import check_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..authorization import Auth
    from ..handle import Handle
    from ..library import Library


def opened(
    library: Library, device: str | DeviceInfo, auth: Auth | None, timeout: float | None
) -> tuple[Handle, DeviceInfo]:
    """Return the open device and who it is; raises what the backend raises, and ScanTimeout."""
    if not isinstance(device, str | DeviceInfo):
        raise TypeError(f"Scanner: a device is a name or a DeviceInfo, not {device!r}")
    check_seconds("Scanner: a timeout", timeout)
    registry = library.registry
    name = device if isinstance(device, str) else device.name

    def open_it() -> tuple[Handle, DeviceInfo]:
        known = registry.listed(name) if isinstance(device, str) else device
        return _plainly(registry.open, name), known or DeviceInfo(name, "", "", "")

    do: Callable[..., Any] = _plainly if auth is None else asking(auth, _plainly)
    if timeout is None:
        return do(open_it)  # type: ignore[no-any-return]
    from ..dll import deadline

    call = deadline.Call(lambda: do(open_it), lambda late: late[0].close())
    try:
        return call.get(timeout, f"{name}: open")  # type: ignore[no-any-return]
    except Misbehaved as exc:
        if not call.given_up:
            raise
        raise ScanTimeout(f"{name}: not open after {timeout:g} s", device=name) from exc


def _plainly(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)
