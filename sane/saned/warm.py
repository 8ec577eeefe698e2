"""Loads, before the first client comes, all that serving one needs: its process only forks.

Modules only: no backend is initialised and no device is touched in the parent.
"""

from __future__ import annotations

import gc
import os

from ..debug import Debug
from ..dll.config import backend_names
from ..dll.finder import own_module
from ..sessions import DEBUG, ERROR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..config import Environment
    from .log import Log


def preload(environment: Environment, log: Log) -> None:
    """Import what sessions import, and keep the garbage collector off it from now on.

    Third-party backends are left to the clients' processes: what they do when they are imported
    is not known.
    """
    import hashlib

    hashlib.md5(b"", usedforsecurity=False)
    for name in backend_names(environment, Debug("saned", environment)):
        try:
            module = own_module(name)
            if module is not None:
                _import_parts(module)
        except Exception as exc:
            log(ERROR, f"backend {name}: {exc.__class__.__name__}: {exc}")
    from ..dll import listing  # noqa: F401 -- the registry imports it at the first list

    try:
        from ..sessions import pump  # noqa: F401
    except ImportError:
        log(DEBUG, "not compiled: no reader without the GIL")
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        log(ERROR, f"{threads} threads are running: a backend started them when it was imported")
    gc.collect()
    gc.freeze()


def _import_parts(module: object) -> None:
    """Import the modules of a backend's package, which it would import at the first open."""
    for directory in getattr(module, "__path__", ()):
        for entry in sorted(os.listdir(directory)):
            name = entry.partition(".")[0]
            if entry.endswith((".py", ".so")) and not name.startswith("_"):
                __import__(f"{module.__name__}.{name}")  # type: ignore[attr-defined]
