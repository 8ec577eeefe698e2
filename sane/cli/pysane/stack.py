"""A stack of paper becomes pages in the pipeline: how many, in which rounds, and what ends it.

It knows the Scanner, the person before it, and signals; it knows neither page work nor files. What
was scanned when something goes wrong stays in the pipeline.
"""

from __future__ import annotations

import time

from ...errors import CoverOpen, Jammed, NoDocs, SaneError
from .asking import can_ask, goes_on
from .exits import Failure, failure_of, mistake

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from ...api.meter import Progress
    from ...api.page import Page, Side
    from ...api.scanner import Scanner
    from ..stopping import Stopping
    from .progress import Silent
    from .talk import Talk

BLOCKED = {Jammed: "Jammed", CoverOpen: "The cover was opened"}


class Stack:
    """Scans page after page; *put* takes each, and raises when it can take no more.

    keep: a MIME type in which pages are to come as the scanner sends them, too, "" for none.

    count: pages so far. fronts: how many of them are fronts, with --manual-duplex. seconds: what
    each page took, by its number. failure: why it ended early, None if it did not. is_interrupted:
    a signal or an error ended it, and not the person.
    """

    def __init__(
        self,
        scanner: Scanner,
        put: Callable[[Page], None],
        options: argparse.Namespace,
        *,
        display: Silent,
        talk: Talk,
        stopping: Stopping,
        keep: str = "",
    ) -> None:
        self.count = 0
        self.fronts: int | None = None
        self.seconds: dict[int, float] = {}
        self.failure: Failure | None = None
        self.is_interrupted = False
        self._keep = keep
        self._scanner = scanner
        self._put = put
        self._options = options
        self._display = display
        self._talk = talk
        self._stopping = stopping
        self._side: Side | None = None

    def scan(self) -> None:
        """Scan everything; what goes wrong is in failure, whatever was scanned is put."""
        try:
            self._rounds()
        except (KeyboardInterrupt, SystemExit) as exc:
            self.is_interrupted = True
            if not self._stopping.signal:
                self.failure = mistake(exc)
        except SaneError as exc:
            self.failure = failure_of(exc, self._scanner.name)
            self.is_interrupted = not isinstance(exc, tuple(BLOCKED))
        except Exception as exc:
            if not hasattr(exc, "exit_code"):
                raise
            self.failure = failure_of(exc)  # of page work: no page can be kept any more
        finally:
            self._stopping.closing()
            self._display.close()
        if self._stopping.signal:
            self.is_interrupted = True
        if self.failure is not None:
            self.failure.pages_done = self.count

    def _rounds(self) -> None:
        limit = self._options.pages
        if not self._options.manual_duplex:
            self._round(limit)
            return
        self._side = "front"
        self._round(None if limit is None else -(-limit // 2))
        self.fronts = self.count
        left = None if limit is None else limit - self.fronts
        sheets = f"{self.fronts} sheet{'s' * (self.fronts != 1)}"
        question = f"Turn the {sheets} over and load them again. Enter to go on, q to leave it:"
        if left == 0 or not self._ask(question):
            return
        self._side = "back"
        self._round(left)

    def _round(self, limit: int | None) -> None:
        """Scan until the feeder is empty or *limit* pages are there."""
        until = None if limit is None else self.count + limit
        by_one = self._options.prompt
        while until is None or self.count < until:
            try:
                self._job(1 if by_one else None if until is None else until - self.count)
            except (Jammed, CoverOpen) as exc:
                if not self._clears(exc):
                    raise
                continue
            except NoDocs:
                if not by_one or not self.count:
                    raise
                self._talk.tell(f"{self._scanner.name}: the feeder is empty")
            if not by_one or self.count == until:
                return
            if not self._ask(f"Enter for page {self.count + 1}, q to end:"):
                return
            self._rest()

    def _job(self, limit: int | None) -> None:
        """Scan the pages of one job of the scanner."""
        options = self._options
        self._display.before = self.count
        pages = self._scanner.pages(
            limit=limit,
            progress=self._watch,
            timeout=options.timeout or None,
            prefetch=0 if options.delay else 1,
            keep=self._keep,
        )
        with pages:
            while True:
                # A signal cancels the job: pages that are whole come first, then Cancelled.
                self._stopping.holding(self._scanner.cancel)
                page = next(pages, None)
                if page is None:
                    break
                self._take(page)
                if options.delay and (limit is None or pages.pages_done < limit):
                    self._rest()
        self._stopping.look()

    def _watch(self, progress: Progress) -> None:
        """Show how far a page is, and note how long it took; the scanning thread calls it."""
        if progress.fraction == 1.0:
            self.seconds[self._display.before + progress.page] = progress.elapsed
        self._display(progress)

    def _take(self, page: Page) -> None:
        """Number a page through all jobs, and hand it on; a signal waits until it is safe."""
        self.count += 1
        page.number = self.count
        if self._side is not None:
            page.side = self._side
        if page.truncated:
            promised = page.parameters.lines
            self._talk.warn(
                f"page {self.count} is cut off: the scanner has sent {page.height} of "
                f"{promised} lines"
            )
        self._put(page)

    def _rest(self) -> None:
        """Wait as --delay says; a signal ends it."""
        if self._options.delay:
            self._stopping.working()
            time.sleep(self._options.delay)

    def _ask(self, question: str) -> bool:
        self._stopping.working()
        try:
            return goes_on(question, self._display)
        finally:
            self._stopping.closing()
            self._stopping.look()

    def _clears(self, exc: SaneError) -> bool:
        """Ask whether to go on after a jam; False where nobody is there."""
        if not can_ask():
            return False
        what = next(text for kind, text in BLOCKED.items() if isinstance(exc, kind))
        after = f" after page {self.count}" if self.count else ""
        return self._ask(
            f"{what}{after}. Clear it, reload the rest, Enter to go on, q to save what there is:"
        )
