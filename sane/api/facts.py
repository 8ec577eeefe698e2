"""What is known of a job's pages before it begins: asked of the options once."""

from __future__ import annotations

from ..errors import SaneError
from . import settings
from .reading import Facts
from .vocabulary import DUPLEX, FLATBED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .machine import Machine
    from .options import Options

# What a page tells of its settings: each costs a request to a device of the network.
TOLD = ("source", "mode", "depth", "resolution", "x-resolution", "y-resolution", *settings.CORNERS)


def facts_of(options: Options, machine: Machine, keep: str) -> Facts:
    """Return what is known now; raises Unsupported for a *keep* that the device does not send."""
    if keep:
        machine.handle.check_encoded(keep)
    told: dict[str, Any] = {}
    for name in TOLD:
        option = options.get(name)
        if option is None or not option.is_readable() or not option.is_active():
            continue
        try:
            told[name] = option.value
        except (AttributeError, SaneError):  # it went away, or the device does not tell now
            continue
    source = settings.own_source(options, machine.info.type)
    return Facts(
        machine.info,
        settings.dpi_of(options),
        told,
        is_duplex=source == DUPLEX,
        is_flatbed=source == FLATBED,
        keep=keep,
    )
