"""What an operation of the REST interface is, and the call of one: plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from starlette.requests import Request
    from starlette.responses import Response

    from ..parts import Parts

    Handler = Callable[["Call"], Awaitable["Response | Answer"]]


@dataclass
class Call:
    """A request that was checked. path and query: by name. body: None without one.

    who: the user or the program's token, "" where nobody signs in. address: of the client.
    may_go_on: whether they still may ask, for an answer that lasts.
    """

    parts: Parts
    request: Request
    path: dict[str, str]
    query: dict[str, Any]
    body: Any
    who: str
    address: str
    may_go_on: Callable[[], bool]


@dataclass
class Answer:
    """JSON for the client."""

    data: dict[str, Any]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """One row of the table.

    path: below /api/v1. body: the schema of what comes, "" for nothing. answer: the schema of what
    goes back, or a MIME type. query: parameters by name. is_open: needs nobody to sign in.
    errors: codes of problem.STATUS beside those that every operation has.
    """

    method: str
    path: str
    name: str
    summary: str
    handler: Handler
    body: str = ""
    answer: str = ""
    status: int = 200
    query: dict[str, dict[str, Any]] = field(default_factory=dict)
    is_open: bool = False
    errors: tuple[str, ...] = ()
