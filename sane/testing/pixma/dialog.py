"""The XML dialog in which hosts begin and end jobs on newer Canon scanners.

Source: specification pixma 2.7.
"""

from __future__ import annotations

import re

BEGIN = b"<?xml"
START, SHIFT, END = "StartJob", "ModeShift", "EndJob"
OPERATIONS = (START, SHIFT, END)
OPERATION = re.compile(r"<(?:\w+:)?operation>(\w+)</")
MODE = re.compile(r"<(?:\w+:)?ijoperation>(\w+)</")
ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8" ?>'
    '<cmd xmlns:ivec="http://www.canon.com/ns/cmd/2008/07/common/">'
    "<ivec:contents><ivec:operation>{operation}Response</ivec:operation>"
    '<ivec:param_set servicetype="scan"><ivec:response>{response}</ivec:response>'
    "<ivec:response_detail>{detail}</ivec:response_detail>"
    "</ivec:param_set></ivec:contents></cmd>"
)


def operation(text: str) -> str:
    """Return what a host wants: StartJob, ModeShift, EndJob, or "" if that cannot be read."""
    found = MODE.search(text) or OPERATION.search(text)
    return found[1] if found else ""


def answer(name: str, response: str = "OK", detail: str = "") -> bytes:
    """Return the answer to an operation."""
    outer = "VendorCmd" if name == SHIFT else name
    return ENVELOPE.format(operation=outer, response=response, detail=detail).encode()
