"""What clients of eSCL may adjust, where the device has an option for it: brightness and its kin.

The values are the driver's own, whole numbers: eSCL has no others, and no unit. Source:
specification escl 3.1 (the ...Support elements) and 2.5.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .. import const
from .facts import Adjust, Mode

if TYPE_CHECKING:
    from .options import DeviceOptions

# eSCL's names, in the order of its documents, and SANE's. Gamma, a small fraction in SANE, is
# not among them: eSCL does not say how its whole numbers count it.
NAMES = {
    "Brightness": "brightness",
    "Contrast": "contrast",
    "Highlight": "highlight",
    "Shadow": "shadow",
    "Sharpen": "sharpness",
    "Threshold": "threshold",
}
LEAST_SPAN = 2  # from end to end: whole numbers say little within less


async def note(options: DeviceOptions, mode: Mode, found: dict[str, Adjust]) -> None:
    """Add to *found* what can be adjusted in *mode*, which is set."""
    for name, option in NAMES.items():
        if not options.is_usable(option):
            continue
        known = found.get(name) or await _adjust(options, option)
        if known is not None:
            modes = (*(each for each in known.modes if each != mode), mode)
            found[name] = Adjust(option, known.least, known.most, known.normal, known.step, modes)


async def _adjust(options: DeviceOptions, option: str) -> Adjust | None:
    """Return how the option can be set, for no mode yet; None if whole numbers do not say it."""
    descriptor = options.descriptor(option)
    is_number = descriptor.type in (const.TYPE_INT, const.TYPE_FIXED)
    limits = options.limits(option) if is_number else None
    if limits is None or limits[1] - limits[0] < LEAST_SPAN:
        return None
    usual = await options.get(option)
    if isinstance(usual, list):  # one for each colour
        return None
    least, most = math.ceil(limits[0]), math.floor(limits[1])
    normal = min(max(round(usual), least), most)
    return Adjust(option, least, most, normal, options.step(option), ())
