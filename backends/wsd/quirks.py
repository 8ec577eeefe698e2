"""What single WS-Scan devices need; most quirks are tolerated of all.

Source: specification escl 9.8.
"""

from __future__ import annotations

COUNTS_IMAGES = "counts-images"

# Beginning of make and model in small letters -> quirks, with what was seen and where.
QUIRKS: dict[str, tuple[str, ...]] = {
    # mishandles "until the feeder is empty"; specification escl 9.5
    "ricoh aficio mp 201": (COUNTS_IMAGES,),
}


def quirks_of(model: str) -> tuple[str, ...]:
    """Return the quirks of the device *model*."""
    name = model.lower()
    return tuple(quirk for start, found in QUIRKS.items() if start in name for quirk in found)
