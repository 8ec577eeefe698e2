"""The process's own loop: takes requests, does them, answers; limits its memory.

It knows the requests' names and no HTTP. Libraries are imported when a request needs them.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from contextlib import suppress

from ...pagework.problem import HELPER, PageWorkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MEMORY_BYTES = 4 << 30  # a page of 1 GB of pixels is worked on, and no larger one
NICE = 5  # scanning comes first


def serve() -> int:
    """Answer requests until the input ends."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print is no answer
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    with suppress(OSError):
        os.nice(NICE)
    os.umask(0o077)
    while True:
        line = sys.stdin.buffer.readline()
        if not line:
            return 0
        answer = json.dumps(answered(json.loads(line))).encode() + b"\n"
        try:
            out.write(answer)
        except BrokenPipeError:  # the server is gone
            return 0


def answered(request: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a request: what it gives, or an error."""
    from .export import export
    from .pages import prepare, view

    known: dict[str, Callable[..., dict[str, Any]]]
    known = {"prepare": prepare, "view": view, "export": export}
    name = request.pop("do")
    try:
        return known[name](**request)
    except PageWorkError as exc:
        missing = exc.exit_code == HELPER
        if exc.errno and not missing:  # the hint is for a person at a command line
            return _error(os.strerror(exc.errno), errno=exc.errno)
        return _error(str(exc), hint=exc.hint, missing=missing)
    except OSError as exc:
        return _error(exc.strerror or str(exc), errno=exc.errno or 5)
    except MemoryError:
        return _error("the page needs more memory than page work may have")
    except Exception as exc:  # a library's: the request failed, the next one may not
        return _error(f"{type(exc).__name__}: {exc}")


def _error(
    text: str, *, hint: str = "", missing: bool = False, errno: int | None = None
) -> dict[str, Any]:
    return {"error": {"text": text, "hint": hint, "missing": missing, "errno": errno}}
