"""What the button print-options writes: one line for every option.

Source: specification of the test backend, 2.4.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .options import TestOptions

TYPES = ("BOOL", "INT", "FIXED", "STRING", "BUTTON", "GROUP")
UNITS = ("NONE", "PIXEL", "BIT", "MM", "DPI", "PERCENT", "MICROSECOND")
CAPS = (
    "SOFT_SELECT",
    "HARD_SELECT",
    "SOFT_DETECT",
    "EMULATED",
    "AUTOMATIC",
    "INACTIVE",
    "ADVANCED",
)


def lines(device: TestOptions) -> Iterator[str]:
    """Yield number, name, title, description and the constants of every option."""
    for option in device.declared:
        cap = device.options.caps[option.index]
        caps = " ".join(f"SANE_CAP_{name}" for bit, name in enumerate(CAPS) if cap >> bit & 1)
        constraint = device.options.constraints[option.index]
        if constraint is None:
            kind = "NONE"
        elif not isinstance(constraint, tuple):
            kind = "RANGE"
        else:
            kind = "STRING_LIST" if isinstance(constraint[0], str) else "WORD_LIST"
        yield (
            f'{option.index}: "{option.name}" "{option.title}" "{option.desc}" '
            f"SANE_TYPE_{TYPES[option.type]} SANE_UNIT_{UNITS[option.unit]} "
            f"{option.size} {caps or 0} SANE_CONSTRAINT_{kind}"
        )
