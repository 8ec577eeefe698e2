"""One eSCL job: asked for, page after page, and told to be over. All of it in one thread.

                    POST 201               NextDocument 200
    ASKING ---------------------> RUNNING -------------------> RUNNING, the next page
      |  503: again, 10 times        |  503: again, 30 times or while the job is processing
      |  400, 409: once with less    |  404, 410, an empty body: no page is left
      v                              v  409, 500: what the status says
    FAILED, what the status says   ENDED ----- DELETE -----> OVER

Source: specification escl 2.4, 2.7, 2.8 and 2.10.
"""

from __future__ import annotations

from time import monotonic

from ...errors import (
    AccessDenied,
    Cancelled,
    DeviceBusy,
    DeviceIOError,
    Invalid,
    NoDocs,
    SaneError,
)
from ...transport.failures import NoAnswer
from .._driverless.job import PENDING_SECONDS
from .._driverless.job import Job as BackgroundJob
from . import settings
from .multipart import first_image
from .service import END_SECONDS, refused
from .status import EMPTY, IDLE, PROCESSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...debug import Debug
    from ...transport.http import Response
    from .._driverless.request import Request
    from .opening import Opened
    from .status import Status

MOST_PAUSE_SECONDS = 30.0  # that a scanner may ask for
POST_RETRIES, PAGE_RETRIES, ERROR_RETRIES = 10, 30, 5
PATIENCE_SECONDS = 180.0  # while the scanner says that it processes the job
PROXY_SECONDS = 2.0  # for a DELETE to a USB device that may do one thing at a time
PIECE_BYTES = 1 << 16
OK, MULTIPLE = 200, 300
BAD_REQUEST, NOT_FOUND, CONFLICT, GONE, BUSY = 400, 404, 409, 410, 503
LIVE_STATES = ("Pending", "Processing", "")  # of a job that may still send


