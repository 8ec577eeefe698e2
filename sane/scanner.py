"""An open device for Python programs: options as attributes, pages as arrays.

It knows the methods of Handle and what a frame is; NumPy is imported when a page is scanned.
"""

from __future__ import annotations

import os
import sys

from . import const
from .errors import Cancelled, DeviceBusy, EndOfFrame, Invalid
from .values import encoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    import numpy as np

    from .handle import Handle
    from .option import Option
    from .pages import Page
    from .param import Parameters

    Array = np.ndarray[Any, Any]

CLOSE_SECONDS = 5.0  # a driver that ignores cancel for so long is not waited for


class Job:
    """A scan under way, of one page or many; it belongs to the process that began it."""

    __slots__ = ("pid",)

    def __init__(self) -> None:
        self.pid = os.getpid()


class Turns:
    """Who may call a handle: one call at a time, a cancel or a close at any moment.

    A cancel or close that meets a call under way asks the driver to end it, and is carried out
    before the handle's next call: by whoever can, the requester, the call that ended, or the next
    one. The handle's cancel request is touched under _gate only, and never after is_closed: its
    descriptor may then be another file's. Both locks may be taken again by a signal handler that
    interrupts their holder.
    """

    def __init__(self, handle: Handle) -> None:
        import _thread

        self.is_closed = False
        self._handle = handle
        self._turn = _thread.RLock()  # held by the call under way
        self._is_inside = False  # the holder of _turn is in the handle, perhaps interrupted
        self._gate = _thread.RLock()  # guards what follows; never held in a driver
        self._job: Job | None = None
        self._cancel_wanted = False
        self._close_wanted = False

    def call(self, function: Callable[..., Any], *arguments: Any, job: Job | None = None) -> Any:
        """Return function(*arguments), called while nobody else calls the handle.

        job: raise Cancelled if this job was cancelled in the meantime.
        """
        try:
            with self._turn:
                if self._is_inside:
                    raise DeviceBusy("the scanner is used within another call to it")
                self._is_inside = True
                try:
                    self._settle()
                    if job is not None and job is not self._job:
                        raise Cancelled
                    if self.is_closed:
                        raise Invalid("the scanner is closed")
                    return function(*arguments)
                finally:
                    self._is_inside = False
        finally:
            self._attend()

    def begin(self) -> Job:
        """Return a new job; raises DeviceBusy while there is another."""
        with self._gate:
            if self.is_closed or self._close_wanted:
                raise Invalid("the scanner is closed")
            if self._job is not None:
                raise DeviceBusy("a scan is under way: finish or close its pages, or cancel it")
            self._job = Job()
            return self._job

    def end(self, job: Job) -> None:
        """End *job* in the driver too; nothing happens if it was cancelled, or is a parent's."""
        with self._gate:
            if job is not self._job or job.pid != os.getpid():
                return
            self._job = None
            self._cancel_wanted = True
        self._wait(None)

    def cancel(self) -> None:
        """End the job of this moment; a call that waits in the driver raises Cancelled."""
        with self._gate:
            if self._job is None or self.is_closed:
                return
            self._job = None
            self._cancel_wanted = True
            self._handle.cancel_request.set()
        self._attend()

    def close(self) -> bool:
        """Close the handle; False: a call that ignores cancel is under way, and will do it."""
        with self._gate:
            if not self.is_closed:
                if self._job is not None or self._is_inside:  # no cancel of an idle C backend
                    self._handle.cancel_request.set()
                self._job = None
                self._close_wanted = True
        return self._wait(CLOSE_SECONDS)

    def _wait(self, seconds: float | None) -> bool:
        """Carry out what is wanted when the call under way has ended; False: it has not.

        A call of this very thread, which a signal handler has interrupted, is not waited for.
        """
        if not self._turn.acquire(True, -1 if seconds is None else seconds):
            return False
        try:
            self._attend()
        finally:
            self._turn.release()
        return True

    def _attend(self) -> None:
        """Carry out what is wanted, unless a call is under way: it looks when it has ended."""
        while self._cancel_wanted or self._close_wanted:
            if not self._turn.acquire(False):
                return
            try:
                if self._is_inside:  # of this thread, which a signal handler has interrupted
                    return
                self._is_inside = True
                try:
                    self._settle()
                finally:
                    self._is_inside = False
            finally:
                self._turn.release()

    def _settle(self) -> None:
        """Carry out what is wanted until nothing is; only for the holder of the turn."""
        while True:
            with self._gate:
                closes, cancels = self._close_wanted, self._cancel_wanted
                self._cancel_wanted = self._close_wanted = False
                self.is_closed |= closes
            if closes:
                self._handle.close()
            elif cancels and not self.is_closed:
                self._handle.cancelled()
            else:
                return


