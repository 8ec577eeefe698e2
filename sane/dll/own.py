"""pysane.conf: which backends our libraries offer, and where a C backend is wanted instead.

Source: architecture, "The shim" and "Finding backends".
"""

from __future__ import annotations

import os

from .. import backends, config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..config import Environment
    from ..debug import Debug

NOT_BY_DEFAULT = {"test", "pnm", "net"}
KEYWORDS = ("backend", "native")
LISTING = "list-"  # how lines begin that say how devices are listed, which is not read here


def settings(environment: Environment, debug: Debug) -> dict[str, list[str]]:
    """Return what follows each of KEYWORDS in pysane.conf, one entry for a line; all may be []."""
    found: dict[str, list[str]] = {keyword: [] for keyword in KEYWORDS}
    for line in config.read(environment, "pysane.conf") or []:
        if line.is_blank or line.is_comment or line.text.startswith(LISTING):
            continue
        tokens = line.tokens()
        if len(tokens) >= 2 and tokens[0] in found:
            found[tokens[0]].append(tokens[1])
        else:
            debug(1, "%s: not understood: %s", line.where(), line.text)
    return found


def own_names(environment: Environment, debug: Debug) -> list[str]:
    """Return the names of ``backend NAME`` lines, else all our backends but test, pnm and net."""
    names = settings(environment, debug)["backend"]
    return names or [name for name in bundled() if name not in NOT_BY_DEFAULT]


def native_names(environment: Environment, debug: Debug) -> frozenset[str]:
    """Return the names of ``native NAME`` lines: there the C backend is used; "*" is all."""
    return frozenset(settings(environment, debug)["native"])


def bundled() -> list[str]:
    """Return the names of the backends in our package, sorted."""
    found = set()
    for directory in backends.__path__:
        for entry in os.listdir(directory):
            name = entry.partition(".")[0]
            if name and not name.startswith("_"):
                found.add(name)
    return sorted(found)
