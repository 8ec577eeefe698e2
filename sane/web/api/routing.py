"""From the table of operations to routes: who asks, what is asked, whether it fits, the answer.

It knows HTTP and the tables, and nothing of scanners. Limits: E 6.4. Cross-site requests are
refused here as well as by the guard: a session's cookie is SameSite, bodies are JSON alone, and
what a browser says of the page behind a request counts.
"""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import schema
from .operation import Answer, Call, Operation
from .operations import OPERATIONS
from .people import session_of
from .problem import ApiError, disk_problem, unexpected
from .tables import SCHEMAS, ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..parts import Parts

PREFIX = "/api/v1"
BODY_SECONDS = 10.0
SAFE = ("GET", "HEAD")
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def routes_of(parts: Parts) -> list[Route]:
    """Return a route for each path, with all of its methods."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    found = [Route(PREFIX + path, _endpoint(parts, table)) for path, table in by_path.items()]
    for route, table in zip(found, by_path.values(), strict=True):
        route.methods = None  # the endpoint answers the others itself, in the interface's words
        route.name = f"{PREFIX} {' '.join(table)}"
    found.append(Route(f"{PREFIX}/{{rest:path}}", _endpoint(parts, None)))
    found[-1].methods = None
    return found


def _endpoint(parts: Parts, table: dict[str, Operation] | None) -> Any:
    async def endpoint(request: Request) -> Response:
        try:
            response = await _answered(parts, table, request)
        except ApiError as exc:
            response = problem(exc)
        except ClientDisconnect:
            response = Response(status_code=400)
        except OSError as exc:
            parts.log.error("%s: %s", request.url.path, exc)
            response = problem(disk_problem("the state directory", exc))
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return endpoint


def problem(exc: ApiError) -> Response:
    """Return the answer that says what is wrong."""
    return JSONResponse({"error": exc.to_dict()}, exc.status, headers=exc.headers)


async def _answered(parts: Parts, table: dict[str, Operation] | None, request: Request) -> Response:
    if table is None:
        raise ApiError("not-found", "there is nothing at this path")
    method = "GET" if request.method == "HEAD" else request.method
    if method not in table:
        allowed = ", ".join([*table, *(["HEAD"] if "GET" in table else [])])
        text = f"{request.method[:20]} is not what can be done here: {allowed}"
        raise ApiError("not-allowed", text, headers={"Allow": allowed})
    operation = table[method]
    parts.look()
    who, has_token = _who(parts, request)
    if not has_token:
        _check_site(parts, request)
    if who is None and not operation.is_open:
        challenge = {"WWW-Authenticate": 'Bearer realm="PySANE"'}
        raise ApiError("unauthorized", "sign in first, or send a token", headers=challenge)
    call = Call(
        parts,
        request,
        dict(request.path_params),
        _query(operation, request),
        await _body(operation, request, parts.context.settings.limits.upload_bytes),
        who or "",
        request.client.host if request.client else "",
        lambda: operation.is_open or _is_known(parts, request),
    )
    try:
        answer = await operation.handler(call)
    except (ApiError, OSError):
        raise
    except Exception as exc:  # of ours: it is answered in the interface's words, too
        parts.log.exception("%s %s", method, request.url.path)
        raise unexpected() from exc
    if isinstance(answer, Answer):
        return JSONResponse(answer.data, answer.status, headers=answer.headers)
    return answer


def _who(parts: Parts, request: Request) -> tuple[str | None, bool]:
    """Return who asks, None for nobody, and whether a token says so; raises ApiError."""
    given = request.headers.get("authorization")
    if given is not None:
        scheme, _, token = given.partition(" ")
        name = parts.accounts.token(token.strip()) if scheme.lower() == "bearer" else None
        if name is None:
            challenge = {"WWW-Authenticate": 'Bearer realm="PySANE", error="invalid_token"'}
            raise ApiError("unauthorized", "this token is not known", headers=challenge)
        return name, True
    user = parts.accounts.user_of(session_of(request))
    if user is None and not parts.accounts.are_needed:
        return "", False
    return user, False


def _is_known(parts: Parts, request: Request) -> bool:
    """Tell whether who asked may still ask."""
    try:
        return _who(parts, request)[0] is not None
    except ApiError:
        return False


def _check_site(parts: Parts, request: Request) -> None:
    """Raise ApiError if the page of another site asks for a change."""
    if request.method in SAFE:
        return
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    base = urlsplit(parts.context.settings.server.base_url).netloc
    own = {request.headers.get("host", "").lower(), base.lower()} - {""}
    is_own = origin is None or urlsplit(origin).netloc.lower() in own
    if site not in ("same-origin", "none") or not is_own:
        raise ApiError("forbidden", "another site's page may not do this")


def _query(operation: Operation, request: Request) -> dict[str, Any]:
    """Return the parameters behind the question mark; raises ApiError."""
    out: dict[str, Any] = {}
    for name, text in request.query_params.multi_items():
        if name not in operation.query:
            raise schema.wrong(name[:60], "is no parameter of this operation")
        if name in out:
            raise schema.wrong(name, "is there twice")
        out[name] = schema.from_text(text, operation.query[name], name)
    for name, table in operation.query.items():
        if name not in out and "default" in table:
            out[name] = table["default"]
    return out


async def _body(operation: Operation, request: Request, most: int) -> Any:
    """Return the body of at most *most* bytes, checked; raises ApiError."""
    data = b""
    try:
        data = await asyncio.wait_for(_bytes(request, most), BODY_SECONDS)
    except (asyncio.TimeoutError, TimeoutError):
        raise ApiError("invalid", "the body did not come in time") from None
    if not operation.body:
        if data:
            raise ApiError("invalid", "a body is not wanted here")
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ApiError("unsupported", "the body's Content-Type has to be application/json")
    try:
        found = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError) as exc:
        raise ApiError("invalid", f"the body is no JSON: {str(exc)[:100]}") from exc
    return schema.check(found, ref(operation.body), SCHEMAS)


async def _bytes(request: Request, most: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise ApiError("too-large", f"the body has more than {most} bytes")
        parts.append(part)
    return b"".join(parts)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")
