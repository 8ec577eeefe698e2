"""How far a scan is, on stderr: bars of rich, a line that is rewritten, JSON lines, or nothing.

It knows terminals and `sane.Progress`, not scanners. The scanning thread calls it, and messages
of the main thread take it off the screen: a lock keeps them apart. stdout is never touched.
"""

from __future__ import annotations

import os
import sys
import threading

from .talk import SCHEMA, is_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TextIO

    from ...api.meter import Progress

KINDS = ("auto", "always", "never", "json")


class Silent:
    """Shows nothing; also what every display does.

    before: pages of jobs before this one, as progress counts anew in each.
    """

    def __init__(self) -> None:
        self.before = 0

    def __call__(self, progress: Progress) -> None:
        """Show how far the page is; the scanning thread calls it."""

    def page_end(self, facts: Mapping[str, Any]) -> None:
        """Tell that a page is done; *facts* are those of the JSON result."""

    def event(self, kind: str, **facts: Any) -> None:
        """Tell something else that happened: a file is written, a warning."""

    def clear(self) -> None:
        """Leave the screen, until there is something new to show."""

    def close(self) -> None:
        """Leave the screen for good."""


class JsonLines(Silent):
    """One JSON object a line, for programs."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._page = 0
        self._lock = threading.Lock()

    def __call__(self, progress: Progress) -> None:
        page = self.before + progress.page
        if page != self._page and progress.phase != "warmup":  # it may find the feeder empty
            self._page = page
            self.event("page-start", page=page)
        names = ("row", "rows", "bytes", "bytes_total", "fraction", "elapsed", "eta", "phase")
        self.event("progress", page=page, **{name: getattr(progress, name) for name in names})

    def page_end(self, facts: Mapping[str, Any]) -> None:
        self.event("page-end", page=facts)

    def event(self, kind: str, **facts: Any) -> None:
        from json import dumps

        line = dumps({"schema": SCHEMA, "event": kind, **facts}, default=str)
        with self._lock:
            self._stream.write(f"{line}\n")
            self._stream.flush()


def described(progress: Progress) -> str:
    """Return how far a page is, as in "53 %, row 620 of 1169, 2 s left"."""
    parts = []
    if progress.phase == "warmup":
        parts.append("warming up")
    if progress.fraction is not None:
        parts.append(f"{progress.fraction * 100:.0f} %")
    if progress.row:
        of = f" of {progress.rows}" if progress.rows else ""
        parts.append(f"row {progress.row}{of}")
    if progress.elapsed > 0.2 and progress.bytes:
        parts.append(f"{progress.bytes / progress.elapsed / 1e6:.1f} MB/s")
    if progress.eta and progress.eta >= 1:
        parts.append(f"{progress.eta:.0f} s left")
    return ", ".join(parts) or "waiting"


class Line(Silent):
    """One line that is rewritten in place."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._shown = 0  # columns
        self._dropped = 0
        self._lock = threading.RLock()

    def __call__(self, progress: Progress) -> None:
        dropped = f" ({self._dropped} blank dropped)" if self._dropped else ""
        self._show(f"page {self.before + progress.page}: {described(progress)}{dropped}")

    def page_end(self, facts: Mapping[str, Any]) -> None:
        self._dropped += bool(facts.get("dropped"))

    def _show(self, text: str) -> None:
        with self._lock:
            text = text[: columns(self._stream) - 1]
            self._stream.write(f"\r{text.ljust(self._shown)}")
            self._stream.flush()
            self._shown = len(text)

    def clear(self) -> None:
        with self._lock:
            if self._shown:
                self._stream.write(f"\r{' ' * self._shown}\r")
                self._stream.flush()
                self._shown = 0

    def close(self) -> None:
        self.clear()


def columns(stream: TextIO) -> int:
    """Return how wide the terminal is."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


class Bars(Silent):
    """One bar of rich for the page, and a line with the total."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        super().__init__()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[more]}"),
            console=Console(file=stream),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._lock = threading.RLock()
        self._page = 0
        self._task: Any = None
        self._total: Any = None
        self._is_shown = False
        self._done = self._dropped = 0

    def _begin(self, page: int) -> None:
        """Show an empty bar for *page*, above the total."""
        for task in (self._task, self._total):
            if task is not None:
                self._progress.remove_task(task)
        self._page = page
        self._task = self._progress.add_task(f"page {page}", total=None, more="")
        self._total = None
        if self._done:
            dropped = f" ({self._dropped} blank dropped)" if self._dropped else ""
            text = f"{self._done} done{dropped}"
            self._total = self._progress.add_task(text, total=1, completed=1, more="")

    def __call__(self, progress: Progress) -> None:
        with self._lock:
            page = self.before + progress.page
            if page != self._page:
                self._begin(page)
            fraction = progress.fraction
            more = described(progress)
            self._progress.update(
                self._task,
                total=None if fraction is None else 1.0,
                completed=fraction or 0.0,
                more=more.partition(", ")[2] if fraction is not None else more,
            )
            if not self._is_shown:
                self._is_shown = True
                self._progress.start()

    def page_end(self, facts: Mapping[str, Any]) -> None:
        with self._lock:
            self._done += 1
            self._dropped += bool(facts.get("dropped"))

    def clear(self) -> None:
        with self._lock:
            if self._is_shown:
                self._is_shown = False
                self._progress.stop()

    def close(self) -> None:
        self.clear()


def display(
    kind: str, *, quiet: bool, stream: TextIO | None = None, environ: Mapping[str, str] = os.environ
) -> Silent:
    """Return the display that --progress=*kind* asks for.

    auto is nothing where stderr is no terminal, and a plain line where rich is absent or not
    wanted: NO_COLOR, TERM=dumb, CI.
    """
    stream = sys.stderr if stream is None else stream
    if kind == "never" or stream is None or (quiet and kind != "json"):
        return Silent()
    if kind == "json":
        return JsonLines(stream)
    if not is_terminal(stream):
        return Line(stream) if kind == "always" else Silent()
    plain = any(environ.get(name) for name in ("NO_COLOR", "CI"))
    if plain or environ.get("TERM", "dumb") == "dumb":
        return Line(stream)
    try:
        return Bars(stream)
    except ImportError:
        return Line(stream)
