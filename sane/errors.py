"""Exceptions for the SANE statuses, and the only table from exception to status.

Raise the subclass that names the cause, with the values in the text. Callers on the C side get
the status; callers in Python get the exception. Each class is also the builtin exception of its
kind (python-api 10.7): Invalid is a ValueError, an I/O error an OSError.
"""

from __future__ import annotations

import sys

from . import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .param import Parameters


class error(Exception):  # noqa: D101, N801 - as python-sane's: no docstring, and this name
    __module__ = "_sane"

    status: int


# Where python-sane's own _sane is loaded, its programs catch its class: then it is ours, too. The
# library within a C program runs under another name, and leaves the host's modules alone.
_foreign = sys.modules.get("_sane") if __name__ == "sane.errors" else None
if _foreign is not None and not hasattr(_foreign, "__pysane__"):
    error = getattr(_foreign, "error", error)  # type: ignore[misc]


class SaneError(error):
    """A SANE operation failed.

    status: the standard's status code (4.2.7), or what a C backend has sent in its place. device,
    option: their names, "" if none is concerned. hint: what may help, "" if nobody knows.
    pages_done: how many pages of the job came whole before it.
    """

    status: int = const.STATUS_IO_ERROR
    device = ""
    option = ""
    hint = ""
    pages_done = 0

    def __init__(
        self, *args: object, device: str = "", option: str = "", hint: str = "", status: int = 0
    ) -> None:
        super().__init__(*args)
        told = {"device": device, "option": option, "hint": hint, "status": status}
        vars(self).update((name, value) for name, value in told.items() if value)

    @property
    def detail(self) -> str:
        """What happened, with the values; "" if only the status is known."""
        return super().__str__()

    @property
    def text(self) -> str:
        """What sane_strstatus says of the status."""
        return text_of(self.status)

    @property
    def name(self) -> str:
        """The name of the status in the standard, as JAMMED."""
        return NAMES.get(self.status, f"STATUS_{self.status}")

    def __str__(self) -> str:
        return self.detail or self.text

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (self.__class__, self.args, vars(self))


def _restored(kind: type[SaneError], args: tuple[object, ...], state: dict[str, object]) -> object:
    """Return the error that was pickled, whatever its class takes when it is made."""
    base: type[BaseException] = kind
    while base.__module__ != "builtins" and base.__base__ is not None:
        base = base.__base__
    exc = base.__new__(kind)  # a MemoryError's own __new__ may not make one of ours
    exc.args = args
    vars(exc).update(state)
    return exc


class Unsupported(SaneError, NotImplementedError):
    """The operation is not supported."""

    status = const.STATUS_UNSUPPORTED


class Cancelled(SaneError):
    """The operation was cancelled by the frontend."""

    status = const.STATUS_CANCELLED


class DeviceBusy(SaneError, BlockingIOError):
    """The device is in use, or not ready yet."""

    status = const.STATUS_DEVICE_BUSY


class Invalid(SaneError, ValueError):
    """An argument, a device name or a combination of options makes no sense.

    parameters: what get_parameters stores all the same, for a backend that must.
    """

    status = const.STATUS_INVAL
    parameters: Parameters | None = None


class EndOfFrame(SaneError, EOFError):
    """No more data in this frame (SANE_STATUS_EOF)."""

    status = const.STATUS_EOF


class Jammed(SaneError):
    """The document feeder is jammed."""

    status = const.STATUS_JAMMED


class NoDocs(SaneError):
    """The document feeder is empty."""

    status = const.STATUS_NO_DOCS


class CoverOpen(SaneError):
    """The scanner's cover is open."""

    status = const.STATUS_COVER_OPEN


class DeviceIOError(SaneError, OSError):
    """Talking to the device failed."""

    status = const.STATUS_IO_ERROR


class Misbehaved(DeviceIOError):
    """A driver broke its contract: always shown, while an I/O error is shown from level 1 on."""


class NoMemory(SaneError, MemoryError):
    """Out of memory."""

    status = const.STATUS_NO_MEM


class AccessDenied(SaneError, PermissionError):
    """Access to the device was refused."""

    status = const.STATUS_ACCESS_DENIED


class DeviceNotFound(Invalid, LookupError):
    """No device has such a name, or looks like that."""


class Closed(Invalid):
    """The device was closed before."""


class ScanTimeout(DeviceIOError, TimeoutError):
    """The time that the caller gave is over; the job was cancelled."""


class WarmingUp(SaneError):
    """The lamp is not warm yet: of the drafts of SANE 2, which some C backends follow."""

    status = const.STATUS_WARMING_UP


class HardwareLocked(SaneError):
    """The carriage is locked, as for transport: of the drafts of SANE 2."""

    status = const.STATUS_HW_LOCKED


BY_STATUS: dict[int, type[SaneError]] = {
    cls.status: cls
    for cls in (
        Unsupported,
        Cancelled,
        DeviceBusy,
        Invalid,
        EndOfFrame,
        Jammed,
        NoDocs,
        CoverOpen,
        DeviceIOError,
        NoMemory,
        AccessDenied,
    )
}


DRAFTS: dict[int, type[SaneError]] = {cls.status: cls for cls in (WarmingUp, HardwareLocked)}
NAMES = {
    **dict(enumerate(const.STATUS_NAMES)),
    const.STATUS_WARMING_UP: "WARMING_UP",
    const.STATUS_HW_LOCKED: "HW_LOCKED",
}

_BEYOND = max(BY_STATUS) + 1


def text_of(status: int) -> str:
    """Return what sane_strstatus says of *status*; what cannot be one is an I/O error."""
    if status.__class__ is not int or status == const.STATUS_GOOD:
        return const.STATUS_TEXTS[const.STATUS_IO_ERROR]
    if 0 < status < _BEYOND:
        return const.STATUS_TEXTS[status]
    return f"Unknown SANE status code {status}"


def error_of(status: int, detail: str) -> SaneError:
    """Return the error for a *status* that a C backend has given, also one that is none."""
    kind = BY_STATUS.get(status) or DRAFTS.get(status)
    if kind is not None:
        return kind(detail)
    return SaneError(f"{detail}: status {status} is not in the standard", status=status)


def status_of(exc: BaseException) -> int:
    """Return the SANE status for *exc*: the one place where exceptions become statuses.

    A SaneError has its own; PermissionError is ACCESS_DENIED, MemoryError NO_MEM; every other
    exception, an OSError or a mistake in a driver, is IO_ERROR: also a status that is none.
    """
    if isinstance(exc, SaneError):
        status = exc.status
        return status if status.__class__ is int and 0 < status < _BEYOND else const.STATUS_IO_ERROR
    if isinstance(exc, PermissionError):
        return const.STATUS_ACCESS_DENIED
    if isinstance(exc, MemoryError):
        return const.STATUS_NO_MEM
    return const.STATUS_IO_ERROR
