"""Pages go through the steps in threads while the next ones are scanned; their order is kept.

It knows threads and no step. At most WAITING_PER_CORE pages a core are under way: then whoever puts
in the next one waits, and with it the feeder. A page that fails in a step goes on as it was
scanned. Source: specification python-api-and-cli 12.3.
"""

from __future__ import annotations

import os

from .encode import QUALITY, picture_of
from .problem import PageWorkError, output_error
from .sheet import Sheet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from .encode import Picture
    from .sheet import PageLike
    from .spool import Spool, SpooledPage
    from .steps import Step

WAITING_PER_CORE = 2


class Pipeline:
    """The steps of a scan. put() the pages, then end() gives them in their order.

    format, quality, lossless: of the output, so that pages are compressed for it in the threads;
    "" for any. keep_raw: a folder that gets what the scanner sent. on_page: called with each
    finished page, in order, by the threads, never two at once. workers: threads, by default one a
    core. A context manager, which ends the threads; whoever leaves it by an exception finds the
    finished pages in pages().
    """

    def __init__(
        self,
        spool: Spool,
        steps: Iterable[Step] = (),
        *,
        format: str = "",
        quality: int = QUALITY,
        lossless: bool = False,
        keep_raw: str | None = None,
        on_page: Callable[[SpooledPage], object] | None = None,
        workers: int | None = None,
    ) -> None:
        import threading
        from queue import SimpleQueue

        cores = workers or len(os.sched_getaffinity(0))
        self._spool = spool
        self._steps = list(steps)
        self._format = format
        self._quality = quality
        self._lossless = lossless
        self._keep_raw = keep_raw
        self._on_page = on_page
        self._room = threading.Semaphore(WAITING_PER_CORE * cores)
        self._queue: SimpleQueue[tuple[int, PageLike | Sheet] | None] = SimpleQueue()
        self._lock = threading.RLock()  # guards what follows
        self._done: dict[int, SpooledPage | None] = {}  # None: the page is lost
        self._told = 0  # up to here on_page was called
        self._trouble: BaseException | None = None
        self._put = 0
        self._threads = [
            threading.Thread(target=self._work, name=f"pagework-{i}", daemon=True)
            for i in range(cores)
        ]
        if keep_raw is not None:
            _make_folder(keep_raw)
        for thread in self._threads:
            thread.start()

    def put(self, page: PageLike | Sheet) -> None:
        """Take a page; waits while too many are under way.

        Raises PageWorkError once pages cannot be kept on disk any more, or in the raw folder: the
        page is not taken, and all that were before are.
        """
        if not self._threads:
            raise ValueError("the pipeline has ended")
        self._room.acquire()
        with self._lock:
            trouble = self._trouble or self._spool.trouble
        if trouble is not None:
            self._room.release()
            raise trouble
        self._put += 1
        self._queue.put((self._put, page))

    def end(self) -> list[SpooledPage]:
        """Wait for the pages under way; return all in the order in which they were put.

        What went wrong with single ones is their problem. Raises what on_page raised, and
        PageWorkError if a page could not be kept at all; pages() has the others.
        """
        self._stop()
        if self._trouble is not None and not isinstance(self._trouble, PageWorkError):
            raise self._trouble
        if len(self.pages()) < self._put and self._trouble is not None:
            raise self._trouble
        return self.pages()

    def pages(self) -> list[SpooledPage]:
        """Return the pages that are finished, in order."""
        with self._lock:
            return [page for _, page in sorted(self._done.items()) if page is not None]

    def _stop(self) -> None:
        threads, self._threads = self._threads, []
        for _ in threads:
            self._queue.put(None)
        for thread in threads:
            thread.join()

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    # In the threads

    def _work(self) -> None:
        while True:
            item = self._queue.get()
            if item is None:
                return
            place, page = item
            done = None
            try:
                done = self._finished(page)
            except BaseException as exc:
                with self._lock:
                    self._trouble = self._trouble or exc
            finally:
                del item, page
                self._tell(place, done)
                self._room.release()

    def _finished(self, page: PageLike | Sheet) -> SpooledPage:
        """Return *page* in the spool, after all steps, or as it was scanned."""
        from time import perf_counter

        begin = perf_counter()
        scanned = Sheet.of(page)
        if self._keep_raw is not None:
            self._store_raw(scanned, self._keep_raw)
        sheet, problem = self._stepped(scanned)
        try:
            picture = self._picture(sheet)
        except Exception as exc:
            sheet, problem = scanned, _problem(scanned, self._format, exc)
            picture = picture_of(scanned, "")  # needs no library
        done = self._spool.add(sheet, picture)
        done.problem = problem
        done.seconds = perf_counter() - begin
        return done

    def _picture(self, sheet: Sheet) -> Picture:
        form = self._format
        return picture_of(sheet, form, quality=self._quality, lossless=self._lossless)

    def _stepped(self, scanned: Sheet) -> tuple[Sheet, PageWorkError | None]:
        sheet, name = scanned, ""
        try:
            for step in self._steps:
                name = step.name
                sheet = step.work(sheet)
        except Exception as exc:  # whatever a library raises: the page is more than the step
            return scanned, _problem(scanned, name, exc)
        return sheet, None

    def _tell(self, place: int, done: SpooledPage | None) -> None:
        """Note a finished page; tell those that are now next, in order."""
        with self._lock:
            self._done[place] = done
            while self._told + 1 in self._done:
                self._told += 1
                page = self._done[self._told]
                if self._on_page is None or page is None:
                    continue
                try:
                    self._on_page(page)
                except BaseException as exc:
                    self._trouble = self._trouble or exc

    def _store_raw(self, sheet: Sheet, folder: str) -> None:
        """Write what the scanner sent; a failure ends the scan, the page itself goes on."""
        from .spool import write_new

        data, ending = sheet.encoded.get("image/jpeg"), "jpg"
        if data is None:
            data, ending = picture_of(sheet, "pnm").data, "pnm"
        path, again = os.path.join(folder, f"page-{sheet.number:04}.{ending}"), 1
        while True:
            try:
                return write_new(path, data)
            except FileExistsError:
                again += 1
                path = os.path.join(folder, f"page-{sheet.number:04}-{again}.{ending}")
            except OSError as exc:
                with self._lock:
                    self._trouble = self._trouble or output_error(path, exc)
                return None


def _problem(sheet: Sheet, name: str, exc: Exception) -> PageWorkError:
    """Return what is told of a page that failed in the step *name*."""
    reason = str(exc) or type(exc).__name__
    message = f"page {sheet.number} is kept as it was scanned: {name} failed: {reason}"
    problem = PageWorkError(message, hint=getattr(exc, "hint", ""))
    problem.__cause__ = exc
    return problem


def _make_folder(path: str) -> None:
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as exc:
        raise output_error(path, exc, "cannot make the folder") from exc
    if not os.access(path, os.W_OK | os.X_OK):
        raise output_error(path, PermissionError(13, "Permission denied"))
