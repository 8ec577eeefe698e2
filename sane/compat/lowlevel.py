"""python-sane's C half: an open device by option numbers, and the functions of its module _sane.

It knows argument rules, texts and jobs of that module (python-api 1, 2, 4.4 and 5.1); what a value
is, it leaves to sane.controls, and how frames become images to picture.
"""

from __future__ import annotations

import os
import sys

from .. import const, library
from ..api import jobs
from ..controls import Controls
from ..errors import Cancelled, Closed, EndOfFrame, SaneError, error, status_of, text_of
from ..param import c_int, c_long
from ..scanner import Turns
from .picture import Picture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from ..controls import Row
    from ..handle import Handle
    from ..param import Parameters
    from ..scanner import Job
    from .picture import Progress

    Function = TypeVar("Function", bound=Callable[..., Any])
    Result = TypeVar("Result")

CLOSED = "SaneDev object is closed"
FORMATS = ("gray", "color", "red", "green", "blue")


def translated(exc: SaneError | OSError) -> error:
    """Return python-sane's error for one of ours: its class and text, and the status besides."""
    if isinstance(exc, Closed):
        return refusal(CLOSED)
    status = exc.status if isinstance(exc, SaneError) else status_of(exc)
    found = error(text_of(status))
    found.status = status
    return found


def refusal(text: str) -> error:
    """Return python-sane's error for what it refuses itself."""
    found = error(text)
    found.status = const.STATUS_INVAL
    return found


def takes(most: int, least: int | None = None) -> Callable[[Function], Function]:
    """Let a method refuse what its C original refuses, in its words; *least*: *most* by default."""
    fewest = most if least is None else least

    def decorate(function: Function) -> Function:
        def call(*arguments: Any, **words: Any) -> Any:
            given = len(arguments) - is_method
            if words:
                raise TypeError(f"{function.__qualname__}() takes no keyword arguments")
            if not fewest <= given <= most:
                bound = most if given > most else fewest
                how = "exactly" if fewest == most else "at most" if given > most else "at least"
                plural = "" if bound == 1 else "s"
                raise TypeError(f"function takes {how} {bound} argument{plural} ({given} given)")
            return function(*arguments)

        is_method = "." in function.__qualname__
        call.__name__, call.__qualname__ = function.__name__, function.__qualname__
        call.__doc__, call.__module__ = function.__doc__, function.__module__
        return call  # type: ignore[return-value]

    return decorate


class Calls:
    """Calls a handle for one device, and raises python-sane's errors, or EndOfFrame.

    It is no method of the device, which is closed as soon as nobody has it any more.
    """

    __slots__ = ("turns",)

    def __init__(self, turns: Turns) -> None:
        self.turns = turns

    def __call__(
        self, function: Callable[..., Any], *arguments: Any, job: Job | None = None
    ) -> Any:
        turns = self.turns
        try:
            return turns.call(function, *arguments, job=job)
        except (SaneError, OSError) as exc:
            if turns.is_closing:
                raise refusal(CLOSED) from exc
            if job is not None and not turns.is_job(job):  # a driver may call a cancel otherwise
                raise translated(Cancelled()) from exc
            if isinstance(exc, EndOfFrame):
                raise
            raise translated(exc) from exc


