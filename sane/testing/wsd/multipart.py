"""The image of an emulated WS-Scan device on its way: in parts, as devices really write them.

Source: specification escl 9.6.
"""

from __future__ import annotations

import base64

from . import messages
from .messages import SCAN, element

NAME = "image-1@acme"
BOUNDARY = "=_acme boundary"

MULTIPART = (
    "usual",
    "unquoted",  # the boundary stands in the header without quotes
    "lf",  # line ends of LF alone
    "glued",  # a boundary without a line end before it
    "open",  # no last boundary
    "blank-line",  # before each part's head
    "blanks",  # in the Content-ID
    "preamble",  # text before the first boundary
    "folded",  # heads over several lines
    "base64",  # the image's part
    "other-name",  # the part is not called what the message says
    "swapped",  # a part that is no image comes before it
    "inline",  # no parts: base64 in the message
)


def answer(image: bytes, mime: str, identity: str, form: str) -> tuple[str, bytes]:
    """Return type and body of the answer to RetrieveImage, as *form*, of MULTIPART, has it."""
    if form not in MULTIPART:
        raise ValueError(f"multipart {form!r}: none of {', '.join(MULTIPART)}")
    content = f'<xop:Include href="cid:{NAME.replace("@", "%40")}"/>'
    if form == "inline":
        content = base64.b64encode(image).decode()
    body = element("RetrieveImageResponse", element("ScanData", content))
    message = messages.envelope(f"{SCAN}/RetrieveImageResponse", body, identity)
    if form == "inline":
        return "application/soap+xml", message
    boundary = BOUNDARY.replace(" ", "-") if form == "unquoted" else BOUNDARY
    end = b"\n" if form == "lf" else b"\r\n"
    name = {"blanks": f"< {NAME} >", "other-name": "<something>"}.get(form, f"<{NAME}>")
    encoding = "base64" if form == "base64" else "binary"
    if form == "base64":
        image = base64.encodebytes(image)
    fold = "\r\n " if form == "folded" else " "
    parts = [
        (f'Content-Type: application/xop+xml;{fold}type="application/soap+xml"', message),
        (
            f"Content-Type:{fold}{mime}\r\nContent-Transfer-Encoding: {encoding}\r\n"
            f"Content-ID:{fold}{name}",
            image,
        ),
    ]
    if form == "swapped":
        parts.insert(1, ("Content-Type: text/plain\r\nContent-ID: <note>", b"a note\r\n"))
    mark = b"--" + boundary.encode()
    data = b"a text for old programs\r\n" if form == "preamble" else b""
    for number, (head, part) in enumerate(parts):
        before = b"" if form == "glued" or not number else end
        blank = end if form == "blank-line" else b""
        lines = head.encode().replace(b"\r\n", end)
        data += before + mark + end + blank + lines + end + end + part
    if form != "open":
        data += (b"" if form == "glued" else end) + mark + b"--" + end
    shown = boundary if form == "unquoted" else f'"{boundary}"'
    kind = f'multipart/related;{fold}type="application/xop+xml"; boundary={shown}; start="<0>"'
    return kind.replace("\r\n", ""), data
