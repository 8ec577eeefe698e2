"""Rules for parameters, start, read, cancel and the two ways of waiting.

Source: SANE standard 3.2, 4.3.8 to 4.3.13; c-abi-and-dll 1.6 and 1.7.
"""

from __future__ import annotations

import ctypes
import select
import threading
import time
from itertools import islice

from ... import const
from .trial import Skipped, rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .library import CParameters, Option
    from .trial import Opened, Trial

CHOICES = ("source", "mode", "depth")
MOST_COMBINATIONS = 24  # of these
CANCEL_SECONDS = 2.0
BOUNDARY_SIZES = (1, 1, 7, 4096, 3, 65536, 524288)


def check_parameters(trial: Trial, p: CParameters, what: str) -> bool:
    """Check the numbers of 4.3.8 against each other."""
    good = trial.expect(
        const.FRAME_GRAY <= p.format <= const.FRAME_BLUE, f"{what}: format {p.format}"
    )
    good &= trial.expect(p.depth in (1, 8, 16), f"{what}: depth {p.depth}")
    good &= trial.expect(p.last_frame in (0, 1), f"{what}: last_frame {p.last_frame}")
    good &= trial.expect(p.pixels_per_line > 0, f"{what}: {p.pixels_per_line} pixels in a line")
    good &= trial.expect(p.lines > 0 or p.lines == -1, f"{what}: {p.lines} lines")
    if not good:
        return False
    channels = 3 if p.format == const.FRAME_RGB else 1
    if channels == 3 or p.format == const.FRAME_GRAY:
        trial.expect(bool(p.last_frame), f"{what}: a whole image that is not the last frame")
    bits = p.pixels_per_line if p.depth == 1 else p.pixels_per_line * p.depth
    least = channels * ((bits + 7) // 8)
    enough: bool = p.bytes_per_line >= least
    trial.expect(enough, f"{what}: {p.bytes_per_line} bytes in a line that needs {least}")
    if p.bytes_per_line > least:
        trial.note(f"{what}: {p.bytes_per_line - least} bytes of padding, which frontends ignore")
    return enough


@rule("4.3.8")
def parameters_idle(trial: Trial) -> None:
    """The parameters before a scan are possible, and known without starting."""
    with trial.opened() as device:
        status, p = device.parameters()
        if trial.status("sane_get_parameters", status, const.STATUS_GOOD):
            check_parameters(trial, p, p.texts())
        device.call("get_parameters", None)


@rule("4.3.8", scans=True)
def frames_are_complete(trial: Trial) -> None:
    """With every mode, depth and source the frame is as long as announced."""
    scanned = 0
    with trial.opened() as device:
        for names in islice(combinations(device), MOST_COMBINATIONS):
            what = ", ".join(names) or "the only mode"
            scanned += scan_once(trial, device, what)
    if not scanned:
        raise Skipped("sane_start succeeded in no mode")


def combinations(device: Opened, names: tuple[str, ...] = CHOICES) -> Iterator[list[str]]:
    """Yield the settings of source, mode and depth, each applied before it is yielded."""
    if not names:
        yield []
        return
    option = device.named(names[0])
    values = choices(option) if option else []
    if option is None or not values:
        yield from combinations(device, names[1:])
        return
    for value, text in values:
        if device.set(option, value)[0] == const.STATUS_GOOD:
            for rest in combinations(device, names[1:]):
                yield [f"{names[0]} {text}", *rest]


def choices(option: Option) -> list[tuple[bytes, str]]:
    """Return the values of a list as ABI bytes, with their texts."""
    if option.constraint_type == const.CONSTRAINT_STRING_LIST:
        return [(str(text).encode() + b"\0", str(text)) for text in option.constraint or ()]
    if option.constraint_type == const.CONSTRAINT_WORD_LIST and option.size == 4:
        return [(bytes(ctypes.c_int(word)), str(word)) for word in option.constraint or ()]
    return []


def scan_once(trial: Trial, device: Opened, what: str) -> bool:
    """Scan all frames of one image; return whether a frame came."""
    device.make_small()
    _, before = device.parameters()
    for frame in range(3):
        status = device.start()
        if status in (const.STATUS_NO_DOCS, const.STATUS_INVAL) and not frame:
            trial.note(f"{what}: not scanned, sane_start returned {trial.library.text(status)}")
            device.cancel()
            return False
        if not trial.status(f"{what}: sane_start", status, const.STATUS_GOOD):
            device.cancel()
            return False
        _, p = device.parameters()
        if frame == 0 and bytes(before) != bytes(p):
            trial.note(f"{what}: parameters before ({before.texts()}), after start ({p.texts()})")
        if not check_parameters(trial, p, what):
            device.cancel()
            return False
        status, total = device.read_frame()
        trial.status(f"{what}: the end of the frame", status, const.STATUS_EOF)
        if p.lines > 0:
            wanted = p.lines * p.bytes_per_line
            trial.expect(total == wanted, f"{what}: {total} bytes, announced were {wanted}")
        elif total % p.bytes_per_line:
            trial.fail(f"{what}: {total} bytes are no whole lines of {p.bytes_per_line}")
        if p.last_frame:
            break
    else:
        trial.fail(f"{what}: no frame says that it is the last")
    device.cancel()
    return True


@rule("4.3.9", scans=True)
def start_during_frame(trial: Trial) -> None:
    """sane_start during a frame is refused; the frame goes on."""
    with trial.opened() as device:
        device.started()
        refused = (const.STATUS_INVAL, const.STATUS_DEVICE_BUSY)
        trial.status("sane_start during a frame", device.start(), *refused)
        status, data, _, _ = device.read(100)
        good = status == const.STATUS_GOOD and bool(data)
        trial.expect(good, f"reading on returned {trial.library.text(status)}")
        device.cancel()


@rule("4.3.9", scans=True)
def scan_again(trial: Trial) -> None:
    """After a whole image another can be scanned, with and without sane_cancel."""
    with trial.opened() as device:
        device.started()
        device.read_frame()
        status = device.start()
        more = (const.STATUS_GOOD, const.STATUS_NO_DOCS)
        trial.status("sane_start after the end of the frame", status, *more)
        device.cancel()
        status = device.start()
        trial.status("sane_start after sane_cancel", status, *more)
        device.cancel()


@rule("4.3.7", scans=True)
def set_during_scan(trial: Trial) -> None:
    """Options are not set during a scan; they are again after sane_cancel."""
    with trial.opened() as device:
        device.started()
        option = device.named("resolution") or next(
            (o for o in device.options() if o.is_settable and o.is_readable), None
        )
        if option is None:
            device.cancel()
            raise Skipped("no option to set")
        _, value = device.get(option)
        status = device.set(option, value)[0]
        trial.expect(status != const.STATUS_GOOD, f"setting {option} during a scan succeeded")
        device.cancel()
        status = device.set(option, value)[0]
        trial.status(f"setting {option} after sane_cancel", status, const.STATUS_GOOD)


@rule("4.3.10", scans=True)
def read_sizes(trial: Trial) -> None:
    """Reads of any size give data, never more than asked for, never none."""
    with trial.opened() as device:
        device.started()
        turn = 0
        while True:
            size = BOUNDARY_SIZES[turn % len(BOUNDARY_SIZES)]
            status, data, length, intact = device.read(size)
            trial.expect(intact, f"a read of {size} wrote behind the buffer")
            trial.expect(length <= size, f"a read of {size} says that it gave {length}")
            if status != const.STATUS_GOOD:
                break
            if not trial.expect(bool(data), f"a read of {size} returned GOOD without data"):
                break
            turn += 1
        trial.status("the end of the frame", status, const.STATUS_EOF)
        trial.expect(length == 0, f"at the end the length is {length}, not 0")
        for _ in range(2):
            status, _, length, _ = device.read(100)
            trial.status("a read after the end", status, const.STATUS_EOF)
            trial.expect(length == 0, f"a read after the end stores length {length}")
        device.cancel()


@rule("4.3.10")
def read_idle(trial: Trial) -> None:
    """There is nothing to read without a scan."""
    with trial.opened() as device:
        status, _, length, _ = device.read(100)
        trial.expect(status != const.STATUS_GOOD, "a read without a scan succeeded")
        trial.expect(length == 0, f"a read without a scan stores length {length}")


@rule("4.3.11")
def cancel_idle(trial: Trial) -> None:
    """sane_cancel does no harm when nothing is scanned."""
    with trial.opened() as device:
        for _ in range(3):
            device.cancel()
        status, _ = device.parameters()
        trial.status("sane_get_parameters", status, const.STATUS_GOOD)


@rule("4.3.11", scans=True)
def cancel_in_frame(trial: Trial) -> None:
    """After sane_cancel in mid-frame reads return CANCELLED, and a scan works."""
    with trial.opened() as device:
        device.started()
        device.read(1)
        device.cancel()
        device.cancel()
        status, _, length, _ = device.read(100)
        trial.status("a read after sane_cancel", status, const.STATUS_CANCELLED)
        trial.expect(length == 0, f"a read after sane_cancel stores length {length}")
        status = device.start()
        if trial.status("sane_start after sane_cancel", status, const.STATUS_GOOD):
            status, _, _, _ = device.read(100)
            trial.status("sane_read of the new scan", status, const.STATUS_GOOD)
        device.cancel()


@rule("4.3.11", scans=True)
def cancel_from_thread(trial: Trial) -> None:
    """sane_cancel from another thread ends reading at once."""
    with trial.opened() as device:
        device.started()
        timer = threading.Timer(0.05, device.cancel)
        timer.start()
        begin = time.monotonic()
        status = const.STATUS_GOOD
        while status == const.STATUS_GOOD:
            status, _, _, _ = device.read(100)
        seconds = time.monotonic() - begin
        timer.join()
        device.cancel()
        ended = (const.STATUS_CANCELLED, const.STATUS_EOF)
        trial.status("reading, while another thread cancels,", status, *ended)
        if status == const.STATUS_CANCELLED:
            trial.expect(seconds < CANCEL_SECONDS, f"it took {seconds:.1f} s to end")


@rule("4.3.12", scans=True)
def io_mode(trial: Trial) -> None:
    """The I/O mode is chosen during a frame only; blocking always works."""
    either = (const.STATUS_GOOD, const.STATUS_UNSUPPORTED)
    with trial.opened() as device:
        status = device.call("set_io_mode", 1)
        refused = (const.STATUS_INVAL, const.STATUS_UNSUPPORTED)
        trial.status("sane_set_io_mode(TRUE) without a scan", status, *refused)
        device.started()
        trial.status("sane_set_io_mode(FALSE)", device.call("set_io_mode", 0), const.STATUS_GOOD)
        status = device.call("set_io_mode", 1)
        trial.status("sane_set_io_mode(TRUE)", status, *either)
        if status == const.STATUS_GOOD:
            begin = time.monotonic()
            status, _, _, _ = device.read(100)
            trial.status("a read that does not block", status, const.STATUS_GOOD)
            seconds = time.monotonic() - begin
            trial.expect(seconds < 1, f"a read that does not block took {seconds:.1f} s")
        device.cancel()


@rule("4.3.13", scans=True)
def select_fd(trial: Trial) -> None:
    """The descriptor for select is readable as soon as there is data."""
    with trial.opened() as device:
        fd = ctypes.c_int(-1)
        status = device.call("get_select_fd", ctypes.byref(fd))
        refused = (const.STATUS_INVAL, const.STATUS_UNSUPPORTED)
        trial.status("sane_get_select_fd without a scan", status, *refused)
        device.started()
        try:
            wait_with_select(trial, device, fd)
        finally:
            device.cancel()


def wait_with_select(trial: Trial, device: Opened, fd: ctypes.c_int) -> None:
    """Read a frame as xsane does: wait for the descriptor, then read."""
    status = device.call("get_select_fd", ctypes.byref(fd))
    either = (const.STATUS_GOOD, const.STATUS_UNSUPPORTED)
    trial.status("sane_get_select_fd", status, *either)
    if status != const.STATUS_GOOD:
        raise Skipped("the device offers no descriptor")
    if not trial.expect(0 <= fd.value < 1024, f"descriptor {fd.value} does not fit into select"):
        return
    device.call("set_io_mode", 1)
    total = 0
    while True:
        try:
            ready, _, _ = select.select([fd.value], [], [], 30)
        except (OSError, ValueError):
            break  # the standard lets the backend close it at the end
        if not trial.expect(bool(ready), "the descriptor was not readable for 30 s"):
            return
        status, data, _, _ = device.read(32768)
        if status != const.STATUS_GOOD:
            trial.status("the end of the frame", status, const.STATUS_EOF)
            break
        total += len(data)
    trial.expect(total > 0, "no data came")
