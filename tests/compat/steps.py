"""What tests of python-sane's devices do and ask again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sane
    from tests.fakes.device import Fake


def set_up(device: sane.SaneDev, **values: Any) -> None:
    """Set options."""
    for name, value in values.items():
        setattr(device, name, value)


def finishes(fake: Fake) -> int:
    """Return how many jobs the driver has finished."""
    return sum(call.startswith("finish") for call in fake.calls)
