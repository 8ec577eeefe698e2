"""What a scanner's TXT record says to clients that look for scanners.

Source: specification escl 1.2 and 7.3; RFC 6763, 6.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from ..encoders import available
from .capabilities import make_and_model, modes_of, source_of
from .paths import Paths
from .words import DUPLEX, SIMPLEX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..context import ShareContext
    from ..scanner import Scanner

STRING_BYTES = 255  # of key, "=" and value
COLORS = {"RGB24": "color", "Grayscale8": "grayscale", "BlackAndWhite1": "binary"}


def texts(context: ShareContext, scanner: Scanner, scheme: str) -> dict[str, str]:
    """Return the TXT record of *scanner* for *scheme*, http or https, in the order of E 7.3."""
    settings, facts = context.settings.escl, scanner.capabilities
    escl = context.parts.get("escl")
    paths: Paths = escl.paths if escl is not None else Paths(context)
    root = paths.announced(scanner, scheme)
    base = context.base_url()
    if scheme == "https" and not context.settings.server.base_url:
        base = base.replace("http://", "https://").rpartition(":")[0]
        base += f":{context.settings.https.port}"
    modes = {mode for source in facts.sources for mode in modes_of(source, settings)}
    sources = [name for name, id in (("platen", "platen"), ("adf", SIMPLEX)) if _has(scanner, id)]
    place = root.removeprefix(paths.prefix.lstrip("/")).lstrip("/")
    found = {
        "txtvers": "1",
        "vers": settings.version,
        "pdl": listed("pdl", available()),
        "ty": make_and_model(scanner),
        "note": socket.gethostname().partition(".")[0],
        "uuid": scanner.id,
        "rs": root,
        "cs": ",".join(word for mode, word in COLORS.items() if mode in modes),
        "is": ",".join(sources),
        "duplex": "T" if _has(scanner, DUPLEX) else "F",
        "adminurl": f"{base}/",
        "representation": f"{base}/{place}/ScannerIcon",
    }
    return {key: fitted(key, value) for key, value in found.items()}


def _has(scanner: Scanner, id: str) -> bool:
    return source_of(scanner.capabilities, id) is not None


def listed(key: str, values: Sequence[str]) -> str:
    """Return as many of *values* with commas as a string of the record holds."""
    kept = list(values)
    while kept and len(f"{key}={','.join(kept)}".encode()) > STRING_BYTES:
        kept.pop()
    return ",".join(kept)


def fitted(key: str, value: str) -> str:
    """Return a text that a string of the record holds, without control characters."""
    text = "".join(char for char in value if char.isprintable())
    room = STRING_BYTES - len(key) - 1
    return text.encode()[:room].decode(errors="ignore")
