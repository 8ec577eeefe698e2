"""The module _sane of this package, also where there is another one of that name.

It knows where its file lies: beside the package where that is installed for Python programs, else
in this folder.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def own() -> ModuleType:
    """Return our _sane: the one that is loaded, unless that is python-sane's."""
    from importlib.util import module_from_spec, spec_from_file_location

    loaded = sys.modules.get("_sane")
    if loaded is not None and hasattr(loaded, "__pysane__"):
        return loaded
    here = os.path.dirname(os.path.abspath(__file__))
    beside = os.path.dirname(os.path.dirname(here))
    for folder in (f"{beside}/_sane", f"{here}/_sane"):
        path = f"{folder}/__init__.py"
        if os.path.exists(path):
            break
    spec = spec_from_file_location("_sane", path, submodule_search_locations=[folder])
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    if loaded is None:
        sys.modules["_sane"] = module
    spec.loader.exec_module(module)
    return module


_sane = own()
