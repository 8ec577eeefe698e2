"""Where C backends lie: the search path and the file names of the original dll.

It knows directories and names; nothing is loaded here. Source: c-abi-and-dll 4.5, 3.3.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..config import Environment

PATH_VARIABLES = ("LD_LIBRARY_PATH", "SHLIB_PATH", "LIBPATH")  # the first that is set counts

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


def directories(environment: Environment) -> list[str]:
    """Return where libsane-<name>.so.1 is looked for, in order; "" means the root directory.

    The last three are Debian's: third-party backends ignore the multiarch one.
    """
    values = [value for value in map(environment.get, PATH_VARIABLES) if value is not None]
    found = values[0].split(":") if values else []
    multiarch = getattr(sys.implementation, "_multiarch", "")
    if multiarch:
        found.append(f"/usr/lib/{multiarch}/sane")
    return [*found, "/usr/lib/sane", "/usr/lib64/sane"]


def libraries(name: str, environment: Environment) -> list[str]:
    """Return the files that may be the C backend *name*, as absolute paths, in order.

    The first one is it, unless it turns out to be a library of ours.
    """
    if "/" in name or "\0" in name:
        return []
    candidates = [f"{directory}/libsane-{name}.so.1" for directory in directories(environment)]
    return [path for path in (_absolute(path, environment) for path in candidates) if _exists(path)]


def _absolute(path: str, environment: Environment) -> str:
    """Return *path*, when relative below the directory in which sane_init was called."""
    if path.startswith("/"):
        return path
    folder = "." if environment.cwd is None else f"/proc/self/fd/{environment.cwd}"
    return os.path.join(os.path.realpath(folder), path)


def _exists(path: str) -> bool:
    try:
        os.close(os.open(path, _FLAGS))
    except OSError:
        return False
    return True
