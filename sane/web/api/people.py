"""Operations on sessions: people sign in and out; the cookie that says who they are."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..accounts import SESSION_SECONDS, Throttled
from .operation import Answer, Call, Operation
from .problem import ApiError

COOKIE = "pysane_session"


def session_of(request: Request) -> str:
    """Return the secret of the session's cookie, "" without one."""
    try:
        cookie = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie is not None else ""


async def get_session(call: Call) -> Answer:
    """Return who is signed in."""
    return Answer({"user": call.who or None, "needed": call.parts.accounts.are_needed})


async def login(call: Call) -> Response:
    """Sign in."""
    accounts, body = call.parts.accounts, call.body
    if not accounts.are_needed:
        raise ApiError("forbidden", "nobody signs in here: the server has no users")
    try:
        secret = await accounts.login(body["user"], body["password"], call.address)
    except Throttled as exc:
        after = {"Retry-After": str(max(1, round(exc.seconds)))}
        raise ApiError("too-many", str(exc), headers=after) from exc
    if not secret:
        call.parts.log.warning("login as %r failed from %s", body["user"], call.address)
        raise ApiError("unauthorized", "user or password are wrong")
    response = JSONResponse({"user": body["user"], "needed": True})
    is_secure = call.request.url.scheme == "https"
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(SESSION_SECONDS),
        httponly=True,
        samesite="strict",
        secure=is_secure,
    )
    return response


async def logout(call: Call) -> Response:
    """Sign out."""
    call.parts.accounts.logout(session_of(call.request))
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


OPERATIONS = (
    Operation(
        *("GET", "/session", "getSession", "Who is signed in", get_session),
        answer="Session",
        is_open=True,
    ),
    Operation(
        *("POST", "/session", "login", "Sign in", login),
        body="Login",
        answer="Session",
        is_open=True,
        errors=("too-many", "unauthorized", "forbidden"),
    ),
    Operation("DELETE", "/session", "logout", "Sign out", logout, status=204, is_open=True),
)
