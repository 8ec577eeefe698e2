"""The resources of a scanner, and what they answer.

A fixed table: nothing of a request's path reaches a file. Source: specification escl 2.1, 7.5.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import Response

from .. import leaving, problems
from . import capabilities, icon, sending, settings, status, words
from .job import NoMore, NotYet
from .sending import PageResponse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from .job import Job
    from .service import Service

    Reply = Response | PageResponse
    Handler = Callable[..., Awaitable[Reply]]
    Table = dict[str, dict[str, Handler]]

SOON_SECONDS = 1  # until a page is asked for again
BUSY_SECONDS = 2  # until a job is asked for again
ICON_SECONDS = 86_400  # for which clients may keep the icon
NO_STORE = {"Cache-Control": "no-store"}


class Call:
    """A request to a scanner: who asks, where the scanner is, and what else stands in the path."""

    def __init__(self, service: Service, request: Request, prefix: str, place: str) -> None:
        self.service = service
        self.request = request
        self.root = f"{prefix}{place}"  # the path of the scanner's resources, as clients see it
        self.owner = request.client.host if request.client is not None else ""
        self.settings = service.context.settings.escl
        self.facts = service.scanner.capabilities
        self.page_url = f"{service.context.base_url(request.scope)}/"
        self.base_url = f"{self.page_url[:-1]}{place}"


def text(code: int, words: str, headers: dict[str, str] | None = None) -> Response:
    """Return a short answer for people."""
    return Response(f"{words}\n", code, {**NO_STORE, **(headers or {})}, "text/plain")


def soon(words: str, seconds: int = BUSY_SECONDS) -> Response:
    """Return a short answer that says when to ask again."""
    return text(503, words, {"Retry-After": str(seconds)})


def xml(body: bytes) -> Response:
    """Return a document."""
    return Response(body, headers={**NO_STORE, "Content-Type": words.XML})


# Documents


async def scanner_capabilities(call: Call) -> Response:
    """Say what the scanner can do, without asking it."""
    scanner, urls = call.service.scanner, {"page_url": call.page_url, "base_url": call.base_url}
    return xml(capabilities.write(scanner, call.service.context.settings, **urls))


async def scanner_status(call: Call) -> Response:
    """Say how the scanner is, as far as that is known now."""
    call.service.ask_sensors()
    return xml(status.scanner_status(call.service, call.settings))


async def scanner_icon(call: Call) -> Response:
    """Send the picture that clients show for the scanner."""
    try:
        size = int(call.request.query_params.get("size", icon.USUAL))
        body = icon.png(size)
    except ValueError:
        return text(404, f"there are icons of {', '.join(map(str, icon.SIZES))} pixels")
    kept = {"Cache-Control": f"max-age={ICON_SECONDS}", "Content-Type": "image/png"}
    return Response(body, headers=kept)


# Jobs


async def body_of(call: Call) -> bytes:
    """Return the request's body; raises TicketError for one that is too long."""
    parts: list[bytes] = []
    size = 0
    async for part in call.request.stream():
        size += len(part)
        if size > settings.BODY_BYTES:
            raise settings.TicketError(f"more than {settings.BODY_BYTES} bytes", 413)
        parts.append(part)
    return b"".join(parts)


async def create_job(call: Call) -> Response:
    """Open the scanner for a job."""
    try:
        asked = settings.parsed(await body_of(call), "ScanSettings")
        ticket = settings.ticket(asked, call.facts, call.settings)
        agent, rules = call.request.headers.get("user-agent", ""), call.service.context.settings
        ticket = ticket.for_client(agent, rules.client)
        job = await call.service.create(ticket, call.owner, call.root)
    except settings.TicketError as exc:
        return text(exc.status, str(exc))
    except problems.Refused as exc:
        return text(409, str(exc))
    except problems.ScannerProblem as exc:
        return soon(str(exc))
    created = Response(b"", 201, NO_STORE)
    # In this spelling: the original escl finds no other.
    created.raw_headers.append((b"Location", job.path.encode()))
    return created


