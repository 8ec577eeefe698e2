"""A library of one's own, and what the one of all is made from.

It knows how a program gives a configuration: as a dictionary, a folder, or names of backends. What
can be asked of a library stands in devices.py.
"""

from __future__ import annotations

import os

from .. import library
from ..errors import Closed, Invalid
from .arguments import check_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from tempfile import TemporaryDirectory

    from ..authorization import Auth
    from ..listed import DeviceInfo
    from .listing import DeviceList
    from .scanner import Scanner
    from .watch import Watcher


def configure(
    *,
    config_dir: str | os.PathLike[str] | None = None,
    backends: Sequence[str] | str | None = None,
    debug: Mapping[str, int] | None = None,
) -> None:
    """Say what the library is made from, in place of the environment, before its first use.

    config_dir: where dll.conf and the others are. backends: those to ask for devices, in place of
    dll.conf's; a text is one name. debug: levels by backend, as SANE_DEBUG_*. What is left out is
    as the environment says. It holds after exit() and init(), too. Raises Invalid when the library
    is in use.
    """
    library.prepare(_variables(config_dir, debug), _names(backends))


def _names(backends: Sequence[str] | str | None) -> Sequence[str] | None:
    """Return the names of backends; raises TypeError for what is none."""
    if isinstance(backends, str):
        return [backends]
    for name in backends or ():
        check_text("backends:", name)
    return backends


def _variables(
    config_dir: str | os.PathLike[str] | None, debug: Mapping[str, int] | None
) -> dict[str, str]:
    """Return the variables that say so."""
    found = {f"SANE_DEBUG_{name.upper()}": str(int(level)) for name, level in (debug or {}).items()}
    if config_dir is not None:
        folder = os.path.abspath(config_dir)
        if not os.path.isdir(folder):
            raise Invalid(f"config_dir {folder}: there is no such folder")
        found["SANE_CONFIG_DIR"] = folder
    return found


class Session:
    """A library with its own configuration and devices, beside that of all; a context manager.

    config: the configuration files by name, as {"dll.conf": "test"}: there are no others then.
    config_dir, backends, debug: see configure.
    """

    def __init__(
        self,
        *,
        config: Mapping[str, str] | None = None,
        config_dir: str | os.PathLike[str] | None = None,
        backends: Sequence[str] | str | None = None,
        debug: Mapping[str, int] | None = None,
    ) -> None:
        if config is not None and config_dir is not None:
            raise Invalid("Session: config and config_dir cannot both be given")
        self._folder = None if config is None else _written(config)
        try:
            folder = config_dir if self._folder is None else self._folder.name
            variables = library.recorded() | _variables(folder, debug)
            self._library = library.made(variables, _names(backends))
        except BaseException:
            self._remove()
            raise

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its devices and end its backends; may be called again."""
        if not self._library.is_over:
            self._library.end()
        self._remove()

    def _remove(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _open(self) -> library.Library:
        if self._library.is_over:
            raise Closed("the session is closed")
        return self._library

    def devices(
        self,
        *,
        local_only: bool = False,
        timeout: float | None = None,
        refresh: bool = False,
        backend: str | None = None,
    ) -> DeviceList:
        """Return the devices of this session; see sane.devices."""
        from .listing import listed

        return listed(self._open(), local_only, timeout, refresh, backend)

    def find(
        self,
        text: str = "",
        *,
        type: str | None = None,
        vendor: str | None = None,
        model: str | None = None,
        backend: str | None = None,
    ) -> DeviceInfo:
        """Return the first device that fits; see sane.find."""
        from .listing import first

        wanted = {"type": type, "vendor": vendor, "model": model}
        return first(self._open(), text, wanted, backend)

    def watch(self, *, local_only: bool = False, interval: float = 5.0) -> Watcher:
        """Return an iterator of what is added and removed; see sane.watch."""
        from .watch import Watcher

        return Watcher(self._open(), local_only, interval)

    def scanner(
        self,
        device: str | DeviceInfo = "",
        *,
        settings: Mapping[str, object] | None = None,
        auth: Auth | None = None,
        timeout: float | None = None,
    ) -> Scanner:
        """Open a device of this session; see Scanner."""
        from .scanner import Scanner

        return Scanner.of(self._open(), device, settings=settings, auth=auth, timeout=timeout)


def _written(config: Mapping[str, str]) -> TemporaryDirectory[str]:
    """Return a new folder with these files."""
    from tempfile import TemporaryDirectory

    folder = TemporaryDirectory(prefix="sane-session-")
    try:
        for name, text in config.items():
            path = os.path.normpath(os.path.join(folder.name, name))
            if os.path.dirname(path) not in (folder.name, os.path.join(folder.name, "dll.d")):
                raise Invalid(f"Session: {name!r} is no name of a configuration file")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text if text.endswith("\n") else f"{text}\n")
    except BaseException:
        folder.cleanup()
        raise
    return folder
