"""The programs of a wheel: each runs the package that was installed with it.

Another module called sane may come first on Python's path (a file sane.py, python-sane, a folder
in PYTHONPATH): what Python would import by that name is then not ours. sys.path stays as it is.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run(module: str) -> int:
    """Run the function main of *module* in our package; return its exit status."""
    spec = PathFinder.find_spec("sane", [FOLDER])
    if spec is None or spec.loader is None or not spec.submodule_search_locations:
        print(
            f"{sys.argv[0]}: PySANE's package is not in {FOLDER} any more: "
            "python3 -m pip install --force-reinstall sane-stack",
            file=sys.stderr,
        )
        return 1
    package = module_from_spec(spec)
    sys.modules["sane"] = package
    try:
        spec.loader.exec_module(package)
        status: int = import_module(module).main()
    except KeyboardInterrupt:
        return 130
    return status


def pysane() -> int:
    """Run pysane."""
    return run("sane.cli.pysane.main")


def pysane_scan() -> int:
    """Run pysane scan by its former name."""
    return run("sane.cli.scan")


def pysane_scanimage() -> int:
    """Run pysane-scanimage."""
    return run("sane.cli.scanimage")


def find_scanner() -> int:
    """Run sane-find-scanner."""
    return run("sane.cli.find")


def saned() -> int:
    """Run saned."""
    return run("sane.saned")
