"""The kinds of destinations, and the keys that each of them takes in pysane-share.toml.

It knows names and values; what is done with them is in the files of the kinds.
"""

from __future__ import annotations

import re

from .. import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Check = Callable[[Any], Any]

FORMATS = ("pdf", "jpeg", "png", "tiff")
SECURITY = ("starttls", "tls", "none")
MOST_SECONDS = 86_400


def url(value: object) -> str:
    """Take addresses of HTTP without a user in them."""
    found = values.text(value)
    wrong = f"{values.shown(value)} is no address as https://host/path"
    if not re.fullmatch(r"https?://[^\s/@?#]+(/[!-\"$-~]*)?", found):
        raise ValueError(wrong)
    try:
        values.url_host(found).encode("idna")  # as a connection does
    except ValueError as exc:
        raise ValueError(f"{wrong}: {exc}") from exc
    return found


def file_mode(value: object) -> str:
    """Take the permissions of files, as "0640"."""
    found = values.text(value)
    if not re.fullmatch(r"0?[0-7]{3}", found):
        raise ValueError(f'{values.shown(value)} is no mode as "0640"')
    return found


def headers(value: object) -> dict[str, str]:
    """Take a table of headers of HTTP."""
    if not isinstance(value, dict):
        raise ValueError(f"{values.shown(value)} is no table")
    for name, text in value.items():
        if not re.fullmatch(r"[A-Za-z0-9-]{1,100}", name) or not values.text(text).isascii():
            raise ValueError(f"{values.shown(name)} is no header with a text of ASCII")
    return dict(value)


def address(value: object) -> str:
    """Take addresses of mail."""
    found = values.text(value)
    if not re.fullmatch(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+", found):
        raise ValueError(f"{values.shown(value)} is no address as scans@example.org")
    return found


def some(check: Check) -> Check:
    """Take lists of at least one of what *check* takes; one alone needs no list."""
    many = values.several(check)

    def checked(value: object) -> tuple[Any, ...]:
        found: tuple[Any, ...] = many(value if isinstance(value, list) else [value])
        if not found:
            raise ValueError("the list is empty")
        return found

    return checked


seconds = values.number(1, MOST_SECONDS)
SHARED: dict[str, Check] = {
    "format": values.one_of(*FORMATS),
    "ocr": values.text,
    "pdfa": values.yes_or_no,
    "timeout": seconds,
}
TLS: dict[str, Check] = {"ca_file": values.path, "verify": values.yes_or_no}
KINDS: dict[str, dict[str, Check]] = {
    "folder": {"path": values.path, "mode": file_mode, **SHARED},
    "paperless": {
        **{"url": url, "token": values.text, "token_file": values.path},
        **{"tags": some(values.text), "correspondent": values.text},
        **{"document_type": values.text, "task_seconds": values.number(0, 3600)},
        **TLS,
        **SHARED,
    },
    "webhook": {
        **{"url": url, "method": values.one_of("POST", "PUT"), "headers": headers},
        **{"secret": values.text, "secret_file": values.path},
        **TLS,
        **SHARED,
    },
    "mail": {
        **{"server": values.host_name, "port": values.integer(1, 65535)},
        **{"security": values.one_of(*SECURITY), "user": values.text, "password": values.text},
        **{"password_file": values.path, "sender": address, "to": some(address)},
        **{"subject": values.text, "text": values.text, "most_mib": values.integer(1, 1000)},
        **TLS,
        **SHARED,
    },
    "command": {"command": values.text, **SHARED},
}
REQUIRED = {
    "folder": ("path",),
    "paperless": ("url",),
    "webhook": ("url",),
    "mail": ("server", "sender", "to"),
    "command": ("command",),
}


class Wrong(ValueError):
    """A setting of a destination cannot be used. key: which."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(f"{key}: {text}")
        self.key = key


def check(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a destination of *kind*, checked; raises Wrong."""
    known = KINDS[kind]
    out = {}
    for name, value in settings.items():
        if name not in known:
            raise Wrong(name, f"there is no such key; known: {', '.join(known)}")
        try:
            out[name] = known[name](value)
        except ValueError as exc:
            raise Wrong(name, str(exc)) from exc
    for name in REQUIRED[kind]:
        if not out.get(name):
            raise Wrong(name, "is missing")
    if kind == "paperless" and not (out.get("token") or out.get("token_file")):
        raise Wrong("token", "is missing, or token_file, a file that has it")
    return out
