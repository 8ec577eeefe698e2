"""Finds the backend behind a name: ours, a dropped-in file, an entry point, or a C library.

It knows directories and packages; it knows nothing of devices. Each source is looked at only
when the one before has nothing. Source: architecture, "Finding backends".
"""

from __future__ import annotations

import os
import sys

from .. import backends
from ..backend import Backend
from ..errors import Invalid
from .libraries import directories as library_directories
from .libraries import libraries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from ..backend import Context
    from ..config import Environment
    from ..debug import Debug

    Maker = Callable[[str, Context], Backend]

ENTRY_POINTS = "sane.backends"
SYSTEM_DIRECTORY = "/usr/local/lib/pysane/backends"
NOT_BY_DEFAULT = ("test", "pnm", "net")  # two are no scanners, one is not of this machine

_package = __package__.rpartition(".")[0]


class NotFound(Invalid):
    """Nothing answers to the name of a backend."""


def find(
    name: str,
    environment: Environment,
    debug: Debug,
    entry_points: EntryPoints,
    natives: frozenset[str],
) -> Maker:
    """Return what makes the backend *name*; raises Invalid if there is none.

    natives: of these names the C library is wanted, of "*" wherever there is one; otherwise
    it is taken when there is nothing in Python.
    """
    paths = libraries(name, environment)
    if name in natives or ("*" in natives and paths):
        return c_library(name, paths, environment, debug)
    try:
        return find_backend(name, environment, debug, entry_points)
    except NotFound:
        if not paths:
            raise
    return c_library(name, paths, environment, debug)


def c_library(name: str, paths: list[str], environment: Environment, debug: Debug) -> Maker:
    """Load the C backend *name* from *paths*; return what makes the Backend of it."""
    if not paths:
        folders = ":".join(library_directories(environment))
        debug(
            0, "pysane.conf says native %s: there is no libsane-%s.so.1 in %s", name, name, folders
        )
        raise NotFound(f"no library libsane-{name}.so.1")
    try:
        from .native import Library
    except ImportError as exc:
        raise NotFound(f"C backends need a compiled PySANE ({exc})") from exc
    from .c_backend import CBackend

    library = Library(name, paths, environment.get("LD_BIND_NOW") is not None)
    debug(3, "backend %s is %s", name, library.path)
    for symbol in library.missing:
        debug(1, "%s has no function %s", library.path, symbol)
    return lambda name, context: CBackend(name, context, library, debug)


def find_backend(
    name: str, environment: Environment, debug: Debug, entry_points: EntryPoints
) -> type[Backend]:
    """Return the Backend class of *name*; raises NotFound if there is none in Python.

    An exception in the backend's own code comes through as it is.
    """
    if not is_module_name(name):
        raise NotFound(f"{name!r} is not the name of a backend")
    module: ModuleType | type | None = own_module(name) or dropped_in(name, environment, debug)
    if module is None:
        target = entry_points.get(name)
        module = load_target(target) if target else None
    if module is None:
        raise NotFound(f"no backend named {name!r}")
    found = getattr(module, "Backend", None) or getattr(module, name, None)
    if not (isinstance(found, type) and issubclass(found, Backend)) or found is Backend:
        text = f"{getattr(module, '__file__', module)} defines no class Backend"
        debug(0, "backend %s: %s", name, text)  # a C program gets no more than a status
        raise Invalid(text)
    debug(3, "backend %s is %s", name, getattr(module, "__file__", module))
    return found


def is_module_name(name: str) -> bool:
    """Tell whether *name* can be a backend of ours: letters, digits, _ and -, no leading _."""
    plain = name.replace("-", "_")
    return plain.isascii() and plain.isidentifier() and not plain.startswith("_")


def is_in_python(name: str, environment: Environment, entry_points: EntryPoints) -> bool:
    """Tell whether find_backend has something to load for *name*; nothing is imported."""
    from _frozen_importlib_external import PathFinder

    if not is_module_name(name):
        return False
    package, _, module = module_of(name).rpartition(".")
    try:
        __import__(package)
        if PathFinder.find_spec(f"{package}.{module}", sys.modules[package].__path__) is not None:
            return True
    except ModuleNotFoundError:
        pass  # the package of a backend with a package of its own, as net: then it is not ours
    file = f"{name.replace('-', '_')}.py"
    return entry_points.get(name) is not None or any(
        os.path.isfile(os.path.join(directory, file)) for directory in directories(environment)
    )


def bundled() -> list[str]:
    """Return the names of the backends in our package, sorted."""
    found = set()
    for directory in backends.__path__:
        for entry in os.listdir(directory):
            name = entry.partition(".")[0]
            if name and not name.startswith("_"):
                found.add(name)
    return sorted(found)


