"""The unit of each family, and the device of each model."""

from __future__ import annotations

from .models import MP150, MP730, MP750, MP800

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...debug import Debug
    from .device import Pixma
    from .models import Model
    from .unit import Link, Unit


def unit_for(link: Link, model: Model, debug: Debug) -> Unit:
    """Return the unit behind *link*, which it owns; only its family is loaded."""
    if model.family == MP150:
        from .mp150 import Mp150

        return Mp150(link, model, debug)
    if model.family == MP800:
        from .mp800 import Mp800

        return Mp800(link, model, debug)
    if model.family == MP730:
        from .mp730 import Mp730

        return Mp730(link, model, debug)
    if model.family == MP750:
        from .mp750 import Mp750

        return Mp750(link, model, debug)
    from .imageclass import ImageClass

    return ImageClass(link, model, debug)


def device_for(link: Link, model: Model, debug: Debug) -> Pixma:
    """Return the open device behind *link*, with the options of *model*."""
    from .device import Pixma
    from .options import options_for

    device: Pixma = options_for(Pixma, model)(unit_for(link, model, debug))
    return device
