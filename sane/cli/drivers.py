"""The USB drivers that are there, whether or not dll.conf names them.

It loads backends as the registry would, and opens nothing.
"""

from __future__ import annotations

import os

from ..backend import Context
from ..debug import Debug
from ..dll.finder import EntryPoints, directories, find_backend
from ..errors import SaneError
from ..usb_backend import UsbBackend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..config import Environment


def names(environment: Environment) -> list[str]:
    """Return the names of all backends in Python: ours, dropped-in files, entry points."""
    from .. import backends

    found = set(EntryPoints().names())
    for folder in [*backends.__path__, *directories(environment)]:
        try:
            entries = os.listdir(folder)
        except OSError:
            continue
        for entry in entries:
            stem, ending = os.path.splitext(entry)
            is_package = os.path.exists(os.path.join(folder, entry, "__init__.py"))
            if (ending == ".py" or is_package) and not stem.startswith("_"):
                found.add(stem)
    return sorted(found)


def usb_backends(environment: Environment) -> dict[str, UsbBackend]:
    """Return the backends of USB devices by name, initialised; one that fails is left out."""
    debug = Debug("dll", environment)
    entry_points = EntryPoints()
    context = Context(environment)
    found = {}
    for name in names(environment):
        try:
            kind = find_backend(name, environment, debug, entry_points)
            if issubclass(kind, UsbBackend):
                backend = kind(name, context)
                backend.init()
                found[name] = backend
        except (SaneError, ImportError, OSError) as exc:
            debug(1, "backend %s: %s", name, exc)
    return found
