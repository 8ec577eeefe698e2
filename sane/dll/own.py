"""pysane.conf: which of our backends libsane-pysane.so.1 offers.

Source: architecture, "The shim".
"""

from __future__ import annotations

import os

from .. import backends, config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..config import Environment
    from ..debug import Debug

NOT_BY_DEFAULT = {"test", "pnm", "net"}


def own_names(environment: Environment, debug: Debug) -> list[str]:
    """Return the names of ``backend NAME`` lines, else all our backends but test, pnm and net."""
    names = []
    for line in config.read(environment, "pysane.conf") or []:
        tokens = line.tokens()
        if line.is_blank or line.is_comment:
            continue
        if len(tokens) >= 2 and tokens[0] == "backend":
            names.append(tokens[1])
        else:
            debug(1, "%s: not understood: %s", line.where(), line.text)
    return names or [name for name in bundled() if name not in NOT_BY_DEFAULT]


def bundled() -> list[str]:
    """Return the names of the backends in our package, sorted."""
    found = set()
    for directory in backends.__path__:
        for entry in os.listdir(directory):
            name = entry.partition(".")[0]
            if name and not name.startswith("_"):
                found.add(name)
    return sorted(found)
