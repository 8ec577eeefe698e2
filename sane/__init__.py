"""PySANE from Python: list scanners, open one, get a page as an array.

    import sane
    with sane.open("test") as scanner:
        scanner.mode = "Color"
        page = scanner.scan()          # numpy array (height, width, 3), uint8

Functions raise sane.errors.SaneError and its subclasses. Names that start with _ are not part of
the promise.
"""

from __future__ import annotations

import _thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from weakref import WeakSet

    from .backend import DeviceInfo
    from .dll.registry import Registry
    from .scanner import Scanner

__all__ = ["exit", "get_devices", "init", "open"]

__pysane__ = True  # tells our package from other modules called sane
__version__ = "0.1.0"


class _Library:
    """What lies between init and exit: the registry, and the scanners that are open.

    It ends with the interpreter, while everything still works, in the process that made it.
    """

    def __init__(self, registry: Registry) -> None:
        import atexit
        import os
        from weakref import WeakSet

        self.registry = registry
        self.scanners: WeakSet[Scanner] = WeakSet()
        self.is_over = False
        self._lock = _thread.RLock()  # guards the two: a scanner is closed, or it is none
        self._pid = os.getpid()
        atexit.register(self._at_exit)

    def add(self, scanner: Scanner) -> None:
        """Close *scanner* at the end; raises Invalid, and closes it, if that was meanwhile."""
        with self._lock:
            if not self.is_over:
                self.scanners.add(scanner)
                return
        from .errors import Invalid

        scanner.close()
        raise Invalid(f"{scanner!r}: sane.exit was called while it was opened")

    def end(self) -> None:
        """Close what is open, and end all backends."""
        import atexit

        atexit.unregister(self._at_exit)
        with self._lock:
            self.is_over = True
            scanners = list(self.scanners)
        for scanner in scanners:
            scanner.close()
        self.registry.exit()

    def _at_exit(self) -> None:
        import os

        if os.getpid() == self._pid:
            exit()


_library: _Library | None = None
_lock = _thread.RLock()  # guards it


def init(variables: Mapping[str, str] | None = None) -> None:
    """Read the configuration anew; the other functions do it themselves at first use.

    variables: SANE_CONFIG_DIR and the like, instead of the environment's. Standard 4.3.1.
    """
    from .backend import Context
    from .config import Environment
    from .dll.registry import Registry, registry_for

    global _library  # noqa: PLW0603 - the library is the only mutable state
    with _lock:
        exit()
        environment = Environment.current() if variables is None else Environment(variables, None)
        registry = registry_for("", Context(environment))
        assert isinstance(registry, Registry)
        _library = _Library(registry)


def exit() -> None:
    """Close the scanners that are open and end all backends. Standard 4.3.2."""
    global _library
    with _lock:
        library, _library = _library, None
    if library is not None:
        library.end()


def _current() -> _Library:
    with _lock:
        if _library is None:
            init()
        assert _library is not None
        return _library


def get_devices(local_only: bool = False) -> list[DeviceInfo]:
    """Return the devices that can be opened: name, vendor, model, type. Standard 4.3.3."""
    return _current().registry.get_devices(local_only)


def open(name: str = "") -> Scanner:
    """Open a device by its full name, "" for the first; raises errors.Invalid if unknown."""
    from .scanner import Scanner

    library = _current()
    scanner = Scanner(library.registry.open(name), name)
    library.add(scanner)
    return scanner
