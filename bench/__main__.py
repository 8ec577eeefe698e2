"""python -m bench: measure ours beside the original, print tables, write docs/benchmarks.*."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import (
    c_backends,
    calls,
    cli,
    clients,
    documents,
    driverless,
    epson,
    fujitsu,
    http,
    lines,
    listing,
    net,
    pagework,
    pixma,
    plustek,
    programs,
    python,
    reads,
    scanimage,
    share,
    share_api,
    share_escl,
    sharepage,
    threads,
    usb,
)
from .measure import MISSED, UNMEASURED
from .report import machine, markdown, record
from .setting import ROOT, Bench

if TYPE_CHECKING:
    from collections.abc import Callable

    from .report import Section

    Measure = Callable[[Bench, int, bool], Section]

TARGET = ROOT / "docs" / "benchmarks.md"

# What measures a section, and its rounds: usually, and with --quick.
SECTIONS: dict[str, tuple[Measure, int, int]] = {
    "reads": (reads.measure_reads, 5, 3),
    "plain": (reads.measure_plain, 11, 5),
    "threads": (threads.measure_threads, 11, 5),
    "options": (calls.measure_options, 11, 5),
    "c_backends": (c_backends.measure_c_backends, 21, 11),
    "open": (calls.measure_open, 15, 7),
    "programs": (programs.measure_programs, 31, 11),
    "scanimage": (scanimage.measure_scanimage, 11, 5),
    "listing": (listing.measure_listing, 3, 1),
    "memory": (programs.measure_memory, 3, 1),
    "cancel": (calls.measure_cancel, 7, 3),
    "interrupt": (programs.measure_interrupt, 7, 3),
    "cycles": (calls.measure_cycles, 3, 1),
    "usb": (usb.measure_usb, 7, 3),
    "lines": (lines.measure_lines, 15, 5),
    "http": (http.measure_http, 7, 3),
    "documents": (documents.measure_documents, 5, 2),
    "pagework": (pagework.measure_pagework, 7, 3),
    "epson": (epson.measure_epson, 7, 3),
    "fujitsu": (fujitsu.measure_fujitsu, 5, 3),
    "pixma": (pixma.measure_pixma, 5, 3),
    "plustek": (plustek.measure_plustek, 5, 2),
    "driverless": (driverless.measure_driverless, 5, 3),
    "net": (net.measure_net, 7, 3),
    "python": (python.measure_python, 7, 3),
    "cli": (cli.measure_cli, 15, 5),
    "clients": (clients.measure_clients, 15, 5),
    "share": (share.measure_share, 5, 2),
    "sharepage": (sharepage.measure_sharepage, 9, 3),
    "share_api": (share_api.measure_share_api, 5, 2),
    "share_escl": (share_escl.measure_share_escl, 5, 2),
}


def main() -> int:
    """Run the sections; 1 if a measured program failed, whatever the goals say."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--rounds", type=int, help="rounds of every section")
    parser.add_argument("--quick", action="store_true", help="few rounds, 32 KiB buffers only")
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    if arguments.rounds is not None and arguments.rounds < 1:
        parser.error("--rounds: at least 1")
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        facts = machine(bench)
        print("\n".join(f"{name}: {value}" for name, value in facts), end="\n\n", flush=True)
        sections = []
        for name, (measure, usual, few) in SECTIONS.items():
            if arguments.sections and name not in arguments.sections:
                continue
            rounds = arguments.rounds or (few if arguments.quick else usual)
            sections.append(measure(bench, rounds, arguments.quick))
            print(sections[-1].text(), flush=True)
    if arguments.sections or arguments.quick:
        print(f"{TARGET.relative_to(ROOT)} is left alone: this was not the whole run")
    else:
        TARGET.parent.mkdir(exist_ok=True)
        TARGET.write_text(markdown(facts, sections), encoding="utf-8")
        TARGET.with_suffix(".json").write_text(record(facts, sections), encoding="utf-8")
    verdicts = [row[-1] for section in sections for row in section.rows]
    missed, open_goals = verdicts.count(MISSED), verdicts.count(UNMEASURED)
    print(
        f"{verdicts.count('met')} goals met, {missed} NOT met, {open_goals} not measured, "
        f"in {time.monotonic() - begin:.0f} s"
    )
    return 1 if any(section.failures for section in sections) else 0


if __name__ == "__main__":
    sys.exit(main())
