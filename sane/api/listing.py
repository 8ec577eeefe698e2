"""Lists of devices with what went wrong, the first that fits a text, and what has changed."""

from __future__ import annotations

from ..errors import DeviceNotFound, Invalid
from ..listed import DeviceInfo
from .arguments import check_seconds, check_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from ..errors import SaneError
    from ..library import Library

    Kind = Literal["added", "removed", "changed"]


class DeviceList(list[DeviceInfo]):
    """Devices, in the order of the configuration.

    problems: the backends that could not tell all they have, or not in time, and why.
    """

    def __init__(
        self,
        found: Iterable[DeviceInfo] = (),
        problems: Iterable[tuple[str, SaneError]] = (),
    ) -> None:
        super().__init__(found)
        self.problems: list[tuple[str, SaneError]] = list(problems)


class DeviceEvent:
    """What has become of a device: kind is "added", "removed", or "changed"."""

    __slots__ = ("device", "kind")

    def __init__(self, kind: Kind, device: DeviceInfo) -> None:
        self.kind: Kind = kind
        self.device = device

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DeviceEvent):
            return NotImplemented
        return (self.kind, self.device) == (other.kind, other.device)

    def __hash__(self) -> int:
        return hash((self.kind, self.device))

    def __repr__(self) -> str:
        return f"<sane.DeviceEvent {self.kind} {self.device.name!r}>"


def listed(
    library: Library,
    local_only: bool,
    timeout: float | None,
    refresh: bool,
    backend: str | None,
) -> DeviceList:
    """Return the devices of *library*; see sane.devices."""
    check_seconds("devices: a timeout", timeout)
    if backend is not None:
        check_text("devices: backend", backend)
    if timeout is not None and timeout <= 0:
        raise Invalid(f"devices: a timeout of {timeout:g} s")
    registry = library.registry
    found = registry.get_devices(local_only, only=backend, seconds=timeout, is_new=refresh)
    return DeviceList(found, registry.problems(backend))


def first(
    library: Library, text: str, wanted: dict[str, str | None], backend: str | None
) -> DeviceInfo:
    """Return the first device of *library* that fits; see sane.find."""
    for name, value in {"text": text, **wanted}.items():
        if value is not None:
            check_text(f"find: {name}", value)
    found = listed(library, False, None, False, backend)
    for device in found:
        if _fits(device, text, wanted):
            return device
    asked = [repr(text)] if text else []
    asked += [f"{name} {value!r}" for name, value in wanted.items() if value]
    there = ", ".join(device.name for device in found) or "none"
    failed = "".join(f"; {name}: {error}" for name, error in found.problems)
    raise DeviceNotFound(
        f"no device is like {' and '.join(asked) or 'any'}; there are {there}{failed}",
        hint="sane.devices() lists what there is, and what went wrong",
    )


def _fits(device: DeviceInfo, text: str, wanted: dict[str, str | None]) -> bool:
    whole = f"{device.name} {device.vendor} {device.model}".lower()
    return text.lower() in whole and all(
        value.lower() in str(getattr(device, name)).lower()
        for name, value in wanted.items()
        if value
    )
