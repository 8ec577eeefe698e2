"""pysane share's REST: a page from POST /jobs to its file, a list of a hundred pages, statuses.

There is no original to be beside: plain figures, without goals. The page is that of share_escl, the
hundred come from the feeder of the test backend.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from .measure import ABSENT
from .report import Section
from .setting import BenchError
from .share_escl import NEEDED, PAGE_SECONDS, served

if TYPE_CHECKING:
    from collections.abc import Callable

    from .setting import Bench

PAGES = 100
REQUESTS = 500
JOB_SECONDS = 300.0  # of a machine that does much beside
LOOK_SECONDS = 0.01  # between two looks at a job
FAST = {"mode": "color", "resolution": 300}
SHEETS = {"source": "adf", "mode": "gray", "resolution": 75}


class Api:
    """A client of the server at *port*, on one connection."""

    def __init__(self, port: int) -> None:
        self._client = http.client.HTTPConnection("127.0.0.1", port, timeout=PAGE_SECONDS)

    def ask(self, path: str, order: dict[str, Any] | None = None) -> bytes:
        """Return what GET answers, or POST with an *order*."""
        body = None if order is None else json.dumps(order)
        method, headers = ("POST", {"Content-Type": "application/json"}) if body else ("GET", {})
        self._client.request(method, f"/api/v1{path}", body, headers)
        reply = self._client.getresponse()
        data = reply.read()
        if reply.status not in (200, 201):
            raise BenchError(f"{method} {path}: {reply.status} {data[:200]!r}")
        return data

    def get(self, path: str) -> Any:
        """Return an answer's JSON."""
        return json.loads(self.ask(path))

    def begun(self, order: dict[str, Any]) -> Any:
        """Begin a job."""
        return json.loads(self.ask("/jobs", order))

    def until(self, is_wanted: Callable[[Any], object], job: Any) -> Any:
        """Return a job as soon as it is as wanted."""
        end = time.monotonic() + JOB_SECONDS
        while not is_wanted(job):
            if job["state"] in ("failed", "cancelled") or time.monotonic() > end:
                raise BenchError(f"the job does not go on: {job}")
            time.sleep(LOOK_SECONDS)
            job = self.get(f"/jobs/{job['id']}")
        return job

    def close(self) -> None:
        """Leave."""
        self._client.close()


def is_done(job: Any) -> bool:
    """Tell whether a job is over."""
    return bool(job["state"] == "done")


def first_page(api: Api, scanner: str) -> tuple[float, float]:
    """Return the seconds from POST until the page is told, and until its file is here."""
    begin = time.monotonic()
    job = api.until(lambda job: job["pages"], api.begun({"scanner": scanner, **FAST}))
    told = time.monotonic()
    api.ask(f"/documents/{job['document']}/pages/{job['pages'][0]}/image?size=full")
    end = time.monotonic()
    api.until(is_done, job)  # the scanner is free again
    return told - begin, end - begin


def long_document(api: Api, scanner: str) -> str:
    """Return the id of a document of a hundred pages."""
    order = {"scanner": scanner, **SHEETS}
    document = api.until(is_done, api.begun(order))["document"]
    while len(api.get(f"/documents/{document}")["pages"]) < PAGES:
        api.until(is_done, api.begun({**order, "document": document}))
    return str(document)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that *work* takes."""
    begin = time.monotonic()
    work()
    return time.monotonic() - begin


def measure_share_api(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure one client on a server of this machine."""
    section = Section(
        "The REST interface of pysane share",
        "One client on one connection. The page: A4, 300 dpi, colour, kept as PNG, from a scanner "
        "that waits for nothing, whose driver draws its picture first. There is no original to "
        f"compare with. Medians of {rounds} rounds.",
        ("what", "measured"),
    )
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        section.add("a page", ABSENT)
        return section
    folder = bench.folder / "share-api"
    with served(folder, "sheet300\ntest\n", 3) as port, contextlib.closing(Api(port)) as api:
        found = {each["title"]: each["id"] for each in api.get("/scanners")["scanners"]}
        fast = next(id for title, id in found.items() if "Sheet fast" in title)
        sheets = next(id for title, id in found.items() if "Sheet" not in title)
        pages = [first_page(api, fast) for _ in range(rounds)]
        document = long_document(api, sheets)
        lists = [timed(lambda: api.get(f"/documents/{document}")) for _ in range(10 * rounds)]
        rates = [
            REQUESTS / timed(lambda: [api.ask("/scanners") for _ in range(REQUESTS)])
            for _ in range(rounds)
        ]
    told, there = (median(values) for values in zip(*pages, strict=True))
    section.add("from POST /jobs until the job names its page", f"{told:.2f} s")
    section.add("from POST /jobs until the page's file is here", f"{there:.2f} s")
    section.add(f"GET a document of {PAGES} pages", f"{median(lists) * 1000:.1f} ms")
    section.add("GET the scanners and how they are", f"{median(rates):.0f} a second")
    return section
