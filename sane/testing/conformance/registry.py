"""The list of all rules, in the order of the standard."""

from __future__ import annotations

from .trial import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .trial import Trial

RULES: list[Rule] = []


def rule(
    section: str, scans: bool = False
) -> Callable[[Callable[[Trial], None]], Callable[[Trial], None]]:
    """Add a function to the rules: its docstring is the rule, *section* the standard's.

    scans: it acquires an image, and so moves lamp and paper.
    """

    def add(check: Callable[[Trial], None]) -> Callable[[Trial], None]:
        text = (check.__doc__ or "").rstrip(".")
        RULES.append(Rule(section, text, scans, check))
        return check

    return add


def all_rules() -> list[Rule]:
    """Return all rules, by section."""
    from . import rules_listing, rules_options, rules_scan, rules_values  # noqa: F401

    return sorted(RULES, key=lambda found: [int(part) for part in found.section.split(".")])
