"""Packages that an installation brings along in a folder beside ours, for a Python without them."""

from __future__ import annotations

import os
import sys

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "deps")


def load(name: str) -> None:
    """Import package *name*: the program's own, else the copy beside ours.

    sys.path stays as it is: it is the host's. Raises ImportError without either.
    """
    try:
        __import__(name)
    except ModuleNotFoundError as exc:
        if exc.name != name or not _load_from(FOLDER, name):
            raise


def _load_from(folder: str, name: str) -> bool:
    from _frozen_importlib_external import PathFinder
    from importlib.util import module_from_spec

    spec = PathFinder.find_spec(name, [folder])
    if spec is None or spec.loader is None:
        return False
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return True