class SaneDev:
    """An open device by option numbers, as python-sane's SaneDev.dev."""

    __slots__ = ("__weakref__", "_call", "_controls", "_handle", "_job", "_pid", "_turns")

    _call: Calls
    _controls: Controls
    _handle: Handle
    _job: Job | None
    _pid: int
    _turns: Turns

    def __new__(cls, *arguments: object) -> SaneDev:
        raise TypeError("cannot create 'SaneDev' instances")

    @classmethod
    def _around(cls, handle: Handle) -> SaneDev:
        """Return the object for a device that is open."""
        self = object.__new__(cls)
        self._pid = os.getpid()
        self._job = None
        self._handle = handle
        self._turns = Turns(handle)
        self._call = Calls(self._turns)
        self._controls = Controls(handle, self._call, "latin-1")
        return self

    def __del__(self) -> None:
        if hasattr(self, "_controls") and not sys.is_finalizing():
            self.close()

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError("cannot pickle 'SaneDev' object")

    @takes(0)
    def close(self) -> None:
        """End the job and close the device; a forked child leaves its parent's alone."""
        if self._pid == os.getpid():
            self._turns.close()
        else:
            self._turns.is_closed = True

    # Options

    @takes(0)
    def get_options(self) -> list[Row]:
        """Return the descriptors of all options: index, name, title, ..., constraint."""
        return self._controls.rows()

    def _checked(self, index: object) -> int:
        """Return the number of an option."""
        number = c_int(index)
        if self._turns.is_closed:
            raise refusal(CLOSED)
        if not 0 <= number < len(self._handle.options):
            raise refusal("Invalid option specified")
        return number

    @takes(1)
    def get_option(self, index: int, /) -> Any:
        """Return an option's value; of a vector, the first element."""
        return self._controls.first(self._checked(index))

    @takes(2)
    def set_option(self, index: int, value: Any, /) -> int:
        """Set an option; of a vector, the first element. Return the INFO_ bits."""
        number = self._checked(index)
        kind = self._handle.options.declared[number].type
        if kind >= const.TYPE_BUTTON:
            raise refusal("SANE_TYPE_BUTTON and SANE_TYPE_GROUP can't be set")
        if kind == const.TYPE_FIXED and isinstance(value, int):
            raise TypeError("SANE_FIXED requires a floating point number")
        return self._controls.set_first(number, value)

    @takes(1)
    def set_auto_option(self, index: int, /) -> int:
        """Let the device choose an option's value; return the INFO_ bits."""
        return self._controls.set_auto(c_int(index))

    # Scanning

    @takes(0)
    def get_parameters(self) -> tuple[str, int, tuple[int, int], int, int]:
        """Return format, last_frame, (pixels_per_line, lines), depth and bytes_per_line."""
        params = self._parameters(None)
        name = FORMATS[params.format] if 0 <= params.format < len(FORMATS) else "unknown format"
        size = params.pixels_per_line, params.lines
        return name, int(params.last_frame), size, params.depth, params.bytes_per_line

    def _parameters(self, job: Job | None) -> Parameters:
        """Return the parameters: those of the frame that was started are asked for only once."""
        ask = self._handle.parameters
        params: Parameters = self._call(lambda: self._handle.frame_parameters or ask(), job=job)
        return params

    @takes(0)
    def start(self) -> None:
        """Begin the next frame, or the first of a job."""
        self._start(self._current())

    def _waiting(self, function: Callable[..., Any], *arguments: Any, job: Job | None) -> Any:
        """Call what may wait for the device, so that signal handlers run meanwhile."""

        def call() -> Any:
            return self._call(function, *arguments, job=job)

        if not self._handle.device.waits_in_c:
            return call()
        return jobs.run(call, self._turns.cancel, waits_in_c=True)

    def _current(self) -> Job | None:
        """Return the job under way."""
        return self._job if self._turns.is_job(self._job) else None

    def _start(self, job: Job | None) -> None:
        if job is None:
            try:
                job = self._job = self._turns.begin()
            except SaneError as exc:
                raise translated(exc) from exc
        try:
            self._waiting(self._handle.start, job=job)
        except BaseException:
            if not self._handle.job:
                self._turns.end(job)
            raise

    @takes(0)
    def cancel(self) -> None:
        """End the job; a snap in another thread raises error. Nothing happens without a job."""
        if self._turns.is_closed:
            raise refusal(CLOSED)
        self._turns.cancel()

    @takes(3, 0)
    def snap(
        self, no_cancel: int = 0, allow16: int = 0, progress: Progress | None = None, /
    ) -> tuple[bytearray, int, int, int, int]:
        """Read an image: its bytes, width, lines, samples of a pixel, bytes of a sample.

        no_cancel: 1 leaves the job open. allow16: samples of 16 bits stay as they are.
        """
        keeps_open, keeps_16 = c_int(no_cancel), bool(c_int(allow16))
        return scanned(self, keeps_open, progress, lambda image: image.read(keeps_16))

    @takes(0)
    def fileno(self) -> int:
        """Return a descriptor to select on, of a scan under way."""
        fd: int = self._call(self._handle.select_fd)
        return fd


