"""Rules for sane_init, sane_exit, sane_get_devices, sane_open, sane_close and sane_strstatus.

Source: SANE standard 4.2.8, 4.3.1 to 4.3.5 and 4.3.14; c-abi-and-dll 1.7 and 2.4.
"""

from __future__ import annotations

import ctypes

from ... import const
from .trial import rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .trial import Trial

TYPES = {
    *("film scanner", "flatbed scanner", "frame grabber", "handheld scanner"),
    *("multi-function peripheral", "sheetfed scanner", "still camera", "video camera"),
    "virtual device",
}
BUSY_OR_GOOD = (const.STATUS_GOOD, const.STATUS_DEVICE_BUSY)
REFUSALS = tuple(range(1, 12))


@rule("4.3.1")
def init_reports_version(trial: Trial) -> None:
    """sane_init reports major version 1, also again and without a place for it."""
    for attempt in ("sane_init", "sane_init again without sane_exit"):
        status, version = trial.library.init()
        trial.status(attempt, status, const.STATUS_GOOD)
        major = version >> 24 & 0xFF
        trial.expect(major == 1, f"{attempt}: version code {version:#x} has major {major}")
    status = trial.library.call("init", None, trial.library.authorize)
    trial.status("sane_init(NULL, ...)", status, const.STATUS_GOOD)


@rule("4.3.2")
def exit_twice(trial: Trial) -> None:
    """sane_exit may be called twice, and everything begins anew after it."""
    trial.library.call("exit")
    trial.library.call("exit")
    status, _ = trial.library.init()
    if trial.status("sane_init after sane_exit", status, const.STATUS_GOOD):
        with trial.opened():
            pass


@rule("4.3.3")
def list_is_valid(trial: Trial) -> None:
    """The device list ends with NULL, holds four texts each, and unique names."""
    status, listed = trial.library.devices()
    trial.status("sane_get_devices", status, const.STATUS_GOOD)
    if listed is None:
        trial.fail("the list is NULL")
        return
    names = [device.name for device in listed]
    for device in listed:
        for field in ("name", "vendor", "model", "type"):
            text = getattr(device, field)
            if trial.expect(bool(text), f"{device.name!r}: {field} is NULL or empty"):
                printable = text.isascii() and text.decode("ascii", "replace").isprintable()
                trial.expect(printable, f"{device.name!r}: {field} {text!r} is not plain ASCII")
        if device.type and device.type.decode("latin-1") not in TYPES:
            trial.note(f"{device.name!r}: type {device.type!r} is none of the standard's (4.2.8)")
    for name in {name for name in names if names.count(name) > 1}:
        trial.fail(f"{name!r} is listed {names.count(name)} times")


@rule("4.3.3")
def local_only_is_a_part(trial: Trial) -> None:
    """Asked for local devices only, no other device appears."""
    every = {device.name for device in trial.library.devices()[1] or ()}
    status, local = trial.library.devices(local_only=True)
    trial.status("sane_get_devices(local_only)", status, const.STATUS_GOOD)
    more = {device.name for device in local or ()} - every
    trial.expect(not more, f"local devices that the full list lacks: {sorted(more)}")


@rule("4.3.3")
def listing_beside_open(trial: Trial) -> None:
    """Listing leaves open devices alone, and a device that is open alone lists."""
    with trial.opened() as device:
        count = len(device.options())
        status, _ = trial.library.devices()
        trial.status("sane_get_devices while a device is open", status, const.STATUS_GOOD)
        trial.expect(len(device.options()) == count, "the open device lost its options")


@rule("4.3.4")
def unknown_device(trial: Trial) -> None:
    """An unknown device is refused, and no handle stored."""
    prefix = trial.settings.device.partition(":")[0] or "test"
    for name in (f"{prefix}:no such device \x7f", "no-such-backend:0"):
        handle = ctypes.c_void_p(0x1234)
        status = trial.library.call("open", name.encode(), ctypes.byref(handle))
        if trial.expect(status != const.STATUS_GOOD, f"sane_open({name!r}) succeeded"):
            trial.status(f"sane_open({name!r})", status, *REFUSALS)
            same = handle.value == 0x1234
            trial.expect(same, f"sane_open({name!r}) failed and stored a handle")
        else:
            trial.library.call("close", handle)


@rule("4.3.4")
def opens_twice(trial: Trial) -> None:
    """The device opens, not as NULL; a second time, or it is busy."""
    with trial.opened():
        status, second = trial.library.open(trial.settings.encoded_device)
        trial.status("the second sane_open", status, *BUSY_OR_GOOD)
        if status == const.STATUS_GOOD:
            trial.library.call("close", second)


@rule("4.3.5")
def opens_again(trial: Trial) -> None:
    """After sane_close the device opens again, ten times in a row."""
    for _ in range(10):
        with trial.opened():
            pass


@rule("4.3.5", scans=True)
def close_during_scan(trial: Trial) -> None:
    """sane_close during a scan ends it; the device is free at once."""
    with trial.opened() as device:
        device.started()
        device.read(1)
        device.close()
    with trial.opened() as device:
        device.started()
        device.cancel()


@rule("4.3.14")
def status_texts(trial: Trial) -> None:
    """sane_strstatus has a text for every number."""
    for status in (*range(len(const.STATUS_TEXTS)), 12, 99, -1):
        trial.expect(
            trial.library.call("strstatus", status) is not None, f"sane_strstatus({status}) is NULL"
        )
