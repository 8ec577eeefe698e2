"""pysane doctor, the command: its options, and where its work begins.

It knows the options alone: what they are for is imported when the command runs.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..pysane.main import Run
    from ..pysane.words import Parser


def parser() -> Parser:
    """Return the parser of `pysane doctor`."""
    from ..pysane.words import Parser

    what = "Say why a scanner is not found, or does not scan, and what repairs it."
    made = Parser("pysane doctor", what)
    add = made.add
    add("--json", action="store_true", help="write the report as JSON, for bug reports")
    add("--fix", action="store_true", help="write user configuration, print the other repairs")
    add("--scan", action="store_true", help="also read one line from each scanner")
    add("--no-mask", action="store_true", help="show addresses, serial numbers and user names")
    return made


def run(run: Run) -> int:
    """Do all checks and write the report; return 0 without faults, else 1."""
    from .program import tell

    return tell(run.options, run.talk)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command on *arguments*, without its name; return its exit status."""
    import sys

    from ..pysane.main import main as pysane

    return pysane(["doctor", *(sys.argv[1:] if arguments is None else arguments)])
