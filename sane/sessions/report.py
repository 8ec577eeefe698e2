"""What ``--check`` of a server prints: paragraphs, and at the end the problems."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Report:
    """Says paragraphs, line by line, and keeps the problems for the end. say: print, as a rule."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self.problems: list[str] = []
        self._say = say

    def heading(self, text: str) -> None:
        """Begin a paragraph."""
        self._say(f"\n{text}")

    def line(self, text: str) -> None:
        """Say one line of it."""
        self._say(f"  {text}")

    def announcing(self, is_wanted: bool, key: str) -> None:
        """Say who announces the server, if its setting *key* wants that."""
        from ..discovery.announce import PROGRAM, find_program

        if not is_wanted:
            self.line(f"not announced by DNS-SD ({key})")
        elif find_program(PROGRAM):
            self.line(f"announced by DNS-SD with {PROGRAM}, if the Avahi daemon runs")
        else:
            self.line("announced by DNS-SD only if python-zeroconf is installed")

    def end(self) -> int:
        """Say the problems; return 1 if there are any, else 0."""
        self.heading("Problems")
        for problem in self.problems:
            self.line(problem)
        if not self.problems:
            self.line("none")
        return 1 if self.problems else 0
