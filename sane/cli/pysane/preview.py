"""`pysane preview`: the whole area at a low resolution, into a picture."""

from __future__ import annotations

from . import scan_options
from .button import chosen_device
from .devices import opened
from .scan import Scan
from .scan_options import add_choice
from .words import Parser, add_talk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...api.scanner import Scanner
    from .main import Run

LEAST_DPI = 50  # what is coarser shows too little


def parser() -> Parser:
    """Return the parser of `pysane preview`."""
    made = Parser(
        "pysane preview",
        "Scan the whole area at the lowest resolution from 50 dpi on.",
        operands="[DEVICE]",
    )
    add_choice(made)
    made.add("-o", "--output", metavar="FILE", default="preview.png", help="[preview.png]")
    made.add("-f", "--force", action="store_true", help="replace an existing file")
    add_talk(made)
    return made


def run(run: Run) -> int:
    """Scan one page with what the scanner has."""
    given = run.options
    device = chosen_device(given.device, given.operands)
    with opened(device, run.talk, timeout=given.timeout) as scanner:
        words = ["-d", scanner.name, "-n", "1", "-o", given.output, *lowest(scanner)]
    options = scan_options.parser().read(words)
    from .settling import without_configuration

    options = without_configuration(options)
    options.force, options.json, options.quiet = given.force, given.json, given.quiet
    options.timeout = given.timeout
    return Scan(run, options).run()


def lowest(scanner: Scanner) -> list[str]:
    """Return the words for the whole area, and for the lowest resolution that shows something."""
    words = []
    if "br-x" in scanner.options and scanner.options["br-x"].is_active():
        words += ["--area", "max"]
    option = scanner.options.get("resolution")
    if option is None or not option.is_settable() or not option.is_active():
        return words
    if option.range is not None:
        dpi = max(option.range.min, min(LEAST_DPI, option.range.max))
        dpi = option.nearest(dpi)
    else:
        choices = sorted(option.choices or [option.value])
        dpi = next((choice for choice in choices if choice >= LEAST_DPI), choices[-1])
    return [*words, "--dpi", f"{dpi:g}"]
