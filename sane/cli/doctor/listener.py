"""Takes what the library says for its debug output, so that the report can tell it.

It knows messages and their levels, and prints nothing.
"""

from __future__ import annotations

from ...config import Environment
from ...debug import Debug


class Listener(Debug):
    """Takes the messages that are shown at level 1, and keeps them: *heard*."""

    def __init__(self, name: str) -> None:
        super().__init__(name, Environment({}))
        self.level = 1
        self.heard: list[str] = []

    def __call__(self, level: int, message: str, *args: object) -> None:
        if level <= self.level:
            self.heard.append(message % args if args else message)
