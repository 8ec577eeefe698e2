"""The numbers that {n} in a file's name becomes: they go on from one run to the next.

It knows names and the user's state file, which is optional: without it they begin at 1. Source:
specification 12.5.
"""

from __future__ import annotations

import os

from ...pagework.state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .talk import Talk


class Numbers:
    """Gives the number of each file once. For names with {n} of the user's own."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._given: dict[tuple[str, int], int] = {}
        self._has_state = True
        self._last: dict[str, int] = {}

    def of(self, template: str, place: int, is_taken: Callable[[int], bool]) -> int:
        """Return the number of the file at *place* of this run, from 1; the same when asked again.

        is_taken(number): whether such a file is there already, which is then passed over.
        """
        template = os.path.abspath(template)
        while (template, place) not in self._given:
            number = self._next(template)
            if not is_taken(number):
                self._given[template, place] = number
        return self._given[template, place]

    def _next(self, template: str) -> int:
        if self._has_state:
            try:
                number = State().next_number(template)
                self._last[template] = number
                return number
            except OSError as exc:
                self._has_state = False
                self._talk.note(f"numbers of files are not remembered: {exc}")
        self._last[template] = self._last.get(template, 0) + 1
        return self._last[template]
