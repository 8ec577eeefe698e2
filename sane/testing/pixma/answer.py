"""Answers of an emulated Canon scanner: the statuses, and what tests have it answer instead.

Source: specification pixma 2.2, 2.3 and 7.
"""

from __future__ import annotations

from dataclasses import dataclass

DONE, FAILED, BUSY = 0x0606, 0x1515, 0x1414


@dataclass(frozen=True)
class Answer:
    """How one command is answered; what is left out is as usual.

    status: a word; any but DONE comes without data, and the command has no effect. data: behind the
    status. flags: set in the flags of an image block. more: added to the length that it announces.
    spoils: the last byte of the data is changed, and with it the checksum. whole: all that is sent,
    b"" for nothing. carries_out: the command takes effect.
    """

    status: int | None = None
    data: bytes | None = None
    flags: int = 0
    more: int = 0
    spoils: bool = False
    whole: bytes | None = None
    carries_out: bool = True