SaneDev.__module__ = "builtins"  # where the C type says that it is


def scanned(
    device: SaneDev,
    no_cancel: int,
    progress: Progress | None,
    take: Callable[[Picture], Result],
) -> Result:
    """Return what *take* makes of the image under way, and end the job, unless *no_cancel*.

    Whatever is raised ends the job, too, but with *no_cancel* not what the device refuses.
    """
    if progress is not None and not callable(progress):
        raise ValueError("progress is not callable")
    job = device._current()
    try:
        picture = Picture(Frames(device, job), progress)
        result = take(picture)
    except BaseException as exc:
        if job is not None and (no_cancel != 1 or type(exc) is not error):
            device._turns.end(job)
        raise
    if job is not None and no_cancel != 1 and picture.is_last:
        device._turns.end(job)
    return result


class Frames:
    """The frames of a job, for Picture; raises error, "Operation was canceled" after a cancel."""

    def __init__(self, device: SaneDev, job: Job | None) -> None:
        self._device = device
        self._job = job

    def parameters(self) -> Parameters:
        """Return what the frame that was started looks like."""
        return self._device._parameters(self._job)

    def start(self) -> None:
        """Begin the next frame of the image."""
        self._device._start(self._job)

    def is_over(self, has_all_rows: bool) -> bool:
        """Tell whether the job was cancelled meanwhile; raise error if not with all rows.

        If the device was closed, raise error.
        """
        if self._job is not None:
            try:
                self._device._call(_nothing, job=self._job)
            except error:
                if not has_all_rows or self._device._turns.is_closing:
                    raise
                return True
        return False

    def read_into(self, view: memoryview) -> int:
        """Write the frame's next bytes into *view*; return how many, 0 at its end."""
        try:
            n: int = self._device._waiting(self._device._handle.read, view, job=self._job)
        except EndOfFrame:
            return 0
        return n


def _nothing() -> None:
    pass


# The functions of the module


@takes(0)
def init() -> tuple[int, int, int, int]:
    """Initialise the library, unless it is; return its version code, major, minor and build."""
    return library.init()


@takes(0)
def exit() -> None:
    """Close all devices and end the library."""
    library.exit()


@takes(1, 0)
def get_devices(local_only: bool = False, /) -> list[tuple[str, str, str, str]]:
    """Return name, vendor, model and type of each device; none before init."""
    return list(library.get_devices(local_only))


@takes(1)
def _open(devname: str, /) -> SaneDev:
    """Open a device by its name, "" for the first."""
    if not isinstance(devname, str):
        kind = "None" if devname is None else type(devname).__name__
        raise TypeError(f"argument 1 must be str, not {kind}")
    if "\0" in devname:
        raise ValueError("embedded null character")
    devname.encode()
    owner = library.current()
    try:
        device = SaneDev._around(owner.registry.open(devname))
        owner.add(device)
    except (SaneError, OSError) as exc:
        raise translated(exc) from exc
    return device


open_device = _open


@takes(1)
def OPTION_IS_ACTIVE(cap: int, /) -> int:  # noqa: N802 - python-sane's name
    """Return 1 if an option with these capabilities is active, else 0."""
    return int(not c_long(cap) & const.CAP_INACTIVE)


@takes(1)
def OPTION_IS_SETTABLE(cap: int, /) -> int:  # noqa: N802 - python-sane's name
    """Return 1 if programs can set an option with these capabilities, else 0."""
    return c_long(cap) & const.CAP_SOFT_SELECT
