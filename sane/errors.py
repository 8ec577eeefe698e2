"""Exceptions for the SANE statuses, and the only table from exception to status.

Raise the subclass that names the cause, with the values in the text. Callers on the C side get
the status; callers in Python get the exception.
"""

from __future__ import annotations

from . import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from .param import Parameters


class SaneError(Exception):
    """A SANE operation failed; ``status`` is the standard's status code (4.2.7)."""

    status: ClassVar[int] = const.STATUS_IO_ERROR

    def __str__(self) -> str:
        return super().__str__() or const.STATUS_TEXTS[status_of(self)]


class Unsupported(SaneError):
    """The operation is not supported."""

    status = const.STATUS_UNSUPPORTED


class Cancelled(SaneError):
    """The operation was cancelled by the frontend."""

    status = const.STATUS_CANCELLED


class DeviceBusy(SaneError):
    """The device is in use, or not ready yet."""

    status = const.STATUS_DEVICE_BUSY


class Invalid(SaneError):
    """An argument, a device name or a combination of options makes no sense.

    parameters: what get_parameters stores all the same, for a backend that must.
    """

    status = const.STATUS_INVAL
    parameters: Parameters | None = None


class EndOfFrame(SaneError):
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


class DeviceIOError(SaneError):
    """Talking to the device failed."""

    status = const.STATUS_IO_ERROR


class Misbehaved(DeviceIOError):
    """A driver broke its contract: always shown, while an I/O error is shown from level 1 on."""


class NoMemory(SaneError):
    """Out of memory."""

    status = const.STATUS_NO_MEM


class AccessDenied(SaneError):
    """Access to the device was refused."""

    status = const.STATUS_ACCESS_DENIED


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


_BEYOND = max(BY_STATUS) + 1


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
