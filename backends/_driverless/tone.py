"""Brightness, contrast, gamma, shadow, highlight and negative: one table for every sample.

Source: specification escl 3.7.
"""

from __future__ import annotations

NEUTRAL = (0.0, 0.0, 1.0, 0.0, 100.0, False)
LEAST_GAMMA, MOST_GAMMA = 0.1, 4.0


class Tone:
    """What is done to samples: percentages from -100 to 100 or 0 to 100, gamma, and inversion."""

    __slots__ = ("brightness", "contrast", "gamma", "highlight", "negative", "shadow")

    def __init__(
        self,
        *,
        brightness: float = 0.0,
        contrast: float = 0.0,
        gamma: float = 1.0,
        shadow: float = 0.0,
        highlight: float = 100.0,
        negative: bool = False,
    ) -> None:
        self.brightness = brightness
        self.contrast = contrast
        self.gamma = gamma
        self.shadow = shadow
        self.highlight = highlight
        self.negative = negative

    def values(self) -> tuple[float, float, float, float, float, bool]:
        """Return all of it, for comparing."""
        tone = self.brightness, self.contrast, self.gamma
        return (*tone, self.shadow, self.highlight, self.negative)

    @property
    def is_neutral(self) -> bool:
        """Nothing is changed."""
        return self.values() == NEUTRAL

    def value(self, v: float) -> float:
        """Return what becomes of the sample *v*, both from 0 to 1."""
        factor = self.contrast / 100 + 1
        v = _clamped(factor * (v - 0.5) + 0.5 + self.brightness / 200)
        v = v ** (1 / self.gamma)
        low, high = self.shadow / 100, self.highlight / 100
        v = _clamped((v - low) / (high - low)) if high > low else float(v >= high)
        return 1 - v if self.negative else v

    def table(self, depth: int) -> list[int]:
        """Return what becomes of each sample of *depth* bits."""
        most = (1 << depth) - 1
        return [int(self.value(i / most) * most + 0.5) for i in range(most + 1)]


def _clamped(v: float) -> float:
    return min(1.0, max(0.0, v))