class ScannerOption:
    """An option of an open scanner: what the driver says of it, and its value."""

    __slots__ = ("_option", "_scanner")

    def __init__(self, scanner: Scanner, option: Option) -> None:
        self._scanner = scanner
        self._option = option

    @property
    def name(self) -> str:
        """The name, with hyphens."""
        return self._option.name or ""

    @property
    def title(self) -> str:
        """A label of one line."""
        return self._option.title

    @property
    def desc(self) -> str:
        """A text that helps."""
        return self._option.desc

    @property
    def type(self) -> int:
        """A TYPE_ constant."""
        return self._option.type

    @property
    def unit(self) -> int:
        """A UNIT_ constant."""
        return self._option.unit

    @property
    def length(self) -> int:
        """How many elements the value has; 0 for a button."""
        return self._option.length

    @property
    def cap(self) -> int:
        """The CAP_ bits of this moment."""
        return self._scanner._handle.options.caps[self._option.index]

    @property
    def constraint(self) -> Any:
        """The constraint of this moment in words, or texts: a range, a tuple or None."""
        return self._scanner._handle.options.constraints[self._option.index]

    @property
    def value(self) -> Any:
        """The value: an int, float, bool or str, a tuple for a vector.

        What is set is rounded to the constraint; setting presses a button.
        """
        return self._scanner._get(self._option)

    @value.setter
    def value(self, value: Any) -> None:
        self._scanner._set(self._option, value)

    def __repr__(self) -> str:
        return f"<option {self.name!r} of {self._scanner!r}>"


class Scanner:
    """An open device; a context manager that closes it.

    Every option is an attribute, with hyphens as underscores: scanner.resolution = 300 sets it
    (rounded to its constraint), scanner.tl_x reads it. options has them by name, also those that
    are called like something of this class: scanner.options["scan"].value. Any thread may call:
    one call at a time runs, cancel and close work at any moment, also in a signal handler. A
    scanner that is dropped is closed.
    """

    _turns: Turns
    _handle: Handle
    _pid: int
    name: str

    def __init__(self, handle: Handle, name: str) -> None:
        object.__setattr__(self, "_handle", handle)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "_pid", os.getpid())
        try:
            self._look_at_options()
        except BaseException:
            handle.close()
            raise
        object.__setattr__(self, "_turns", Turns(handle))

    def __enter__(self) -> Scanner:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<sane.Scanner {self.name!r}>"

    def __del__(self) -> None:
        """Close what was not closed, but nothing of the process that forked this one."""
        turns = vars(self).get("_turns")  # none if it could not be made
        if turns is None or turns.is_closed or self._pid != os.getpid() or sys.is_finalizing():
            return
        import warnings

        self.close()
        warnings.warn(f"{self!r} was not closed", ResourceWarning, stacklevel=2, source=self)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return self._turns.call(function, *arguments)

    # Options

    @property
    def options(self) -> dict[str, ScannerOption]:
        """The options by name, with title, desc, unit, constraint, value; groups are left out."""
        declared = self._handle.options.declared
        return {option.name: ScannerOption(self, option) for option in declared if option.name}

    def _option(self, attribute: str) -> Option:
        name = attribute.replace("_", "-")
        for option in self._handle.options.declared:
            if option.name == name:
                return option
        raise AttributeError(f"{self!r} has no option {name!r}")

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        return self._get(self._option(attribute))

    def __setattr__(self, attribute: str, value: Any) -> None:
        if hasattr(type(self), attribute) or attribute in vars(self):
            raise AttributeError(
                f"{attribute!r} of {self!r} cannot be set; for an option of this name: "
                f"options[{attribute.replace('_', '-')!r}].value"
            )
        self._set(self._option(attribute), value)

    def _get(self, option: Option) -> Any:
        data = self._call(self._handle.get, option.index)
        return option.decode(data.ljust(option.size, b"\0"))

    def _set(self, option: Option, value: Any) -> None:
        self._call(self._store, option, value)

    def _store(self, option: Option, value: Any) -> None:
        _, info = self._handle.set(
            option.index, encoded(option, value, self._handle.options.constraints[option.index])
        )
        if info & const.INFO_RELOAD_OPTIONS:
            self._look_at_options()

    def _look_at_options(self) -> None:
        for index in range(len(self._handle.options)):
            self._handle.descriptor(index)

    # Scanning

    def get_parameters(self) -> Parameters:
        """Return what the next frame will look like, or exactly the one being read."""
        params: Parameters = self._call(self._handle.parameters)
        return params

    def scan(self) -> Array:
        """Scan one page and end the job.

        Returns (height, width) for gray and (height, width, 3) for colour: uint8, or uint16 at
        depth 16. Depth 1 becomes 0 (black) and 255, as every other gray. Raises SaneError:
        Cancelled after cancel or close in another thread, DeviceBusy beside another scan.
        """
        import numpy  # noqa: F401 - who lacks it learns so before paper moves

        return to_array(self.scan_page())

    def scan_page(self, *, encoded: str = "") -> Page:
        """Scan one page and end the job; return its packed rows, which takes no NumPy.

        encoded: a MIME type of those in ``encoded``: Page.encoded then has the page in it, too.
        """
        from .pages import read_page

        with self._frames() as frames:
            frames.keep(encoded)
            page = read_page(frames)
            if encoded:
                page.encoded[encoded] = frames.kept(encoded)
            return page

    @property
    def encoded(self) -> tuple[str, ...]:
        """The MIME types in which the device can give a page as it sends it."""
        return tuple(self._handle.device.encoded)

    def document(self, mime: str = "image/jpeg") -> bytes:
        """Scan one page and end the job; return it as the device sent it, unseen.

        Raises Unsupported, before paper moves, for a type that is not in ``encoded``, and
        DeviceIOError when nothing comes, or more than DOCUMENT_BYTES. A device that falls silent
        is ended by its driver's limits.
        """
        from .pages import read_document

        with self._frames() as frames:
            frames.start(mime)
            return read_document(frames.read_into)

    def scan_frame(self) -> tuple[Parameters, bytearray]:
        """Scan one frame and end the job; return its parameters and bytes as they come."""
        from .pages import read_bytes

        with self._frames() as frames:
            params = frames.start()
            return params, read_bytes(frames.read_into, params.frame_bytes)

    def scan_pages(self) -> Iterator[Array]:
        """Yield pages until the feeder is empty; end the job then, or when the loop is left."""
        import numpy  # noqa: F401 - as in scan

        from .pages import read_pages

        with self._frames() as frames:
            for page in read_pages(frames):
                yield to_array(page)

    def _frames(self) -> Frames:
        return Frames(self._handle, self._turns)

    def cancel(self) -> None:
        """End the job and return at once; a scan in another thread raises Cancelled.

        Nothing happens when there is no job.
        """
        self._turns.cancel()

    def close(self) -> None:
        """End the job and close the device; may be called again."""
        if not self._turns.close():
            import warnings

            text = f"{self!r} is still in a call of its driver, after which it is closed"
            warnings.warn(text, ResourceWarning, stacklevel=2)


