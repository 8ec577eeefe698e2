"""Exchanges: a command, its data in either direction and its status, as one call.

    command --> data out --> data in --> status --> judged --> in step
       ^           |            |          |          |
       |           +---- silence, stall, cancel, garbage ----> out of step
       +-- busy: a pause, and the same again                      |
       +------------ the next exchange: what comes is dropped <---+

It knows phases and when the two sides are out of step; what bytes mean is the driver's, who tells
it in *judge*. The functions are methods of Usb.
"""

from __future__ import annotations

from time import monotonic

from ..errors import Cancelled, DeviceBusy, SaneError
from .failures import Garbled, TimedOut, UsbError
from .link import LARGEST_TRANSFER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .handle import Usb

    Data = bytes | bytearray | memoryview
    Received = bytes | memoryview

QUIET_SECONDS = 0.1  # what is left of an answer comes at once
BRIEF_SECONDS = 1.0  # for a status that may have come already, in place of the data
SHOWN_BYTES = 16


class Phases:
    """What one exchange consists of.

    out: data for the device. want: bytes of data from it. into: where they go. status: bytes of its
    status. judge: takes the status, or the data if there is none, and raises what is wrong.
    is_status: tells whether bytes in place of the data may be the status. is_short_fine: fewer data
    than wanted are right.
    """

    __slots__ = (
        "command",
        "into",
        "is_short_fine",
        "is_status",
        "judge",
        "out",
        "seconds",
        "status",
        "want",
    )

    def __init__(self, command: Data, seconds: float | None) -> None:
        self.command = command
        self.seconds = seconds
        self.out: Data = b""
        self.want = 0
        self.into: memoryview | None = None
        self.status = 0
        self.judge: Callable[[bytes], object] | None = None
        self.is_status: Callable[[bytes], bool] | None = None
        self.is_short_fine = False


def exchange(
    usb: Usb,
    command: Data,
    *,
    out: Data = b"",
    want: int = 0,
    into: memoryview | None = None,
    status: int = 0,
    judge: Callable[[bytes], object] | None = None,
    is_status: Callable[[bytes], bool] | None = None,
    short: bool = False,
    seconds: float | None = None,
    patience: float = 0.0,
    every: float = 0.5,
    tries: int = 1,
) -> Received:
    """Send *command* on the first bulk endpoints, and what belongs to it; return the data of it.

    out: data that are sent after it. want: how many bytes of data come; fewer are an error unless
    *short*. into: a view of as many bytes that takes them; what is returned is then its beginning.
    status: how many bytes of status come last. judge(status) raises what they mean; where
    there is no status, it gets the data. Of its errors DeviceBusy means that the device may be
    asked again, which is done every *every* seconds for *patience* seconds; Garbled, that the bytes
    are no such answer. seconds: for each transfer.

    Silence is TimedOut. An answer that is too short, too long or garbled is Garbled (or Overflowed,
    Stalled); after it, as after cancel, the two sides are out of step: whatever still comes is
    dropped before the next command is sent. tries: how often a command that does no harm twice is
    sent until its answer is whole. A status in place of the data (is_status(data) says that it may
    be one) is taken for it when no other comes within a second.
    """
    phases = Phases(command, seconds)
    phases.out, phases.want, phases.status = out, want, status
    phases.into = into
    phases.judge, phases.is_status, phases.is_short_fine = judge, is_status, short
    end = monotonic() + patience
    while True:
        usb.get_in_step()
        try:
            return _carry_out(usb, phases)
        except DeviceBusy:
            if monotonic() + every > end:
                raise
            usb.wait(every)
        except UsbError:
            tries -= 1
            if tries < 1:
                raise


def get_in_step(usb: Usb) -> None:
    """Drop what a device still says to a command whose exchange was not brought to its end."""
    if usb.is_out_of_step:
        usb.drain(usb.bulk_in, QUIET_SECONDS)
        usb.is_out_of_step = False


def _carry_out(usb: Usb, phases: Phases) -> Received:
    """Do all phases once; whatever is no verdict of the device leaves the sides out of step."""
    usb.is_out_of_step = True
    try:
        data, answer = _move(usb, phases)
        if phases.judge is not None:
            phases.judge(answer if phases.status else bytes(data))
    except (UsbError, Cancelled):
        raise
    except SaneError:
        usb.is_out_of_step = False
        raise
    if len(data) < phases.want and not phases.is_short_fine:
        raise _garbled(usb, phases, f"{len(data)} of {phases.want} bytes of data came", data)
    usb.is_out_of_step = False
    return data


def _move(usb: Usb, phases: Phases) -> tuple[Received, bytes]:
    """Return the data and the status that came for the command."""
    usb.write(usb.bulk_out, phases.command, phases.seconds)
    if phases.out:
        usb.write(usb.bulk_out, phases.out, phases.seconds)
    data: Received = _data(usb, phases) if phases.want else b""
    if not phases.status:
        return data, b""
    seconds, is_doubtful = phases.seconds, False
    if phases.is_status is not None and len(data) == phases.status != phases.want:
        is_doubtful = phases.is_status(bytes(data))
        seconds = BRIEF_SECONDS if is_doubtful else seconds
    try:
        answer = usb.read(usb.bulk_in, phases.status, seconds)
    except TimedOut:
        if not is_doubtful:
            raise
        data, answer = b"", bytes(data)
    if len(answer) != phases.status:
        text = f"{len(answer)} of {phases.status} bytes of status came"
        raise _garbled(usb, phases, text, answer)
    return data, answer


def _data(usb: Usb, phases: Phases) -> Received:
    """Return the data phase: full transfers up to a short one or the end."""
    if phases.into is not None:
        return phases.into[: _receive(usb, phases, phases.into)]
    if phases.want <= LARGEST_TRANSFER:
        return usb.read(usb.bulk_in, phases.want, phases.seconds)
    data = bytearray(phases.want)
    with memoryview(data) as view:
        done = _receive(usb, phases, view)
    del data[done:]
    return bytes(data)


def _receive(usb: Usb, phases: Phases, view: memoryview) -> int:
    """Receive data into *view*; return how many."""
    done = 0
    while done < phases.want:
        asked = min(phases.want - done, LARGEST_TRANSFER)
        n = usb.read_into(usb.bulk_in, view[done : done + asked], phases.seconds)
        done += n
        if n < asked:
            break
    return done


def _garbled(usb: Usb, phases: Phases, text: str, data: Data) -> Garbled:
    command = bytes(phases.command[:SHOWN_BYTES]).hex(" ")
    shown = bytes(data[:SHOWN_BYTES]).hex(" ") or "none"
    return Garbled(f"{usb.name}: {command}: {text} ({shown})")
