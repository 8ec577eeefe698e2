"""What a driver did wrong, as a Python program is told of it: a SaneError with file and line.

C programs get a status instead; see sane.abi. What a program itself raises while a driver is
called, in a signal handler or when it is asked for a password, is none of the driver's mistakes.
"""

from __future__ import annotations

from .backend import describe, is_ours
from .errors import BY_STATUS, Misbehaved, SaneError, status_of
from .interrupts import frames_of, is_of_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .backend import Device

DRIVER_CALLED = f"{__package__}.handle"
PROGRAM_ASKED = f"{__package__}.authorization"


def told(exc: BaseException, device: Device) -> SaneError | None:
    """Return what to raise in place of *exc*, which ended a call to *device*; None: *exc* itself.

    A mistake is reported as well, as it is for C programs.
    """
    if isinstance(exc, SaneError):
        return None
    modules = [frame.f_globals.get("__name__", "") for frame, _ in frames_of(exc)]
    if DRIVER_CALLED not in modules or PROGRAM_ASKED in modules or is_of_signal(exc):
        return None
    if isinstance(exc, OSError):
        error = BY_STATUS[status_of(exc)](str(exc))
        if exc.errno is not None:
            error.errno, error.strerror = exc.errno, exc.strerror  # type: ignore[attr-defined]
        return error
    hook = _hook(exc)
    device.report(hook, exc)
    kind = BY_STATUS[status_of(exc)]
    text = describe(hook, exc)
    return kind(text) if isinstance(exc, MemoryError) else Misbehaved(text)


def _hook(exc: BaseException) -> str:
    """Return the name of the driver's method that *exc* came from, or of ours that called it."""
    name = ""
    for frame, _ in frames_of(exc):
        module = frame.f_globals.get("__name__", "")
        if module == DRIVER_CALLED:
            name = frame.f_code.co_name
        elif name and not is_ours(module):
            return frame.f_code.co_name
    return name
