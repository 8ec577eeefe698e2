"""The report: for people, as JSON, and as a block of commands for a shell.

It knows findings and what is private; it gathers nothing.
"""

from __future__ import annotations

from ... import __version__
from .finding import FAULT, LEVELS, OK, UNKNOWN, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from .finding import Finding
    from .private import Private

SYMPTOM = "device.list"  # that no scanner is found is what the other faults explain
AREAS = {
    "installation": "Installation",
    "usb": "USB",
    "network": "Network",
    "device": "Scanners",
    "service": "Sharing (saned)",
    "helpers": "Helper programs and packages",
}
INDENT = " " * 11
LEAST_COLUMNS = 2 * len(INDENT)  # a narrower terminal is left to break lines itself


def lines(findings: Sequence[Finding], private: Private, columns: int = 0) -> Iterator[str]:
    """Yield the lines for people, the summary last; texts are broken at *columns*, 0: nowhere.

    What there was nothing to check of is left out.
    """
    for area, title in AREAS.items():
        found = [one for one in findings if one.id.partition(".")[0] == area and not one.is_idle]
        if not found:
            continue
        yield title
        for one in found:
            yield from broken(f"  {one.level:<9}{private.shown(one.text)}", columns)
            if one.command and one.level != OK:
                yield f"{INDENT}$ {private.shown(one.command)}"
        yield ""
    yield from broken(summary(findings), columns, "")
    text = "For a bug report, attach the output of: pysane doctor --json"
    if private.hides and private.has_hidden:
        text += " (addresses and the like are hidden, --no-mask shows them)"
    yield from broken(text, columns, "")


def broken(text: str, columns: int, indent: str = INDENT) -> list[str]:
    """Return the lines of *text* when no line has more than so many columns; words stay whole."""
    if columns <= LEAST_COLUMNS:
        return [text]
    from textwrap import TextWrapper

    wrapper = TextWrapper(columns, subsequent_indent=indent)
    wrapper.break_long_words = wrapper.break_on_hyphens = False
    return wrapper.wrap(text)


def summary(findings: Sequence[Finding]) -> str:
    """Return how it stands, in one sentence."""
    counts = {level: sum(one.level == level for one in findings) for level in LEVELS}
    faults, warnings, unknown = (counts[level] for level in (FAULT, WARNING, UNKNOWN))
    rest = [_count(warnings, "warning")] if warnings else []
    rest += [f"{_count(unknown, 'check')} without a result"] if unknown else []
    if faults:
        causes = [one.id for one in findings if one.level == FAULT and one.id != SYMPTOM]
        also = f", {' and '.join(rest)}" if rest else ""
        first = f"begin with {causes[0]}" if causes else "no scanner is found"
        return f"{_count(faults, 'fault')}{also}; {first}."
    return f"No faults, but {' and '.join(rest)}." if rest else "No faults."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def as_json(findings: Sequence[Finding], private: Private) -> dict[str, Any]:
    """Return the report as JSON has it (schema-1.json); ids are those of the manual page."""
    checks = [
        {
            "id": one.id,
            "status": one.level,
            "device": private.shown(one.device) or None,
            "text": private.shown(one.text),
            "command": private.shown(one.command) or None,
            "needs_root": one.needs_root,
        }
        for one in findings
    ]
    counts = {level: sum(one.level == level for one in findings) for level in LEVELS}
    return {
        "pysane": __version__,
        "summary": summary(findings),
        "counts": counts,
        "masked": private.hides,
        "checks": checks,
    }