def offered() -> list[str]:
    """Return what libsane-pysane.so.1 offers unless pysane.conf names backends."""
    return [name for name in bundled() if name not in NOT_BY_DEFAULT]


def module_of(name: str) -> str:
    """Return the module that a backend of our own has, if there is one."""
    table = {"net": f"{_package}.net.client"}
    return table.get(name, f"{_package}.backends.{name.replace('-', '_')}")


def own_module(name: str) -> ModuleType | None:
    """Import the backend from our own package; None if it has no such module."""
    module = module_of(name)
    try:
        __import__(module)
    except ModuleNotFoundError as exc:
        if exc.name is None or not (module == exc.name or module.startswith(f"{exc.name}.")):
            raise
        return None
    return sys.modules[module]


def directories(environment: Environment) -> list[str]:
    """Return where dropped-in backends may lie, first the one of this installation."""
    found = []
    folder = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    if os.path.exists(os.path.join(folder, "pysane.runtime")):
        found.append(os.path.join(folder, "backends"))
    found.append(SYSTEM_DIRECTORY)
    return found + [name for name in named_directories(environment) if os.path.isabs(name)]


def named_directories(environment: Environment) -> list[str]:
    """Return the elements of PYSANE_BACKEND_PATH, as they stand there."""
    path = environment.get("PYSANE_BACKEND_PATH") or ""
    return [name for name in path.split(":") if name]


def dropped_in(name: str, environment: Environment, debug: Debug) -> ModuleType | None:
    """Load <directory>/<name>.py as a submodule of our backends; None if there is no file."""
    module_name = f"{_package}.backends.{name.replace('-', '_')}"
    for directory in directories(environment):
        path = os.path.join(directory, f"{name.replace('-', '_')}.py")
        if not (os.path.isfile(path) and is_trusted(path, debug)):
            continue
        from importlib.util import module_from_spec, spec_from_file_location

        spec = spec_from_file_location(module_name, os.path.realpath(path))
        if spec is None or spec.loader is None:
            continue
        if spec.cached is not None and not is_trusted(spec.cached, debug):
            continue
        module = module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[module_name]
            raise
        return module
    for directory in named_directories(environment):
        if not os.path.isabs(directory):
            debug(0, "PYSANE_BACKEND_PATH: %s is not used: no absolute path", directory)
    return None


def is_trusted(path: str, debug: Debug) -> bool:
    """Tell whether only root and this user can change *path*, or put it there; say so if not."""
    from .trust import weak_place

    folders = [os.path.dirname(path), os.path.dirname(os.path.realpath(path))]
    for place in (path, *folders):
        weak = weak_place(place)
        if weak is not None:
            what = "" if weak == path else f" (for {path})"
            debug(0, "%s is not used: others than root and you may write it%s", weak, what)
            return False
    return True


class EntryPoints:
    """What installed distributions offer in the group sane.backends, read at the first question.

    The metadata files are read directly: importlib.metadata costs more than all the rest.
    """

    def __init__(self) -> None:
        self._targets: dict[str, str] | None = None

    def get(self, name: str) -> str | None:
        """Return the target ``module:object`` of *name*, None if nobody offers it."""
        return self._all().get(name)

    def names(self) -> list[str]:
        """Return the names that are offered."""
        return list(self._all())

    def _all(self) -> dict[str, str]:
        if self._targets is None:
            targets: dict[str, str] = {}
            for directory in sys.path:
                targets = {**_entries_in(directory or "."), **targets}  # the path's first wins
            self._targets = targets  # at the end: another thread may ask meanwhile
        return self._targets


def _entries_in(directory: str) -> dict[str, str]:
    """Return what the distributions in *directory* offer; of two, the one listed first."""
    found: dict[str, str] = {}
    try:
        entries = os.listdir(directory)
    except OSError:
        return found
    for entry in entries:
        if entry.endswith((".dist-info", ".egg-info")):
            found = {**read_entries(os.path.join(directory, entry, "entry_points.txt")), **found}
    return found


def read_entries(path: str) -> dict[str, str]:
    """Return name -> target of the group sane.backends in an entry_points.txt; {} without one."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return {}
    found: dict[str, str] = {}
    group = ""
    for line in lines:
        text = line.strip()
        name, _, target = text.partition("=")
        if text.startswith("["):
            group = text.strip("[]").strip()
        elif group == ENTRY_POINTS and target:
            found.setdefault(name.strip(), target.partition("[")[0].strip())
    return found


def load_target(target: str) -> ModuleType | type:
    """Import ``module`` or ``module:object``."""
    module_name, _, attribute = target.partition(":")
    __import__(module_name.strip())
    found = sys.modules[module_name.strip()]
    if not attribute:
        return found
    item: Any = found
    for part in attribute.strip().split("."):
        item = getattr(item, part)

    class Named:
        Backend = item
        __file__ = getattr(found, "__file__", module_name)

    return Named
