"""Operations on jobs: scans and previews are ordered, watched and cancelled."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from ..jobs.job import PREFIX, Job
from ..jobs.wishes import settings_for, steps_of
from .operation import Answer, Call, Operation
from .problem import ApiError, not_found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..parts import Parts

NOT_OF_PREVIEWS = ("document", "replace", "work", "deliver", "title", "single")


async def create(call: Call) -> Answer:
    """Begin a job."""
    parts, order = call.parts, call.body
    wish, work = await with_profile(parts, order)
    scanner = await parts.awaited_scanner(wish["scanner"])
    kind = order.get("kind", "scan")
    if kind == "preview":
        for name in NOT_OF_PREVIEWS:
            if name in order:
                raise ApiError("invalid", f"{name} is not for a preview", field=name)
    _check_document(parts, order)
    if "deliver" in order:
        parts.deliveries.check(order["deliver"]["destination"])
    job = Job(
        scanner.id,
        kind,
        settings_for(wish, scanner.capabilities),
        call.who or call.address or "the page",
        work=steps_of(work) if kind == "scan" else {},
        deliver=order.get("deliver"),
        document=order.get("document"),
        replace=order.get("replace"),
        title=order.get("title", ""),
        single=order.get("single", False),
    )
    parts.start(job)
    headers = {"Location": f"{PREFIX}/jobs/{job.id}"}
    return Answer(job.to_dict(), 201, headers)


async def with_profile(
    parts: Parts, order: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings and the page work of an order: what it says, else its profile."""
    if "profile" not in order:
        return order, order.get("work", {})
    profile = await asyncio.to_thread(parts.profiles.find, order["profile"])
    wish = dict(profile["settings"])
    if "area" in order or "paper" in order:
        wish = {key: value for key, value in wish.items() if key not in ("area", "paper")}
    return {**wish, **order}, {**profile["work"], **order.get("work", {})}


def _check_document(parts: Parts, order: dict[str, Any]) -> None:
    """Raise ApiError for a document or a page that is not there."""
    if "replace" in order and "document" not in order:
        raise ApiError("invalid", "replace needs the document, too", field="document")
    if "document" in order:
        try:
            document = parts.documents.find(order["document"])
            if "replace" in order:
                document.page(order["replace"])
        except KeyError as exc:
            what = "document" if exc.args[0] == order["document"] else "page"
            raise not_found(what) from None


def find(call: Call) -> Job:
    """Return the job of the path; raises ApiError."""
    try:
        return call.parts.jobs.find(call.path["job"])
    except KeyError:
        raise not_found("job") from None


async def list_jobs(call: Call) -> Answer:
    """Return the jobs that run, and the last ones."""
    return Answer({"jobs": [job.to_dict() for job in call.parts.jobs.all()]})


async def get(call: Call) -> Answer:
    """Return a job."""
    return Answer(find(call).to_dict())


async def cancel(call: Call) -> Answer:
    """End a job; the pages that are there stay."""
    job = await call.parts.jobs.cancel(find(call).id)
    return Answer(job.to_dict())


async def preview(call: Call) -> Response:
    """Return the picture of a preview."""
    job = find(call)
    if not job.picture:
        raise not_found("preview")
    is_jpeg = job.picture.startswith(b"\xff\xd8")
    return Response(job.picture, media_type="image/jpeg" if is_jpeg else "image/png")


JOB = "/jobs/{job}"
OPERATIONS = (
    Operation(
        *("POST", "/jobs", "createJob", "Begin a scan or a preview", create),
        body="JobOrder",
        answer="Job",
        status=201,
        errors=("busy", "not-found", "unreachable"),
    ),
    Operation("GET", "/jobs", "listJobs", "The last jobs, newest first", list_jobs, answer="Jobs"),
    Operation("GET", JOB, "getJob", "How far a job is", get, answer="Job", errors=("not-found",)),
    Operation(
        "DELETE", JOB, "cancelJob", "Cancel a job", cancel, answer="Job", errors=("not-found",)
    ),
    Operation(
        *("GET", f"{JOB}/preview", "getPreview", "The picture of a preview", preview),
        answer="image/jpeg",
        errors=("not-found",),
    ),
)
