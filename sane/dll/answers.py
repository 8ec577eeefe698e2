"""What the helper ``probe`` answers: bytes in, one Answer for each backend out.

It does no I/O and knows no backend by name. Source: the head of probe.c.
"""

from __future__ import annotations

import os

from ..errors import Misbehaved
from ..listed import DeviceInfo, is_printable, printable

MOST_HEAD = 128  # bytes of the first line of a record
MOST_BODY = (1 << 20) + (1 << 16)  # probe stops at the first, with what one read brought more
NO_VENDOR = "Noname"  # the standard's word (4.2.8)
NO_TEXT = "scanner"
STAGES = {b"load": "while it was loaded", b"init": "in init", b"list": "in get_devices"}


class Answer:
    """What came of asking one backend.

    number: which one, counted from 0. ms: how long it took. printed: bytes that it wrote to
    stdout. devices: None if it failed. notes: level and text of what is to be said of it.
    """

    __slots__ = ("devices", "ms", "notes", "number")

    def __init__(self, number: int, ms: int) -> None:
        self.number = number
        self.ms = ms
        self.devices: list[DeviceInfo] | None = None
        self.notes: list[tuple[int, str]] = []


class Answers:
    """Takes the bytes of probe as they come; raises Misbehaved if they are none of its."""

    def __init__(self, backends: int) -> None:
        self._backends = backends
        self._data = b""

    def feed(self, data: bytes) -> list[Answer]:
        """Return the answers that *data* completes."""
        self._data += data
        found = []
        while (answer := self._take()) is not None:
            found.append(answer)
        return found

    def _take(self) -> Answer | None:
        head, newline, rest = self._data.partition(b"\n")
        if not newline:
            if len(head) > MOST_HEAD:
                raise Misbehaved("probe: an answer without an end")
            return None
        try:
            words = head.split()
            outcome = words.pop(1).decode("ascii")
            number, code, ms, printed, size = map(int, words)
        except (ValueError, IndexError):
            raise Misbehaved(f"probe: {head[:MOST_HEAD]!r} is no answer") from None
        if not (0 <= number < self._backends and 0 <= size <= MOST_BODY):
            raise Misbehaved(f"probe: {head!r} is no answer to what was asked")
        if len(rest) < size:
            return None
        self._data = rest[size:]
        answer = Answer(number, ms)
        if printed:
            answer.notes.append((1, f"it wrote {printed} bytes to stdout in get_devices"))
        said = rest[:size].split(b"\0")
        if outcome == "done":
            answer.notes.append((5, f"answered after {ms} ms"))
            _take_devices(answer, said)
        else:
            answer.notes.append((0, what_happened(outcome, code, ms, said)))
        return answer


def _take_devices(answer: Answer, said: list[bytes]) -> None:
    """Read the devices; texts that are missing are no devices."""
    devices = []
    for index, word in enumerate(said):
        if word == b"error":
            answer.notes.append((1, os.fsdecode(b"".join(said[index + 1 : index + 2]))))
            return
        if word == b"device":
            device = _device(said[index + 1 : index + 5])
            if device is None:
                answer.notes.append((0, "get_devices lists a device without a name"))
            elif not is_printable(device.name):
                text = f"get_devices lists {device.name!r}, which cannot be shown"
                answer.notes.append((0, text))
            else:
                devices.append(device)
    answer.devices = devices


def _device(texts: list[bytes]) -> DeviceInfo | None:
    """Return the device of four texts, None without a name.

    A NULL text gets a word, a control character of a text a question mark.
    """
    name, vendor, model, kind, *_ = [os.fsdecode(text[1:]) for text in texts] + [""] * 4
    if not name:
        return None
    shown = map(printable, (vendor or NO_VENDOR, model or NO_TEXT, kind or NO_TEXT))
    return DeviceInfo(name, *shown)


def what_happened(outcome: str, code: int, ms: int, said: list[bytes]) -> str:
    """Return in words how a backend ended without an answer."""
    stages = [STAGES[word] for word in said if word in STAGES]
    where = stages[-1] if stages else "before it was loaded"
    if outcome == "signal":
        return f"it crashed {where}, with signal {code}"
    if outcome == "exit":
        return f"it called exit({code}) {where}"
    if outcome == "late":
        return f"it was ended after {ms / 1000:.1f} s {where}"
    if outcome == "toomuch":
        return "get_devices lists without an end"
    return "there is no process to ask it in"
