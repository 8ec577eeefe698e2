"""Checks of values in pysane-share.toml; ValueError says what is wrong with one.

It knows kinds of values and no key.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

Check = Callable[[Any], Any]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def shown(value: object) -> str:
    """Return a value as the file has it, or nearly."""
    return repr(value) if not isinstance(value, bool) else str(value).lower()


def yes_or_no(value: object) -> bool:
    """Take true and false."""
    if not isinstance(value, bool):
        raise ValueError(f"{shown(value)} is neither true nor false")
    return value


def integer(low: int, high: int) -> Check:
    """Take whole numbers from *low* to *high*."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"{shown(value)} is not a whole number from {low} to {high}")
        return value

    return check


def number(low: float, high: float) -> Check:
    """Take numbers from *low* to *high*."""

    def check(value: object) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:  # type: ignore[operator]
            raise ValueError(f"{shown(value)} is not a number from {low:g} to {high:g}")
        return float(value)  # type: ignore[arg-type]

    return check


def text(value: object) -> str:
    """Take strings without control characters."""
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not a text in quotes")
    if not value.isprintable():
        raise ValueError(f"{shown(value)} has control characters")
    return value


def one_of(*choices: str) -> Check:
    """Take one of *choices*."""

    def check(value: object) -> str:
        if value not in choices:
            raise ValueError(f"{shown(value)} is none of {', '.join(map(shown, choices))}")
        return str(value)

    return check


def path(value: object) -> str:
    """Take absolute paths, and ""."""
    found = text(value)
    if found and not found.startswith("/"):
        raise ValueError(f"{shown(value)} is not an absolute path")
    return found


def pattern(value: object) -> str:
    """Take regular expressions."""
    found = text(value)
    try:
        re.compile(found)
    except re.error as exc:
        raise ValueError(f"{shown(value)} is no regular expression: {exc}") from exc
    return found


def address(value: object) -> str:
    """Take numeric addresses."""
    try:
        return str(ipaddress.ip_address(text(value)))
    except ValueError as exc:
        raise ValueError(f"{shown(value)} is not a numeric address") from exc


def network(value: object) -> Network:
    """Take networks, as 192.168.0.0/24; a single address is one."""
    try:
        return ipaddress.ip_network(text(value), strict=False)
    except ValueError as exc:
        raise ValueError(f"{shown(value)} is not a network as 192.168.0.0/24") from exc


def host_name(value: object) -> str:
    """Take host names, in small letters, and numeric addresses."""
    found = text(value).lower().rstrip(".")
    if ":" in found:
        return address(found)
    if not re.fullmatch(r"[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9_])?", found):
        raise ValueError(f"{shown(value)} is not a host name")
    return found


def base_url(value: object) -> str:
    """Take http and https URLs without query; "" for none."""
    found = text(value).rstrip("/")
    wrong = f"{shown(value)} is not an address as https://scan.example.org/scanner"
    if found and not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~/-]*)?", found):
        raise ValueError(wrong)
    try:
        if found:
            host_name(url_host(found))
    except ValueError as exc:
        raise ValueError(f"{wrong}: {exc}") from exc
    return found


def url_host(url: str) -> str:
    """Return the host of a URL, which has a port that exists, or none; raises ValueError."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.port == 0:
        raise ValueError("there is no port 0")
    if not host or ("[" in parts.netloc and not isinstance(ip_address(host), IPv6Address)):
        raise ValueError("it has no host")
    return host


def several(check: Check) -> Check:
    """Take lists of what *check* takes."""

    def checked(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError(f"{shown(value)} is not a list in [ ]")
        return tuple(check(item) for item in value)

    return checked


def option_values(value: object) -> dict[str, Any]:
    """Take tables of a scanner's options: texts, numbers, true and false."""
    if not isinstance(value, dict):
        raise ValueError(f"{shown(value)} is not a table")
    for name, item in value.items():
        parts = item if isinstance(item, list) else [item]
        if not all(isinstance(part, str | int) or _is_finite(part) for part in parts):
            raise ValueError(f"{name}: {shown(item)} is no value that an option has")
    return value


def _is_finite(value: object) -> bool:
    return isinstance(value, float) and isfinite(value)


def anything(value: object) -> Any:
    """Take tables whose keys somebody else checks."""
    return value
