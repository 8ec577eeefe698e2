"""What a device name means: addresses, identities, and the names that other drivers gave.

Texts only. Source: specification escl 1.7.
"""

from __future__ import annotations

from ...discovery.identity import UUID_DIGITS, uuid_of
from ...errors import Invalid
from ...transport.url import Url

UUID, UNIX, SOCKET = "uuid:", "unix:", "unix://"
SCHEMES = ("http://", "https://")
ROOT = "/eSCL"
HEX = "0123456789abcdef"
MOST_INDEX = 16  # digits of the counter in a name of airscan's
AIRSCAN, ESCL, WSD = "airscan:", "e", "w"
DIRECT = ("escl", "wsd")


class Name:
    """What a name says, one of: *url*, *uuid*, *instance* of DNS-SD.

    socket: of a url, the Unix socket to connect to: with a slash its path, else
    its name in the folder of sockets. shown: what to call the scanner. is_wsd: it is to be spoken
    to by WS-Scan.
    """

    __slots__ = ("instance", "is_wsd", "shown", "socket", "url", "uuid")

    def __init__(
        self, url: Url | None = None, *, socket: str = "", uuid: str = "", instance: str = ""
    ) -> None:
        self.url = url
        self.socket = socket
        self.uuid = uuid
        self.instance = instance
        self.shown = ""
        self.is_wsd = False


def parse(text: str) -> Name | None:
    """Return what *text* means, None for a name of another kind.

    Raises Invalid for one that is meant to be an address and is none.
    """
    lower = text.lower()
    if lower.startswith(SCHEMES):
        return Name(Url.parse(text))
    if lower.startswith(SOCKET):
        return _short_socket(text)
    if lower.startswith(UNIX):
        return _socket(text)
    if lower.startswith(UUID):
        uuid = uuid_of(text[len(UUID) :])
        if not uuid:
            raise Invalid(f"{text!r}: a UUID has {UUID_DIGITS} hexadecimal digits")
        return Name(uuid=uuid)
    if _is_uuid(lower):
        return Name(uuid=uuid_of(text))
    return _of_airscan(text) or _direct(text)


def hyphenated(uuid: str) -> str:
    """Return the 32 digits of a UUID as they are usually written."""
    return "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]))


def service_paths(path: str) -> list[str]:
    """Return where the service may be for the *path* of an address, each ending with a slash."""
    inner = path.strip("/")
    return [f"/{inner}/"] if inner else [f"{ROOT}/", "/"]


def root_of_text(value: str | None) -> str:
    """Return the path of a service whose TXT record has *value* for rs, None for no such key."""
    if value is None:
        return f"{ROOT}/"
    inner = value.strip("/")
    return f"/{inner}/" if inner else "/"


def _is_uuid(text: str) -> bool:
    digits = text.replace("-", "")
    return len(digits) == UUID_DIGITS and all(char in HEX for char in digits)


def _socket(text: str) -> Name:
    """Return the meaning of ``unix:PATH:http://HOST[:PORT][/PATH]``."""
    for scheme in SCHEMES:
        at = text.find(f":{scheme}", len(UNIX))
        if at >= 0:
            path, url = text[len(UNIX) : at], Url.parse(text[at + 1 :])
            if not path.startswith("/") or "\0" in path or ".." in path.split("/"):
                raise Invalid(f"{text!r}: unix:/PATH:http://HOST, a path without ..")
            return Name(url, socket=path)
    raise Invalid(f"{text!r}: unix:/PATH:http://HOST")


def _short_socket(text: str) -> Name:
    """Return the meaning of ``unix://NAME[/PATH]``: a socket in the configured folder."""
    name, mark, path = text[len(SOCKET) :].partition("/")
    if not name or name in (".", "..") or "\0" in name or not name.isprintable():
        raise Invalid(f"{text!r}: unix://NAME/eSCL, the name of a socket")
    return Name(Url("http", "localhost", 80, f"{mark}{path}"), socket=name)


def _of_airscan(text: str) -> Name | None:
    """Return the meaning of airscan's ``[airscan:]e<hex>:INSTANCE``: the counter says nothing."""
    kind, mark, instance = text.removeprefix(AIRSCAN).partition(":")
    is_counter = 1 < len(kind) <= MOST_INDEX and all(char in HEX for char in kind[1:].lower())
    if not mark or not instance or kind[:1] not in (ESCL, WSD) or not is_counter:
        return None
    name = Name(instance=instance)
    name.is_wsd = kind[0] == WSD
    return name


def _direct(text: str) -> Name | None:
    """Return the meaning of airscan's ``[airscan:]PROTOCOL:NAME:URL``."""
    protocol, mark, rest = text.removeprefix(AIRSCAN).partition(":")
    if protocol.lower() not in DIRECT or not mark:
        return None
    for scheme in (*SCHEMES, SOCKET):
        at = rest.lower().find(f":{scheme}")
        if at < 0 and not rest.lower().startswith(scheme):
            continue
        found = parse(rest[at + 1 :])
        if found is not None:
            found.shown = rest[: max(at, 0)]
            found.is_wsd = protocol.lower() == "wsd"
        return found
    raise Invalid(f"{text!r}: {protocol}:NAME:URL")
