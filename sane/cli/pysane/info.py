"""`pysane info`: what a scanner can do, and its options with their values."""

from __future__ import annotations

from ...errors import SaneError
from .devices import opened
from .listing import facts
from .scan import operands
from .scan_options import add_choice
from .settings import apply
from .words import Parser, add_talk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ...api.scanner import Scanner
    from ...controls import Option
    from .main import Run

WIDTH = 78  # of a description


def parser() -> Parser:
    """Return the parser of `pysane info`."""
    made = Parser(
        "pysane info",
        "Show what a scanner can do, and its options: name, value, what else it may be.\n"
        "NAME=VALUE sets an option before: others may then be active.",
        operands="[DEVICE] [NAME=VALUE ...]",
    )
    add_choice(made)
    made.add("--all", action="store_true", help="inactive and advanced options and what all mean")
    made.add("--scanimage", action="store_true", help="the options as scanimage -A prints them")
    add_talk(made)
    return made


def run(run: Run) -> int:
    """Print it."""
    options, talk = run.options, run.talk
    pairs = operands(options)
    with opened(options.device or "", talk, timeout=options.timeout) as scanner:
        if pairs:
            apply(scanner, {}, pairs, talk)
        name = scanner.name
        if options.scanimage:
            pass  # it opens the device itself
        elif talk.json:
            talk.emit(
                {
                    "status": "ok",
                    "device": facts(scanner.info),
                    "capabilities": scanner.capabilities.to_dict(),
                    "options": scanner.options.to_dict(),
                }
            )
        else:
            for line in described(scanner, everything=options.all):
                talk.say(line)
    if options.scanimage:
        from ..scanimage import main as scanimage

        return scanimage(["pysane", "--format=pnm", "-d", name, "-A"])
    return 0


def described(scanner: Scanner, *, everything: bool) -> Iterator[str]:
    """Yield the lines about the scanner."""
    info = scanner.info
    yield f"{info.vendor} {info.model}, {info.type}"
    yield f"  name         {scanner.name}"
    yield from abilities(scanner)
    for title, options in scanner.options.groups:
        shown = [
            option
            for option in options
            if everything or (option.is_active() and not option.is_advanced())
        ]
        if shown:
            yield ""
            yield f"{title or 'Options'}:"
        for option in shown:
            yield option_line(option)
            if everything and option.desc:
                from textwrap import wrap

                yield from (f"      {line}" for line in wrap(option.desc, WIDTH - 6))


def abilities(scanner: Scanner) -> Iterator[str]:
    """Yield a line for each kind of thing that the scanner can do."""
    able = scanner.capabilities
    rows: list[tuple[str, Any]] = [
        ("sources", able.sources),
        ("both sides", "yes" if able.duplex else ""),
        ("modes", able.modes),
        ("bits", able.depths),
        ("buttons", able.buttons),
    ]
    for title, value in rows:
        text = value if isinstance(value, str) else ", ".join(map(str, value))
        if text:
            yield f"  {title:<12} {text}"


def option_line(option: Option) -> str:
    """Return name, value, what it may be, and what is special."""
    value = value_text(option)
    allowed = allowed_text(option)
    notes = [
        text
        for text, holds in (
            ("inactive", not option.is_active()),
            ("read-only", option.kind != "button" and not option.is_settable()),
            ("advanced", option.is_advanced()),
        )
        if holds
    ]
    line = f"  {option.name}"
    if value:
        line += f" = {value}"
    if allowed:
        line += f"   ({allowed})"
    if notes:
        line += f"   [{', '.join(notes)}]"
    return line


def value_text(option: Option) -> str:
    """Return the value as the command line takes it, "" where there is none."""
    if option.kind == "button" or not option.is_active() or not option.is_readable():
        return ""
    try:
        value = option.value
    except (AttributeError, SaneError):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    values = value if isinstance(value, list | tuple) else [value]
    if len(values) > 8:
        return f"{_number(values[0])},...  ({len(values)} numbers)"
    return ",".join(map(_number, values))


def allowed_text(option: Option) -> str:
    """Return what the value may be."""
    if option.kind == "button":
        return "button"
    if option.kind == "bool":
        return "yes, no"
    unit = "" if option.unit_name == "none" else f" {option.unit_name}"
    if option.range is not None:
        limits = option.range
        step = f" in steps of {_number(limits.quant)}" if limits.quant else ""
        return f"{_number(limits.min)} to {_number(limits.max)}{unit}{step}"
    if option.choices:
        return ", ".join(map(_number, option.choices)) + unit
    return unit.strip() or {"string": "text"}.get(option.kind, "number")


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
