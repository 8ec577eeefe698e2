"""Operations on destinations, deliveries and profiles; events; what the server is."""

from __future__ import annotations

import asyncio
import json
from importlib.util import find_spec
from shutil import which

from starlette.responses import Response, StreamingResponse

from ... import __version__
from ..events import MISSED
from .operation import Answer, Call, Operation
from .problem import ApiError, not_found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PING_SECONDS = 15.0  # so that proxies do not think the connection dead
RETRY_MS = 2000  # after which a browser connects again
LANGUAGES = ("en", "de", "fr", "es", "zh")  # of the page


# Destinations and deliveries


async def list_destinations(call: Call) -> Answer:
    """Return where documents can be sent."""
    found = [
        {"name": each.name, "kind": each.kind, "title": each.title or each.name}
        for each in call.parts.deliveries.destinations()
    ]
    return Answer({"destinations": found})


async def get_delivery(call: Call) -> Answer:
    """Return a delivery."""
    return Answer(_delivery(call))


async def retry_delivery(call: Call) -> Answer:
    """Try at once."""
    _delivery(call)
    return Answer(call.parts.deliveries.retry(call.path["delivery"]).to_dict(), 202)


async def delete_delivery(call: Call) -> Response:
    """Forget a delivery."""
    found = _delivery(call)
    await call.parts.deliveries.delete(found["id"])
    call.parts.tell_document(found["document"])
    return Response(status_code=204)


def _delivery(call: Call) -> dict[str, str]:
    try:
        return call.parts.deliveries.find(call.path["delivery"]).to_dict()
    except KeyError:
        raise not_found("delivery") from None


# Profiles


async def list_profiles(call: Call) -> Answer:
    """Return all profiles."""
    return Answer({"profiles": await asyncio.to_thread(call.parts.profiles.all)})


async def put_profile(call: Call) -> Answer:
    """Keep a profile."""
    name, body = call.path["profile"], call.body
    if body.get("name", name) != name:
        raise ApiError("invalid", "name is not the one of the path", field="name")
    if body.get("destination"):
        call.parts.deliveries.check(body["destination"])
    settings = body.get("settings", {})
    if "area" in settings and "paper" in settings:
        raise ApiError("invalid", "area and paper are both given", field="settings.area")
    is_new = await asyncio.to_thread(call.parts.profiles.put, name, body)
    found = await asyncio.to_thread(call.parts.profiles.find, name)
    return Answer(found, 201 if is_new else 200)


async def delete_profile(call: Call) -> Response:
    """Remove a profile."""
    await asyncio.to_thread(call.parts.profiles.delete, call.path["profile"])
    return Response(status_code=204)


# Events, and what the server is


async def events(call: Call) -> Response:
    """Return what happens from now on."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if call.request.method == "HEAD":
        return Response(headers=headers, media_type="text/event-stream")
    return StreamingResponse(_stream(call), media_type="text/event-stream", headers=headers)


async def _stream(call: Call) -> AsyncIterator[bytes]:
    """Yield events as WHATWG's HTML, 9.2, writes them."""
    with call.parts.events.listen() as listener:
        yield f"retry: {RETRY_MS}\n\n".encode()
        while True:
            try:
                event = await listener.next(PING_SECONDS)
            except StopAsyncIteration:
                return
            if not call.may_go_on():  # signed out meanwhile
                return
            if event is None:
                yield b": still here\n\n"
                continue
            data = json.dumps(event.data, separators=(",", ":"))
            yield f"event: {event.kind}\ndata: {data}\n\n".encode()


async def info(call: Call) -> Answer:
    """Return the version, and what the libraries that are installed allow."""
    has = {name: find_spec(name) is not None for name in ("PIL", "pikepdf", "cv2", "numpy")}
    features = {
        "images": has["PIL"] and has["numpy"],
        "pdf": has["PIL"] and has["pikepdf"] and has["numpy"],
        "work": has["cv2"] and has["numpy"],
        "ocr": which("ocrmypdf") is not None or which("tesseract") is not None,
        "passwords": call.parts.accounts.are_needed,
    }
    return Answer({"version": __version__, "languages": list(LANGUAGES), "features": features})


GONE = ("not-found",)
DELIVERY = "/deliveries/{delivery}"
PROFILE = "/profiles/{profile}"
OPERATIONS = (
    Operation(
        *("GET", "/destinations", "listDestinations", "Where documents can be sent"),
        list_destinations,
        answer="Destinations",
    ),
    Operation(
        *("GET", DELIVERY, "getDelivery", "How far a delivery is", get_delivery),
        answer="Delivery",
        errors=GONE,
    ),
    Operation(
        *("POST", f"{DELIVERY}/retry", "retryDelivery", "Try a delivery at once", retry_delivery),
        answer="Delivery",
        status=202,
        errors=GONE,
    ),
    Operation(
        *("DELETE", DELIVERY, "deleteDelivery", "Forget a delivery", delete_delivery),
        status=204,
        errors=GONE,
    ),
    Operation("GET", "/profiles", "listProfiles", "All profiles", list_profiles, answer="Profiles"),
    Operation(
        *("PUT", PROFILE, "putProfile", "Keep a profile (201: it is new)", put_profile),
        body="NewProfile",
        answer="Profile",
        errors=("forbidden", "too-many", "failed", "disk-full"),
    ),
    Operation(
        *("DELETE", PROFILE, "deleteProfile", "Remove a profile", delete_profile),
        status=204,
        errors=("not-found", "failed", "disk-full"),
    ),
    Operation(
        *("GET", "/events", "events", f"What happens, as Server-Sent Events; {MISSED}: ask again"),
        events,
        answer="text/event-stream",
    ),
    Operation("GET", "/info", "info", "What the server is", info, answer="Info", is_open=True),
)
