"""Which Python runs the drivers: what pysane.runtime says, and what is packed for it."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

from .libraries import boot_name, fallbacks

# Pure Python packages that drivers need, with the distributions that have them; they go to deps/
# beside the package when the base Python lacks them.
BUNDLED = {"usb": "pyusb", "h11": "h11"}

ASK = """
import importlib.util, json, site, sys
stdlib = [p for p in sys.path if "site-packages" not in p and "dist-packages" not in p]
lacking = [name for name in {names!r} if importlib.util.find_spec(name) is None]
print(json.dumps([stdlib, site.getsitepackages(), lacking]))
"""


def base_executable() -> str:
    """Return the interpreter that a virtual environment was made from, or this one."""
    return str(Path(getattr(sys, "_base_executable", None) or sys.executable).resolve())


def shared_libpython() -> Path:
    """Return the shared libpython of this interpreter; ends the build with the remedy."""
    name = sysconfig.get_config_var("INSTSONAME") or ""
    folders = [sysconfig.get_config_var("LIBDIR") or ""]
    folders.append(f"{folders[0]}/{sysconfig.get_config_var('MULTIARCH') or ''}")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    for folder in folders:
        for candidate in (name, f"libpython{version}.so.1.0"):
            path = Path(folder, candidate)
            if ".so" in candidate and path.exists():
                return path
    raise SystemExit(
        f"this Python {version} has no shared libpython: install libpython{version} (apt), or "
        "choose another with make PYTHON=..., or build it with --enable-shared"
    )


def wheel_text() -> str:
    """Return the pysane.runtime of a wheel: the library finds the interpreter at its first use."""
    return _text(package="../../..")


def _text(**more: str) -> str:
    values = {
        "version": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "soabi": sysconfig.get_config_var("SOABI"),
        "boot": boot_name(),
        "fallback": ":".join(fallbacks()),
        **more,
    }
    lines = "".join(f"{key}={value}\n" for key, value in values.items())
    return f"# Which Python PySANE uses; relative paths begin here. Written at build time.\n{lines}"


class Runtime:
    """What the base interpreter says of itself, outside any virtual environment."""

    def __init__(self) -> None:
        command = [base_executable(), "-I", "-c", ASK.format(names=tuple(BUNDLED))]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        self.stdlib, self.sites, self.lacking = json.loads(done.stdout)

    def text(self) -> str:
        """Return the contents of pysane.runtime."""
        return _text(
            libpython=str(shared_libpython()),
            home=sys.base_prefix,
            stdlib=":".join(self.stdlib),
            path=":".join(["deps", *self.sites]),
        )

    def bundled(self) -> list[tuple[Path, Path]]:
        """Return the Python files that the base interpreter lacks, each with its place in deps."""
        found = []
        for name in self.lacking:
            spec = find_spec(name)
            if spec is None or not spec.submodule_search_locations:
                raise SystemExit(
                    f"the building environment lacks the package {name}: "
                    f"pip install {BUNDLED[name]}"
                )
            source = Path(spec.submodule_search_locations[0])
            paths = sorted(source.rglob("*.py"))
            found += [(path, Path(name, path.relative_to(source))) for path in paths]
        return found
