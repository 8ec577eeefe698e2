"""The list of all rules, in the order of the standard."""

from __future__ import annotations

from . import rules_listing, rules_options, rules_scan, rules_values  # noqa: F401
from .trial import RULES, Rule


def all_rules() -> list[Rule]:
    """Return all rules, by section."""
    return sorted(RULES, key=lambda found: [int(part) for part in found.section.split(".")])
