"""Operations on documents: pages in order, pictures of them, files, deliveries."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from starlette.responses import Response

from ..exporting import DOING, exported
from ..jobs.job import PREFIX
from ..leaving import while_there
from ..store.documents import Full
from ..store.names import TYPES, disposition, file_name
from ..store.records import Document, Page, work_form
from ..work.client import TooManyWait, WorkFailed
from .operation import Answer, Call, Operation
from .problem import ApiError, disk_problem, not_found
from .sending import WholeFile
from .tables import FORMAT, SIZE, YES_NO

AGAIN_SECONDS = "5"  # until a client with many files under way asks for another one
LANGUAGE = "eng"
LANGUAGES = {  # a "+" of a query stands for a blank, and people write it as it is
    "type": "string",
    "pattern": "^[A-Za-z_]{2,20}([+ ][A-Za-z_]{2,20}){0,5}$",
    "description": "what tesseract calls them, joined by +, which may be escaped or not",
}
MOST = 10_000  # documents in a list


def find(call: Call) -> Document:
    """Return the document of the path; raises ApiError."""
    try:
        return call.parts.documents.find(call.path["document"])
    except KeyError:
        raise not_found("document") from None


def find_page(call: Call) -> Page:
    """Return the page of the path; raises ApiError."""
    try:
        return find(call).page(call.path["page"])
    except KeyError:
        raise not_found("page") from None


async def list_documents(call: Call) -> Response:
    """Return the documents."""
    told = await call.parts.told_documents(call.query["limit"])
    return Response(told, media_type="application/json")


async def get(call: Call) -> Answer:
    """Return a document."""
    return Answer(call.parts.told_document(find(call).id))


async def create(call: Call) -> Answer:
    """Make an empty document."""
    try:
        made = await asyncio.to_thread(call.parts.documents.create, call.body.get("title", ""))
    except Full as exc:
        raise ApiError("disk-full", str(exc)) from exc
    call.parts.tell_document(made.id)
    headers = {"Location": f"{PREFIX}/documents/{made.id}"}
    return Answer(call.parts.told_document(made.id), 201, headers)


async def change(call: Call) -> Answer:
    """Give a document a title, its pages an order."""
    id, body = find(call).id, call.body
    try:
        await asyncio.to_thread(
            call.parts.documents.change, id, body.get("title"), body.get("pages")
        )
    except ValueError as exc:
        raise ApiError("invalid", str(exc), field="pages") from exc
    except KeyError:
        raise not_found("document") from None
    call.parts.tell_document(id)
    return Answer(call.parts.told_document(id))


async def delete(call: Call) -> Response:
    """Remove a document; what is to be delivered is delivered."""
    id = find(call).id
    try:
        await asyncio.to_thread(call.parts.documents.delete, id)
    except KeyError:
        raise not_found("document") from None
    call.parts.events.publish("document", {"id": id, "deleted": True})
    return Response(status_code=204)


async def change_page(call: Call) -> Answer:
    """Turn or crop a page; what was scanned stays."""
    page, body = find_page(call), dict(call.body)
    crop = body.get("crop")
    if crop is not None:
        over = max(crop["left"] + crop["width"], crop["top"] + crop["height"])
        if over > 1.000001 or not crop["width"] or not crop["height"]:
            raise ApiError("invalid", "crop is not within the page", field="crop")
    id = call.path["document"]
    try:
        changed = await asyncio.to_thread(call.parts.documents.change_page, id, page.id, **body)
    except KeyError:
        raise not_found("page") from None
    call.parts.show_later(id, page.id)
    call.parts.tell_document(id)
    return Answer(changed.to_dict())


async def delete_page(call: Call) -> Response:
    """Remove a page."""
    id, page = find(call).id, find_page(call)
    try:
        await asyncio.to_thread(call.parts.documents.delete_page, id, page.id)
    except KeyError:
        raise not_found("page") from None
    call.parts.tell_document(id)
    return Response(status_code=204)


async def image(call: Call) -> Response:
    """Return a page as a picture: turned and cut, or as it was scanned."""
    page = find_page(call)
    cache = "private, no-cache"
    if call.query["scanned"]:
        cache = "private, max-age=86400, immutable"  # a page scanned again has another id
        page = replace(page, rotate=0, crop=None)
    size = call.query["size"]
    try:
        picture, kind = await call.parts.views.opened(call.path["document"], page, size)
    except WorkFailed as exc:
        raise _not_done(exc) from exc
    except (FileNotFoundError, KeyError):
        raise not_found("page") from None
    return WholeFile(picture, TYPES[kind], {"Cache-Control": cache})


async def file(call: Call) -> Response:
    """Return a document as a file, unless nobody waits for it any more."""
    return await while_there(call.request.receive, _file(call))


async def _file(call: Call) -> Response:
    document, query, parts = find(call), call.query, call.parts
    chosen = _chosen(document, query.get("pages"))
    pages = [work_form(page, parts.documents.page_path(document.id, page)) for page in chosen]
    wish = {
        "format": query["format"],
        "title": document.title,
        "ocr": query.get("language", LANGUAGE).replace(" ", "+") if query["ocr"] else "",
        "pdfa": query["pdfa"],
        "who": call.address,
    }
    try:
        async with exported(parts.exports, parts, pages, **wish) as (path, done):
            made = open(path, "rb")  # noqa: SIM115 - the answer closes it
    except TooManyWait as exc:
        raise ApiError("too-many", str(exc), headers={"Retry-After": AGAIN_SECONDS}) from exc
    except WorkFailed as exc:
        raise _not_done(exc) from exc
    except FileNotFoundError:
        raise not_found("page") from None
    except OSError as exc:
        raise disk_problem(parts.scratch, exc, DOING) from exc
    headers = {"Content-Disposition": disposition(file_name(document.title, done["kind"]))}
    return WholeFile(made, TYPES[done["kind"]], headers)


def _chosen(document: Document, wanted: str | None) -> list[Page]:
    """Return the pages that the parameter names, in its order; all without it."""
    if wanted is None:
        pages = list(document.pages)
    else:
        ids = wanted.split(",")
        twice = next((id for at, id in enumerate(ids) if id in ids[:at]), None)
        if twice is not None:
            raise ApiError("invalid", f"pages names {twice} twice", field="pages")
        try:
            pages = [document.page(id) for id in ids]
        except KeyError:
            raise ApiError("invalid", "pages names one that is not there", field="pages") from None
    if not pages:
        raise ApiError("invalid", "the document has no pages", field="document")
    return pages


def _not_done(exc: WorkFailed) -> ApiError:
    return ApiError("unavailable" if exc.missing else "failed", exc.text)


async def deliver(call: Call) -> Answer:
    """Order a delivery."""
    made = await call.parts.deliver(find(call).id, **call.body)
    call.parts.tell_document(made.document)
    return Answer(made.to_dict(), 202)


DOCUMENT = "/documents/{document}"
PAGE = f"{DOCUMENT}/pages/{{page}}"
GONE = ("not-found",)
FULL = ("not-found", "disk-full")
OPERATIONS = (
    Operation(
        *("GET", "/documents", "listDocuments", "The documents, the last changed first"),
        list_documents,
        answer="Documents",
        query={"limit": {"type": "integer", "minimum": 1, "maximum": MOST, "default": MOST}},
    ),
    Operation(
        *("POST", "/documents", "createDocument", "Make an empty document", create),
        body="NewDocument",
        answer="Document",
        status=201,
        errors=("disk-full",),
    ),
    Operation("GET", DOCUMENT, "getDocument", "One document", get, answer="Document", errors=GONE),
    Operation(
        *("PATCH", DOCUMENT, "changeDocument", "Change the title or the pages' order", change),
        body="DocumentChange",
        answer="Document",
        errors=FULL,
    ),
    Operation(
        *("DELETE", DOCUMENT, "deleteDocument", "Remove a document", delete),
        status=204,
        errors=GONE,
    ),
    Operation(
        *("PATCH", PAGE, "changePage", "Turn or crop a page", change_page),
        body="PageChange",
        answer="Page",
        errors=FULL,
    ),
    Operation("DELETE", PAGE, "deletePage", "Remove a page", delete_page, status=204, errors=FULL),
    Operation(
        *("GET", f"{PAGE}/image", "getImage", "A page as a picture", image),
        answer="image/jpeg",
        query={"size": SIZE, "scanned": {**YES_NO, "default": False}},
        errors=("not-found", "failed", "unavailable"),
    ),
    Operation(
        *("GET", f"{DOCUMENT}/file", "getFile", "A document as a file", file),
        answer="application/octet-stream",
        query={
            "format": {**FORMAT, "default": "pdf"},
            "ocr": {**YES_NO, "default": False},
            "pdfa": {**YES_NO, "default": False},
            "language": LANGUAGES,
            "pages": {"type": "string", "pattern": "^[0-9a-f]{16}(,[0-9a-f]{16}){0,999}$"},
        },
        errors=("not-found", "failed", "unavailable", "disk-full", "too-many"),
    ),
    Operation(
        *("POST", f"{DOCUMENT}/deliveries", "deliver", "Send a document to a destination"),
        deliver,
        body="DeliveryOrder",
        answer="Delivery",
        status=202,
        errors=("not-found", "disk-full", "too-many"),
    ),
)