class Frames:
    """The frames of one job, as sane.pages reads them; the job lasts as long as the context."""

    def __init__(self, handle: Handle, turns: Turns) -> None:
        self._handle = handle
        self._turns = turns
        self._job: Job | None = None

    def __enter__(self) -> Frames:
        self._job = self._turns.begin()
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._job is not None
        self._turns.end(self._job)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return self._turns.call(function, *arguments, job=self._job)

    def start(self, mime: str = "") -> Parameters:
        """Begin the next frame, or the page as the device sends it in *mime*."""
        self._call(self._handle.start, mime)
        params: Parameters = self._call(self._handle.parameters)
        return params

    def keep(self, mime: str) -> None:
        """Let the driver keep the page as it is sent, or "" not; raises Unsupported."""
        if mime:
            self._call(self._handle.check_encoded, mime)
        self._handle.device.keeps_encoded = bool(mime)

    def kept(self, mime: str) -> bytes:
        """Return what the driver has kept of the page that was read."""
        from .pages import read_document

        read_into = self._call(self._handle.kept_document, mime)
        return read_document(lambda view: self._call(read_into, view))

    def read_into(self, view: memoryview) -> int:
        """Write the frame's next bytes into *view*; return how many, 0 at its end."""
        try:
            n: int = self._call(self._handle.read, view)
        except EndOfFrame:
            return 0
        return n


def to_array(page: Page) -> Array:
    """Return *page* as an array over its data; bits become bytes, 0 for black."""
    import numpy as np

    shape = page.lines, page.width_px, page.channels
    if page.depth == 1:
        rows = np.frombuffer(page.data, np.uint8).reshape(page.lines, -1)
        pixels: Array = _bits(rows, page.channels)[:, : page.width_px] * np.uint8(255)
        if page.channels == 1:
            pixels = 255 - pixels
    else:
        kind = np.uint16 if page.depth > 8 else np.uint8
        pixels = np.frombuffer(page.data, kind).reshape(shape)
    return pixels[:, :, 0] if page.channels == 1 else pixels


def _bits(rows: Array, channels: int) -> Array:
    """Return packed rows as (lines, pixels, channels) of 0 and 1 (standard 3.2.1)."""
    import numpy as np

    groups = rows.reshape(rows.shape[0], -1, channels)
    bits: Array = np.unpackbits(groups.transpose(0, 2, 1), axis=2).transpose(0, 2, 1)
    return bits
