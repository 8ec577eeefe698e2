"""The dialogue in XML by which newer scanners begin and end a job: texts, and what answers mean.

Source: specification pixma 2.7.
"""

from __future__ import annotations

from ...errors import DeviceBusy, DeviceIOError
from .._driverless.xml import parse
from .commands import shown

ANSWER_BYTES = 1024
START_JOB, SHIFT_MODE, END_JOB = "StartJob", "VendorCmd", "EndJob"
BUSY_DETAILS = ("DeviceBusy", "PCScanning")  # somebody else uses it

_BEGIN = (
    '<?xml version="1.0" encoding="utf-8" ?>'
    '<cmd xmlns:ivec="http://www.canon.com/ns/cmd/2008/07/common/"{space}>'
    "<ivec:contents><ivec:operation>{operation}</ivec:operation>"
    '<ivec:param_set servicetype="scan"><ivec:jobID>00000001</ivec:jobID>'
)
_END = "</ivec:param_set></ivec:contents></cmd>"
_CANON_SPACE = ' xmlns:vcn="http://www.canon.com/ns/cmd/2008/07/canon/"'
_PARAMETERS = {
    START_JOB: "<ivec:bidi>1</ivec:bidi>",
    SHIFT_MODE: "<vcn:ijoperation>ModeShift</vcn:ijoperation><vcn:ijmode>1</vcn:ijmode>",
    END_JOB: "",
}


def request(operation: str) -> bytes:
    """Return the text that asks for *operation*."""
    space = _CANON_SPACE if operation == SHIFT_MODE else ""
    begin = _BEGIN.format(space=space, operation=operation)
    return (begin + _PARAMETERS[operation] + _END).encode("ascii")


def check(name: str, operation: str, answer: bytes) -> None:
    """Raise unless *answer* says that *operation* was done.

    Raises DeviceBusy where it says that somebody else uses the scanner, else DeviceIOError with
    the bytes.
    """
    response, detail = _response(answer)
    if response == "OK":
        return
    said = f"{response} {detail}".strip() or "no answer"
    text = f"{name}: {operation}: {said}: {shown(answer)}"
    if detail in BUSY_DETAILS:
        raise DeviceBusy(text)
    raise DeviceIOError(text)


def _response(answer: bytes) -> tuple[str, str]:
    """Return the last response of *answer* and the last detail, "" for what is not there."""
    try:
        root = parse(answer)
    except DeviceIOError:
        return "", ""
    if root.name != "cmd":
        return "", ""
    path = ("contents", "param_set")
    responses = root.values(*path, "response")
    details = root.values(*path, "response_detail")
    return "".join(responses[-1:]), "".join(details[-1:])
