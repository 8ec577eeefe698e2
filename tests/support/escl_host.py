"""A host that speaks eSCL plainly, for tests of the emulated scanner itself."""

from __future__ import annotations

import http.client
import socket
import zlib
from struct import unpack
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    import ssl

    from sane.testing.escl import Emulator

LONG = 10.0
NAMESPACES = (
    'xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm" '
    'xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03"'
)


class Answer:
    """A reply: status, headers, body."""

    def __init__(self, reply: http.client.HTTPResponse) -> None:
        self.status = reply.status
        self.header = reply.headers.get
        self.body = reply.read()

    @property
    def text(self) -> str:
        return self.body.decode()


def ask(
    device: Emulator,
    method: str,
    path: str,
    body: bytes | None = None,
    tls: ssl.SSLContext | None = None,
    **headers: str,
) -> Answer:
    """Ask for *path*, from the root of the service on or absolute."""
    host, port = device.address
    if device.origin.startswith("https"):
        link: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=LONG, context=tls
        )
    else:
        link = http.client.HTTPConnection(host, port, timeout=LONG)
    if host.startswith("/"):
        link.sock = socket.socket(socket.AF_UNIX)
        link.sock.connect(host)
    sent = {"Connection": "close"} | {name.replace("_", "-"): v for name, v in headers.items()}
    try:
        link.request(method, urlsplit(urljoin(device.url, path)).path, body, sent)
        return Answer(link.getresponse())
    finally:
        link.close()


def ticket(
    source: str = "Platen",
    mode: str = "Grayscale8",
    mime: str = "image/png",
    dpi: int = 75,
    size: tuple[int, int] = (120, 80),
    extra: str = "",
) -> bytes:
    """Return ScanSettings as clients send them."""
    width, height = size
    region = (
        "<pwg:ContentRegionUnits>escl:ThreeHundredthsOfInches</pwg:ContentRegionUnits>"
        "<pwg:XOffset>0</pwg:XOffset><pwg:YOffset>0</pwg:YOffset>"
        f"<pwg:Width>{width}</pwg:Width><pwg:Height>{height}</pwg:Height>"
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><scan:ScanSettings {NAMESPACES}>'
        "<pwg:Version>2.0</pwg:Version>"
        f"<pwg:ScanRegions><pwg:ScanRegion>{region}</pwg:ScanRegion></pwg:ScanRegions>"
        f"<pwg:InputSource>{source}</pwg:InputSource><scan:ColorMode>{mode}</scan:ColorMode>"
        f"<pwg:DocumentFormat>{mime}</pwg:DocumentFormat>"
        f"<scan:DocumentFormatExt>{mime}</scan:DocumentFormatExt>"
        f"<scan:XResolution>{dpi}</scan:XResolution><scan:YResolution>{dpi}</scan:YResolution>"
        f"{extra}</scan:ScanSettings>"
    ).encode()


def post(device: Emulator, body: bytes | None = None, **headers: str) -> Answer:
    """Ask for a job."""
    headers = {"Content_Type": "text/xml"} | headers
    return ask(device, "POST", "ScanJobs", ticket() if body is None else body, None, **headers)


def begin(device: Emulator, body: bytes | None = None) -> str:
    """Begin a job, which must be accepted; return its path."""
    answer = post(device, body)
    assert answer.status == 201, (answer.status, device.scanner.refusals)
    return urljoin(device.url, answer.header("Location") or "")


def page(device: Emulator, job: str) -> Answer:
    """Ask for the next page."""
    return ask(device, "GET", f"{job}/NextDocument")


def png_pixels(data: bytes) -> bytes:
    """Return the rows of a PNG without filters and interlace, as they are in it."""
    width, lines, depth, color = unpack(">IIBB", data[16:26])
    row = (width * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color] * depth + 7) // 8
    packed, at = b"", 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + size]
        at += 12 + size
    raw = zlib.decompress(packed)
    assert len(raw) == lines * (row + 1)
    return b"".join(raw[y * (row + 1) + 1 : (y + 1) * (row + 1)] for y in range(lines))
