"""An open file as the body of an answer."""

from __future__ import annotations

import asyncio
import os
from typing import IO, TYPE_CHECKING

from starlette.responses import Response

from ..leaving import gone

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

PIECE_BYTES = 256 << 10


class WholeFile(Response):
    """Sends *file* and closes it; its name may be gone, and others may have its offset.

    It is sent whole whatever Range says: what it was made from may change before the client asks
    for the rest. Source: RFC 9110, 14.2: a server may ignore the header.
    """

    def __init__(self, file: IO[bytes], type: str, headers: dict[str, str]) -> None:
        self._size = os.fstat(file.fileno()).st_size
        told = {**headers, "Content-Length": str(self._size)}
        super().__init__(headers=told, media_type=type)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, until the client hangs up."""
        leaving = asyncio.ensure_future(gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            at, end = 0, 0 if scope["method"] == "HEAD" else self._size
            while at < end and not leaving.done():
                data = await asyncio.to_thread(os.pread, self._file.fileno(), PIECE_BYTES, at)
                if not data:
                    return  # the server then cuts the connection
                at += len(data)
                await send({"type": "http.response.body", "body": data, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            leaving.cancel()
            self._file.close()
            await asyncio.gather(leaving, return_exceptions=True)
