"""One attempt, from the server's side: a process that sends, watched until it ends."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MODULE = __package__
SECONDS = 300.0  # that an attempt may take, beside the time for its bytes
SLOWEST = 50_000.0  # bytes a second of a slow line
ANSWER_BYTES = 1 << 16


class Failed(Exception):
    """An attempt failed. is_refused: the same again will not help."""

    def __init__(self, text: str, *, is_refused: bool = False) -> None:
        super().__init__(text)
        self.is_refused = is_refused


async def attempt(request: dict[str, Any]) -> str:
    """Send a file; return what the destination says of it. Raises Failed."""
    seconds = request["settings"].get("timeout", SECONDS)
    seconds += os.path.getsize(request["file"]) / SLOWEST
    path = os.pathsep.join(part for part in sys.path if part)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P" if sys.version_info >= (3, 11) else "-B", "-m", MODULE),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=ANSWER_BYTES,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )
    try:
        out, _ = await asyncio.wait_for(
            process.communicate(json.dumps(request).encode() + b"\n"), seconds
        )
    except (asyncio.TimeoutError, TimeoutError):
        raise Failed(f"it did not end within {seconds:.0f} s") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            await process.wait()
    try:
        answer = json.loads(out)
    except ValueError:
        raise Failed(f"the process that sends ended with status {process.returncode}") from None
    if "error" in answer:
        raise Failed(answer["error"], is_refused=answer["refused"])
    return str(answer["done"])
