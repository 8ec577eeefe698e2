"""One page to stdout or a file, or many in batch mode: files, messages, and how each ends.

It knows files and pages; how a page is read is reading's business. Source: python-api-and-cli
11.3, 11.5 and 11.7.
"""

from __future__ import annotations

import errno
import os
import sys

from ...const import STATUS_ACCESS_DENIED, STATUS_CANCELLED, STATUS_NO_DOCS, STATUS_NO_MEM
from ..terminal import await_line
from .arguments import ENDLESS
from .formats import Maker, Profile
from .messages import STDOUT
from .page import Page
from .reading import END
from .targets import File, Stdout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .arguments import Settings
    from .messages import Messages
    from .names import Pattern
    from .reading import Scanner


class Job:
    """What all pages of a run share. dpi: for the files, 0 if the device does not tell."""

    def __init__(
        self,
        scanner: Scanner,
        settings: Settings,
        messages: Messages,
        dpi: float,
    ) -> None:
        self._scanner = scanner
        self._settings = settings
        self._messages = messages
        self._make = Maker(settings.format, dpi, Profile(settings.icc, messages))
        self._pdf = self._make.pdf
        self._target: File | Stdout = Stdout()

    def abandon(self) -> None:
        """Leave no part of a file behind, as far as that can be; a signal ends the program."""
        self._target.discard()

    def _read(self) -> int:
        """Read a page into the target; return the status that it ends with."""
        try:
            return self._scanner.read(Page(self._make, self._target.write))
        except BrokenPipeError:
            return self._pipe_closed()
        except OSError as exc:
            return self._write_failed(exc)

    def _pipe_closed(self) -> int:
        """Nobody reads what we write: as a signal, that is a cancel."""
        if self._scanner.interrupt is not None:
            self._scanner.interrupt.wait_for_pipe()
        self._messages.say("sane_read: Operation was canceled")
        return STATUS_CANCELLED

    def _write_failed(self, exc: OSError) -> int:
        self._messages.say(f"write error: {exc.strerror}")
        return STATUS_NO_MEM

    # One page

    def open_target(self) -> bool:
        """Open where the page goes, before the scan; False, with the reason said, if it cannot."""
        path = self._settings.output
        if path is None:
            if os.isatty(STDOUT):
                self._messages.say("output is not a file, exiting")
                return False
            return True
        try:
            self._target = File(path)
        except OSError:
            self._messages.say(f"could not open output file '{path}', exiting")
            return False
        return True

    def run(self) -> int:
        """Scan one page; return the exit status."""
        status = self._scanner.start()
        if not status:
            status = self._framed() if self._settings.format == "pdf" else self._read()
        if status == END:
            try:
                self._target.finish()
                return 0
            except OSError as exc:
                status = self._write_failed(exc)
        self._target.discard()
        return status

    def _framed(self) -> int:
        """Read a page into a PDF file of its own."""
        try:
            self._target.write(self._pdf.begin())
            status = self._read()
            if status == END:
                self._target.write(self._pdf.end())
        except BrokenPipeError:
            return self._pipe_closed()
        except OSError as exc:
            return self._write_failed(exc)
        return status


class Batch(Job):
    """Pages until the count is reached or the feeder is empty; each in a file, but for PDF."""

    def __init__(
        self,
        scanner: Scanner,
        settings: Settings,
        messages: Messages,
        dpi: float,
        pattern: Pattern,
    ) -> None:
        super().__init__(scanner, settings, messages, dpi)
        self._pattern = pattern
        self._document: File | None = None  # a PDF with all pages

    def run(self) -> int:
        """Scan; return the exit status."""
        settings, messages = self._settings, self._messages
        pages = "infinity" if settings.count == ENDLESS else str(settings.count)
        plural = "" if settings.count == 1 else "s"
        messages.raw(
            f"Scanning {pages} page{plural}, incrementing by {settings.increment}, "
            f"numbering from {settings.start}\n"
        )
        number, done, status = settings.start, 0, 0
        while done != settings.count:
            if settings.prompts and not self._prompted(number):
                break
            messages.raw(f"Scanning page {number}\n")
            status = self._scanner.start()
            if status:
                break
            name = self._pattern.name(number)
            if not self._opened(name):
                return STATUS_ACCESS_DENIED
            status = self._page(name)
            messages.raw(f"Scanned page {number}. (scanner status = {status})\n")
            done += 1
            if status != END:
                break
            status = self._finished(name)
            if status:
                return status
            number += settings.increment
        return self._ended(done, status)

    def _ended(self, done: int, status: int) -> int:
        plural = "" if done == 1 else "s"
        self._messages.raw(f"Batch terminated, {done} page{plural} scanned\n")
        if self._document is not None:
            failure = self._end_document()
            status = failure or status
        if status == STATUS_NO_DOCS and self._settings.count == ENDLESS:
            return 0
        return status

    def _prompted(self, number: int) -> bool:
        """Ask for the next document; False when there is to be none."""
        self._messages.raw(
            f"Place document no. {number} on the scanner.\n"
            "Press <RETURN> to continue.\n"
            "Press Ctrl + D (EOF) to terminate.\n"
        )
        try:
            if sys.stdin is None:  # it was closed when the program was started
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            await_line()
            return sys.stdin.buffer.readline().endswith(b"\n")
        except OSError as exc:
            self._messages.say(f"stdin error: {exc.strerror}")
            return False

    def _opened(self, name: str) -> bool:
        if self._document is not None:
            return True
        part = f"{name}.part"
        try:
            self._target = File(name, part)
        except OSError:
            self._messages.raw(f"cannot open {part}\n")
            return False
        return True

    def _page(self, name: str) -> int:
        """Read one page into its file; return the scanner's status."""
        if self._settings.format == "pdf":
            return self._document_page(name)
        status = self._read()
        if status != END:
            self._target.discard()
        return status

    def _finished(self, name: str) -> int:
        """Give a page its name; return 0, or the exit status if that fails."""
        if self._document is not None:
            return 0
        try:
            self._target.finish()
            if self._settings.prints_names:
                self._messages.show(f"{name}\n")
        except BrokenPipeError:
            return self._pipe_closed()
        except OSError:
            self._messages.raw(f"cannot rename {name}.part to {name}\n")
            return STATUS_ACCESS_DENIED
        return 0

    # PDF: all pages in the file of the first

    def _document_page(self, name: str) -> int:
        assert isinstance(self._target, File)
        if self._document is None:
            try:
                self._target.write(self._pdf.begin())
            except OSError as exc:
                self._target.discard()
                return self._write_failed(exc)
            self._document = self._target
        state = self._pdf.state()
        status = self._read()
        if status != END:
            self._document.cut(self._pdf.restore(state))
        return status

    def _end_document(self) -> int:
        """Complete the file with the pages that came; return a status if that fails."""
        assert self._document is not None
        if not self._pdf.pages:
            self._document.discard()
            return 0
        try:
            self._document.write(self._pdf.end())
            self._document.finish()
        except OSError as exc:
            self._document.discard()
            return self._write_failed(exc)
        return 0
