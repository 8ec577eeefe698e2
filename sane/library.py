"""What lies between init and exit in a Python program: the registry, and what is open.

It knows how both faces share one library, and how that ends; it does not know what they open.
"""

from __future__ import annotations

import _thread

from . import const
from .param import c_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol
    from weakref import WeakSet

    from .dll.registry import Registry
    from .listed import DeviceInfo

    class Closable(Protocol):
        """What is open; it is known by its identity."""

        def close(self) -> None:
            """End the job and close the device; may be called again."""


class Library:
    """A registry and the devices that are open; it ends by exit, or with the interpreter.

    The end of the interpreter counts only in the process that made it.
    """

    def __init__(self, registry: Registry) -> None:
        import atexit
        import os
        from weakref import WeakSet

        self.registry = registry
        self.is_over = False
        self._open: WeakSet[Closable] = WeakSet()
        self._lock = _thread.RLock()  # guards the two: a device is closed, or it is none
        self._pid = os.getpid()
        atexit.register(self._at_exit)

    def add(self, device: Closable) -> None:
        """Close *device* at the end; raises Closed, and closes it, if that was meanwhile."""
        with self._lock:
            if not self.is_over:
                self._open.add(device)
                return
        from .errors import Closed

        device.close()
        raise Closed(f"{device!r}: sane.exit was called while it was opened")

    def end(self) -> None:
        """Close what is open, and end all backends."""
        import atexit

        atexit.unregister(self._at_exit)
        with self._lock:
            self.is_over = True
            devices = list(self._open)
        for device in devices:
            device.close()
        self.registry.exit()

    def _at_exit(self) -> None:
        import os

        if os.getpid() == self._pid:
            exit()


class _Settings:
    """What a program has said instead of the environment."""

    __slots__ = ("backends", "variables")

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        self.backends: list[str] | None = None


_settings = _Settings()
_library: Library | None = None
_lock = _thread.RLock()  # guards it


def made(
    variables: Mapping[str, str] | None = None, backends: Sequence[str] | None = None
) -> Library:
    """Return a library of its own, which reads the configuration anew; see init.

    backends: those to ask for devices, None for those of dll.conf.
    """
    from .authorization import authorize
    from .backend import Context
    from .config import Environment
    from .dll.registry import registry_of
    from .logs import Log

    if variables is None:
        variables, backends = recorded() | _settings.variables, _settings.backends
    environment = Environment(variables, None)
    environment.log = Log()
    return Library(registry_of(backends, Context(environment, authorize)))


def recorded() -> dict[str, str]:
    """Return the variables of the environment that count."""
    from .config import Environment

    return Environment.current().variables


def prepare(variables: Mapping[str, str], backends: Sequence[str] | None) -> None:
    """Let libraries be made with *variables* beside the environment's, and of *backends*.

    Raises Invalid while there is one.
    """
    from .errors import Invalid

    with _lock:
        if _library is not None:
            raise Invalid("the library is in use: configure before its first use, or after exit()")
        _settings.variables = dict(variables)
        _settings.backends = None if backends is None else list(backends)


def exit() -> None:
    """Close the devices that are open and end all backends. Standard 4.3.2."""
    global _library
    with _lock:
        library, _library = _library, None
    if library is not None:
        library.end()


def current(variables: Mapping[str, str] | None = None) -> Library:
    """Return the library, made at its first use: with *variables*, as init takes them."""
    global _library  # noqa: PLW0603
    with _lock:
        if _library is None:
            _library = made(variables)
        return _library


def init(variables: Mapping[str, str] | None = None) -> tuple[int, int, int, int]:
    """Make the library, unless there is one; return its version code, major, minor and build."""
    current(variables)
    major, minor, build = const.LIBRARY_VERSION
    return major << 24 | minor << 16 | build, major, minor, build


def get_devices(local_only: bool) -> list[DeviceInfo]:
    """Return what the library lists, nothing if there is none."""
    is_local = bool(c_int(local_only))
    library = _library
    return [] if library is None else library.registry.get_devices(is_local)
