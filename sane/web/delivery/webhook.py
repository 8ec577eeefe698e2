"""A webhook as a destination: the file is the body of a request.

Idempotency-Key is the same in every attempt, so that the other side can tell a second one. With a
secret, X-PySANE-Signature is the HMAC-SHA256 of the body.
"""

from __future__ import annotations

import hmac
from urllib.parse import quote

from ..store.names import TYPES, disposition
from .http import file_pieces, request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .sending import Sending


def send(sending: Sending) -> str:
    """Send the file; return the status."""
    settings = sending.settings
    headers = {
        "Content-Type": TYPES[sending.type],
        "Content-Disposition": disposition(sending.name),
        "Idempotency-Key": sending.delivery,
        "X-PySANE-Document": sending.document,
        "X-PySANE-Title": quote(sending.title, safe=" "),
        "X-PySANE-Pages": str(sending.pages),
        **settings.get("headers", {}),
    }
    secret = sending.secret("secret")
    size = 0
    digest = hmac.new(secret.encode(), digestmod="sha256")
    for piece in file_pieces(sending.file):
        digest.update(piece)
        size += len(piece)
    if secret:
        headers["X-PySANE-Signature"] = f"sha256={digest.hexdigest()}"
    method = settings.get("method", "POST")
    body = file_pieces(sending.file)
    answer = request(method, settings["url"], settings, headers=headers, body=body, size=size)
    return f"status {answer.status}"
