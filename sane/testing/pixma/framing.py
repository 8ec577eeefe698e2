"""How commands and answers of a Canon scanner are framed: 16 or 10 bytes before the parameters.

It knows lengths and checksums, not what a command does.

Source: specification pixma 2.1 to 2.4.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from . import dialog
from .models import IMAGECLASS, Model
from .request import Wrong, check_sum

READS = ("D420", "D460")  # whose answers are image blocks, see blocks
ACTIVATE = "CF60"
# Bytes of parameters, with 16 bytes before them and with 10.
PARAMETERS_A = {"DD20": (12,), "EE20": (2056, 4104), "DE20": (48,), "D820": (56,), "EA20": (52,)}
PARAMETERS_B = {"DD20": (10,), "DE20": (46,), ACTIVATE: (10,), "EB80": (20,)}
_A, _B = struct.Struct(">2sBB8sI"), struct.Struct(">2s5sHB")


class Message(NamedTuple):
    """What a host sends: a command's name (DB20, StartJob) and its parameters.

    Those of an image block are all its bytes.
    """

    name: str
    parameters: bytes = b""
    problem: str = ""


def understand(data: bytes, model: Model) -> Message:
    """Return a message; its *problem* says why no scanner would obey it."""
    if data.startswith(dialog.BEGIN) and model.has_xml:
        return Message(dialog.operation(data.decode("utf-8", "replace")), data)
    name = data[:2].hex().upper()
    if name in READS:
        return Message(name, data)
    try:
        return Message(name, _parameters(name, data, model))
    except Wrong as exc:
        return Message(name, b"", str(exc))


def _parameters(name: str, data: bytes, model: Model) -> bytes:
    """Return the parameters of a command; raises Wrong for what is not framed as it should be."""
    layout, known = (_A, PARAMETERS_A) if model.is_framed_a else (_B, PARAMETERS_B)
    if len(data) < layout.size:
        raise Wrong(f"{len(data)} bytes")
    size = layout.unpack_from(data)[-1 if model.is_framed_a else 2]
    parameters = data[layout.size :]
    if len(parameters) not in known.get(name, (0,)):
        raise Wrong(f"{len(parameters)} bytes of parameters")
    wanted = len(parameters) or answer_bytes(name, model)
    if size != wanted:
        raise Wrong(f"length {size} instead of {wanted}")
    if parameters:
        check_sum(parameters, model.has_late_sum, name == ACTIVATE)
    return parameters


def answer_bytes(name: str, model: Model) -> int:
    """Return how many bytes of data answer a command."""
    if name == "F320":
        return 16 if model.is_framed_a and model.generation >= 2 else 12
    return {"DA20": 8, "D720": 8, "FF20": 16, "F520": 52}.get(name, 0)


def answer(name: str, status: int, data: bytes, model: Model) -> bytes:
    """Return the answer to a command."""
    size = 8 if model.is_framed_a or (model.family == IMAGECLASS and name in READS) else 2
    return struct.pack(">H", status).ljust(size, b"\0") + data
