"""An open device for programs: its options, and its pages.

It puts together what the other modules of this room do.
"""

from __future__ import annotations

import os
import sys
import time

from ..errors import Cancelled, ScanTimeout
from ..listed import DeviceInfo
from . import jobs
from .machine import Machine
from .options import Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, TypeVar

    from ..authorization import Auth
    from ..controls import Controls
    from ..handle import Handle
    from ..library import Library
    from ..param import Parameters
    from ..scanner import State
    from .capabilities import Capabilities
    from .meter import Progress
    from .page import Page
    from .paging import Pages
    from .settings import Applied
    from .streaming import Stream

    Result = TypeVar("Result")


class Scanner:
    """An open device; a context manager that closes it.

    Any thread may call, one call at a time; cancel, close, state and sensors may be called at any
    moment, cancel and close also in a signal handler. A scanner that is dropped is closed, with a
    ResourceWarning.

    info: as the device is listed. name: its full name.
    """

    info: DeviceInfo
    name: str
    _options_are_attributes = False  # unlike SaneDev's: what an Option shows of itself

    def __init__(
        self,
        device: str | DeviceInfo = "",
        *,
        settings: Mapping[str, object] | None = None,
        auth: Auth | None = None,
        timeout: float | None = None,
    ) -> None:
        """Open *device*, "" for the first one, and configure(**settings).

        auth: asked for user and password, in place of what set_authorization says. timeout: of the
        opening, in seconds. Raises SaneError: Invalid for a name that nobody knows, DeviceBusy for
        a device in use, AccessDenied, ScanTimeout.
        """
        from ..library import current

        self._open(current(), device, settings, auth, timeout)

    @classmethod
    def of(
        cls,
        library: Library,
        device: str | DeviceInfo = "",
        *,
        settings: Mapping[str, object] | None = None,
        auth: Auth | None = None,
        timeout: float | None = None,
    ) -> Scanner:
        """Return a device of *library*, opened as Scanner() does it."""
        scanner = cls.__new__(cls)
        scanner._open(library, device, settings, auth, timeout)
        return scanner

    @classmethod
    def around(cls, handle: Handle, name: str) -> Scanner:
        """Return a scanner for a device that is open already; closes it if that fails."""
        scanner = cls.__new__(cls)
        scanner._hold(Machine(handle, DeviceInfo(name, "", "", ""), None))
        return scanner

    def _open(
        self,
        library: Library,
        device: str | DeviceInfo,
        settings: Mapping[str, Any] | None,
        auth: Auth | None,
        timeout: float | None,
    ) -> None:
        from .opening import opened

        handle, info = opened(library, device, auth, timeout)
        self._hold(Machine(handle, info, auth))
        library.add(self)
        if settings:
            try:
                self.configure(**settings)
            except BaseException:
                self.close()
                raise

    def _hold(self, machine: Machine) -> None:
        self.info = machine.info
        self.name = machine.name
        self._pid = os.getpid()
        self._capabilities: Capabilities | None = None
        self._machine = machine

    # Life

    def __enter__(self) -> Scanner:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        who = f" {self.info.vendor} {self.info.model}".rstrip()
        return f"<sane.Scanner {self.name!r}{who}, {self.state}>"

    def __del__(self) -> None:
        """Close what was not closed, but nothing of the process that forked this one."""
        machine = vars(self).get("_machine")  # none if it could not be made
        if machine is None or machine.turns.is_closed:
            return
        if self._pid != os.getpid() or sys.is_finalizing():
            return
        import warnings

        name = repr(self)
        self.close()
        warnings.warn(f"{name} was not closed", ResourceWarning, stacklevel=2, source=self)

    @property
    def state(self) -> State:
        """One of "idle", "scanning", "closed", or "cancelling" until the driver has obeyed."""
        return self._machine.turns.state

    @property
    def closed(self) -> bool:
        """Whether close was called, or the library ended."""
        return self._machine.turns.is_closed

    def cancel(self) -> None:
        """End the job and return at once; the scan in another thread raises Cancelled.

        Without a job nothing happens, but that wait_button in another thread raises Cancelled. It
        may be called by any thread, in a signal handler and in a callback.
        """
        self._machine.cancel()

    def close(self) -> None:
        """End the job and close the device; may be called again.

        A driver that ignores that for 5 seconds is left to itself, with a ResourceWarning: it is
        closed when it comes back.
        """
        self._machine.wake()
        if not self._machine.turns.close():
            import warnings

            text = f"{self!r} is still in a call of its driver, after which it is closed"
            warnings.warn(text, ResourceWarning, stacklevel=2)

    # Options

    @property
    def options(self) -> Options:
        """The options, by name; see Options."""
        return Options(self, self._machine)

    @property
    def _controls(self) -> Controls:
        """What an Option of this scanner asks."""
        return self._machine.controls

    def _reload_options(self) -> None:
        """Called by an Option whose change has changed others."""
        self._machine.reload()

    def configure(
        self,
        *,
        mode: str | None = None,
        resolution: float | str | None = None,
        source: str | None = None,
        area: tuple[float, float, float, float] | str | None = None,
        page_size: str | None = None,
        depth: int | None = None,
        **options: object,
    ) -> Applied:
        """Set what to scan in words that every driver understands; return what was taken.

        mode: "color", "gray", "lineart". resolution: dpi, "max" or "min". source: "flatbed",
        "feeder", "duplex", "film". area: left, top, width, height in mm, or "max". page_size: "a4",
        "letter", "210x297mm", "8.5x11in", or "max". depth: bits a sample. Of mode and source the
        driver's own words are taken, too. options: others by name, with "_" for "-".

        Raises Unsupported, naming what is possible, for what the device does not have: all options
        are as before then.
        """
        from .settings import configure

        well_known = {
            "mode": mode,
            "resolution": resolution,
            "source": source,
            "area": area,
            "page_size": page_size,
            "depth": depth,
        }
        wanted = {name: value for name, value in well_known.items() if value is not None}
        return configure(self.options, self._machine, {**wanted, **options})

    @property
    def capabilities(self) -> Capabilities:
        """What the scanner can do, found out once; see Capabilities."""
        if self._capabilities is None:
            from .capabilities import capabilities_of

            self._capabilities = capabilities_of(self.options, self.info.type)
        return self._capabilities

    def parameters(self) -> Parameters:
        """Return what the next frame will look like, or exactly the one that is read now."""
        params: Parameters = self._machine.call(self._machine.handle.parameters)
        return params

    # Scanning

    def _run(self, function: Callable[[], Result], timeout: float | None = None) -> Result:
        machine = self._machine
        return jobs.run(function, machine.cancel, timeout, waits_in_c=machine.waits_in_c)

    def scan(
        self,
        *,
        progress: Callable[[Progress], object] | None = None,
        timeout: float | None = None,
        keep: str = "",
    ) -> Page:
        """Scan one page and end the job.

        progress: called with a Progress in the thread that scans, every 50 ms at most and at the
        end of the page; what it raises ends the job, and passes. timeout: of the whole call, in
        seconds. keep: a MIME type of ``encoded``, in which the page as the device sends it is kept
        in Page.encoded.

        Raises SaneError: Cancelled after cancel, DeviceBusy beside another job, NoDocs, Jammed,
        CoverOpen, ScanTimeout...
        """
        from .arguments import check_seconds
        from .paging import Batch

        check_seconds("scan: a timeout", timeout)
        batch = Batch(self._machine, 1, progress, keep)
        batch.begin(self.options)

        def read() -> Page:
            try:
                return batch.read(1)
            finally:
                batch.end()

        try:
            return self._run(read, timeout)
        except BaseException:
            batch.end()  # for the case that no thread could be had
            raise

    def pages(
        self,
        *,
        limit: int | None = None,
        progress: Callable[[Progress], object] | None = None,
        timeout: float | None = None,
        prefetch: int = 1,
        empty_ok: bool = False,
        keep: str = "",
    ) -> Pages:
        """Return the pages of one job, an iterator: until the feeder is empty, or *limit* are read.

        A flatbed has one page, unless *limit* says otherwise. A feeder without paper raises NoDocs,
        unless empty_ok. prefetch: so many pages are read ahead while the caller works on one, 0 for
        none. timeout: of the wait for each page. progress, keep: see scan. An exception after n
        pages has n as pages_done; the pages stay valid.
        """
        from .paging import Batch, Pages

        batch = Batch(self._machine, limit, progress, keep)
        return Pages(
            self,
            self._machine,
            batch,
            timeout=timeout,
            prefetch=prefetch,
            empty_ok=empty_ok,
        )

    def stream(
        self,
        *,
        chunk_rows: int | None = None,
        copy: bool = False,
        frames: bool = False,
        progress: Callable[[Progress], object] | None = None,
    ) -> Stream:
        """Begin to scan one page, and return its rows as they come; see Stream.

        chunk_rows: how many rows a block has, by default those of 256 KiB. copy: blocks stay valid.
        frames: all frames of the page one after the other; without it, a device that sends red,
        green and blue in three frames raises Unsupported.
        """
        from .streaming import Stream, begun

        reader = begun(self._machine, chunk_rows, progress, frames)
        return Stream(self, self._machine, reader, copy=copy)

    def frames(self) -> Iterator[tuple[Parameters, bytearray]]:
        """Scan one page; yield its frames as the driver sends them, with padding."""
        from .reading import read_frames

        with self._machine.frames() as source:
            left = read_frames(source)
            while (found := self._run(lambda: next(left, None))) is not None:
                yield found

    @property
    def encoded(self) -> tuple[str, ...]:
        """The MIME types in which the device can give a page as it sends it."""
        return tuple(self._machine.handle.device.encoded)

    def document(self, mime: str = "image/jpeg") -> bytes:
        """Scan one page and end the job; return it as the device sent it, unseen.

        Raises Unsupported, before paper moves, for a type that is not in ``encoded``, and
        DeviceIOError when nothing comes, or more than a GiB.
        """
        from ..pages import read_document

        with self._machine.frames() as frames:

            def read() -> bytes:
                frames.start(mime)
                return read_document(frames.read_into)

            return self._run(read)

    # Buttons

    def sensors(self) -> dict[str, int]:
        """Return what the device's own sensors and buttons say now, by the names of the options."""
        from .capabilities import sensors_of

        options = self.options
        return {
            name: int(options[name].value)
            for name in sensors_of(options)
            if options[name].is_active()
        }

    def wait_button(self, *names: str, timeout: float | None = None, interval: float = 0.25) -> str:
        """Wait until one of the buttons *names*, by default any, is pressed; return its name.

        The device is asked every *interval* seconds. Raises Unsupported for a name that is no
        sensor and for a device without buttons, ScanTimeout after *timeout* seconds, Cancelled
        after cancel or close.
        """
        from .arguments import check_seconds
        from .buttons import pressed, wanted_buttons

        check_seconds("wait_button: a timeout", timeout)
        check_seconds("wait_button: an interval", interval)
        buttons = wanted_buttons(self, names)
        until = None if timeout is None else time.monotonic() + timeout
        woken = self._machine.begin_wait()
        try:
            while True:
                found = pressed(self, buttons)
                if found is not None:
                    return found
                left = interval if until is None else min(interval, until - time.monotonic())
                if left <= 0:
                    raise ScanTimeout(f"{self.name}: no button was pressed within {timeout:g} s")
                if woken.wait(left):
                    raise Cancelled("no longer waiting for a button", device=self.name)
        finally:
            self._machine.end_wait(woken)


def machine_of(scanner: Scanner) -> Machine:
    """Return what is behind *scanner*, for its twins in sane.aio."""
    return scanner._machine
