"""Which buttons a program waits for, and whether one is pressed."""

from __future__ import annotations

from ..errors import Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .scanner import Scanner


def wanted_buttons(scanner: Scanner, names: Sequence[str]) -> list[str]:
    """Return the options that *names* mean, all buttons for none; raises Unsupported."""
    from .capabilities import buttons_of, sensors_of

    options = scanner.options
    if not names:
        found = buttons_of(options)
        if not found:
            raise Unsupported(f"{scanner.name} has no buttons", device=scanner.name)
        return found
    sensors = sensors_of(options)
    wanted = [name.replace("_", "-") for name in names]
    for name in wanted:
        if name not in sensors:
            there = ", ".join(sensors) or "none"
            text = f"{scanner.name} has no button {name!r}; there are {there}"
            raise Unsupported(text, device=scanner.name, option=name)
    return wanted


def pressed(scanner: Scanner, buttons: Sequence[str]) -> str | None:
    """Return the first of *buttons* that is pressed now, or was since it was last asked for."""
    options = scanner.options
    for name in buttons:
        if options[name].is_active() and options[name].value:
            return name
    return None
