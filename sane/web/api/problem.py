"""What goes wrong with a request of the REST interface: a code, a sentence, an HTTP status.

The codes are the interface's own words: the page translates them, programs compare them.
"""

from __future__ import annotations

import errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STATUS = {
    "busy": 409,
    "no-documents": 409,
    "jammed": 409,
    "cover-open": 409,
    "cancelled": 409,
    "unreachable": 503,
    "failed": 500,
    "invalid": 400,
    "not-found": 404,
    "not-allowed": 405,
    "unauthorized": 401,
    "forbidden": 403,
    "disk-full": 507,
    "too-large": 413,
    "too-many": 429,
    "unsupported": 415,
    "unavailable": 501,
}


SOON_SECONDS = 2  # until a scanner is asked for again
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class ApiError(Exception):
    """An answer that says what is wrong.

    code: of STATUS. text: an English sentence. holder: who has the scanner, if that is known.
    field: which part of the request is wrong. headers: of the answer.
    """

    def __init__(
        self,
        code: str,
        text: str,
        *,
        holder: str = "",
        field: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.holder = holder
        self.field = field
        self.headers = headers or {}

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUS[self.code]

    def to_dict(self) -> dict[str, Any]:
        """Return what the answer and a failed job say."""
        said = {"code": self.code, "text": self.text, "holder": self.holder, "field": self.field}
        return {key: value for key, value in said.items() if value}


def not_found(what: str) -> ApiError:
    """Return the error for something that is not there."""
    return ApiError("not-found", f"there is no such {what}")


def starting() -> ApiError:
    """Return the error for scanners that the server has not found yet."""
    text = "the server is looking for its scanners; ask again in a moment"
    return ApiError("unreachable", text, headers={"Retry-After": str(SOON_SECONDS)})


def unexpected() -> ApiError:
    """Return the error for a mistake of ours, which the log has in full."""
    return ApiError("failed", "the server has made a mistake: see its log")


def disk_problem(folder: str, exc: OSError, doing: str = "cannot keep more pages in") -> ApiError:
    """Return the error for a folder that took no more, or failed."""
    code = "disk-full" if exc.errno in FULL else "failed"
    return ApiError(code, f"{doing} {folder}: {exc.strerror or exc}")
