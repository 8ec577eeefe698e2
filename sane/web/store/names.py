"""Names that people and programs give, made harmless: titles, file names, headers.

It knows texts only. Source: RFC 6266 (Content-Disposition), RFC 8187 (its parameters).
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

TITLE_CHARS = 200
NAME_BYTES = 120  # of a file: systems take 255, and something may be added
RESERVED = {"con", "prn", "aux", "nul"} | {f"{n}{i}" for n in ("com", "lpt") for i in range(1, 10)}
ENDINGS = {"pdf": "pdf", "jpeg": "jpg", "png": "png", "tiff": "tif", "zip": "zip"}
TYPES = {
    "pdf": "application/pdf",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "tiff": "image/tiff",
    "zip": "application/zip",
}
NOT_IN_NAMES = '<>:"/\\|?*'  # those that Windows refuses as well


def title_of(text: str, when: datetime | None = None) -> str:
    """Return *text* as a title of one line; without any, the day and the time."""
    shown = "".join(char if char.isprintable() else " " for char in text)
    title = " ".join(shown.split())[:TITLE_CHARS].strip()
    return title or (when or datetime.now()).strftime("Scan %Y-%m-%d %H.%M")


def file_name(title: str, kind: str) -> str:
    """Return the name of a file of that kind: in no other folder, hidden from nobody."""
    safe = "".join("_" if char in NOT_IN_NAMES else char for char in title_of(title))
    safe = safe.encode("utf-8", "replace")[:NAME_BYTES].decode("utf-8", "ignore")
    safe = safe.strip(". ") or "scan"
    if safe.split(".")[0].lower() in RESERVED:
        safe = f"_{safe}"
    return f"{safe}.{ENDINGS[kind]}"


def disposition(name: str, *, inline: bool = False) -> str:
    """Return the header Content-Disposition for a file name."""
    how = "inline" if inline else "attachment"
    plain = "".join(char if 32 <= ord(char) < 127 and char not in '"\\%' else "_" for char in name)
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