class Job(BackgroundJob):
    """One job of the scanner *opened*; *detects_paper*: its feeder knows whether it is empty."""

    pause_seconds = 1.0  # between two tries

    def __init__(
        self,
        request: Request,
        opened: Opened,
        debug: Debug,
        *,
        version: str = "",
        detects_paper: bool = False,
    ) -> None:
        super().__init__(request, debug)
        import _thread

        self._service = opened.service
        self._quirks = opened.quirks
        self._version = version
        self._detects_paper = detects_paper
        self._credentials = opened.passwords.known
        self._client = self._service.client(self.broken, self._credentials)
        self._lock = _thread.allocate_lock()
        self._url = ""  # of the job, until the scanner is told that it is over
        self._pages = 0
        self._took = 0.0  # seconds that the slowest page took: one that lay ready is no measure
        self._is_transferring = False
        self._is_complete = False  # all pages came, or the scanner said that there are none

    # The course

    def work(self) -> None:
        self._check_feeder()
        self._ask()
        while not self.stop.is_set() and self._page():
            self._pages += 1
            if not self.request.is_feeder or self._pages == self._most_pages:
                break
            self._delay()
        if self.stop.is_set():
            raise Cancelled
        if not self.request.is_feeder:
            self._drain()

    @property
    def _most_pages(self) -> int:
        limit = self._service.limits.pages
        return min(self.request.most_pages or limit, limit)

    def _pause(self, seconds: float) -> None:
        """Wait between two requests; ends with Cancelled when the job is to stop."""
        self.stop.wait(seconds if self._client.is_live else 0.0)

    def _pause_of(self, response: Response) -> float:
        """Return how long to wait before the next try."""
        seconds = response.retry_after
        if seconds is not None and 1 <= seconds <= MOST_PAUSE_SECONDS:
            return seconds
        return self.pause_seconds

    def _check_feeder(self) -> None:
        """Refuse what the feeder's state rules out; a flatbed is always tried."""
        status = self._client.status()
        if status is None or not self.request.is_feeder:
            return
        fault = status.feeder_fault()
        is_empty = status.feeder == EMPTY
        must_not = self._quirks.has("adf-precheck")
        if fault is None and is_empty and (must_not or self._is_surely_empty(status)):
            fault = NoDocs("the feeder is empty")
        if fault is not None:
            raise fault

    def _is_surely_empty(self, status: Status) -> bool:
        return status.state == IDLE and self._detects_paper

    # Asking for the job

    def _ask(self) -> None:
        """Have the job accepted; raises why it is not."""
        is_reduced = False
        tries = 0
        while True:
            body = settings.build(self.request, self._version, is_reduced=is_reduced)
            response = self._client.post(body)
            if OK <= response.status < MULTIPLE:
                with self._lock:
                    self._url = self._client.job_url(response)
                return
            if self.stop.is_set():
                raise Cancelled
            status = self._client.status()
            fault = None if status is None else self._refusing(status)
            if fault is not None:
                raise fault
            if response.status == BUSY:
                if tries == POST_RETRIES:
                    raise DeviceBusy(f"{response.peer}: is busy, asked {tries + 1} times")
                tries += 1
                self._pause(self._pause_of(response))
                continue
            can_reduce = response.status in (BAD_REQUEST, CONFLICT) and not is_reduced
            if not (can_reduce and settings.can_be_reduced(self.request)):
                raise _refusal(response)
            is_reduced = True
            self.debug(1, "%s: refuses the job, asked for again with less", response.peer)

    def _refusing(self, status: Status) -> SaneError | None:
        """Return what in *status* settles why a job is refused."""
        is_feeder = self.request.is_feeder
        return (status.definite() if is_feeder else None) or status.fault(is_feeder)

    # Pages

    def _page(self) -> bool:
        """Deliver the next page; return whether there was one."""
        response = self._next_document()
        if response is None:
            return False
        self._is_transferring = True
        try:
            return self._deliver(response)
        finally:
            self._is_transferring = False
            response.close()

    def _next_document(self) -> Response | None:
        """Return the answer that has the next page; None where there is no further one."""
        retries, since = 0, monotonic()
        has_failed = False
        while True:
            if self.stop.is_set():
                raise Cancelled
            try:
                response = self._client.document(self._url)
            except (NoAnswer, Cancelled, AccessDenied):
                raise
            except DeviceIOError as exc:
                if has_failed:
                    raise
                has_failed = True
                self.debug(1, "%s; asked once more", exc)
                self._pause(self.pause_seconds)
                continue
            if response.status == OK:
                return response
            response.close()
            if response.status in (NOT_FOUND, GONE) and not self._is_not_ready(response):
                self._ended(response)
                return None
            self._check(response, retries, since)
            retries += 1
            self._pause(self._pause_of(response))

    def _is_not_ready(self, response: Response) -> bool:
        """Tell whether the answer means to wait, by what is known of the device."""
        return self._quirks.has(f"retry-{response.status}")

    def _ended(self, response: Response) -> None:
        """Raise why no page came, if that is a failure; return at the normal end of a flatbed."""
        self._is_complete = True
        if not self.request.is_feeder:
            if not self._pages:
                raise refused(response, "the page")
            return
        status = self._client.status()
        fault = None if status is None else status.feeder_fault()
        raise fault or NoDocs("no sheet is left in the feeder")

    def _check(self, response: Response, retries: int, since: float) -> None:
        """Return if it is worth asking again; raises what is wrong else."""
        status = self._client.status()
        fault = None if status is None or not self.request.is_feeder else status.feeder_fault()
        if fault is not None:
            raise fault
        if response.status == CONFLICT:
            if self.request.is_feeder and status is not None and status.feeder == EMPTY:
                raise NoDocs("no sheet is left in the feeder")
            raise refused(response, "the page")
        job = None if status is None else status.job(self._url)
        state = "" if job is None else job.state
        if self._is_not_ready(response) and _is_finished(status, state):
            self._ended(response)
        if response.status == BUSY or self._is_not_ready(response):
            most = self._quirks.retries or PAGE_RETRIES
            is_patient = state == PROCESSING and monotonic() - since < PATIENCE_SECONDS
            if retries < most or is_patient:
                return
            self._give_up(response, retries)
        if retries < ERROR_RETRIES and state in LIVE_STATES and response.status >= 500:
            return
        raise refused(response, "the page")

    def _give_up(self, response: Response, retries: int) -> None:
        """Raise what it means that the page never came."""
        if response.status != BUSY:
            self._ended(response)
        raise DeviceBusy(f"{response.peer}: no page, asked {retries + 1} times")

    def _deliver(self, response: Response) -> bool:
        """Hand on the document; return False for one without a byte."""
        began = monotonic()
        if response.header("content-type").lower().startswith("multipart/"):
            pieces = iter([first_image(response.read(self._service.limits.document_bytes))])
        else:
            pieces = _pieces(response)
        is_begun = False
        try:
            for piece in pieces:
                if not is_begun:
                    self.deliveries.begin()
                    is_begun = True
                if not self.stop.is_set():
                    self.deliveries.put(piece)
        except SaneError as exc:
            if is_begun:
                self.deliveries.end(exc)
            raise
        self._took = max(self._took, monotonic() - began)
        if not is_begun:
            return self._empty(response)
        self._is_complete = not self.request.is_feeder
        self.deliveries.end()
        return True

    def _empty(self, response: Response) -> bool:
        if not self._pages:
            raise DeviceIOError(f"{response.peer}: the page has no bytes")
        self._is_complete = True
        if self.request.is_feeder:
            raise NoDocs("no sheet is left in the feeder")
        return False

    def _delay(self) -> None:
        """Give devices the time that they need between two pages."""
        delay = self._quirks.load_delay
        if delay:
            self._pause(delay if delay > 0 else min(self.pause_seconds, self._took / 2))

    def _drain(self) -> None:
        """Let a scanner know that its page was taken; some are idle only then."""
        try:
            self._client.drain(self._url)
        except DeviceIOError as exc:
            self.debug(2, "%s", exc)

    # The end

    def leave(self) -> None:
        with self._lock:
            url, self._url = self._url, ""
        if not url or (self._is_complete and self._quirks.has("no-delete")):
            return
        is_pending = self.stop.is_set() and self._is_transferring and self._service.is_local
        is_broken = self.broken.is_set()  # there is little time left
        seconds = PROXY_SECONDS if is_pending or is_broken else END_SECONDS
        if self.stop.is_set():
            seconds = min(seconds, PENDING_SECONDS)
        cancel = None if is_broken else self.broken
        try:
            self._service.client(cancel, self._credentials).delete(url, seconds)
        except NoAnswer as exc:
            self.debug(2, "%s", exc)
            if is_pending:  # it may do one thing at a time: the page has to go first
                self.broken.set()
                self._delete_again(url)
        except SaneError as exc:
            self.debug(2, "%s", exc)

    def _delete_again(self, url: str) -> None:
        try:
            self._service.client(None, self._credentials).delete(
                url, PENDING_SECONDS - PROXY_SECONDS
            )
        except SaneError as exc:
            self.debug(2, "%s", exc)


def _is_finished(status: Status | None, state: str) -> bool:
    """Tell whether the scanner says that no page will come, whatever its answers to pages mean."""
    if state:
        return state not in LIVE_STATES
    return status is not None and (status.feeder, status.state) == (EMPTY, IDLE)


def _pieces(response: Response) -> Iterator[bytes]:
    buffer = memoryview(bytearray(PIECE_BYTES))
    while n := response.read_into(buffer):
        yield bytes(buffer[:n])


def _refusal(response: Response) -> SaneError:
    """Return what a refused job means where the scanner does not say more."""
    if response.status in (BAD_REQUEST, CONFLICT):
        return Invalid(
            f"{response.peer}: HTTP {response.status}: the scanner refuses these settings"
        )
    return refused(response, "the job")
