"""An emulated eSCL scanner: flatbed, feeder, duplex, jobs, and whatever its knobs ask for.

A Scanner answers requests and knows no sockets; an Emulator (emulator.py) puts it on the network.
Its state and knobs may be changed at any time, as a user or a test would do. Source: specification
escl, sections 2, 7.5, 7.7 and 8.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable
from urllib.parse import quote

from . import capabilities, pictures, status
from .http import Reply, Request
from .job import ABORTED, CANCELED, COMPLETED, PROCESSING, Job, Sheet, Side
from .knobs import Access, JobKnobs, PageKnobs, StatusKnobs, Timing
from .model import PLATEN, Model
from .pixels import Page, pattern
from .settings import BadSettings, Settings

XML = "text/xml"
RESOURCES = (
    *("capabilities", "status", "jobs", "document", "info", "delete", "buffer", "icon", "other"),
)
OF_SERVICE = {
    "ScannerCapabilities": "capabilities",
    "ScannerStatus": "status",
    "ScanJobs": "jobs",
    "ScanBufferInfo": "buffer",
    "ScannerIcon": "icon",
}
OF_JOB = {"NextDocument": "document", "ScanImageInfo": "info", "": "delete"}
METHODS = {"jobs": ("POST",), "delete": ("DELETE",), "buffer": ("PUT",)}  # GET and HEAD else
BUSY_SECONDS = 2  # Retry-After of a busy scanner
JOBS_TOLD = 10
ID_PREFIX = "0b8c7d0e-6b0b-4c51-8d3e-"

Answer = Reply | int | None


class Scanner:
    """One emulated scanner.

    page: what lies on the glass. sheets: what lies in the feeder. is_jammed, is_cover_open: as they
    say. writing: how the capabilities are written. status, jobs, pages, timing, access: the knobs
    of these names. scripted: see script(). feeder_waits: seconds that the feeder waited for the
    host in front of each page.
    """

    def __init__(self, model: Model | None = None, sheets: int = 0) -> None:
        self.model = model or Model()
        self.page: Page = pattern
        self.sheets: deque[Sheet] = deque(Sheet() for _ in range(sheets))
        self.sides = 0  # that were scanned from the feeder: no two look alike
        self.is_jammed = self.is_cover_open = False
        self.writing = capabilities.Writing()
        self.status = StatusKnobs()
        self.jobs = JobKnobs()
        self.pages = PageKnobs()
        self.timing = Timing()
        self.access = Access()
        self.scripted: dict[str, deque[Answer]] = {name: deque() for name in RESOURCES}
        self.feeder_waits: list[float] = []
        self.history: list[Job] = []  # the newest first
        self.refusals: list[str] = []  # why jobs were refused, for assertions
        self.born = time.monotonic()
        self._made = 0  # jobs
        self._busy_until = 0.0
        self._lock = threading.RLock()
        self._pictures = pictures.Pictures()

    def load(self, count: int, *heights: int) -> None:
        """Put *count* sheets into the feeder, the first ones so high; sides count from 0 again."""
        with self._lock:
            known = [*heights, *[None] * (count - len(heights))]
            self.sheets = deque(Sheet(height=height) for height in known)
            self.sides = 0

    def script(self, resource: str, *answers: Answer) -> None:
        """Let the next requests for *resource*, one of RESOURCES, be answered so.

        A number is a status without a body; None is the usual answer.
        """
        self.scripted[resource].extend(answers)

    @property
    def job(self) -> Job | None:
        """The job that runs, if one does."""
        for job in self.history:
            if not job.is_over:
                return job
        return None

    # Requests

    def resource(self, target: str) -> tuple[str, str, str]:
        """Return what a path names: the root, one of RESOURCES, and the job's id."""
        path = target.partition("?")[0].rstrip("/")
        for root in sorted(self.access.roots, key=len, reverse=True):
            if path.startswith(f"{root}/"):
                first, _, rest = path[len(root) + 1 :].partition("/")
                if first != "ScanJobs" or not rest:
                    return root, OF_SERVICE.get(first, "other") if not rest else "other", ""
                job, _, last = rest.partition("/")
                return root, OF_JOB.get(last, "other"), job
        return "", "other", ""

    def answer(self, request: Request, origin: str) -> Reply:
        """Answer one request; *origin* is scheme, host and port of this device, as it knows it."""
        root, resource, job_id = self.resource(request.target)
        reply = self._special(root, resource, request)
        if reply is not None:
            return reply
        with self._lock:
            self._give_up_old_jobs()
            if resource == "jobs":
                return self._create(request, origin, root)
            if job_id:
                return self._of_job(resource, job_id)
            if resource == "status":
                return self._status()
        actions = {
            "capabilities": self._capabilities,
            "buffer": self._buffer,
            "icon": self._icon,
        }
        action = actions.get(resource)
        return action(request, f"{origin}{root}/") if action else Reply(404)

    def _special(self, root: str, resource: str, request: Request) -> Reply | None:
        """Return the reply that a knob asks for instead of the usual one."""
        redirect = self.access.redirects.get(resource)
        if redirect is not None and root == self.access.roots[0]:
            return Reply(redirect[0], headers={"Location": redirect[1]})
        allowed = METHODS.get(resource, ("GET", "HEAD"))
        if request.method not in allowed:
            return Reply(405, headers={"Allow": ", ".join(allowed)})
        script = self.scripted[resource]
        scripted = script.popleft() if script else None
        return Reply(scripted) if isinstance(scripted, int) else scripted

    def _capabilities(self, request: Request, base: str) -> Reply:
        data = self.writing.document(capabilities.document(self.model, base))
        data, coding = self.writing.packed(data, request.header("accept-encoding"))
        return Reply(200, data, XML, {"Content-Encoding": coding} if coding else {})

    def _status(self) -> Reply:
        return Reply(200, status.document(self), XML, {"Cache-Control": "no-store"})

    def _buffer(self, request: Request, _base: str) -> Reply:
        try:
            settings = Settings(request.body, self.model)
        except BadSettings as exc:
            return Reply(exc.status)
        return Reply(200, status.buffer_info(request.body, settings), XML)

    def _icon(self, _request: Request, _base: str) -> Reply:
        return Reply(200, pictures.icon(), "image/png")

    # Jobs

    @property
    def is_busy(self) -> bool:
        """State is Processing: a job runs, or has not quite ended."""
        return self.job is not None or time.monotonic() < self._busy_until

    def stay_busy(self, seconds: float) -> None:
        """Let State be Processing for so long, though no job runs."""
        self._busy_until = time.monotonic() + seconds

    def _give_up_old_jobs(self) -> None:
        job = self.job
        if job is None or job.is_sending:
            return
        if time.monotonic() - job.touched > self.timing.job:
            job.end(ABORTED)

    def _create(self, request: Request, origin: str, root: str) -> Reply:
        """Answer a POST of ScanSettings."""
        kind = request.header("content-type").partition(";")[0]
        if "type" in self.jobs.rules and kind != XML:
            return self._refused(415, f"Content-Type: {kind}")
        try:
            settings = Settings(request.body, self.model, self.jobs.rules)
        except BadSettings as exc:
            return self._refused(exc.status, str(exc))
        if self.is_busy or time.monotonic() - self.born < self.timing.warm_up:
            return self._refused(503, "busy", {"Retry-After": str(BUSY_SECONDS)})
        if settings.is_feeder and not self.sheets and self.jobs.jams_when_empty:
            self.is_jammed = True
        if settings.is_feeder and (self.is_jammed or self.is_cover_open):
            return self._refused(409, "the feeder is jammed or open")
        job = Job(self._new_id(), settings)
        job.motor = time.monotonic()
        self.history.insert(0, job)
        del self.history[JOBS_TOLD:]
        headers = self._location(f"{root}/ScanJobs/{quote(job.id, ':')}", origin, request)
        body = request.body if self.jobs.echoes else b""
        return Reply(self.jobs.created, body, XML if body else "", headers)

    def _refused(self, code: int, reason: str, headers: dict[str, str] | None = None) -> Reply:
        self.refusals.append(f"{code}: {reason}")
        return Reply(code, headers=headers or {})

    def _new_id(self) -> str:
        self._made += 1
        if self.jobs.id == "number":
            return str(self._made)
        text = f"{ID_PREFIX}{self._made:012d}"
        return f"urn:uuid:{text}" if self.jobs.id == "urn" else text

    def _location(self, path: str, origin: str, request: Request) -> dict[str, str]:
        """Return the headers that name a new job."""
        scheme, _, authority = origin.partition("://")
        host = authority.rpartition(":")[0]
        found = {
            "path": path,
            "absolute": origin + path,
            "wrong-host": f"{scheme}://scanner.invalid:{authority.rpartition(':')[2]}{path}",
            "wrong-port": f"{scheme}://{host}:1{path}",
            "other-host": f"http://192.0.2.1{path}",
            "https": f"https://{host}:443{path}",
            "relative": path.lstrip("/").partition("/")[2],
            "slash": f"{path}/",
            "scheme": f"//{authority}{path}",
            "host-header": f"http://{request.header('host')}{path}",
            "usb": f"http://HPDJ2540:80{path}",
            "broken-ipv6": f"http://[fe80{path}",
            "empty": "",
            "missing": None,
            "long": f"{path}/{'x' * 2000}",
            "dots": f"{path}/../../../secret",
        }[self.jobs.location]
        return {} if found is None else {"Location": found}

    def _of_job(self, resource: str, job_id: str) -> Reply:
        job = next((job for job in self.history if quote(job.id, ":") == job_id), None)
        if resource == "delete":
            return self._delete(job)
        if job is None:
            return Reply(404)
        job.touched = time.monotonic()
        if resource == "document":
            return self._document(job)
        if resource == "info" and job.last_size and self.pages.has_info:
            return Reply(200, status.image_info(job, self.job_uri(job)), XML)
        return Reply(404)

    def job_uri(self, job: Job) -> str:
        """Return the path of *job* as the status tells it."""
        return f"{self.access.roots[0]}/ScanJobs/{quote(job.id, ':')}"

    def _delete(self, job: Job | None) -> Reply:
        is_running = job is not None and not job.is_over
        if job is not None:
            job.end(CANCELED)
        if is_running and self.timing.after_delete:
            self.stay_busy(self.timing.after_delete)
        code = self.jobs.delete or (200 if is_running else 404)
        place = self.jobs.delete_location
        return Reply(code, headers={"Location": place} if place else {})

    # Pages

    def _document(self, job: Job) -> Reply:
        """Answer a NextDocument."""
        if job.is_over:
            return Reply(self.pages.end if job.state == COMPLETED else 404)
        if job.is_sending:
            return Reply(503, headers={"Retry-After": "1"})
        if job.refusals < self.pages.not_ready:
            job.refusals += 1
            job.state = PROCESSING
            return Reply(self.pages.not_ready_status)
        if self._is_too_early(job) and self.sheets:
            self.sheets.popleft()
            return Reply(500)
        if not job.sides:
            reply = self._feed(job)
            if reply is not None:
                return reply
        job.refusals = 0
        job.state = PROCESSING
        job.is_sending = True
        sides = list(job.sides) if self.pages.in_one else [job.sides[0]]
        for _ in sides:
            job.sides.popleft()
        return self._page(job, sides)

    def _is_too_early(self, job: Job) -> bool:
        last = job.released[-1] if job.released else 0.0
        return time.monotonic() - last < self.timing.early

    def _feed(self, job: Job) -> Reply | None:
        """Put the next sides into job.sides; return the reply if there are none."""
        settings = job.settings
        if settings.source == PLATEN:
            if job.done:
                return self._over(job, COMPLETED)
            job.sides.append(Side(self.page, None, 0))
            return None
        while not job.sides or (self.pages.in_one and self.sheets):
            if self.is_jammed or self.is_cover_open:
                job.end(ABORTED)
                return Reply(409)
            if not self.sheets:
                return self._over(job, COMPLETED if job.done else ABORTED)
            sheet = self.sheets.popleft()
            for page in (sheet.front, sheet.back)[: 2 if settings.is_duplex else 1]:
                number = 0 if self.pages.sides_alike else self.sides
                job.sides.append(Side(page, sheet.height, number))
                self.sides += 1
        return None

    def _over(self, job: Job, state: str) -> Reply:
        job.end(state)
        if self.timing.idle:
            self.stay_busy(self.timing.idle)
        return Reply(self.pages.end)

    def _page(self, job: Job, sides: list[Side]) -> Reply:
        """Return the reply that carries *sides*."""
        knobs = self.pages
        delivery = knobs.deliveries.pop(0) if knobs.deliveries else knobs.delivery
        begins, ends = self._schedule(job)

        def ended(is_whole: bool) -> None:
            self._sent(job, sides, is_whole)

        mime = knobs.mime or job.settings.mime
        return Reply(
            *(200, b"", mime, {}, delivery, begins, ends),
            is_over=lambda: job.is_over,
            ended=ended,
            make=lambda: self._pictures.make(job, sides, knobs),
        )

    def _schedule(self, job: Job) -> tuple[float, float]:
        """Return when the next page begins and ends to come out; 0 and 0 without timing.

        The feeder runs on by itself, until timing.buffer_pages wait for the host.
        """
        timing = self.timing
        if not timing.page and not timing.interval:
            return 0.0, 0.0
        done = len(job.released)
        ready = job.motor + (timing.interval if done else 0.0)
        held = done - 1 - timing.buffer_pages
        begins = max(ready, job.released[held]) if held >= 0 else ready
        if done:
            self.feeder_waits.append(begins - ready)
        job.motor = begins + timing.page
        return begins, job.motor

    def _sent(self, job: Job, sides: Iterable[Side], is_whole: bool) -> None:
        """Take note of the end of a page; one that did not arrive is kept for the next request."""
        with self._lock:
            job.is_sending = False
            job.touched = time.monotonic()
            if not is_whole:
                job.sides.extendleft(reversed(list(sides)))
                return
            job.done += 1
            job.released.append(job.touched)
            if job.settings.source == PLATEN:
                job.end(COMPLETED)
                if self.timing.idle:
                    self.stay_busy(self.timing.idle)
