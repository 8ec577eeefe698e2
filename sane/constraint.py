"""What a constraint makes of a word or a text: the same compiled and not.

Source: c-abi-and-dll 5.5 and test-backend 0.1, including the wrap at 32 bits of extreme inputs.
"""

from __future__ import annotations

from .errors import Invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_Word = int  # an alias, so that the type in constraint.pxd decides when compiled
WORD_MAX = 2147483647


def wrap(value: _Word) -> _Word:
    """Return *value*, at most two words away, as the 32-bit word that C arithmetic leaves."""
    limit = WORD_MAX
    if value > limit:
        return value - 2 * limit - 2
    if value < -limit - 1:
        return value + 2 * limit + 2
    return value


def fit_range(value: _Word, low: _Word, high: _Word, quant: _Word) -> _Word:
    """Return *value* clamped to low..high, then moved to the nearest grid point, halves up.

    A grid point above *high* becomes *high*, which need not be on the grid. All are words; the
    rounding is unsigned, as the original's, which shows when the limits make no sense.
    """
    value = max(value, low)
    value = min(value, high)
    if quant != 0:
        limit = WORD_MAX
        half = quant // 2 if quant > 0 else -(-quant // 2)
        rounded = (value - low + half) % (2 * limit + 2)
        step = quant % (2 * limit + 2)
        value = wrap((rounded // step * step + low) % (2 * limit + 2))
        value = min(value, high)
    return value


def distance(value: _Word, entry: _Word) -> _Word:
    """Return abs(value - entry) as a C program computes it in 32 bits: it wraps."""
    difference = wrap(value - entry)
    limit = WORD_MAX
    if difference < 0 and difference != -limit - 1:
        return -difference
    return difference


def match_string(text: str, choices: Sequence[str], name: str | None) -> str:
    """Return the entry of *choices* that *text* means: whole, else a unique prefix, any case.

    Raises Invalid when none or several fit. Source: c-abi-and-dll 5.5.
    """
    wanted = _fold(text)
    partial = []
    for choice in choices:
        folded = _fold(choice)
        if folded == wanted:
            return choice
        if folded.startswith(wanted):
            partial.append(choice)
    if len(partial) != 1:
        kind = "ambiguous" if partial else "not"
        raise Invalid(f"option {name}: {text!r} is {kind} in {tuple(choices)}")
    return partial[0]


def _fold(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)