async def buffer_info(call: Call) -> Response:
    """Say what a job would deliver."""
    try:
        asked = settings.parsed(await body_of(call), "ScanBufferInfo")
        inner = asked.find("ScanSettings")
        if inner is None:
            raise settings.TicketError("there are no ScanSettings in it", 400)
        ticket = settings.ticket(inner, call.facts, call.settings)
    except settings.TicketError as exc:
        return text(exc.status, str(exc))
    return xml(status.buffer_info(ticket))


def job_of(call: Call, id: str) -> Job | None:
    """Return a job that this client may have."""
    job = call.service.find(id)
    if job is not None and call.settings.same_address and job.owner != call.owner:
        return None
    return job


# What a page's problem is before its first byte. Windows takes 409 for a jam: it stands for those.
PROBLEMS: dict[type[problems.ScannerProblem], int] = {
    problems.Jammed: 409,
    problems.CoverOpen: 409,
    problems.Busy: 503,
    problems.Unreachable: 503,
    problems.Cancelled: 404,
}


async def next_document(call: Call, job: Job) -> Reply:
    """Send the next page while it is scanned."""
    gone = asyncio.ensure_future(leaving.gone(call.request.receive))
    try:
        page = await sending.awaited(job, gone)
    except sending.Vanished:
        return text(404, "the client is gone")
    except NotYet:
        gone.cancel()
        return soon("the page is not there yet", SOON_SECONDS)
    except NoMore:
        gone.cancel()
        return text(404, "there are no more pages")
    except problems.ScannerProblem as exc:
        gone.cancel()
        code = PROBLEMS.get(type(exc), 500)
        return soon(str(exc)) if code == 503 else text(code, str(exc))
    headers = {"Content-Type": job.ticket.format, "Content-Location": job.path, **NO_STORE}
    stall = call.service.context.settings.limits.stall_seconds
    return PageResponse(job, page, headers, gone=gone, stall_seconds=stall)


async def image_info(call: Call, job: Job) -> Response:
    """Say what the page that was sent last is."""
    body = status.image_info(job)
    return text(404, "no page has been sent yet") if body is None else xml(body)


async def delete_job(call: Call, job: Job) -> Response:
    """Cancel a job."""
    if job.has_ended:
        return text(404, "the job is over")
    await job.end(words.CANCELED, words.BY_USER)
    return Response(b"", 200, NO_STORE)


# The table

SCANNER: Table = {
    "ScannerCapabilities": {"GET": scanner_capabilities},
    "ScannerStatus": {"GET": scanner_status},
    "ScannerIcon": {"GET": scanner_icon},
    "ScanJobs": {"POST": create_job},
    "ScanBufferInfo": {"PUT": buffer_info},
}
JOB: Table = {
    "": {"DELETE": delete_job},
    "NextDocument": {"GET": next_document},
    "ScanImageInfo": {"GET": image_info},
}
WITHOUT_HEAD = (next_document,)  # it would take a sheet


async def answer(call: Call, path: str) -> Reply:
    """Return the response to a request for *path* below the scanner's root."""
    parts = path.rstrip("/").split("/")
    if len(parts) > 1 and parts[0] == "ScanJobs":
        methods = JOB.get("/".join(parts[2:]))
        job = job_of(call, parts[1])
        if methods is None or (job is None and call.request.method in methods):
            return text(404, "there is no such job")
        handler = _handler(call, methods)
        return _not_allowed(methods) if handler is None else await handler(call, job)
    methods = SCANNER.get("/".join(parts))
    if methods is None:
        return text(404, "a scanner has no such resource")
    handler = _handler(call, methods)
    return _not_allowed(methods) if handler is None else await handler(call)


def _handler(call: Call, methods: dict[str, Handler]) -> Handler | None:
    method = call.request.method
    if method == "HEAD" and methods.get("GET") not in WITHOUT_HEAD:
        method = "GET"
    return methods.get(method)


def _not_allowed(methods: dict[str, Handler]) -> Response:
    allowed = list(methods)
    if "GET" in methods and methods["GET"] not in WITHOUT_HEAD:
        allowed.append("HEAD")
    return text(405, "the resource does not do that", {"Allow": ", ".join(allowed)})
