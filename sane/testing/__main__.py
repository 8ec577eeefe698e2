"""python -m sane.testing <device>: say which rules of the SANE standard a device breaks.

Any device will do, of ours or of a C backend, through the C interface that all frontends use.
The rules are in sane.testing.conformance, named by the standard's sections.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys

from .conformance import runner
from .conformance.library import Library, find_library
from .conformance.registry import all_rules
from .conformance.trial import Choice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .conformance.runner import Outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return 0 if no rule is broken, 1 if one is, 2 for wrong usage."""
    options = parse(arguments)
    if options.worker:
        *settings, first, chosen, fd = json.loads(options.worker)
        runner.work(Choice(*settings), first, chosen, fd)
        return 0
    try:
        library = options.library or find_library()
        Library(library)
    except (OSError, AttributeError) as exc:
        print(f"sane.testing: {exc}", file=sys.stderr)
        return 2
    if not options.device:
        return list_devices(library)
    settings = Choice(options.device, library, options.buttons, options.set)
    chosen = [
        index
        for index, rule in enumerate(all_rules())
        if (not rule.scans or options.scan) and rule.section.startswith(options.section)
    ]
    return report(settings, chosen, options)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the command line's values."""
    parser = argparse.ArgumentParser(
        prog="python -m sane.testing",
        description="Check a scanner device against the rules of the SANE standard.",
        epilog="Without a device, the devices are listed. Exit status: 0 no rule broken, 1 some "
        "are, 2 the suite could not run.",
    )
    parser.add_argument("device", nargs="?", help='its name, as "test:0"')
    parser.add_argument("--library", help="the libsane.so.1 to load (default: this package's)")
    parser.add_argument(
        "--no-scan", dest="scan", action="store_false", help="only what moves no paper and no lamp"
    )
    parser.add_argument("--buttons", action="store_true", help="press the device's buttons, too")
    parser.add_argument(
        *("--set", "-s"),
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set an option whenever the device is opened",
    )
    parser.add_argument("--section", default="", help='only rules of this section, as "4.3.7"')
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds for a rule (120)")
    parser.add_argument("--verbose", action="store_true", help="show kept rules, and notes")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def list_devices(library: str) -> int:
    """Print the names of all devices."""
    sane = Library(library)
    sane.init()
    for device in sane.devices()[1] or ():
        print((device.name or b"").decode(errors="replace"))
    sane.call("exit")
    return 0


def report(settings: Choice, chosen: list[int], options: argparse.Namespace) -> int:
    """Check the rules *chosen* and print what is wrong, by section."""
    kept = broken = skipped = 0
    try:
        for outcome in runner.run(settings, chosen, options.timeout):
            show(outcome, options.verbose)
            broken += bool(outcome.findings)
            skipped += bool(outcome.skipped) and not outcome.findings
            kept += not outcome.findings and not outcome.skipped
    except RuntimeError as exc:
        print(f"sane.testing: {settings.device}: {exc}", file=sys.stderr)
        return 2
    print(f"{settings.device}: {kept} rules kept, {broken} broken, {skipped} not checked")
    return 1 if broken or not kept else 0


def show(outcome: Outcome, verbose: bool) -> None:
    """Print one outcome: what is wrong always, the rest if *verbose* or not checked."""
    rule = outcome.rule
    word = "BROKEN" if outcome.findings else "skipped" if outcome.skipped else "kept"
    if word != "kept" or verbose:
        print(f"{word:8}{rule.section:8}{rule.text}", flush=True)
    for text in outcome.findings:
        print(f"{'':16}- {text}", flush=True)
    if outcome.skipped:
        print(f"{'':16}({outcome.skipped})", flush=True)
    if verbose:
        for text in outcome.notes:
            print(f"{'':16}note: {text}", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # "| head" ends it without a word
    sys.exit(main())
