"""Which scanner a command means: exact names, parts of names, and the default.

It asks the Python API; it opens nothing but what the command then uses.
"""

from __future__ import annotations

import os

from ...dll.finder import NotFound
from ...errors import DeviceNotFound, Invalid, SaneError, ScanTimeout, Unsupported
from .exits import NO_DEVICE, Failure, failure_of
from .words import meant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...api.scanner import Scanner
    from ...listed import DeviceInfo
    from .talk import Talk

DEFAULT_DEVICE = "SANE_DEFAULT_DEVICE"  # a variable, as of scanimage
NONE_FOUND = "no scanner was found"
ADVICE = "pysane doctor tells why a scanner is not found"


def label(device: DeviceInfo) -> str:
    """Return what people call a device, and its name."""
    return f"{device.vendor} {device.model}, {device.name}"


def matching(text: str, devices: Sequence[DeviceInfo]) -> list[DeviceInfo]:
    """Return the devices that *text* names: exactly, or by words of name, vendor and model."""
    folded = text.casefold()
    exact = [
        device
        for device in devices
        if folded in (device.name.casefold(), device.model.casefold())
        or folded == f"{device.vendor} {device.model}".casefold()
    ]
    if exact:
        return exact
    words = folded.split()
    return [
        device
        for device in devices
        if all(word in f"{device.name} {device.vendor} {device.model}".casefold() for word in words)
    ]


def the_one(text: str, devices: Sequence[DeviceInfo]) -> DeviceInfo:
    """Return the device that *text* names; raises Failure with those to choose from."""
    found = matching(text, devices)
    if len(found) == 1:
        return found[0]
    if not devices:
        raise Failure(NO_DEVICE, f"no scanner {text!r}: {NONE_FOUND}", ADVICE)
    if not found:
        names = [name for device in devices for name in (device.name, device.model)]
        choices = "; ".join(label(device) for device in devices)
        raise Failure(
            NO_DEVICE, f"no scanner {text!r}{meant(text, names)}", f"there are: {choices}"
        )
    choices = "; ".join(label(device) for device in found)
    raise Failure(
        NO_DEVICE,
        f"{text!r} means {len(found)} scanners: {choices}",
        f"give the whole name, as in --device {found[0].name}",
    )


def opened(text: str, talk: Talk, *, timeout: float | None = None) -> Scanner:
    """Return the open scanner that *text* names: "" for SANE_DEFAULT_DEVICE, or the first.

    A complete name is opened without a list of all scanners, which may take seconds. Raises
    Failure, and SaneError where the scanner was found but cannot be opened.
    """
    from ... import Scanner, devices

    wanted = text or os.environ.get(DEFAULT_DEVICE, "")
    if wanted:
        try:
            return Scanner(wanted, timeout=timeout)
        except (DeviceNotFound, Invalid, Unsupported) as exc:
            talk.note(f"{wanted!r} is no complete name ({exc}); looking through the list", 2)
            found = devices(timeout=timeout)
            name = the_one(wanted, found).name
            if name == wanted:
                raise failure_of(exc, name) from exc
        except SaneError as exc:
            raise failure_of(exc, wanted) from exc
    else:
        found = devices(timeout=timeout)
        if not found:
            tell_problems(found, talk)
            raise Failure(NO_DEVICE, NONE_FOUND, ADVICE)
        name = found[0].name
        if len(found) > 1:
            talk.note(f"the first of {len(found)} scanners is taken: {label(found[0])}")
    try:
        return Scanner(name, timeout=timeout)
    except SaneError as exc:
        raise failure_of(exc, name) from exc


def tell_problems(found: Sequence[DeviceInfo], talk: Talk) -> None:
    """Tell which backends failed while the list was made: all with -v, else those that were late.

    A distribution's dll.conf names backends that are not installed: that is no news.
    """
    problems: Sequence[tuple[str, SaneError]] = getattr(found, "problems", ())
    if talk.verbose:
        for backend, exc in problems:
            talk.warn(f"backend {backend}: {exc}")
        return
    late = [backend for backend, exc in problems if isinstance(exc, ScanTimeout)]
    failed = [backend for backend, exc in problems if not isinstance(exc, NotFound)]
    if late:
        talk.warn(f"no answer in time from: {', '.join(late)}")
    elif failed and not found:
        talk.tell(f"could not be asked: {', '.join(failed)}; pysane list -v tells why")
