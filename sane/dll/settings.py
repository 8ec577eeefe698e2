"""pysane.conf: how devices are listed. What a backend is stands elsewhere (own.py, finder.py).

A value that is not understood is named and the default holds.
"""

from __future__ import annotations

from .. import config
from ..errors import Invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config import Environment
    from ..debug import Debug

LIST_SECONDS = 10.0  # network backends wait up to 3 s for answers; what hangs is worth no more
MOST_SECONDS = 1e6
MOST_JOBS = 1000


class ListSettings:
    """The lines ``list-...`` of pysane.conf.

    seconds: what one backend may take. jobs: how many C backends are asked at a time, 0: as many
    as the processors bear. cache_seconds: how old a kept list may be, 0: none is kept. merge:
    None, or the backends that are preferred where several list the same device.
    """

    __slots__ = ("cache_seconds", "jobs", "merge", "seconds")

    def __init__(self, environment: Environment, debug: Debug) -> None:
        self.seconds = LIST_SECONDS
        self.jobs = 0
        self.cache_seconds = 0.0
        self.merge: Sequence[str] | None = None
        for line in config.read(environment, "pysane.conf") or []:
            if line.text.startswith("list-"):
                try:
                    self._take(line.tokens())
                except Invalid as exc:
                    debug(0, "%s: %s", line.where(), exc)
        text = environment.get("PYSANE_LIST_TIMEOUT")
        if text:
            try:
                self.seconds = _number(text, 0.001, MOST_SECONDS)
            except Invalid as exc:
                debug(0, "PYSANE_LIST_TIMEOUT: %s", exc)

    def _take(self, tokens: list[str]) -> None:
        word, values = tokens[0], tokens[1:]
        if word == "list-merge":
            self.merge = values
        elif len(values) != 1:
            raise Invalid(f"{word} wants one value")
        elif word == "list-timeout":
            self.seconds = _number(values[0], 0.001, MOST_SECONDS)
        elif word == "list-jobs":
            self.jobs = int(_number(values[0], 0, MOST_JOBS))
        elif word == "list-cache":
            self.cache_seconds = _number(values[0], 0, MOST_SECONDS)
        else:
            raise Invalid(f"there is no {word}")


def _number(text: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not least <= value <= most:
        raise Invalid(f"{text!r} is not a number from {least:g} to {most:g}")
    return value
