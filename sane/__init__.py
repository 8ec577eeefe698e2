"""PySANE from Python: list scanners, open one, get a page as an array.

    import sane
    with sane.open("test") as scanner:
        scanner.mode = "Color"
        page = scanner.scan()          # numpy array (height, width, 3), uint8

Functions raise sane.errors.SaneError and its subclasses. Names that start with _ are not part of
the promise.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .backend import DeviceInfo
    from .dll.registry import Registry
    from .scanner import Scanner

__all__ = ["exit", "get_devices", "init", "open"]

__pysane__ = True  # tells our package from other modules called sane
__version__ = "0.1.0"

_registry: Registry | None = None


def init(variables: Mapping[str, str] | None = None) -> None:
    """Read the configuration anew; the other functions do it themselves at first use.

    variables: SANE_CONFIG_DIR and the like, instead of the environment's. Standard 4.3.1.
    """
    from .backend import Context
    from .config import Environment
    from .dll.registry import Registry, registry_for

    global _registry  # noqa: PLW0603 - the registry is the library's one mutable state
    exit()
    environment = Environment.current() if variables is None else Environment(variables, None)
    registry = registry_for("", Context(environment))
    assert isinstance(registry, Registry)
    _registry = registry


def exit() -> None:
    """End all backends; scanners that are open must be closed before. Standard 4.3.2."""
    global _registry
    registry, _registry = _registry, None
    if registry is not None:
        registry.exit()


def _current() -> Registry:
    if _registry is None:
        init()
    assert _registry is not None
    return _registry


def get_devices(local_only: bool = False) -> list[DeviceInfo]:
    """Return the devices that can be opened: name, vendor, model, type. Standard 4.3.3."""
    return _current().get_devices(local_only)


def open(name: str = "") -> Scanner:
    """Open a device by its full name, "" for the first; raises errors.Invalid if unknown."""
    from .scanner import Scanner

    return Scanner(_current().open(name), name)
